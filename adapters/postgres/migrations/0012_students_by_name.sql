-- no-transaction
-- Lists in order of name (Table::sort_expression).
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_by_name ON students (left(coalesce(name_search, name_folded), 100), id);
