-- Times are microseconds since the epoch. AUTOINCREMENT prevents reuse of ids. The checks mirror the rules of the domain, so
-- that manual changes cannot store values that the program cannot read.

-- The oldest schema version that a program must know to open this database.
CREATE TABLE compatibility (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    least_version INTEGER NOT NULL CHECK (least_version >= 1)
) STRICT;

INSERT INTO compatibility (only_row, least_version) VALUES (1, 1);

CREATE TABLE users (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
    username            TEXT    NOT NULL CHECK (length(username) BETWEEN 1 AND 64),
    username_folded     TEXT    NOT NULL UNIQUE CHECK (username_folded <> ''),
    role                TEXT    NOT NULL CHECK (role IN ('viewer', 'registrar', 'admin')),
    status              TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    password_hash       TEXT    NOT NULL CHECK (password_hash <> ''),
    password_change_due INTEGER NOT NULL CHECK (password_change_due IN (0, 1)),
    password_expires_at INTEGER,
    failed_logins       INTEGER NOT NULL DEFAULT 0 CHECK (failed_logins BETWEEN 0 AND 100),
    next_login_at       INTEGER,
    version             INTEGER NOT NULL CHECK (version >= 1),
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;

CREATE TABLE students (
    id          INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    name_folded TEXT    NOT NULL CHECK (name_folded <> ''),
    email       TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    roll_no     INTEGER NOT NULL UNIQUE CHECK (roll_no BETWEEN 1 AND 9007199254740991),
    age         INTEGER CHECK (age BETWEEN 1 AND 150),
    version     INTEGER NOT NULL CHECK (version >= 1),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

-- Open sessions. A session that ends is deleted.
CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    opened_at    INTEGER NOT NULL,
    refreshed_at INTEGER NOT NULL CHECK (refreshed_at >= opened_at),
    expires_at   INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL CHECK (ends_at >= expires_at),
    client       TEXT,
    user_agent   TEXT    CHECK (length(user_agent) BETWEEN 1 AND 256)
) STRICT;

CREATE INDEX sessions_user_id ON sessions (user_id, id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Digests of all refresh tokens of a session. The newest has no used_at.
CREATE TABLE refresh_tokens (
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE UNIQUE INDEX refresh_tokens_newest ON refresh_tokens (session_id) WHERE used_at IS NULL;

CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Updated instead of a user for unknown usernames, so that the response time does not distinguish them.
CREATE TABLE dummy_login_attempts (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    failed_logins INTEGER NOT NULL,
    next_login_at INTEGER
) STRICT;

INSERT INTO dummy_login_attempts (only_row, failed_logins) VALUES (1, 0);

CREATE TABLE audit_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL CHECK (actor <> ''),
    action     TEXT    NOT NULL CHECK (action <> ''),
    target     TEXT,
    detail     TEXT,
    count      INTEGER NOT NULL CHECK (count >= 1),
    request_id TEXT,
    client     TEXT
) STRICT;

CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_actor ON audit_events (actor, id);
CREATE INDEX audit_events_target ON audit_events (target, id);
CREATE INDEX audit_events_action ON audit_events (action, id);

-- Counts changes of users and ended sessions, from any process. A server that reads a new number clears its session cache.
CREATE TABLE invalidation_generation (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL
) STRICT;

INSERT INTO invalidation_generation (only_row, generation) VALUES (1, 1);

CREATE TRIGGER users_changed AFTER UPDATE ON users
    WHEN OLD.version <> NEW.version OR OLD.role <> NEW.role OR OLD.status <> NEW.status
        OR OLD.password_change_due <> NEW.password_change_due
BEGIN
    UPDATE invalidation_generation SET generation = generation + 1;
END;
CREATE TRIGGER users_deleted AFTER DELETE ON users
BEGIN
    UPDATE invalidation_generation SET generation = generation + 1;
END;
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions
BEGIN
    UPDATE invalidation_generation SET generation = generation + 1;
END;
