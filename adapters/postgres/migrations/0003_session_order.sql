-- Order of logins and refreshes among the sessions of a user, which does not depend on a clock. Sessions from before this column
-- have the lowest number.
ALTER TABLE sessions ADD COLUMN refresh_order bigint NOT NULL DEFAULT 0;
