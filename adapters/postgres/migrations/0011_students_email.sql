-- no-transaction
-- Filters by email address, in order of id.
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_email ON students (lower(email), id);
