-- The tables; docs/decisions/sqlite-engine.md says why they look like this.

-- The file is ours: database.ts refuses those of other programs.
PRAGMA application_id = 0x5a617161;

-- The one row: the key that seals ids, and the highest number that was given to a bucket.
CREATE TABLE service (
  is_only     INTEGER PRIMARY KEY CHECK (is_only = 1),
  id_key      BLOB    NOT NULL,
  last_bucket INTEGER NOT NULL
) STRICT;

-- A queue or topic. What hangs on it hangs on a bucket, so that emptying it is giving it a new one.
CREATE TABLE queue (
  number              INTEGER PRIMARY KEY AUTOINCREMENT,
  project             TEXT    NOT NULL,
  kind                TEXT    NOT NULL,
  name                TEXT    NOT NULL,
  version             INTEGER NOT NULL,
  -- Of messages, claims and idempotency records; `incarnation`: its name in ids.
  bucket              INTEGER NOT NULL,
  incarnation         INTEGER NOT NULL,
  subscription_bucket INTEGER NOT NULL,
  -- Of all its subscriptions, in UTF-8: subscribers, and what stands between the braces of the options.
  subscription_bytes  INTEGER NOT NULL DEFAULT 0,
  -- See `QueueState`.
  last                INTEGER NOT NULL DEFAULT 0,
  fresh               INTEGER NOT NULL DEFAULT 1,
  free                INTEGER NOT NULL DEFAULT 0,
  held                INTEGER NOT NULL DEFAULT 0,
  bytes               INTEGER NOT NULL DEFAULT 0,
  numbered            INTEGER NOT NULL DEFAULT 0,
  -- The latest instant that was acted on.
  acted_at            INTEGER NOT NULL DEFAULT 0,
  UNIQUE (project, kind, name)
) STRICT;
CREATE INDEX queue_subscription_bucket ON queue (subscription_bucket);

-- Metadata may be long, and most moves on a queue do not look at them: apart, the row of a queue is short, and so is a walk over
-- many of them.
CREATE TABLE metadata (
  queue INTEGER PRIMARY KEY,
  -- JSON of an object.
  text  TEXT NOT NULL
) STRICT;

-- A message that is or was visible. A claim of one that was never claimed changes no index, and no page of a long body: the row keeps
-- its length, since `claim` always takes six bytes and SQLite keeps 0 and 1 in the same room.
CREATE TABLE message (
  bucket           INTEGER NOT NULL,
  place            INTEGER NOT NULL,
  -- 4294967296, and the number of the claim that holds it on top.
  claim            INTEGER NOT NULL DEFAULT 4294967296,
  claim_count      INTEGER NOT NULL DEFAULT 0,
  expires_at       INTEGER NOT NULL,
  ttl              INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  -- Its number from its POST, where that is not its place: it was delayed.
  posted           INTEGER,
  -- What its id tells, where that is not the incarnation of the bucket and the place.
  born_incarnation INTEGER,
  born             INTEGER,
  -- The name of the queue it came from, once it has moved.
  came_from        TEXT,
  client           TEXT    NOT NULL,
  -- Last, so that reading the columns before it never touches the pages of a long body.
  body             TEXT    NOT NULL,
  UNIQUE (bucket, place)
) STRICT;
CREATE INDEX message_expiry ON message (bucket, expires_at);
-- Those that came back from a claim. The expiry is in it, so that an expired message is passed over without a look at it.
CREATE INDEX message_returned ON message (bucket, place, expires_at) WHERE claim = 4294967296 AND claim_count > 0;
CREATE INDEX message_moved ON message (bucket, place, expires_at) WHERE claim = 4294967296 AND came_from IS NOT NULL;
CREATE INDEX message_posted ON message (bucket, (claim = 4294967296), posted, expires_at) WHERE posted IS NOT NULL;
CREATE INDEX message_born ON message (bucket, born_incarnation, born) WHERE born IS NOT NULL;

-- A message whose delay is not over: it has no place yet.
CREATE TABLE delayed (
  bucket           INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  due_at           INTEGER NOT NULL,
  expires_at       INTEGER NOT NULL,
  ttl              INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  -- What its id tells, where that is not the incarnation of the bucket and the number.
  born_incarnation INTEGER,
  born             INTEGER,
  client           TEXT    NOT NULL,
  body             TEXT    NOT NULL,
  UNIQUE (bucket, number)
) STRICT;
CREATE INDEX delayed_due ON delayed (bucket, due_at, number);
CREATE INDEX delayed_expiry ON delayed (bucket, expires_at) WHERE expires_at <= due_at;
CREATE INDEX delayed_born ON delayed (bucket, born_incarnation, born) WHERE born IS NOT NULL;

