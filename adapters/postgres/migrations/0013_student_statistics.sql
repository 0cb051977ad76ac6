-- The server needs statistics of the new indexes to select the index of a filter.
ANALYZE students;
