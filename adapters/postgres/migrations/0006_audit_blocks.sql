-- The blocks of the events from before the trigger. Without a lock, because this reads every event.
INSERT INTO audit_blocks (block, writer, earliest, latest)
SELECT id / 1024, 0, min(at), max(at) FROM audit_events GROUP BY id / 1024;
