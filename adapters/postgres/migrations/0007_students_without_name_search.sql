-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_without_name_search ON students (id) WHERE name_search IS NULL;
