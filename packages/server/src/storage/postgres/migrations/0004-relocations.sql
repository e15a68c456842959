-- Drains of pools and the rebalance, see docs/decisions/drain.md.
--   pool     that is drained; '': the rebalance
--   status   'active', 'cancelled', 'done' or 'failed'
--   rate     records in a second
--   weight   that the pool had, and has again when this is cancelled
--   lease    of who works at it
CREATE TABLE relocation (
  pool text COLLATE "C" PRIMARY KEY,
  status text NOT NULL,
  rate bigint,
  asked_at bigint NOT NULL,
  ended_at bigint,
  queues_left bigint,
  queues_moved bigint NOT NULL DEFAULT 0,
  records_moved bigint NOT NULL DEFAULT 0,
  trouble text,
  weight bigint NOT NULL,
  lease bigint,
  leased_until bigint NOT NULL DEFAULT 0
);
