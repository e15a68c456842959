-- Queues that move between stores, see docs/decisions/drain.md.

-- Of a placement: the last move of the queue to another pool, and where to, while that is under way.
ALTER TABLE placement ADD COLUMN token TEXT;
ALTER TABLE placement ADD COLUMN target TEXT;

-- A queue on its way to or from another store, see `MoveStore` of the contract.
CREATE TABLE moving (
  queue    INTEGER PRIMARY KEY,
  -- 'leaving' or 'arriving'.
  role     TEXT    NOT NULL,
  copy     TEXT    NOT NULL,
  -- Of who fenced it; null: it serves. One that arrives is always fenced.
  token    TEXT,
  until    INTEGER NOT NULL,
  -- Of one that leaves: when somebody read it last, and the number of the page that was handed out last.
  read_at  INTEGER NOT NULL,
  page     INTEGER NOT NULL,
  -- Of one that arrives: up to where it has come; and the first place of a message that was never claimed, where that is not behind
  -- all that were.
  cursor   TEXT,
  first_fresh INTEGER
) STRICT, WITHOUT ROWID;

-- What hangs on a queue that leaves, so that changes are noted: the numbers by which rows of other tables lead to it.
CREATE TABLE tracked (
  -- 'bucket', 'subscriptions', 'queue' or 'incarnation'; of a subscription: 'line' or 'records'. 'copied': the incarnation of one that arrives.
  what     TEXT    NOT NULL,
  number   INTEGER NOT NULL,
  queue    INTEGER NOT NULL,
  -- Of the subscription.
  id       TEXT,
  PRIMARY KEY (what, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX tracked_queue ON tracked (queue, what, number);

-- Rows that have changed since they were read. The triggers that write them are there only while queues leave (moved-tables.ts).
CREATE TABLE touched (
  queue    INTEGER NOT NULL,
  -- The kind of record, by its place in `RECORD_KINDS`; the number that the row hangs on, and its key beside it.
  kind     INTEGER NOT NULL,
  owner    INTEGER NOT NULL,
  key      ANY     NOT NULL,
  -- In which it was handed out; 0: not since it changed.
  page     INTEGER NOT NULL,
  PRIMARY KEY (queue, kind, owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX touched_page ON touched (queue, page);

-- A failure keeps its place in another store: places are numbers of the queue, and no longer of the file.
DROP TRIGGER subscription_went;
CREATE TABLE moved_failure (
  bucket           INTEGER NOT NULL,
  place            INTEGER NOT NULL,
  failed_at        INTEGER NOT NULL,
  expires_at       INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  since            INTEGER NOT NULL,
  born_incarnation INTEGER NOT NULL,
  born             INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  ttl              INTEGER NOT NULL,
  delay            INTEGER NOT NULL,
  client           TEXT    NOT NULL,
  attempts         TEXT    NOT NULL,
  body             TEXT    NOT NULL,
  UNIQUE (bucket, place)
) STRICT;
INSERT INTO moved_failure (bucket, place, failed_at, expires_at, number, since, born_incarnation, born, created_at, ttl, delay, client, attempts, body)
  SELECT bucket, place, failed_at, expires_at, number, since, born_incarnation, born, created_at, ttl, delay, client, attempts, body FROM failure;
UPDATE queue SET numbered = max(numbered, ifnull((SELECT max(place) FROM failure), 0));
DROP TABLE failure;
ALTER TABLE moved_failure RENAME TO failure;
CREATE INDEX failure_bucket ON failure (bucket, place, expires_at);
CREATE INDEX failure_expiry ON failure (expires_at);
CREATE TRIGGER subscription_went AFTER DELETE ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes - octet_length(OLD.subscriber) - octet_length(OLD.options) + 2
  WHERE subscription_bucket = OLD.bucket;
  INSERT OR IGNORE INTO dropped (bucket)
  SELECT OLD.line WHERE EXISTS (SELECT 1 FROM owed WHERE bucket = OLD.line)
  UNION ALL
  SELECT OLD.number
  WHERE EXISTS (SELECT 1 FROM failure WHERE bucket = OLD.number) OR EXISTS (SELECT 1 FROM log WHERE bucket = OLD.number);
END;
