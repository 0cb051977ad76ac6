-- The earliest and latest event of each block of 1,024 ids. A filter by time reads only the blocks that contain the time, so that it
-- does not depend on the order of the times: denied requests are stored later than they occurred, and clocks are set.
CREATE TABLE audit_blocks (
    block    INTEGER PRIMARY KEY,
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL
) STRICT;

INSERT INTO audit_blocks (block, earliest, latest) SELECT id / 1024, min(at), max(at) FROM audit_events GROUP BY id / 1024;

CREATE TRIGGER audit_events_blocks AFTER INSERT ON audit_events
BEGIN
    INSERT INTO audit_blocks (block, earliest, latest) VALUES (NEW.id / 1024, NEW.at, NEW.at)
    ON CONFLICT (block) DO UPDATE SET earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)
    WHERE excluded.earliest < earliest OR excluded.latest > latest;
END;

-- Filters by actor and action. Indexes that start with the target would triple the cost of writes, because events of a time have
-- many targets; few targets have many events.
CREATE INDEX audit_events_actor_action ON audit_events (actor, action, id);

-- Number of deleted events that no event records yet: of a deletion that is in progress or was interrupted.
CREATE TABLE audit_pruned (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    deleted    INTEGER NOT NULL CHECK (deleted >= 0),
    changed_at INTEGER NOT NULL
) STRICT;

INSERT INTO audit_pruned (only_row, deleted, changed_at) VALUES (1, 0, 0);
