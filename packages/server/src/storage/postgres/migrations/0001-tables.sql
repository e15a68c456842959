-- The tables. See docs/decisions/postgres-shape.md for why they look like this.
--
-- The indexes by time are on `bucket + 0` or `expires_at + 0`, and only queries that say so use them. Before a table has statistics, the planner
-- takes them for as good as the primary key where a query knows bucket and place, and reads the whole bucket.

-- Versions, identities of queues, and buckets. Never used again, so a number says for good what it named.
CREATE SEQUENCE identity;

-- A queue or topic. `number` is its identity until it is deleted; `bucket` holds its messages and claims, and is exchanged for an
-- empty one by a purge. `metadata` is JSON text. `subscription_bytes` are those of all its subscriptions, see `bytes_of`.
-- `has_feed` says whether messages enter its feed: always where a subscription listens, and for a while after the last one has gone.
-- `is_kept` says whether `keeper` has to be asked if removed messages are kept: always where it would say so, and until somebody has asked.
-- Every move that writes to a bucket locks this row first, so writers of one queue come one after the other, and writers of
-- different queues never wait for each other.
CREATE TABLE queue (
  project text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  number bigint NOT NULL UNIQUE,
  bucket bigint NOT NULL,
  version bigint NOT NULL,
  metadata text NOT NULL,
  subscription_bytes bigint NOT NULL DEFAULT 0,
  has_feed boolean NOT NULL DEFAULT false,
  is_kept boolean NOT NULL DEFAULT true,
  PRIMARY KEY (project, kind, name)
) WITH (fillfactor = 70);

