-- The substrings of one to three characters. Constant, so that an index can contain them.
CREATE FUNCTION name_grams(form text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT substr(form, first, size)
        FROM generate_series(1, 3) AS size, LATERAL generate_series(1, char_length(form) - size + 1) AS first
    );
END
$$;
