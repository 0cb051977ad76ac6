-- The name for search (StudentName::search_form). NULL until it is computed: release 1.0 does not write it.
ALTER TABLE students ADD COLUMN name_search TEXT;

-- Release 1.0 changes names without it. If the search form is really unchanged, it is computed once more.
CREATE TRIGGER students_name_search AFTER UPDATE OF name ON students
    WHEN NEW.name <> OLD.name AND NEW.name_search = OLD.name_search
BEGIN
    UPDATE students SET name_search = NULL WHERE id = NEW.id;
END;

CREATE INDEX students_without_name_search ON students (id) WHERE name_search IS NULL;
