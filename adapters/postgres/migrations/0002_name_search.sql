-- The name for search (StudentName::search_form). NULL until it is computed: release 1.0 does not write it.
ALTER TABLE students ADD COLUMN name_search text COLLATE "C";

-- Release 1.0 changes names without it. If the search form is really unchanged, it is computed once more.
CREATE FUNCTION clear_name_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name_search := NULL;
    RETURN NEW;
END
$$;

CREATE TRIGGER students_name_search BEFORE UPDATE OF name ON students FOR EACH ROW
    WHEN (NEW.name <> OLD.name AND NEW.name_search = OLD.name_search)
    EXECUTE FUNCTION clear_name_search();