-- What is known of a bucket. Only the row with the highest `seq` counts: a move inserts the next one and deletes the one
-- before. An UPDATE in place would leave its old versions in the way of every reader for as long as somebody's long
-- transaction keeps them from being vacuumed; here readers come from the live end of the index and never meet them.
--   incarnation  what the bucket is called in ids and markers: a random number, which goes with the contents to another store
--   last         the highest number given to a message, claim or departure; places are numbers
--   fresh        no message with a place >= fresh was ever claimed; those before it are held, returned, or gone
--   live         no message has a lower place
--   free, held   how many messages there are, expired ones counted until they are settled
--   epoch        epoch of returned messages, see message.epoch
--   returned     how many messages are in that epoch
--   retaken      how many have left that epoch
--   due_at, ends_at, expires_at   lower bounds: no delay is over, no claim ends, no message expires before, and no idempotency
--                record has to be removed, see `removed_at`
--   bytes        of the bodies of all messages, and of keys and digests of idempotency records, in UTF-8
CREATE TABLE standing (
  bucket bigint NOT NULL,
  seq bigint NOT NULL,
  incarnation bigint NOT NULL,
  last bigint NOT NULL,
  fresh bigint NOT NULL,
  live bigint NOT NULL,
  free bigint NOT NULL,
  held bigint NOT NULL,
  epoch bigint NOT NULL,
  returned bigint NOT NULL,
  retaken bigint NOT NULL,
  due_at bigint NOT NULL,
  ends_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  bytes bigint NOT NULL,
  PRIMARY KEY (bucket, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- A message that is or was visible.
--   place        its place in the queue
--   posted       its number from its POST, where that is not its place: it was delayed
--   born_incarnation, born   the numbers in its id, where those are not (that of the bucket, place)
--   claim        the claim that holds it
--   epoch         the epoch of the bucket when a claim on it ended, until it is claimed again
--   came_from    name of the queue that it left for this dead letter queue
-- Neither `claim` nor `claim_count` is indexed, so taking a fresh message touches no index.
CREATE TABLE message (
  bucket bigint NOT NULL,
  place bigint NOT NULL,
  posted bigint,
  born_incarnation bigint,
  born bigint,
  claim bigint,
  epoch bigint,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ttl bigint NOT NULL,
  claim_count bigint NOT NULL DEFAULT 0,
  client text NOT NULL,
  came_from text,
  body text NOT NULL,
  PRIMARY KEY (bucket, place)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE INDEX message_expiry ON message ((bucket + 0), expires_at);
CREATE INDEX message_returned ON message (bucket, epoch, place) WHERE epoch IS NOT NULL;
CREATE INDEX message_born ON message (bucket, born_incarnation, born) WHERE born IS NOT NULL;
CREATE INDEX message_posted ON message (bucket, posted) WHERE posted IS NOT NULL;

-- A message whose delay is not over: it has no place yet. It has to be looked after at `wakes_at`: when the delay is over, or
-- it expires, whichever is earlier. `born_incarnation` and `born` are the numbers in its id, where those are not (that of the bucket, number).
CREATE TABLE delayed (
  bucket bigint NOT NULL,
  number bigint NOT NULL,
  born_incarnation bigint,
  born bigint,
  due_at bigint NOT NULL,
  wakes_at bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ttl bigint NOT NULL,
  claim_count bigint NOT NULL DEFAULT 0,
  client text NOT NULL,
  came_from text,
  body text NOT NULL,
  PRIMARY KEY (bucket, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX delayed_born ON delayed (bucket, born_incarnation, born) WHERE born IS NOT NULL;
CREATE INDEX delayed_due ON delayed (bucket, due_at, number);
CREATE INDEX delayed_wake ON delayed ((bucket + 0), wakes_at, number);

-- Until when the removed messages of a queue are kept for those who follow it, by the clock of the server, in milliseconds. The queue need not exist.
CREATE TABLE keeper (
  project text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (project, kind, name)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX keeper_until ON keeper ((until + 0));

-- A message that was removed from a queue that is kept, as it was at its place. Logged: followers read on after a crash of the server, which may be back
-- within seconds.
CREATE TABLE gone (
  bucket bigint NOT NULL,
  place bigint NOT NULL,
  posted bigint,
  born_incarnation bigint,
  born bigint,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ttl bigint NOT NULL,
  claim_count bigint NOT NULL,
  client text NOT NULL,
  body text NOT NULL,
  gone_at bigint NOT NULL,
  PRIMARY KEY (bucket, place)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX gone_born ON gone (bucket, born_incarnation, born) WHERE born IS NOT NULL;
CREATE INDEX gone_end ON gone ((gone_at + 0));

-- A claim, live or over but not yet settled. `places` are those it took; which of them it still has, the messages say. `key` is that of the
-- request that made it, where that may be repeated; of several with the same one, only the last can be live.
CREATE TABLE claim (
  bucket bigint NOT NULL,
  number bigint NOT NULL,
  ends_at bigint NOT NULL,
  renewed_at bigint NOT NULL,
  ttl bigint NOT NULL,
  places bigint[] NOT NULL,
  key text COLLATE "C",
  PRIMARY KEY (bucket, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX claim_end ON claim ((bucket + 0), ends_at);
CREATE INDEX claim_key ON claim ((bucket + 0), key, number) WHERE key IS NOT NULL;

-- What a POST with an idempotency key was answered: `count` messages of `created_at`, numbered from `first`.
CREATE TABLE idempotency (
  bucket bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  digest text NOT NULL,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  first bigint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (bucket, key)
);
CREATE INDEX idempotency_expiry ON idempotency ((bucket + 0), expires_at);

-- A message that has left its queue for one that lies in another store. (incarnation, number) name the departure, born_* the message.
CREATE TABLE departure (
  seq bigint PRIMARY KEY DEFAULT nextval('identity'),
  incarnation bigint NOT NULL,
  number bigint NOT NULL,
  project text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  born_incarnation bigint NOT NULL,
  born bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ttl bigint NOT NULL,
  client text NOT NULL,
  came_from text,
  body text NOT NULL
);
CREATE INDEX departure_name ON departure (incarnation, number);
CREATE INDEX departure_expiry ON departure ((expires_at + 0));

-- Up to which number departures from an incarnation have arrived at a queue.
CREATE TABLE arrival (
  queue bigint NOT NULL,
  incarnation bigint NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (queue, incarnation)
);

-- Entries of feeds, announcements and leases. The lock of the queue is held while a number is taken, so in one queue they grow in the order of
-- the commits.
CREATE SEQUENCE feed_number;

-- A message in the feed of a queue, see `DeliveryStore`. `queue` is the identity of the queue or topic; `born_incarnation` and `born` are the
-- numbers in the id. `since`: when it was there to be told of. `delay` as posted, in seconds.
CREATE TABLE feed (
  queue bigint NOT NULL,
  number bigint NOT NULL DEFAULT nextval('feed_number'),
  born_incarnation bigint NOT NULL,
  born bigint NOT NULL,
  created_at bigint NOT NULL,
  ttl bigint NOT NULL,
  delay bigint NOT NULL,
  since bigint NOT NULL,
  client text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (queue, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0.2);

-- From when on a subscription of the queue has to be looked at by who leases, as far as is known: never too late. All that is in the feed up to
-- `trimmed` has been delivered to everybody.
CREATE TABLE work (
  queue bigint PRIMARY KEY,
  wakes_at bigint NOT NULL,
  trimmed bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX work_wake ON work (wakes_at);

-- `number` is the identity of the subscription, under which stands what is recorded of it.
--   line         holds what it is owed besides what comes in the feed; exchanged for another when it stops listening
--   position     it is owed what comes behind that in the feed, while it listens
--   is_free      it is neither leased nor rests, as far as was last written
--   lease        the lease; null where there is none
--   wakes_at     has to be looked at then, though nothing may be new in the feed: the lease or the rest is over, or something is to be tried again
--   logged       the number of the last entry of its log
-- `health` and `vault` are JSON text.
CREATE TABLE subscription (
  queue bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  number bigint NOT NULL DEFAULT nextval('identity'),
  line bigint NOT NULL DEFAULT nextval('identity'),
  subscriber text COLLATE "C" NOT NULL,
  ttl bigint NOT NULL,
  renewed_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  options text NOT NULL,
  confirmed boolean NOT NULL,
  is_listening boolean NOT NULL,
  position bigint NOT NULL DEFAULT nextval('feed_number'),
  is_free boolean NOT NULL DEFAULT true,
  lease bigint,
  wakes_at bigint NOT NULL,
  logged bigint NOT NULL DEFAULT 0,
  health text,
  vault text,
  PRIMARY KEY (queue, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX subscription_subscriber ON subscription (queue, hashtextextended(subscriber, 0));
CREATE INDEX subscription_expiry ON subscription ((expires_at + 0));
CREATE INDEX subscription_position ON subscription ((queue + 0), is_free, position) WHERE is_listening;
CREATE INDEX subscription_wake ON subscription ((queue + 0), wakes_at);

-- What a subscription is owed besides what comes in the feed: a message with its number there, which is to be tried again, or an announcement,
-- whose text is the body, and which was not born. `due_at`: not to be tried before; 0 once that is over, so that what is due stands by number.
-- `attempts` is JSON text.
CREATE TABLE owed (
  line bigint NOT NULL,
  number bigint NOT NULL,
  due_at bigint NOT NULL,
  born_incarnation bigint,
  born bigint,
  created_at bigint,
  ttl bigint,
  delay bigint,
  since bigint NOT NULL,
  client text,
  body text NOT NULL,
  attempts text,
  PRIMARY KEY (line, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX owed_due ON owed ((line + 0), due_at, number);
CREATE INDEX owed_announcement ON owed (line) WHERE born IS NULL;

-- A message that a subscription was told of in vain. `place` grows from failure to failure; `number` is that in the feed.
CREATE TABLE failure (
  subscription bigint NOT NULL,
  place bigint NOT NULL DEFAULT nextval('feed_number'),
  number bigint NOT NULL,
  born_incarnation bigint NOT NULL,
  born bigint NOT NULL,
  created_at bigint NOT NULL,
  ttl bigint NOT NULL,
  delay bigint NOT NULL,
  since bigint NOT NULL,
  client text NOT NULL,
  body text NOT NULL,
  attempts text NOT NULL,
  failed_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (subscription, place)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX failure_born ON failure (subscription, born_incarnation, born);
CREATE INDEX failure_expiry ON failure ((expires_at + 0));

-- What a subscription was sent lately, JSON texts, numbered from 1. Rows, since a list that is rewritten with every delivery costs kilobytes of
-- the write-ahead log.
CREATE TABLE log (
  subscription bigint NOT NULL,
  number bigint NOT NULL,
  entry text NOT NULL,
  PRIMARY KEY (subscription, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0.2);

-- Numbers and lines of which the sweeper removes what stands there: subscriptions are gone, or have other lines.
CREATE TABLE ended (
  number bigint PRIMARY KEY
);

CREATE TABLE pool (
  name text COLLATE "C" PRIMARY KEY,
  uri text COLLATE "C" NOT NULL,
  weight bigint NOT NULL,
  options text NOT NULL
);

CREATE TABLE flavor (
  project text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (project, name)
);

-- The flavor that a pool belongs to in a project. The flavor need not exist.
CREATE TABLE pool_flavor (
  project text COLLATE "C" NOT NULL,
  pool text COLLATE "C" NOT NULL REFERENCES pool ON DELETE CASCADE,
  flavor text COLLATE "C" NOT NULL,
  PRIMARY KEY (project, pool)
);
CREATE INDEX pool_flavor_flavor ON pool_flavor (project, flavor, pool);
CREATE INDEX pool_flavor_pool ON pool_flavor (pool);

-- What purged and deleted queues left behind, for the sweeper to remove.
CREATE TABLE dropped (
  bucket bigint PRIMARY KEY,
  queue bigint
);

-- The one row: the key under which numbers become ids, the version of the moves, and how far the sweeper got in its round over the queues.
CREATE TABLE service (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  id_key text NOT NULL,
  moves bigint NOT NULL DEFAULT 0,
  swept_queue bigint NOT NULL DEFAULT 0,
  swept_at bigint NOT NULL DEFAULT 0
);
