-- What is told to those who watch the service.

-- census_queues: queues of all projects, those behind `after`, in order.
--   takes     after: [project, kind, name], limit
--   answers   [[project, kind, name, free, held, when the first message by place was posted, or null]]
CREATE FUNCTION census_queues(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(json_build_array(q.project, q.kind, q.name, coalesce(s.free, 0), coalesce(s.held, 0), CASE
           WHEN s.free + s.held > 0 THEN coalesce(
             (SELECT created_at FROM message WHERE bucket = q.bucket AND place >= s.live ORDER BY place LIMIT 1),
             (SELECT created_at FROM delayed WHERE bucket = q.bucket ORDER BY due_at, number LIMIT 1))
         END) ORDER BY q.project, q.kind, q.name), '[]')
  FROM (
    SELECT project, kind, name, bucket FROM queue
    WHERE (project, kind, name) > (p->'after'->>0, p->'after'->>1, p->'after'->>2) AND NOT is_copy(queue)
    ORDER BY project, kind, name LIMIT (p->>'limit')::bigint
  ) q
  LEFT JOIN LATERAL (SELECT free, held, live FROM standing WHERE bucket = q.bucket ORDER BY seq DESC LIMIT 1) s ON true
$$;

-- census_owed: messages in feeds, and tries that wait for their time; either is counted up to a limit.
--   takes     limit
--   answers   {feed, retries}
CREATE FUNCTION census_owed(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'feed', (SELECT count(*) FROM (SELECT FROM feed LIMIT (p->>'limit')::bigint) counted),
    'retries', (SELECT count(*) FROM (SELECT FROM owed WHERE born IS NOT NULL LIMIT (p->>'limit')::bigint) counted))
$$;
