-- Failed logins of usernames without a user, most recent last. Contains keyed hashes only, because users may enter a password as a
-- username.
CREATE TABLE unknown_logins (
    number        INTEGER PRIMARY KEY,
    username      BLOB NOT NULL UNIQUE CHECK (length(username) = 32),
    failed_logins INTEGER NOT NULL CHECK (failed_logins BETWEEN 0 AND 100),
    next_login_at INTEGER
) STRICT;

-- Release 1.0 updates dummy_login_attempts instead. The table goes in a later release.
