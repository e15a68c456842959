-- Drains of pools and the rebalance, see docs/decisions/drain.md.
CREATE TABLE relocation (
  -- The pool that is drained; '': the rebalance.
  pool           TEXT    PRIMARY KEY,
  -- 'active', 'cancelled', 'done' or 'failed'.
  status         TEXT    NOT NULL,
  -- Records in a second.
  rate           INTEGER,
  asked_at       INTEGER NOT NULL,
  ended_at       INTEGER,
  queues_left    INTEGER,
  queues_moved   INTEGER NOT NULL DEFAULT 0,
  records_moved  INTEGER NOT NULL DEFAULT 0,
  trouble        TEXT,
  -- That the pool had, and has again when this is cancelled.
  weight         INTEGER NOT NULL,
  -- Of who works at it.
  lease          TEXT,
  leased_until   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
