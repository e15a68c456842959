-- Moves that take messages from one store to another: whole queues by export and import, dead letters and redrives as departures.

-- queue_end: takes now. Answers {incarnation, last: behind every place that was given out} | "stale".
CREATE FUNCTION queue_end(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json := end_of(p, false);
BEGIN
  IF answer IS NULL THEN
    PERFORM settle_for(p);
    answer := end_of(p, true);
  END IF;
  RETURN answer;
END $$;

-- Null when something is due that would change the answer.
CREATE FUNCTION end_of(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); s standing;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND s.due_at <= (p->>'now')::bigint THEN RETURN NULL; END IF;
  RETURN json_build_object('incarnation', s.incarnation, 'last', s.last);
END $$;

-- export_messages: a page of the whole queue, by place, and then the delayed ones in the order of posting.
--   takes     after [incarnation, number, what it is] as `list_messages`, or null; limit, now
--   answers   {incarnation, last, messages: [whole message]} | "stale"
-- A whole message is [incarnation of its id (null where that is the bucket's), number of its id, place (null while delayed), number from its POST
-- (null where that is its place), body, ttl in seconds, created at, visible at, expires at, claim count, who posted it, queue it came from or null].
CREATE FUNCTION export_messages(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json := whole_page_of(p, false);
BEGIN
  IF answer IS NULL THEN
    PERFORM settle_for(p);
    answer := whole_page_of(p, true);
  END IF;
  RETURN answer;
END $$;

-- Null when something is due that would change the answer.
CREATE FUNCTION whole_page_of(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  bucket_ bigint := bucket_of(p); s standing; now_ bigint := (p->>'now')::bigint; limit_ bigint := (p->>'limit')::bigint;
  place_ bigint := 0; number_ bigint := 0; messages json;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND s.due_at <= now_ THEN RETURN NULL; END IF;
  IF (p->'after'->>0)::bigint = s.incarnation THEN
    IF p->'after'->>2 = 'posting' THEN
      place_ := never();
      number_ := (p->'after'->>1)::bigint;
    ELSE
      place_ := (p->'after'->>1)::bigint;
    END IF;
  END IF;
  SELECT json_agg(shown_whole(m, visible_at)) INTO messages FROM (
    (SELECT message AS m, created_at AS visible_at FROM message
     WHERE bucket = bucket_ AND place >= greatest(s.live, place_ + 1) AND expires_at > now_ ORDER BY place LIMIT limit_)
    UNION ALL
    (SELECT as_message(delayed), due_at FROM delayed
     WHERE bucket = bucket_ AND number > number_ AND expires_at > now_ ORDER BY number LIMIT limit_)
    LIMIT limit_
  ) page;
  RETURN json_build_object('incarnation', s.incarnation, 'last', s.last, 'messages', coalesce(messages, '[]'));
END $$;

CREATE FUNCTION shown_whole(m message, visible_at bigint) RETURNS json LANGUAGE sql STABLE
RETURN json_build_array(m.born_incarnation, coalesce(m.born, m.place), m.place, m.posted, m.body, m.ttl, m.created_at, visible_at, m.expires_at,
                        m.claim_count, m.client, m.came_from);

-- import_messages, a visit: puts messages at the end of the queue, free. Passes over those that have expired or are there already.
--   takes     messages [{id [incarnation, number], place [incarnation, number] or null, posting the same, departure [incarnation, number] where it is one, body,
--             ttl in seconds, createdAt, visibleAt, expiresAt, claimCount, client, cameFrom or null}]; end [incarnation, number] of the queue
--             they come from, or null; now
--   answers   "stored" | "stale"
CREATE FUNCTION import_messages(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  queue_ bigint := queue_number(p);
  is_same boolean;
  m jsonb;
BEGIN
  -- A queue that was never used goes on as the one that they come from.
  IF s.last = 0 AND p->'end'->>0 IS NOT NULL THEN s.incarnation := (p->'end'->>0)::bigint; END IF;
  is_same := (p->'end'->>0)::bigint IS NOT DISTINCT FROM s.incarnation;
  IF is_same THEN s.last := greatest(s.last, (p->'end'->>1)::bigint); END IF;
  FOR m IN SELECT value FROM jsonb_array_elements(p->'messages') LOOP
    IF m ? 'departure' THEN
      INSERT INTO arrival (queue, incarnation, number)
      VALUES (queue_, (m->'departure'->>0)::bigint, (m->'departure'->>1)::bigint)
      ON CONFLICT (queue, incarnation) DO UPDATE SET number = excluded.number WHERE arrival.number < excluded.number;
      CONTINUE WHEN NOT FOUND;
    END IF;
    CONTINUE WHEN (m->>'expiresAt')::bigint <= now_ OR is_there(s, m->'id');
    IF p ? 'kept' THEN PERFORM forget_gone(s, jsonb_build_array(m->'id')); END IF;
    IF m->'place'->>0 IS NULL AND (m->>'visibleAt')::bigint > now_ THEN s := arrived_delayed(s, m, is_same);
    ELSE s := arrived(s, m, is_same);
    END IF;
    s.free := s.free + 1;
    s.bytes := s.bytes + octet_length(m->>'body');
  END LOOP;
  is_news := true;
  answer := '"stored"';
END $$;

CREATE FUNCTION is_there(s standing, id jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN place_of(s, id) IS NOT NULL OR cardinality(delayed_rows(s, jsonb_build_array(id))) > 0;
END $$;

-- Its place in the order of posting, in the queue that this one goes on as; otherwise null.
CREATE FUNCTION posted_in(s standing, m jsonb, is_same boolean) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN is_same AND (m->'posting'->>0)::bigint = s.incarnation THEN (m->'posting'->>1)::bigint END;

-- With `is_same`, at the place that it had in the queue that this one goes on as, unless somebody stands there.
CREATE FUNCTION arrived(s standing, m jsonb, is_same boolean) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE
  place_ bigint; is_own boolean; is_passed boolean;
  from_ bigint := (m->'id'->>0)::bigint; number_ bigint := (m->'id'->>1)::bigint; posted_ bigint := posted_in(s, m, is_same);
BEGIN
  IF is_same AND (m->'place'->>0)::bigint = s.incarnation THEN
    place_ := (m->'place'->>1)::bigint;
    PERFORM FROM message WHERE bucket = s.bucket AND place = place_;
    IF FOUND THEN place_ := NULL; END IF;
  END IF;
  -- Behind `fresh` nothing is looked for but what was returned.
  is_passed := place_ < s.fresh;
  place_ := coalesce(place_, s.last + 1);
  is_own := from_ = s.incarnation AND number_ = place_;
  INSERT INTO message (bucket, place, posted, born_incarnation, born, epoch, created_at, expires_at, ttl, claim_count, client, came_from, body)
  VALUES (s.bucket, place_, nullif(posted_, place_),
          CASE WHEN NOT is_own THEN from_ END, CASE WHEN NOT is_own THEN number_ END, CASE WHEN is_passed THEN s.epoch END,
          (m->>'createdAt')::bigint, (m->>'expiresAt')::bigint, (m->>'ttl')::bigint, (m->>'claimCount')::bigint, m->>'client', m->>'cameFrom',
          m->>'body');
  IF is_passed THEN s.returned := s.returned + 1; END IF;
  s.last := greatest(s.last, place_);
  s.live := least(s.live, place_);
  s.expires_at := least(s.expires_at, (m->>'expiresAt')::bigint);
  RETURN s;
END $$;

-- As `arrived`, with the number from its POST.
CREATE FUNCTION arrived_delayed(s standing, m jsonb, is_same boolean) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE
  given bigint := posted_in(s, m, is_same); is_own boolean; wakes bigint := least((m->>'visibleAt')::bigint, (m->>'expiresAt')::bigint);
  from_ bigint := (m->'id'->>0)::bigint; number_ bigint := (m->'id'->>1)::bigint;
BEGIN
  PERFORM FROM delayed WHERE bucket = s.bucket AND number = given;
  IF FOUND THEN given := NULL; END IF;
  given := coalesce(given, s.last + 1);
  is_own := from_ = s.incarnation AND number_ = given;
  INSERT INTO delayed (bucket, number, born_incarnation, born, due_at, wakes_at, created_at, expires_at, ttl, claim_count, client, came_from, body)
  VALUES (s.bucket, given, CASE WHEN NOT is_own THEN from_ END, CASE WHEN NOT is_own THEN number_ END, (m->>'visibleAt')::bigint, wakes,
          (m->>'createdAt')::bigint, (m->>'expiresAt')::bigint, (m->>'ttl')::bigint, (m->>'claimCount')::bigint, m->>'client', m->>'cameFrom',
          m->>'body');
  s.last := greatest(s.last, given);
  s.due_at := least(s.due_at, wakes);
  RETURN s;
END $$;

-- As `move_messages`, to a queue that lies in another store: they leave at once, and stay as departures until they have arrived there.
CREATE FUNCTION depart(s standing, places bigint[], p jsonb, target text, came_from_ text, ttl_ bigint)
RETURNS standing LANGUAGE plpgsql AS $$
DECLARE now_ bigint := (p->>'now')::bigint; from_returned bigint; bytes_ bigint;
BEGIN
  IF p ? 'kept' THEN PERFORM keep_gone(s, places, now_); END IF;
  WITH gone AS (
    DELETE FROM message WHERE ctid = ANY (rows_at(s.bucket, places)) RETURNING *
  ), departed AS (
    INSERT INTO departure (incarnation, number, project, kind, name, born_incarnation, born, created_at, expires_at, ttl, client, came_from, body)
    SELECT s.incarnation, s.last + array_position(places, place), p->>'project', p->>'kind', target, coalesce(born_incarnation, s.incarnation),
           coalesce(born, place), created_at, end_, (end_ - created_at) / 1000, client, came_from_, body
    FROM gone, coalesce(now_ + 1000 * ttl_, expires_at) AS end_
    ORDER BY array_position(places, place)
  )
  SELECT count(epoch), coalesce(sum(octet_length(body)), 0) INTO from_returned, bytes_ FROM gone;
  s.last := s.last + cardinality(places);
  RETURN removed(s, places, from_returned, 0, bytes_);
END $$;

-- list_departures
--   takes     limit, now; after [incarnation, number] of one that is there, or none
--   answers   [{incarnation, number, project, kind, name: where to, message: [incarnation and number of its id, body, ttl in seconds, created at,
--             expires at, who posted it, queue it came from or null]}]
CREATE FUNCTION list_departures(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(json_build_object(
      'incarnation', incarnation, 'number', number, 'project', project, 'kind', kind, 'name', name,
      'message', json_build_array(born_incarnation, born, body, ttl, created_at, expires_at, client, came_from)
    ) ORDER BY seq), '[]')
    FROM (SELECT * FROM departure gone
          WHERE NOT EXISTS (SELECT FROM moving WHERE role = 'arriving' AND moving.incarnation = gone.incarnation) AND expires_at > (p->>'now')::bigint AND seq > coalesce((
            SELECT seq FROM departure WHERE incarnation = (p->'after'->>0)::bigint AND number = (p->'after'->>1)::bigint
          ), 0)
          ORDER BY seq LIMIT (p->>'limit')::bigint) d
  );
END $$;

-- delete_departures: takes ids [[incarnation, number]]. Answers null.
CREATE FUNCTION delete_departures(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM departure WHERE ctid = ANY (ARRAY(
    SELECT found.at FROM jsonb_array_elements(p->'ids') AS wanted(id),
      LATERAL (SELECT ctid AS at FROM departure
               WHERE incarnation = (id->>0)::bigint AND number = (id->>1)::bigint OFFSET 0) AS found
  ));
  RETURN NULL;
END $$;
