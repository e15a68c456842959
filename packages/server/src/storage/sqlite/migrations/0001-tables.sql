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
  PRIMARY KEY (bucket, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_end ON claim (bucket, ends_at);

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

CREATE TABLE subscription (
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
CREATE INDEX subscription_expiry ON subscription (bucket, expires_at);

-- Counted here because subscriptions go in several ways, also where one takes the place of another (PRAGMA recursive_triggers). One
-- whose bucket the queue has left counts nowhere.
CREATE TRIGGER subscription_came AFTER INSERT ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + octet_length(NEW.subscriber) + octet_length(NEW.options) - 2
  WHERE subscription_bucket = NEW.bucket;
END;
CREATE TRIGGER subscription_went AFTER DELETE ON subscription BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes - octet_length(OLD.subscriber) - octet_length(OLD.options) + 2
  WHERE subscription_bucket = OLD.bucket;
END;

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
