-- no-transaction
-- With a short list of pending entries, because every search reads it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_name_grams ON students USING gin (name_grams(name_search))
WITH (gin_pending_list_limit = 256) WHERE name_search IS NOT NULL;
