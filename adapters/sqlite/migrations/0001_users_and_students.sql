-- Times are microseconds since the epoch. AUTOINCREMENT keeps SQLite from giving an id twice. The checks
-- mirror the rules of the domain, so that a hand at the database cannot store what no program can read.

-- A program that knows fewer versions of the schema than this refuses to open the database.
CREATE TABLE compatibility (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    least_version INTEGER NOT NULL CHECK (least_version >= 1)
) STRICT;

INSERT INTO compatibility (only_row, least_version) VALUES (1, 1);

-- The name is the only unique index beside the id: a violation of one means that the name is taken.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
    username        TEXT    NOT NULL CHECK (length(username) BETWEEN 1 AND 64),
    username_folded TEXT    NOT NULL UNIQUE CHECK (username_folded <> ''),
    password_hash   TEXT    NOT NULL CHECK (password_hash <> ''),
    role            TEXT    NOT NULL CHECK (role IN ('viewer', 'registrar', 'admin')),
    status          TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    version         INTEGER NOT NULL CHECK (version >= 1),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- The roll number is the only unique index beside the id: a violation of one means that the number is taken.
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
