-- The feed of changes of students, in the order of commits, because writes are committed one after another. It stores no fields.
CREATE TABLE student_changes (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    student_id      INTEGER NOT NULL,
    student_version INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL
) STRICT;

-- The random part of the feed's number, and the last change that was deleted because of its age.
CREATE TABLE student_feed (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    feed     INTEGER NOT NULL,
    deleted  INTEGER NOT NULL
) STRICT;

INSERT INTO student_feed (only_row, feed, deleted) VALUES (1, random(), 0);

CREATE TRIGGER student_changes_inserted AFTER INSERT ON students
BEGIN
    INSERT INTO student_changes (student_id, student_version, changed_at) VALUES (NEW.id, NEW.version, NEW.updated_at);
END;

CREATE TRIGGER student_changes_updated AFTER UPDATE OF version ON students WHEN NEW.version <> OLD.version
BEGIN
    INSERT INTO student_changes (student_id, student_version, changed_at) VALUES (NEW.id, NEW.version, NEW.updated_at);
END;

-- Programs of earlier releases write no time. Their SQLite may have no unixepoch('subsec').
CREATE TRIGGER student_changes_deleted AFTER DELETE ON students
BEGIN
    INSERT INTO student_changes (student_id, student_version, changed_at)
    VALUES (OLD.id, OLD.version + 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000);
END;
