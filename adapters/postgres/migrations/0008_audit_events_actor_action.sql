-- no-transaction
-- Filters by actor and action. Indexes that start with the target would triple the cost of writes, because events of a time have
-- many targets; few targets have many events.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_events_actor_action ON audit_events (actor, action, id);
