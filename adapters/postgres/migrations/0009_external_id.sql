-- The id in another system. Release 1.0 keeps it. The constraint is not validated, because no row has a value yet.
ALTER TABLE students ADD COLUMN external_id text COLLATE "C",
    ADD CONSTRAINT students_external_id CHECK (char_length(external_id) BETWEEN 1 AND 64) NOT VALID;
