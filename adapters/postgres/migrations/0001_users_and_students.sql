-- A program that knows fewer migrations than this must not run on the schema.
CREATE TABLE compatibility (
    only_row      boolean NOT NULL DEFAULT true,
    least_version bigint  NOT NULL,
    CONSTRAINT compatibility_pkey PRIMARY KEY (only_row),
    CONSTRAINT compatibility_only_row CHECK (only_row)
);

INSERT INTO compatibility (least_version) VALUES (1);

-- Ids stay below 2^53, so that every JSON reader keeps them.
CREATE TABLE users (
    id              bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991),
    username        text COLLATE "C" NOT NULL,
    username_folded text COLLATE "C" NOT NULL,
    password_hash   text COLLATE "C" NOT NULL,
    role            text COLLATE "C" NOT NULL,
    active          boolean NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_username_folded_key UNIQUE (username_folded),
    CONSTRAINT users_id CHECK (id BETWEEN 1 AND 9007199254740991),
    CONSTRAINT users_username CHECK (char_length(username) BETWEEN 1 AND 64),
    CONSTRAINT users_username_folded CHECK (username_folded <> ''),
    CONSTRAINT users_password_hash CHECK (password_hash <> ''),
    CONSTRAINT users_role CHECK (role IN ('viewer', 'registrar', 'admin')),
    CONSTRAINT users_version CHECK (version >= 1),
    CONSTRAINT users_created_at CHECK (created_at >= '0001-01-01 00:00Z' AND created_at < '10000-01-01 00:00Z'),
    CONSTRAINT users_updated_at CHECK (updated_at >= '0001-01-01 00:00Z' AND updated_at < '10000-01-01 00:00Z')
);

-- Whether another administrator remains is asked without reading every user.
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
