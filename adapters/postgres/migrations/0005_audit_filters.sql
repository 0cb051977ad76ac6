-- The earliest and latest event of each block of 1,024 ids. A filter by time reads only the blocks that contain the time, so that it
-- does not depend on the order of the times: denied requests are stored later than they occurred, and clocks are set. Each server
-- process has its own row, so that transactions do not wait for each other. The latest time is rounded up to a second, so that
-- most events change no row.
CREATE TABLE audit_blocks (
    block    bigint NOT NULL,
    writer   integer NOT NULL,
    earliest timestamptz NOT NULL,
    latest   timestamptz NOT NULL,
    CONSTRAINT audit_blocks_pkey PRIMARY KEY (block, writer)
) WITH (fillfactor = 50);

CREATE FUNCTION extend_audit_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_blocks AS b (block, writer, earliest, latest)
    VALUES (NEW.id / 1024, pg_backend_pid(), NEW.at, date_trunc('second', NEW.at) + interval '1 second')
    ON CONFLICT (block, writer) DO UPDATE
    SET earliest = least(b.earliest, excluded.earliest), latest = greatest(b.latest, excluded.latest)
    WHERE excluded.earliest < b.earliest OR excluded.latest > b.latest;
    RETURN NULL;
END
$$;

-- Waits for running writes, so that the next migration sees every event that the trigger does not cover.
CREATE TRIGGER audit_events_blocks AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION extend_audit_block();

-- Number of deleted events that no event records yet: of a deletion that is in progress or was interrupted.
CREATE TABLE audit_pruned (
    only_row   boolean NOT NULL DEFAULT true,
    deleted    bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT audit_pruned_pkey PRIMARY KEY (only_row),
    CONSTRAINT audit_pruned_only_row CHECK (only_row),
    CONSTRAINT audit_pruned_deleted CHECK (deleted >= 0)
);

INSERT INTO audit_pruned (deleted, changed_at) VALUES (0, now());
