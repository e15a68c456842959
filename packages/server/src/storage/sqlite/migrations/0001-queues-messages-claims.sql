-- The file is ours: database.ts refuses those of other programs.
PRAGMA application_id = 0x5a617161;

-- One row: the key that seals ids, the first number that was never handed out, and the latest instant that was acted on.
CREATE TABLE store (
  only        INTEGER PRIMARY KEY CHECK (only = 1),
  seal_key    BLOB    NOT NULL,
  next_number INTEGER NOT NULL,
  last_now    INTEGER NOT NULL
) STRICT;

-- What hangs on a queue hangs on a bucket, so that emptying a queue is handing it a new bucket. A bucket whose `owner` is
-- null is waiting for the sweeper.
CREATE TABLE buckets (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER
) STRICT;
CREATE INDEX buckets_abandoned ON buckets (id) WHERE owner IS NULL;

CREATE TABLE queues (
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  project             TEXT    NOT NULL,
  kind                TEXT    NOT NULL,
  name                TEXT    NOT NULL,
  revision            INTEGER NOT NULL,
  metadata            TEXT    NOT NULL,
  -- 1: holds dead letters, but nobody created it yet.
  latent              INTEGER NOT NULL,
  -- Of messages, claims and idempotency records.
  bucket              INTEGER NOT NULL,
  subscription_bucket INTEGER NOT NULL,
  free                INTEGER NOT NULL,
  claimed             INTEGER NOT NULL,
  UNIQUE (project, kind, name)
) STRICT;

CREATE TABLE messages (
  number      INTEGER PRIMARY KEY,
  bucket      INTEGER NOT NULL,
  -- Order among those that became visible at the same instant. The number, until the message moves to another queue.
  place       INTEGER NOT NULL,
  visible_at  INTEGER NOT NULL,
  -- 1: was posted with a delay, so its place is not in the order of posting.
  delayed     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  -- 1 while `claim` is set.
  held        INTEGER NOT NULL,
  claim       INTEGER,
  claim_count INTEGER NOT NULL,
  ttl         INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  -- The bucket it was posted to, which its id tells.
  born        INTEGER NOT NULL,
  -- The name of the queue it came from, once it has moved.
  origin      TEXT,
  client      TEXT    NOT NULL,
  -- Last, so that reading the columns before it never touches the pages of a long body.
  body        TEXT    NOT NULL
) STRICT;
-- The expiry is in these, so that an expired message is passed over without a look at the message.
CREATE INDEX messages_by_place ON messages (bucket, held, visible_at, place, expires_at) WHERE delayed = 0;
CREATE INDEX delayed_messages_by_place ON messages (bucket, held, visible_at, place, expires_at) WHERE delayed = 1;
CREATE INDEX delayed_messages_by_post ON messages (bucket, held, created_at, place, expires_at) WHERE delayed = 1;
CREATE INDEX moved_messages_by_place ON messages (bucket, held, visible_at, place, expires_at) WHERE origin IS NOT NULL;
CREATE INDEX messages_by_expiry ON messages (bucket, expires_at);

CREATE TABLE claims (
  number     INTEGER PRIMARY KEY,
  bucket     INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ttl        INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  -- How many messages it still holds; the row goes with the last one.
  holds      INTEGER NOT NULL,
  -- JSON array of the numbers of the messages that it took.
  taken      TEXT    NOT NULL
) STRICT;
CREATE INDEX claims_by_expiry ON claims (bucket, expires_at);

CREATE TABLE idempotency (
  bucket     INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  digest     TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  -- JSON array of the ids that were answered.
  ids        TEXT    NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (bucket, expires_at);

CREATE TABLE subscriptions (
  bucket     INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  subscriber TEXT    NOT NULL,
  ttl        INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  options    TEXT    NOT NULL,
  confirmed  INTEGER NOT NULL,
  PRIMARY KEY (bucket, id),
  UNIQUE (bucket, subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_expiry ON subscriptions (bucket, expires_at);

CREATE TABLE pools (
  name    TEXT    PRIMARY KEY,
  uri     TEXT    NOT NULL UNIQUE,
  weight  INTEGER NOT NULL,
  options TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flavors (
  project TEXT NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- Which flavor a pool belongs to in a project. The flavor need not have a row of its own.
CREATE TABLE pool_flavors (
  pool    TEXT NOT NULL,
  project TEXT NOT NULL,
  flavor  TEXT NOT NULL,
  PRIMARY KEY (pool, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX pool_flavors_by_flavor ON pool_flavors (project, flavor, pool);
