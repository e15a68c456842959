-- Queues that move between stores, see docs/decisions/drain.md.

-- The last move of the queue to another pool, and where to, while that is under way.
ALTER TABLE placement ADD COLUMN token text, ADD COLUMN target text;

-- It serves nobody here: it has been fenced on its way to another store, or is a copy from there. `moving` says more.
ALTER TABLE queue ADD COLUMN is_fenced boolean NOT NULL DEFAULT false;

--   role         'leaving' or 'arriving'
--   token        of who fenced it; null: it serves. One that arrives is always fenced.
--   read_at, page   of one that leaves: when somebody read it last, and the number of the page that was handed out last
--   incarnation, cursor   of one that arrives: nothing departs from that incarnation here; up to where it has come
CREATE TABLE moving (
  queue bigint PRIMARY KEY,
  role text NOT NULL,
  copy text NOT NULL,
  token text,
  until bigint NOT NULL DEFAULT 0,
  read_at bigint NOT NULL,
  page bigint NOT NULL DEFAULT 0,
  incarnation bigint,
  cursor text
);
CREATE INDEX moving_incarnation ON moving (incarnation);
CREATE INDEX moving_role ON moving (role);

-- What hangs on a queue that leaves, so that changes are noted: the numbers by which rows of other tables lead to it. `what`: 'bucket', 'queue' or
-- 'incarnation'; of a subscription, with its id: 'line' or 'records'.
CREATE TABLE tracked (
  what text NOT NULL,
  number bigint NOT NULL,
  queue bigint NOT NULL,
  id text COLLATE "C",
  PRIMARY KEY (what, number)
);
CREATE INDEX tracked_queue ON tracked (queue, what, number);

-- Rows that have changed since they were read. `kind` is that of the record, by its place in `moved_tables`; `owner` the number that the row hangs on,
-- and `key` its key beside it; `page` in which it was handed out, 0: not since it changed. The triggers that write here are at work only while queues leave.
CREATE TABLE touched (
  queue bigint NOT NULL,
  kind integer NOT NULL,
  owner bigint NOT NULL,
  key jsonb NOT NULL,
  page bigint NOT NULL,
  PRIMARY KEY (queue, kind, owner, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX touched_page ON touched (queue, page);
