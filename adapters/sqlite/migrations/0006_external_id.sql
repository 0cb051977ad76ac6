-- The id in another system. Release 1.0 keeps it.
ALTER TABLE students ADD COLUMN external_id TEXT CHECK (length(external_id) BETWEEN 1 AND 64);
CREATE UNIQUE INDEX students_external_id ON students (external_id) WHERE external_id IS NOT NULL;

-- Filters by email address, in order of id.
CREATE INDEX students_email ON students (lower(email));
