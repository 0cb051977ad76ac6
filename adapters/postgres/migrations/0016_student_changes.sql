-- The feed of changes of students. It stores no fields. Entries are read in order of (transaction, number) once every transaction with a
-- lower number has ended, so that none appears before one that was read. In a restored dump the numbers are those of another server.
CREATE TABLE student_changes (
    transaction     bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    number          bigint GENERATED ALWAYS AS IDENTITY,
    student_id      bigint NOT NULL,
    student_version bigint NOT NULL,
    changed_at      timestamptz NOT NULL,
    CONSTRAINT student_changes_pkey PRIMARY KEY (transaction, number)
);

-- The last change of the feed with this number that was deleted because of its age.
CREATE TABLE student_feed (
    only_row            boolean NOT NULL DEFAULT true,
    feed                bigint NOT NULL DEFAULT 0,
    deleted_transaction bigint NOT NULL DEFAULT 0,
    deleted_number      bigint NOT NULL DEFAULT 0,
    CONSTRAINT student_feed_pkey PRIMARY KEY (only_row),
    CONSTRAINT student_feed_only_row CHECK (only_row)
);

INSERT INTO student_feed DEFAULT VALUES;

-- The number of the feed. A restored dump, a recovery to an earlier time and a promoted standby have another one: they have other
-- transactions, another table or another timeline.
CREATE FUNCTION student_feed_number() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(concat_ws(' ', (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'student_changes'::regclass::oid,
        left(pg_walfile_name(pg_current_wal_lsn()), 8)), 0)
$$;

CREATE FUNCTION record_student_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO student_changes (student_id, student_version, changed_at)
        VALUES (OLD.id, OLD.version + 1, clock_timestamp());
    ELSE
        INSERT INTO student_changes (student_id, student_version, changed_at)
        VALUES (NEW.id, NEW.version, NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER student_changes_written AFTER INSERT OR DELETE ON students
    FOR EACH ROW EXECUTE FUNCTION record_student_change();
CREATE TRIGGER student_changes_updated AFTER UPDATE ON students FOR EACH ROW
    WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION record_student_change();
