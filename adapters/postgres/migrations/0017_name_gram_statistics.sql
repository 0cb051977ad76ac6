-- Searches need the frequency of a gram to choose how to read. The default number of grams would lack those of one name in 200.
ALTER INDEX students_name_grams ALTER COLUMN 1 SET STATISTICS 400;