CREATE TABLE claim (
  bucket     INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL,
  ttl        INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  -- How many messages it still holds; the row goes with the last one.
  holds      INTEGER NOT NULL,
  -- JSON array of the places of the messages that it took.
  places     TEXT    NOT NULL,
  -- Of the request that made it, where that may be repeated.
  key        TEXT,
  PRIMARY KEY (bucket, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_end ON claim (bucket, ends_at);
CREATE UNIQUE INDEX claim_key ON claim (bucket, key) WHERE key IS NOT NULL;

-- A POST that may be repeated. The ids that were answered follow from the number of the first message, how many they were, and when they
-- were posted.
CREATE TABLE idempotency (
  bucket     INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  digest     TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  first      INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (bucket, expires_at);

-- A message that has left its queue for one of another store, in the order in which they left.
CREATE TABLE departure (
  -- What its id tells: the incarnation of the queue that it left, and a number from there.
  incarnation      INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  -- Where to.
  project          TEXT    NOT NULL,
  name             TEXT    NOT NULL,
  -- Of the message.
  born_incarnation INTEGER NOT NULL,
  born             INTEGER NOT NULL,
  expires_at       INTEGER NOT NULL,
  ttl              INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  came_from        TEXT,
  client           TEXT    NOT NULL,
  body             TEXT    NOT NULL
) STRICT;
CREATE INDEX departure_number ON departure (incarnation, number);
CREATE INDEX departure_expiry ON departure (expires_at);

-- The highest number of a departure that has arrived at a queue from an incarnation of another.
CREATE TABLE arrival (
  queue       INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  number      INTEGER NOT NULL,
  PRIMARY KEY (queue, incarnation)
) STRICT, WITHOUT ROWID;

-- What is often changed stands before what is long.
CREATE TABLE subscription (
  -- From the counter of buckets: what failed and what was delivered lately hangs on it.
  number        INTEGER PRIMARY KEY,
  bucket        INTEGER NOT NULL,
  -- A bucket too, of what it is owed beside the feed; to owe it nothing more is to give it another.
  line          INTEGER NOT NULL,
  is_listening  INTEGER NOT NULL,
  -- Behind this number of the feed begins what it was not told of yet.
  position      INTEGER NOT NULL,
  -- The least `due_at` in its line, or 9007199254740991 when there is nothing.
  retry_at      INTEGER NOT NULL,
  -- Neither leased nor resting.
  is_free       INTEGER NOT NULL,
  -- Nothing of itself makes it worth a look before: the end of a lease, of a rest, or `retry_at`.
  wakes_at      INTEGER NOT NULL,
  -- The number of its last lease, and when that ends; 0: it has ended.
  lease         INTEGER NOT NULL,
  lease_ends_at INTEGER NOT NULL,
  rests_until   INTEGER NOT NULL,
  -- Its health; null: nothing is wrong.
  failures      INTEGER,
  failing_since INTEGER,
  paused_until  INTEGER,
  -- How many failures are stored, at the most; and the numbers that are in its log: from `log_from`, before `log_end`.
  failed        INTEGER NOT NULL,
  log_from      INTEGER NOT NULL,
  log_end       INTEGER NOT NULL,
  confirmed     INTEGER NOT NULL,
  ttl           INTEGER NOT NULL,
  renewed_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  id            TEXT    NOT NULL,
  subscriber    TEXT    NOT NULL,
  options       TEXT    NOT NULL,
  vault         TEXT,
  UNIQUE (bucket, id),
  UNIQUE (bucket, subscriber)
) STRICT;
CREATE INDEX subscription_expiry ON subscription (bucket, expires_at);
-- Who waits for news in the feed, and how far all have come.
CREATE INDEX subscription_ready ON subscription (bucket, is_free, position) WHERE is_listening = 1;
CREATE INDEX subscription_wake ON subscription (bucket, wakes_at) WHERE wakes_at < 9007199254740991;

-- Counted here because subscriptions go in several ways, also where one takes the place of another (PRAGMA recursive_triggers). One
-- whose bucket the queue has left counts nowhere.
CREATE TRIGGER subscription_came AFTER INSERT ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + octet_length(NEW.subscriber) + octet_length(NEW.options) - 2
  WHERE subscription_bucket = NEW.bucket;
END;
CREATE TRIGGER subscription_changed AFTER UPDATE OF subscriber, options ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + octet_length(NEW.subscriber) + octet_length(NEW.options)
    - octet_length(OLD.subscriber) - octet_length(OLD.options)
  WHERE subscription_bucket = NEW.bucket;
END;
CREATE TRIGGER subscription_went AFTER DELETE ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes - octet_length(OLD.subscriber) - octet_length(OLD.options) + 2
  WHERE subscription_bucket = OLD.bucket;
  INSERT OR IGNORE INTO dropped (bucket)
  SELECT OLD.line WHERE EXISTS (SELECT 1 FROM owed WHERE bucket = OLD.line)
  UNION ALL
  SELECT OLD.number
  WHERE EXISTS (SELECT 1 FROM failure WHERE bucket = OLD.number) OR EXISTS (SELECT 1 FROM log WHERE bucket = OLD.number);
END;

-- Messages that the subscriptions of a queue are told of, in order, as they were posted.
CREATE TABLE feed (
  queue            INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  -- What the id of the message tells.
  born_incarnation INTEGER NOT NULL,
  born             INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  ttl              INTEGER NOT NULL,
  delay            INTEGER NOT NULL,
  -- When it became visible.
  since            INTEGER NOT NULL,
  client           TEXT    NOT NULL,
  body             TEXT    NOT NULL,
  UNIQUE (queue, number)
) STRICT;

-- What a subscription is owed beside the feed: messages that are to be tried again, and announcements.
CREATE TABLE owed (
  bucket           INTEGER NOT NULL,
  -- In the feed, or where it would stand there.
  number           INTEGER NOT NULL,
  -- 0: it was due already when somebody looked.
  due_at           INTEGER NOT NULL,
  since            INTEGER NOT NULL,
  -- As in the feed; null: an announcement.
  born_incarnation INTEGER,
  born             INTEGER,
  created_at       INTEGER,
  ttl              INTEGER,
  delay            INTEGER,
  client           TEXT,
  attempts         TEXT,
  -- Of the message, or the text of the announcement.
  body             TEXT    NOT NULL,
  UNIQUE (bucket, number)
) STRICT;
CREATE INDEX owed_due ON owed (bucket, due_at, number);
CREATE INDEX owed_announcement ON owed (bucket) WHERE born IS NULL;

-- Messages of which a subscription was told in vain, in the order in which they failed.
CREATE TABLE failure (
  place            INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket           INTEGER NOT NULL,
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
  body             TEXT    NOT NULL
) STRICT;
CREATE INDEX failure_bucket ON failure (bucket, place, expires_at);
CREATE INDEX failure_expiry ON failure (expires_at);

-- What became lately of what a subscription was told.
CREATE TABLE log (
  bucket INTEGER NOT NULL,
  number INTEGER NOT NULL,
  text   TEXT    NOT NULL,
  PRIMARY KEY (bucket, number)
) STRICT, WITHOUT ROWID;

-- Queues with subscriptions that are worth a look, and from when on.
CREATE TABLE work (
  queue    INTEGER PRIMARY KEY,
  wakes_at INTEGER NOT NULL
) STRICT;
CREATE INDEX work_wake ON work (wakes_at);

CREATE TABLE pool (
  name    TEXT    PRIMARY KEY,
  uri     TEXT    NOT NULL UNIQUE,
  weight  INTEGER NOT NULL,
  options TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flavor (
  project TEXT NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- Which flavor a pool belongs to in a project. The flavor need not have a row of its own.
CREATE TABLE pool_flavor (
  pool    TEXT NOT NULL,
  project TEXT NOT NULL,
  flavor  TEXT NOT NULL,
  PRIMARY KEY (pool, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX pool_flavor_flavor ON pool_flavor (project, flavor, pool);

-- Buckets that purged and deleted queues left behind, for the sweeper to empty.
CREATE TABLE dropped (
  bucket INTEGER PRIMARY KEY
) STRICT;
