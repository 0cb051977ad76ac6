-- no-transaction
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS students_external_id_key ON students (external_id) WHERE external_id IS NOT NULL;
