-- Moves of queues and topics.

-- create_queue
--   takes     metadata (JSON text)
--   answers   {created, metadata, version, fence}: those of the one that is there, where there is one; fence: as `shown_fence`
CREATE FUNCTION create_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue;
BEGIN
  SELECT * INTO q FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name';
  IF FOUND THEN RETURN json_build_object('created', false, 'metadata', q.metadata, 'version', q.version, 'fence', shown_fence(q)); END IF;
  INSERT INTO queue (project, kind, name, number, bucket, version, metadata)
  VALUES (p->>'project', p->>'kind', p->>'name', nextval('identity'), open_bucket(), nextval('identity'), p->>'metadata')
  ON CONFLICT DO NOTHING RETURNING * INTO q;
  IF NOT FOUND THEN RETURN create_queue(p); END IF;
  RETURN json_build_object('created', true, 'metadata', q.metadata, 'version', q.version);
END $$;

-- get_queue: answers {metadata, version, fence}, as `create_queue`, or null.
CREATE FUNCTION get_queue(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('metadata', metadata, 'version', version, 'fence', shown_fence(queue)) FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
$$;

-- update_queue: takes metadata. Answers {version}: the new one | "stale".
CREATE FUNCTION update_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE version_ bigint;
BEGIN
  UPDATE queue SET metadata = p->>'metadata', version = nextval('identity')
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  RETURNING version INTO version_;
  IF NOT FOUND THEN RETURN '"stale"'; END IF;
  RETURN json_build_object('version', version_);
END $$;

-- delete_queue: answers null | "stale".
CREATE FUNCTION delete_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue;
BEGIN
  DELETE FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint
  RETURNING * INTO q;
  IF NOT FOUND THEN RETURN '"stale"'; END IF;
  DELETE FROM work WHERE queue = q.number;
  PERFORM end_tracking(q.number);
  PERFORM tell_of_subscriptions(q);
  INSERT INTO dropped (bucket, queue) VALUES (q.bucket, q.number);
  RETURN NULL;
END $$;

-- Whether it is on its way here from another store.
CREATE FUNCTION is_copy(q queue) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT q.is_fenced AND EXISTS (SELECT FROM moving WHERE queue = q.number AND role = 'arriving')
$$;

-- list_queues: a part of a listing. It is bounded in bytes: in what is handed out, because the node takes it in one piece, and in what is
-- looked at.
--   takes     project, kind, after (a name, or null), limit, nameContains or null, keys (texts that the metadata must hold), withMetadata
--   answers   {queues: [[name, metadata or null]], last: up to where the part goes, or null at the end}
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
    WHERE project = p->>'project' AND kind = p->>'kind' AND name > coalesce(p->>'after', '') AND NOT is_copy(queue)
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

-- count_queues: takes project, kind. Answers the number.
CREATE FUNCTION count_queues(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT to_json(count(*)) FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND NOT is_copy(queue)
$$;

-- project_usage: takes project. Answers {queues, messages, bytes}.
CREATE FUNCTION project_usage(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('queues', count(*),
                           'messages', coalesce(sum(s.free + s.held), 0)::bigint,
                           'bytes', coalesce(sum(s.bytes + q.subscription_bytes + octet_length(q.metadata) - 2), 0)::bigint)
  FROM queue q
  LEFT JOIN LATERAL (SELECT free, held, bytes FROM standing WHERE bucket = q.bucket ORDER BY seq DESC LIMIT 1) s ON true
  WHERE q.project = p->>'project' AND NOT is_copy(q)
$$;

-- queue_stats: the oldest and newest go by place, a delayed one by the place that it will take.
--   takes     now; countDelayed, where the delayed ones are to be counted up to that
--   answers   {incarnation, free, held, delayed or null, oldest: a message or null, newest} | "stale"
CREATE FUNCTION queue_stats(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json := stats_of(p, false);
BEGIN
  IF answer IS NULL THEN
    PERFORM settle_for(p);
    answer := stats_of(p, true);
  END IF;
  RETURN answer;
END $$;

-- Null when something is due that would change the answer.
CREATE FUNCTION stats_of(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; s standing; oldest json; newest json; delayed_ bigint;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND least(s.due_at, s.ends_at, s.expires_at) <= now_ THEN RETURN NULL; END IF;
  IF s.free + s.held > 0 THEN
    SELECT shown(m) INTO oldest FROM message m
    WHERE bucket = bucket_ AND place >= s.live AND expires_at > now_ ORDER BY place LIMIT 1;
    IF NOT FOUND THEN
      SELECT shown(as_message(d)) INTO oldest FROM delayed d
      WHERE bucket = bucket_ AND expires_at > now_ ORDER BY due_at, number LIMIT 1;
    END IF;
    SELECT shown(as_message(d)) INTO newest FROM delayed d
    WHERE bucket = bucket_ AND expires_at > now_ ORDER BY due_at DESC, number DESC LIMIT 1;
    IF NOT FOUND THEN
      SELECT shown(m) INTO newest FROM message m
      WHERE bucket = bucket_ AND place >= s.live AND expires_at > now_ ORDER BY place DESC LIMIT 1;
    END IF;
  END IF;
  IF p ? 'countDelayed' THEN
    SELECT count(*) INTO delayed_ FROM (SELECT FROM delayed WHERE bucket = bucket_ LIMIT (p->>'countDelayed')::bigint) d;
  END IF;
  RETURN json_build_object(
    'incarnation', s.incarnation, 'free', s.free, 'held', s.held, 'delayed', delayed_, 'oldest', oldest, 'newest', newest
  );
END $$;
