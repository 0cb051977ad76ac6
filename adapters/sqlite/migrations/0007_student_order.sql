-- Lists in order of name (Table::sort_expression).
CREATE INDEX students_by_name ON students (substr(coalesce(name_search, name_folded), 1, 100));
