-- Moves of subscriptions, all on an existing queue or topic. A subscription is answered as [id, subscriber, ttl in seconds,
-- renewed at, options as JSON text, whether it is confirmed].

-- create_subscription
--   takes     id, subscriber, ttlSeconds, options (JSON text), now
--   answers   {created, subscription}: the one that the subscriber has already, where it has one | "stale"
CREATE FUNCTION create_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p); now_ bigint := (p->>'now')::bigint; s subscription;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO s FROM subscription_by(queue_, p->>'subscriber', now_);
  IF FOUND THEN RETURN json_build_object('created', false, 'subscription', shown_subscription(s)); END IF;
  INSERT INTO subscription (queue, id, subscriber, ttl, renewed_at, expires_at, options, confirmed)
  VALUES (queue_, p->>'id', p->>'subscriber', (p->>'ttlSeconds')::bigint, now_, now_ + 1000 * (p->>'ttlSeconds')::bigint,
          p->>'options', false)
  RETURNING * INTO s;
  PERFORM count_subscriptions(queue_, bytes_of(s));
  RETURN json_build_object('created', true, 'subscription', shown_subscription(s));
END $$;

-- get_subscription
--   takes     id, or null, which names nothing; now
--   answers   the subscription, or null | "stale"
CREATE FUNCTION get_subscription(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_number(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  RETURN (SELECT shown_subscription(s) FROM subscription s
          WHERE queue = queue_ AND id = p->>'id' AND expires_at > (p->>'now')::bigint);
END $$;

-- list_subscriptions
--   takes     after (an id, or null for the beginning), limit, now
--   answers   [subscription], by id | "stale"
CREATE FUNCTION list_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_number(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  RETURN (
    SELECT coalesce(json_agg(shown_subscription(s)), '[]') FROM (
      SELECT subscription AS s FROM subscription
      WHERE queue = queue_ AND id > coalesce(p->>'after', '') AND expires_at > (p->>'now')::bigint
      ORDER BY id LIMIT (p->>'limit')::bigint
    ) page
  );
END $$;

-- update_subscription
--   takes     id or null, and any of subscriber, ttlSeconds, options; now
--   answers   "updated" | "absent" | "conflict", where another one has the subscriber | "stale"
CREATE FUNCTION update_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p); now_ bigint := (p->>'now')::bigint; before subscription; after subscription;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO before FROM subscription WHERE queue = queue_ AND id = p->>'id' AND expires_at > now_;
  IF NOT FOUND THEN RETURN '"absent"'; END IF;
  PERFORM FROM subscription_by(queue_, p->>'subscriber', now_) WHERE id <> p->>'id';
  IF FOUND THEN RETURN '"conflict"'; END IF;
  UPDATE subscription SET
    confirmed = confirmed AND subscriber = coalesce(p->>'subscriber', subscriber),
    subscriber = coalesce(p->>'subscriber', subscriber),
    ttl = coalesce((p->>'ttlSeconds')::bigint, ttl),
    renewed_at = CASE WHEN p ? 'ttlSeconds' THEN now_ ELSE renewed_at END,
    expires_at = CASE WHEN p ? 'ttlSeconds' THEN now_ + 1000 * (p->>'ttlSeconds')::bigint ELSE expires_at END,
    options = coalesce(p->>'options', options)
  WHERE queue = queue_ AND id = p->>'id' RETURNING * INTO after;
  PERFORM count_subscriptions(queue_, bytes_of(after) - bytes_of(before));
  RETURN '"updated"';
END $$;

-- confirm_subscription
--   takes     id or null, confirmed, now
--   answers   whether there is such a subscription | "stale"
CREATE FUNCTION confirm_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  UPDATE subscription SET confirmed = (p->>'confirmed')::boolean
  WHERE queue = queue_ AND id = p->>'id' AND expires_at > (p->>'now')::bigint;
  RETURN to_json(FOUND);
END $$;

-- delete_subscription: takes id or null. Answers null | "stale".
CREATE FUNCTION delete_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p); s subscription;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  DELETE FROM subscription WHERE queue = queue_ AND id = p->>'id' RETURNING * INTO s;
  IF FOUND THEN PERFORM count_subscriptions(queue_, -bytes_of(s)); END IF;
  RETURN NULL;
END $$;

-- purge_subscriptions: removes all. Answers null | "stale".
CREATE FUNCTION purge_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  DELETE FROM subscription WHERE queue = queue_;
  UPDATE queue SET subscription_bytes = 0 WHERE number = queue_;
  RETURN NULL;
END $$;

-- Locks the queue against other writers of its subscriptions, and answers its number; null when there is none, or not in this version.
CREATE FUNCTION enter_subscriptions(p jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT number FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  FOR NO KEY UPDATE
$$;

-- As `enter_subscriptions`, for who only reads.
CREATE FUNCTION queue_number(p jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT number FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
$$;

CREATE FUNCTION subscription_by(queue_ bigint, subscriber_ text, now_ bigint) RETURNS SETOF subscription LANGUAGE sql STABLE AS $$
  SELECT * FROM subscription
  WHERE queue = queue_ AND hashtextextended(subscriber, 0) = hashtextextended(subscriber_, 0)
    AND subscriber = subscriber_ AND expires_at > now_
$$;

CREATE FUNCTION shown_subscription(s subscription) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(s.id, s.subscriber, s.ttl, s.renewed_at, s.options, s.confirmed);

-- What a subscription counts for: the subscriber, and what stands between the braces of the options.
CREATE FUNCTION bytes_of(s subscription) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN octet_length(s.subscriber) + octet_length(s.options) - 2;

-- Whoever calls this has locked the queue.
CREATE FUNCTION count_subscriptions(queue_ bigint, more bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + more WHERE number = queue_ AND more <> 0;
END $$;
