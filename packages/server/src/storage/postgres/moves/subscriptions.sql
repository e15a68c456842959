-- Moves of subscriptions, all on an existing queue or topic. A subscription is answered as [id, subscriber, ttl in seconds,
-- renewed at, options as JSON text, whether it is confirmed, whether it listens, health and vault as JSON text or null].

-- create_subscription
--   takes     id, subscriber, ttlSeconds, options (JSON text), isListening, vault (JSON text) or null, now
--   answers   {created, subscription}: the one that the subscriber has already, where it has one | "stale"
CREATE FUNCTION create_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); now_ bigint := (p->>'now')::bigint; s subscription;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO s FROM subscription_by(q.number, p->>'subscriber', now_);
  IF FOUND THEN RETURN json_build_object('created', false, 'subscription', shown_subscription(s)); END IF;
  -- One of that id may have expired.
  PERFORM ended(q, ARRAY(SELECT ctid FROM subscription WHERE queue = q.number AND id = p->>'id' AND expires_at <= now_));
  IF (p->>'isListening')::boolean THEN PERFORM open_feed(q, now_); END IF;
  INSERT INTO subscription (queue, id, subscriber, ttl, renewed_at, expires_at, options, confirmed, is_listening, vault, wakes_at)
  VALUES (q.number, p->>'id', p->>'subscriber', (p->>'ttlSeconds')::bigint, now_, now_ + 1000 * (p->>'ttlSeconds')::bigint,
          p->>'options', false, (p->>'isListening')::boolean, p->>'vault', never())
  RETURNING * INTO s;
  PERFORM count_subscriptions(q.number, bytes_of(s));
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
--   takes     id or null, and any of subscriber, ttlSeconds, options, isListening, vault; now
--   answers   "updated" | "absent" | "conflict", where another one has the subscriber | "stale"
CREATE FUNCTION update_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); now_ bigint := (p->>'now')::bigint; before subscription; after subscription;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO before FROM subscription WHERE queue = q.number AND id = p->>'id' AND expires_at > now_;
  IF NOT FOUND THEN RETURN '"absent"'; END IF;
  PERFORM FROM subscription_by(q.number, p->>'subscriber', now_) WHERE id <> p->>'id';
  IF FOUND THEN RETURN '"conflict"'; END IF;
  UPDATE subscription SET
    ttl = coalesce((p->>'ttlSeconds')::bigint, ttl),
    renewed_at = CASE WHEN p ? 'ttlSeconds' THEN now_ ELSE renewed_at END,
    expires_at = CASE WHEN p ? 'ttlSeconds' THEN now_ + 1000 * (p->>'ttlSeconds')::bigint ELSE expires_at END,
    options = coalesce(p->>'options', options),
    vault = CASE WHEN p ? 'vault' THEN p->>'vault' ELSE vault END
  WHERE queue = q.number AND id = p->>'id' RETURNING * INTO after;
  IF p->>'subscriber' <> before.subscriber THEN
    UPDATE subscription SET subscriber = p->>'subscriber', confirmed = false, health = NULL WHERE queue = q.number AND id = p->>'id'
    RETURNING * INTO after;
    PERFORM set_listening(q, after, coalesce((p->>'isListening')::boolean, after.is_listening), now_);
    -- It does not rest any more.
    IF NOT after.is_free AND after.lease IS NULL THEN
      UPDATE subscription SET wakes_at = now_ WHERE queue = q.number AND id = p->>'id';
      PERFORM wake(q.number, now_);
    END IF;
  END IF;
  PERFORM count_subscriptions(q.number, bytes_of(after) - bytes_of(before));
  PERFORM tell_of_subscriptions(q);
  RETURN '"updated"';
END $$;

-- confirm_subscription
--   takes     id or null, confirmed, isListening, now
--   answers   whether there is such a subscription | "stale"
CREATE FUNCTION confirm_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); now_ bigint := (p->>'now')::bigint; s subscription;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  UPDATE subscription SET confirmed = (p->>'confirmed')::boolean
  WHERE queue = q.number AND id = p->>'id' AND expires_at > now_ RETURNING * INTO s;
  IF NOT FOUND THEN RETURN 'false'; END IF;
  PERFORM set_listening(q, s, (p->>'isListening')::boolean, now_);
  PERFORM tell_of_subscriptions(q);
  RETURN 'true';
