-- Ids of students whose names are not in the index of grams, as disjoint ranges: usually none.
CREATE TABLE students_to_index (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL CHECK (last >= first)
) STRICT;

INSERT INTO students_to_index (first, last)
SELECT 1, newest FROM (SELECT max(id) AS newest FROM students) WHERE newest IS NOT NULL;

-- The grams of names (StudentName::search_form) as hexadecimal words. Triggers do not write it, because each savepoint of the writer
-- would create a segment of the index.
CREATE VIRTUAL TABLE student_grams USING fts5(grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

-- A search reads few segments fastest, so the background task merges those of one level from two on.
INSERT INTO student_grams (student_grams, rank) VALUES ('usermerge', 2);

CREATE TRIGGER students_to_index_inserted AFTER INSERT ON students
BEGIN
    INSERT INTO students_to_index (first, last) SELECT NEW.id, NEW.id WHERE NOT EXISTS (
        SELECT 1 FROM students_to_index
        WHERE first = (SELECT max(first) FROM students_to_index WHERE first <= NEW.id) AND last >= NEW.id
    );
END;

CREATE TRIGGER students_to_index_updated AFTER UPDATE OF name ON students WHEN NEW.name <> OLD.name
BEGIN
    INSERT INTO students_to_index (first, last) SELECT NEW.id, NEW.id WHERE NOT EXISTS (
        SELECT 1 FROM students_to_index
        WHERE first = (SELECT max(first) FROM students_to_index WHERE first <= NEW.id) AND last >= NEW.id
    );
END;

CREATE TRIGGER students_to_index_deleted AFTER DELETE ON students
BEGIN
    INSERT INTO students_to_index (first, last) SELECT OLD.id, OLD.id WHERE NOT EXISTS (
        SELECT 1 FROM students_to_index
        WHERE first = (SELECT max(first) FROM students_to_index WHERE first <= OLD.id) AND last >= OLD.id
    );
END;

DROP INDEX students_without_name_search;
