-- Of all its subscriptions, in UTF-8: subscribers, and what stands between the braces of the options.
ALTER TABLE queues ADD COLUMN subscription_bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX queues_by_subscription_bucket ON queues (subscription_bucket);
UPDATE queues SET subscription_bytes = (
  SELECT ifnull(sum(octet_length(subscriber) + octet_length(options) - 2), 0) FROM subscriptions s
  WHERE s.bucket = queues.subscription_bucket
);

-- Counted here because subscriptions go in several ways, also where one takes the place of another (PRAGMA recursive_triggers). One
-- whose bucket the queue has left counts nowhere.
CREATE TRIGGER subscription_came AFTER INSERT ON subscriptions BEGIN
  UPDATE queues SET subscription_bytes = subscription_bytes + octet_length(NEW.subscriber) + octet_length(NEW.options) - 2
  WHERE subscription_bucket = NEW.bucket;
END;
CREATE TRIGGER subscription_went AFTER DELETE ON subscriptions BEGIN
  UPDATE queues SET subscription_bytes = subscription_bytes - octet_length(OLD.subscriber) - octet_length(OLD.options) + 2
  WHERE subscription_bucket = OLD.bucket;
END;

-- `queues.bytes` counts keys and digests from now on, too. The ids that were answered follow from the number of the first message, how
-- many they were, and when they were posted: a record is small, whatever was posted.
DROP TABLE idempotency;
CREATE TABLE idempotency (
  bucket     INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  digest     TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  first      INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  posted_at  INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (bucket, expires_at);