END $$;

-- delete_subscription: takes id or null, now. Answers null | "stale".
CREATE FUNCTION delete_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p);
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  PERFORM ended(q, ARRAY(SELECT ctid FROM subscription WHERE queue = q.number AND id = p->>'id'));
  IF q.has_feed THEN PERFORM trim_feed(q.number, (p->>'now')::bigint); END IF;
  RETURN NULL;
END $$;

-- purge_subscriptions: removes all; takes now. Answers null | "stale".
CREATE FUNCTION purge_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p);
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  PERFORM ended(q, ARRAY(SELECT ctid FROM subscription WHERE queue = q.number ORDER BY id));
  IF q.has_feed THEN PERFORM trim_feed(q.number, (p->>'now')::bigint); END IF;
  RETURN NULL;
END $$;

-- Removes subscriptions of a queue, which the caller has locked. What stands under their numbers cannot be reached any more, and is left to the sweeper.
CREATE FUNCTION ended(q queue, rows_ tid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE bytes_ bigint;
BEGIN
  IF cardinality(rows_) = 0 THEN RETURN; END IF;
  WITH gone AS (
    DELETE FROM subscription s WHERE ctid = ANY (rows_) RETURNING number, line, bytes_of(s) AS bytes
  ), remembered AS (
    INSERT INTO ended (number) SELECT unnest(ARRAY[number, line]) FROM gone
  )
  SELECT sum(bytes) INTO bytes_ FROM gone;
  PERFORM count_subscriptions(q.number, -bytes_);
  PERFORM tell_of_subscriptions(q);
END $$;

-- Some are not as they were, or not there any more.
CREATE FUNCTION tell_of_subscriptions(q queue) RETURNS boolean LANGUAGE sql
RETURN tell(q.project, q.kind, q.name, NULL, 'subscriptions');

-- One that begins is told of what comes from now on, one that ceases is owed no message any more.
CREATE FUNCTION set_listening(q queue, s subscription, is_listening_ boolean, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE line_ bigint;
BEGIN
  IF s.is_listening = is_listening_ THEN RETURN; END IF;
  IF is_listening_ THEN
    PERFORM open_feed(q, now_);
    UPDATE subscription SET is_listening = true, position = nextval('feed_number') WHERE queue = s.queue AND id = s.id;
    RETURN;
  END IF;
  UPDATE subscription SET is_listening = false, line = nextval('identity') WHERE queue = s.queue AND id = s.id RETURNING line INTO line_;
  INSERT INTO ended (number) VALUES (s.line);
  -- It stays owed its announcements.
  UPDATE owed SET line = line_ WHERE ctid = ANY (ARRAY(SELECT ctid FROM owed WHERE line = s.line AND born IS NULL));
  PERFORM trim_feed(q.number, now_);
END $$;

-- Locks the queue against other writers of its subscriptions. All null when there is none, or not in this version.
CREATE FUNCTION entered_queue(p jsonb) RETURNS queue LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p);
BEGIN
  IF q.version <> (p->>'version')::bigint THEN RETURN NULL; END IF;
  RETURN q;
END $$;

-- The number of the queue, for who only reads; null as with `entered_queue`.
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
RETURN json_build_array(s.id, s.subscriber, s.ttl, s.renewed_at, s.options, s.confirmed, s.is_listening, s.health, s.vault);

-- What a subscription counts for: the subscriber, and what stands between the braces of the options.
CREATE FUNCTION bytes_of(s subscription) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN octet_length(s.subscriber) + octet_length(s.options) - 2;

-- Whoever calls this has locked the queue.
CREATE FUNCTION count_subscriptions(queue_ bigint, more bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + more WHERE number = queue_ AND more <> 0;
END $$;
