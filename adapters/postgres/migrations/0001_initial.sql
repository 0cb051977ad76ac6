-- The oldest schema version that a program must know to use this schema.
CREATE TABLE compatibility (
    only_row      boolean NOT NULL DEFAULT true,
    least_version bigint  NOT NULL,
    CONSTRAINT compatibility_pkey PRIMARY KEY (only_row),
    CONSTRAINT compatibility_only_row CHECK (only_row)
);

INSERT INTO compatibility (least_version) VALUES (1);

-- Ids are below 2^53, so that every JSON parser represents them exactly.
CREATE TABLE users (
    id                  bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991),
    username            text COLLATE "C" NOT NULL,
    username_folded     text COLLATE "C" NOT NULL,
    password_hash       text COLLATE "C" NOT NULL,
    role                text COLLATE "C" NOT NULL,
    active              boolean NOT NULL,
    password_change_due boolean NOT NULL,
    password_expires_at timestamptz,
    failed_logins       integer NOT NULL DEFAULT 0,
    next_login_at       timestamptz,
    version             bigint NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_username_folded_key UNIQUE (username_folded),
    CONSTRAINT users_id CHECK (id BETWEEN 1 AND 9007199254740991),
    CONSTRAINT users_username CHECK (char_length(username) BETWEEN 1 AND 64),
    CONSTRAINT users_username_folded CHECK (username_folded <> ''),
    CONSTRAINT users_password_hash CHECK (password_hash <> ''),
    CONSTRAINT users_role CHECK (role IN ('viewer', 'registrar', 'admin')),
    CONSTRAINT users_password_expires_at CHECK (password_expires_at IS NULL OR password_change_due),
    CONSTRAINT users_failed_logins CHECK (failed_logins BETWEEN 0 AND 100),
    CONSTRAINT users_version CHECK (version >= 1),
    CONSTRAINT users_created_at CHECK (created_at >= '0001-01-01 00:00Z' AND created_at < '10000-01-01 00:00Z'),
    CONSTRAINT users_updated_at CHECK (updated_at >= '0001-01-01 00:00Z' AND updated_at < '10000-01-01 00:00Z')
);

-- Finds another active administrator without a table scan.
CREATE INDEX users_active_admins ON users (id) WHERE role = 'admin' AND active;

CREATE TABLE students (
    id          bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991),
    name        text COLLATE "C" NOT NULL,
    name_folded text COLLATE "C" NOT NULL,
    email       text COLLATE "C" NOT NULL,
    roll_no     bigint NOT NULL,
    age         smallint,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT students_pkey PRIMARY KEY (id),
    CONSTRAINT students_roll_no_key UNIQUE (roll_no),
    CONSTRAINT students_id CHECK (id BETWEEN 1 AND 9007199254740991),
    CONSTRAINT students_name CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT students_name_folded CHECK (name_folded <> ''),
    CONSTRAINT students_email CHECK (octet_length(email) BETWEEN 3 AND 254),
    CONSTRAINT students_roll_no CHECK (roll_no BETWEEN 1 AND 9007199254740991),
    CONSTRAINT students_age CHECK (age BETWEEN 1 AND 150),
    CONSTRAINT students_version CHECK (version >= 1),
    CONSTRAINT students_created_at CHECK (created_at >= '0001-01-01 00:00Z' AND created_at < '10000-01-01 00:00Z'),
    CONSTRAINT students_updated_at CHECK (updated_at >= '0001-01-01 00:00Z' AND updated_at < '10000-01-01 00:00Z')
);

-- Open sessions. A session that ends is deleted.
CREATE TABLE sessions (
    id           bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991),
    user_id      bigint NOT NULL,
    opened_at    timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    client       inet,
    user_agent   text COLLATE "C",
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_id CHECK (id BETWEEN 1 AND 9007199254740991),
    CONSTRAINT sessions_times CHECK (opened_at <= refreshed_at AND expires_at <= ends_at),
    CONSTRAINT sessions_user_agent CHECK (char_length(user_agent) BETWEEN 1 AND 256)
);

CREATE INDEX sessions_user_id ON sessions (user_id, id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Digests of all refresh tokens of a session. The newest has no used_at.
CREATE TABLE refresh_tokens (
    digest     bytea NOT NULL,
    session_id bigint NOT NULL,
    used_at    timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_digest CHECK (octet_length(digest) = 32)
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE UNIQUE INDEX refresh_tokens_newest ON refresh_tokens (session_id) WHERE used_at IS NULL;

-- Secrets that all nodes share.
CREATE TABLE secrets (
    name  text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    CONSTRAINT secrets_pkey PRIMARY KEY (name)
);

-- Updated instead of a user for unknown usernames, so that the response time does not distinguish them.
CREATE TABLE dummy_login_attempts (
    id            smallint NOT NULL,
    failed_logins integer NOT NULL,
    next_login_at timestamptz,
    CONSTRAINT dummy_login_attempts_pkey PRIMARY KEY (id)
);

INSERT INTO dummy_login_attempts (id, failed_logins) SELECT id, 0 FROM generate_series(1, 64) AS id;

CREATE TABLE audit_events (
    id          bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991),
    at          timestamptz NOT NULL,
    actor       text COLLATE "C" NOT NULL,
    action      text COLLATE "C" NOT NULL,
    target      text COLLATE "C",
    detail      text COLLATE "C",
    count       bigint NOT NULL,
    request_id  text COLLATE "C",
    client      inet,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_id CHECK (id BETWEEN 1 AND 9007199254740991),
    CONSTRAINT audit_events_actor CHECK (actor <> ''),
    CONSTRAINT audit_events_action CHECK (action <> ''),
    CONSTRAINT audit_events_count CHECK (count >= 1),
    CONSTRAINT audit_events_at CHECK (at >= '0001-01-01 00:00Z' AND at < '10000-01-01 00:00Z')
);

CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_actor ON audit_events (actor, id);
CREATE INDEX audit_events_target ON audit_events (target, id);
CREATE INDEX audit_events_action ON audit_events (action, id);

-- Notifies every node of a changed user or an ended session, in the transaction of the change.
CREATE FUNCTION notify_invalidation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rollbook_invalidations', TG_TABLE_SCHEMA || ' ' || TG_ARGV[0] || ' ' || OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.version <> NEW.version OR OLD.role <> NEW.role OR OLD.active <> NEW.active
        OR OLD.password_change_due <> NEW.password_change_due)
    EXECUTE FUNCTION notify_invalidation('user');
CREATE TRIGGER users_deleted AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION notify_invalidation('user');
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION notify_invalidation('session');
