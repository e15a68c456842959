-- Moves of queues and subscriptions.

-- create: metadata (JSON text). Answers {created, metadata, version}.
CREATE FUNCTION create_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue;
BEGIN
  SELECT * INTO q FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name';
  IF FOUND THEN RETURN json_build_object('created', false, 'metadata', q.metadata, 'version', q.version); END IF;
  INSERT INTO queue VALUES (p->>'project', p->>'kind', p->>'name', nextval('number'), open_bucket(), nextval('number'), p->>'metadata')
  ON CONFLICT DO NOTHING RETURNING * INTO q;
  IF NOT FOUND THEN RETURN create_queue(p); END IF;
  RETURN json_build_object('created', true, 'metadata', q.metadata, 'version', q.version);
END $$;

CREATE FUNCTION get_queue(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('metadata', metadata, 'version', version) FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
$$;

-- update: metadata. Answers {version}.
CREATE FUNCTION update_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE version_ bigint;
BEGIN
  UPDATE queue SET metadata = p->>'metadata', version = nextval('number')
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  RETURNING version INTO version_;
  IF NOT FOUND THEN RETURN '"stale"'; END IF;
  RETURN json_build_object('version', version_);
END $$;

CREATE FUNCTION delete_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue;
BEGIN
  DELETE FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  RETURNING * INTO q;
  IF NOT FOUND THEN RETURN '"stale"'; END IF;
  INSERT INTO dropped VALUES (q.bucket, q.no);
  RETURN NULL;
END $$;

CREATE FUNCTION purge_messages(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE old bigint;
BEGIN
  SELECT bucket INTO old FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN '"stale"'; END IF;
  INSERT INTO dropped VALUES (old, NULL);
  UPDATE queue SET bucket = open_bucket() WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name';
  RETURN NULL;
END $$;

-- list: after, limit, nameContains, keys (text that the metadata hold), withMetadata. Answers a part of the listing, {queues:
-- [[name, metadata or null]], last: up to where it goes, or null at the end}. A part is bounded in bytes: in what is handed out, because
-- the node takes it in one piece, and in what is looked at.
CREATE FUNCTION list_queues(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  q record;
  keys text[] := ARRAY(SELECT jsonb_array_elements_text(p->'keys'));
  contained text := coalesce(p->>'nameContains', '');
  limit_ bigint := (p->>'limit')::bigint;
  with_metadata boolean := (p->>'withMetadata')::boolean;
  listed json[] := '{}';
  handed_out bigint := 0;
  looked_at bigint := 0;
BEGIN
  FOR q IN
    SELECT name, CASE WHEN with_metadata THEN metadata END AS metadata FROM queue
    WHERE project = p->>'project' AND kind = p->>'kind' AND name > coalesce(p->>'after', '')
    ORDER BY name
  LOOP
    looked_at := looked_at + 100 + coalesce(octet_length(q.metadata), 0);
    IF strpos(q.name, contained) > 0 AND NOT EXISTS (SELECT FROM unnest(keys) AS k(key) WHERE strpos(q.metadata, key) = 0) THEN
      listed := listed || json_build_array(q.name, q.metadata);
      handed_out := handed_out + coalesce(octet_length(q.metadata), 0);
    END IF;
    IF cardinality(listed) >= limit_ OR handed_out > 262144 OR looked_at > 4194304 THEN
      RETURN json_build_object('queues', array_to_json(listed), 'last', q.name);
    END IF;
  END LOOP;
  RETURN json_build_object('queues', array_to_json(listed), 'last', NULL);
END $$;

CREATE FUNCTION count_queues(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT to_json(count(*)) FROM queue WHERE project = p->>'project' AND kind = p->>'kind'
$$;

CREATE FUNCTION project_usage(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('queues', count(*),
                           'messages', coalesce(sum(s.free + s.held), 0)::bigint,
                           'bytes', coalesce(sum(s.bytes + q.subscription_bytes + octet_length(q.metadata) - 2), 0)::bigint)
  FROM queue q
  LEFT JOIN LATERAL (SELECT free, held, bytes FROM standing WHERE bucket = q.bucket ORDER BY seq DESC LIMIT 1) s ON true
  WHERE q.project = p->>'project'
$$;

-- Locks the queue against other writers of its subscriptions; null when there is none, or not in this version.
CREATE FUNCTION enter_subscriptions(p jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT no FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  FOR NO KEY UPDATE
$$;

-- As `enter_subscriptions`, for who only reads.
CREATE FUNCTION queue_no(p jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT no FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
$$;

CREATE FUNCTION subscription_by(queue_ bigint, subscriber_ text, now_ bigint) RETURNS SETOF subscription LANGUAGE sql STABLE AS $$
  SELECT * FROM subscription
  WHERE queue = queue_ AND hashtextextended(subscriber, 0) = hashtextextended(subscriber_, 0)
    AND subscriber = subscriber_ AND expires_at > now_
$$;

-- A subscription as storage/postgres/rows.ts reads it.
CREATE FUNCTION shown_subscription(s subscription) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(s.id, s.subscriber, s.ttl, s.renewed_at, s.options, s.confirmed);

-- What a subscription counts for: the subscriber, and what stands between the braces of the options.
CREATE FUNCTION bytes_of(s subscription) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN octet_length(s.subscriber) + octet_length(s.options) - 2;

-- Whoever calls this has locked the queue.
CREATE FUNCTION count_subscriptions(queue_ bigint, more bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE queue SET subscription_bytes = subscription_bytes + more WHERE no = queue_ AND more <> 0;
END $$;

-- create: id, subscriber, ttlSeconds, options (JSON text). Answers {created, subscription}.
CREATE FUNCTION create_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p); now_ bigint := (p->>'now')::bigint; s subscription;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO s FROM subscription_by(queue_, p->>'subscriber', now_);
  IF FOUND THEN RETURN json_build_object('created', false, 'subscription', shown_subscription(s)); END IF;
  INSERT INTO subscription VALUES (queue_, p->>'id', p->>'subscriber', (p->>'ttlSeconds')::bigint, now_,
                                   now_ + 1000 * (p->>'ttlSeconds')::bigint, p->>'options', false)
  RETURNING * INTO s;
  PERFORM count_subscriptions(queue_, bytes_of(s));
  RETURN json_build_object('created', true, 'subscription', shown_subscription(s));
END $$;

CREATE FUNCTION get_subscription(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_no(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  RETURN (SELECT shown_subscription(s) FROM subscription s
          WHERE queue = queue_ AND id = p->>'id' AND expires_at > (p->>'now')::bigint);
END $$;

CREATE FUNCTION list_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_no(p);
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

-- update: id, and any of subscriber, ttlSeconds, options.
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

CREATE FUNCTION confirm_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  UPDATE subscription SET confirmed = (p->>'confirmed')::boolean
  WHERE queue = queue_ AND id = p->>'id' AND expires_at > (p->>'now')::bigint;
  RETURN to_json(FOUND);
END $$;

CREATE FUNCTION delete_subscription(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p); s subscription;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  DELETE FROM subscription WHERE queue = queue_ AND id = p->>'id' RETURNING * INTO s;
  IF FOUND THEN PERFORM count_subscriptions(queue_, -bytes_of(s)); END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION purge_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE queue_ bigint := enter_subscriptions(p);
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  DELETE FROM subscription WHERE queue = queue_;
  UPDATE queue SET subscription_bytes = 0 WHERE no = queue_;
  RETURN NULL;
END $$;
