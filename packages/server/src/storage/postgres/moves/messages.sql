-- Moves of messages. A read looks at a queue without its lock: as a STABLE function it sees one snapshot. Where something is due that would change
-- its answer, the queue is settled first, and read then.

-- append, a visit. Gives out the numbers only: what several posts in a row bring is stored by one statement, see `stored`. It is news when
-- there is something to store.
--   takes     messages [[body as JSON text, ttl in seconds, delay in seconds]], bytes (of all bodies, in UTF-8), delayed (whether any is),
--             leastTtl (of those that are not, or null), client, now; idempotency {key, digest, expiresAt}, where the POST has a key
--   answers   {incarnation, first, count, createdAt}: numbered from `first` | "conflict", where the key stands for another POST | "stale"
CREATE FUNCTION append(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  earlier idempotency;
  count_ bigint := jsonb_array_length(p->'messages');
  first_ bigint := s.last + 1;
BEGIN
  IF p ? 'idempotency' THEN
    SELECT * INTO earlier FROM idempotency WHERE bucket = s.bucket AND key = p->'idempotency'->>'key';
    IF earlier.expires_at > now_ THEN
      IF earlier.digest <> p->'idempotency'->>'digest' THEN
        answer := '"conflict"';
        RETURN;
      END IF;
      answer := json_build_object('incarnation', s.incarnation, 'first', earlier.first, 'count', earlier.count,
                                  'createdAt', earlier.created_at);
      RETURN;
    END IF;
    INSERT INTO idempotency (bucket, key, digest, expires_at, created_at, first, count)
    VALUES (s.bucket, p->'idempotency'->>'key', p->'idempotency'->>'digest',
                                    (p->'idempotency'->>'expiresAt')::bigint, now_, first_, count_)
    ON CONFLICT (bucket, key) DO UPDATE
    SET digest = excluded.digest, expires_at = excluded.expires_at, created_at = excluded.created_at, first = excluded.first,
        count = excluded.count;
    s.bytes := s.bytes + octet_length(p->'idempotency'->>'key') + octet_length(p->'idempotency'->>'digest')
               - coalesce(octet_length(earlier.key) + octet_length(earlier.digest), 0);
    s.expires_at := least(s.expires_at, removed_at((p->'idempotency'->>'expiresAt')::bigint));
  END IF;
  s.last := s.last + count_;
  s.free := s.free + count_;
  s.bytes := s.bytes + (p->>'bytes')::bigint;
  is_news := true;
  answer := json_build_object('incarnation', s.incarnation, 'first', first_, 'count', count_, 'createdAt', now_);
END $$;

-- Stores the messages of `posts`, parameters of `append`, each numbered from its `firsts`. They enter the feed, `feed_` as `feed_of`.
CREATE FUNCTION stored(s standing, feed_ bigint, posts jsonb[], firsts bigint[]) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE post jsonb; is_any_delayed boolean := false; soonest bigint;
BEGIN
  FOREACH post IN ARRAY posts LOOP
    is_any_delayed := is_any_delayed OR (post->>'delayed')::boolean;
    s.expires_at := least(s.expires_at, (post->>'now')::bigint + 1000 * (post->>'leastTtl')::bigint);
  END LOOP;
  IF is_any_delayed THEN
    WITH arrived AS (
      INSERT INTO delayed (bucket, number, due_at, wakes_at, created_at, expires_at, ttl, client, body)
      SELECT s.bucket, first_ + n - 1, now_ + 1000 * (m->>2)::bigint, now_ + 1000 * least((m->>1)::bigint, (m->>2)::bigint), now_,
             now_ + 1000 * (m->>1)::bigint, (m->>1)::bigint, x.post->>'client', m->>0
      FROM unnest(posts, firsts) AS x(post, first_), CAST(x.post->>'now' AS bigint) AS now_,
        jsonb_array_elements(x.post->'messages') WITH ORDINALITY AS y(m, n)
      WHERE (m->>2)::bigint > 0
      RETURNING wakes_at
    )
    SELECT min(wakes_at) INTO soonest FROM arrived;
    s.due_at := least(s.due_at, soonest);
  END IF;
  -- One that comes alone: this costs a third of the statement below.
  IF cardinality(posts) = 1 AND jsonb_array_length(post->'messages') = 1 AND NOT is_any_delayed THEN
    INSERT INTO message (bucket, place, created_at, expires_at, ttl, client, body)
    VALUES (s.bucket, firsts[1], (post->>'now')::bigint, (post->>'now')::bigint + 1000 * (post->>'leastTtl')::bigint,
            (post->>'leastTtl')::bigint, post->>'client', post->'messages'->0->>0);
    IF feed_ IS NULL THEN RETURN s; END IF;
    INSERT INTO feed (queue, born_incarnation, born, created_at, ttl, delay, since, client, body)
    VALUES (feed_, s.incarnation, firsts[1], (post->>'now')::bigint, (post->>'leastTtl')::bigint, 0, (post->>'now')::bigint,
            post->>'client', post->'messages'->0->>0);
    PERFORM wake_for_news(feed_, (post->>'now')::bigint);
    RETURN s;
  END IF;
  INSERT INTO message (bucket, place, created_at, expires_at, ttl, client, body)
  SELECT s.bucket, first_ + n - 1, now_, now_ + 1000 * (m->>1)::bigint, (m->>1)::bigint, x.post->>'client', m->>0
  FROM unnest(posts, firsts) AS x(post, first_), CAST(x.post->>'now' AS bigint) AS now_,
    jsonb_array_elements(x.post->'messages') WITH ORDINALITY AS y(m, n)
  WHERE (m->>2)::bigint = 0;
  IF feed_ IS NULL THEN RETURN s; END IF;
  INSERT INTO feed (queue, born_incarnation, born, created_at, ttl, delay, since, client, body)
  SELECT feed_, s.incarnation, born, now_, ttl, 0, now_, client, body FROM (
    SELECT first_ + n - 1 AS born, now_, (m->>1)::bigint AS ttl, x.post->>'client' AS client, m->>0 AS body
    FROM unnest(posts, firsts) AS x(post, first_), CAST(x.post->>'now' AS bigint) AS now_,
      jsonb_array_elements(x.post->'messages') WITH ORDINALITY AS y(m, n)
    WHERE (m->>2)::bigint = 0
    ORDER BY born OFFSET 0
  ) in_order;
  IF FOUND THEN PERFORM wake_for_news(feed_, (posts[1]->>'now')::bigint); END IF;
  RETURN s;
END $$;

-- list_messages: a page, by place, or where delayed messages are included by order of posting.
--   takes     after [incarnation, number, what it is] or null, limit, hidden (a client whose messages are left out, or null),
--             includeClaimed, includeDelayed, includeGone, now. What it is: "marker", of a place; "posting", of a place in the order of posting; "message"
--   answers   {incarnation, messages} | "stale"
CREATE FUNCTION list_messages(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json := page_of(p, false);
BEGIN
  IF answer IS NULL THEN
    PERFORM settle_for(p);
    answer := page_of(p, true);
  END IF;
  RETURN answer;
END $$;

-- Null when something is due that would change the answer.
CREATE FUNCTION page_of(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  s standing; bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; messages json; marker jsonb;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND least(s.due_at, s.ends_at) <= now_ THEN RETURN NULL; END IF;
  IF (p->'after'->>0)::bigint = s.incarnation THEN marker := p->'after'; END IF;
  IF (p->>'includeDelayed')::boolean THEN
    SELECT json_agg(shown(m)) INTO messages
    FROM page_by_posting(s, coalesce(posting_after(s, marker), 0), (p->>'limit')::bigint, p->>'hidden',
                         (p->>'includeClaimed')::boolean, now_) m;
  ELSIF (p->>'includeGone')::boolean THEN
    SELECT json_agg(shown(m)) INTO messages
    FROM page_with_gone(s, coalesce(place_after(s, marker), 0), (p->>'limit')::bigint, p->>'hidden', (p->>'includeClaimed')::boolean, now_) m;
  ELSE
    SELECT json_agg(shown(m)) INTO messages
    FROM page_by_place(s, coalesce(place_after(s, marker), 0), (p->>'limit')::bigint,
                       p->>'hidden', (p->>'includeClaimed')::boolean, now_) m;
  END IF;
  RETURN json_build_object('incarnation', s.incarnation, 'messages', coalesce(messages, '[]'));
END $$;

-- By place: those that are visible, from `after_` on.
CREATE FUNCTION page_by_place(s standing, after_ bigint, limit_ bigint, hidden text, with_claimed boolean, now_ bigint)
RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF with_claimed THEN
    RETURN QUERY SELECT * FROM message
      WHERE bucket = s.bucket AND place >= greatest(s.live, after_ + 1) AND expires_at > now_ AND client IS DISTINCT FROM hidden
      ORDER BY place LIMIT limit_;
  ELSE
    RETURN QUERY SELECT * FROM (
      (SELECT * FROM message
       WHERE bucket = s.bucket AND epoch = s.epoch AND place > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
       ORDER BY place LIMIT limit_)
      UNION ALL
      (SELECT * FROM message
       WHERE bucket = s.bucket AND place >= greatest(s.fresh, after_ + 1) AND expires_at > now_ AND client IS DISTINCT FROM hidden
       ORDER BY place LIMIT limit_)
    ) m ORDER BY place LIMIT limit_;
  END IF;
END $$;

-- By order of posting, delayed ones included.
CREATE FUNCTION page_by_posting(s standing, after_ bigint, limit_ bigint, hidden text, with_claimed boolean, now_ bigint)
RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT (m).* FROM (
    (SELECT as_message(delayed) AS m, number AS at FROM delayed
     WHERE bucket = s.bucket AND number > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
     ORDER BY number LIMIT limit_)
    UNION ALL
    (SELECT message, posted FROM message
     WHERE bucket = s.bucket AND posted > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
       AND (with_claimed OR claim IS NULL)
     ORDER BY posted LIMIT limit_)
    UNION ALL
    (SELECT message, place FROM message
     WHERE with_claimed AND bucket = s.bucket AND place >= greatest(s.live, after_ + 1) AND posted IS NULL AND expires_at > now_
       AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
    UNION ALL
    (SELECT message, place FROM message
     WHERE NOT with_claimed AND bucket = s.bucket AND epoch = s.epoch AND place > after_ AND posted IS NULL AND expires_at > now_
       AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
    UNION ALL
    (SELECT message, place FROM message
     WHERE NOT with_claimed AND bucket = s.bucket AND place >= greatest(s.fresh, after_ + 1) AND posted IS NULL
       AND expires_at > now_ AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
  ) x ORDER BY at LIMIT limit_;
END $$;

-- Where a marker points, by place. One in the order of posting may name a message that was delayed, and has its place by now, or not yet.
-- In PL/pgSQL, which keeps its plans: most listings have no marker, or one that says the place itself.
CREATE FUNCTION place_after(s standing, marker jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE number_ bigint := (marker->>1)::bigint; place_ bigint;
BEGIN
  IF marker IS NULL OR marker->>2 <> 'posting' THEN RETURN number_; END IF;
  SELECT place INTO place_ FROM message WHERE bucket = s.bucket AND posted = number_;
  IF FOUND THEN RETURN place_; END IF;
  PERFORM FROM delayed WHERE bucket = s.bucket AND number = number_;
  RETURN CASE WHEN FOUND THEN s.last ELSE number_ END;
END $$;

-- Where a marker points, in the order of posting.
CREATE FUNCTION posting_after(s standing, marker jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE number_ bigint := (marker->>1)::bigint; posted_ bigint;
BEGIN
  IF marker IS NULL OR marker->>2 <> 'marker' THEN RETURN number_; END IF;
  SELECT posted INTO posted_ FROM message WHERE bucket = s.bucket AND place = number_;
  RETURN coalesce(posted_, number_);
END $$;

-- get_messages
--   takes     ids [[incarnation, number]], each once; now
--   answers   {incarnation, messages}, in no order | "stale"
CREATE FUNCTION get_messages(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json := messages_with(p, false);
BEGIN
  IF answer IS NULL THEN
    PERFORM settle_for(p);
    answer := messages_with(p, true);
  END IF;
  RETURN answer;
END $$;

-- Null when something is due that would change the answer.
CREATE FUNCTION messages_with(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; s standing; places_ bigint[]; messages json;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND s.ends_at <= now_ THEN RETURN NULL; END IF;
  places_ := places_of(s, p->'ids');
  SELECT json_agg(shown(m)) INTO messages FROM (
    SELECT message AS m FROM message WHERE ctid = ANY (rows_at(bucket_, places_))
    UNION ALL
    SELECT as_message(delayed) FROM delayed WHERE ctid = ANY (delayed_rows(s, p->'ids'))
  ) f WHERE (m).expires_at > now_;
  RETURN json_build_object('incarnation', s.incarnation, 'messages', coalesce(messages, '[]'));
END $$;

-- delete_message, a visit
--   takes     id [incarnation, number], now; claim [incarnation, number], where one was named
--   answers   "deleted" | "absent" | "held" | "not-claimed" | "claim-not-live" | "stale"
CREATE FUNCTION delete_message(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  m message;
  o record;
  given bigint;
BEGIN
  SELECT * INTO m FROM message
  WHERE bucket = s.bucket AND place = place_of(s, p->'id') AND expires_at > now_;
  IF NOT FOUND THEN
    o := delete_delayed(s, p);
    s := o.s;
    answer := o.answer;
    RETURN;
  END IF;
  IF NOT is_live_claim(s.bucket, m.claim, now_) THEN m.claim := NULL; END IF;
  IF p ? 'claim' THEN
    given := claim_of(s, p->'claim');
    IF m.claim IS NULL THEN
      answer := '"not-claimed"';
      RETURN;
    END IF;
    IF m.claim IS DISTINCT FROM given THEN
      IF EXISTS (SELECT FROM held_by(s.bucket, given, now_)) THEN
        answer := '"held"';
        RETURN;
      END IF;
      answer := '"claim-not-live"';
      RETURN;
    END IF;
  ELSIF m.claim IS NOT NULL THEN
    answer := '"held"';
    RETURN;
  END IF;
  IF p ? 'kept' THEN PERFORM keep_gone(s, ARRAY[m.place], now_); END IF;
  DELETE FROM message WHERE bucket = s.bucket AND place = m.place;
  s := removed(s, ARRAY[m.place], num_nonnulls(m.epoch), num_nonnulls(m.claim), octet_length(m.body));
  s := renew_epoch(s);
  answer := '"deleted"';
END $$;

CREATE FUNCTION delete_delayed(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE rows_ tid[] := delayed_rows(s, jsonb_build_array(p->'id')); bytes_ bigint;
BEGIN
  IF p ? 'claim' THEN
    PERFORM FROM delayed WHERE ctid = ANY (rows_);
    answer := CASE WHEN FOUND THEN '"not-claimed"' ELSE '"absent"' END::json;
    RETURN;
  END IF;
  DELETE FROM delayed WHERE ctid = ANY (rows_) RETURNING octet_length(body) INTO bytes_;
  IF NOT FOUND THEN
    answer := '"absent"';
    RETURN;
  END IF;
  s.free := s.free - 1;
  s.bytes := s.bytes - bytes_;
  answer := '"deleted"';
END $$;

-- delete_messages, a visit
--   takes     ids [[incarnation, number]], each once; now; claims [[incarnation, number]], where each must be held by one of these
--   answers   {deleted: how many} | "held", where one is not | "stale"
CREATE FUNCTION delete_messages(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  places_ bigint[]; rows_ tid[]; waiting bigint[]; waiting_rows tid[]; allowed bigint[]; from_returned bigint; from_held bigint;
  bytes_ bigint;
BEGIN
  places_ := places_of(s, p->'ids');
  SELECT array_agg(place), array_agg(ctid) INTO places_, rows_ FROM message
  WHERE ctid = ANY (rows_at(s.bucket, places_)) AND expires_at > now_;
  IF places_ IS NULL OR cardinality(places_) < jsonb_array_length(p->'ids') THEN
    SELECT array_agg(number), array_agg(ctid) INTO waiting, waiting_rows FROM delayed
    WHERE ctid = ANY (delayed_rows(s, p->'ids')) AND expires_at > now_;
  END IF;
  IF p ? 'claims' THEN
    SELECT coalesce(array_agg((id->>1)::bigint), '{}') INTO allowed FROM jsonb_array_elements(p->'claims') AS x(id)
    WHERE (id->>0)::bigint = s.incarnation AND is_live_claim(s.bucket, (id->>1)::bigint, now_);
    PERFORM FROM message WHERE ctid = ANY (rows_) AND (claim = ANY (allowed)) IS NOT TRUE;
    IF FOUND OR waiting IS NOT NULL THEN
      answer := '"held"';
      RETURN;
    END IF;
  END IF;
  IF waiting IS NOT NULL THEN
    WITH gone AS (DELETE FROM delayed WHERE ctid = ANY (waiting_rows) RETURNING octet_length(body) AS bytes)
    SELECT sum(bytes) INTO bytes_ FROM gone;
    s.free := s.free - cardinality(waiting);
    s.bytes := s.bytes - bytes_;
  END IF;
  IF places_ IS NOT NULL THEN
    IF p ? 'kept' THEN PERFORM keep_gone(s, places_, now_); END IF;
    WITH gone AS (DELETE FROM message WHERE ctid = ANY (rows_) RETURNING epoch, claim, octet_length(body) AS bytes)
    SELECT count(epoch), count(claim), sum(bytes) INTO from_returned, from_held, bytes_ FROM gone;
    s := renew_epoch(removed(s, places_, from_returned, from_held, bytes_));
  END IF;
  answer := json_build_object('deleted', coalesce(cardinality(places_), 0) + coalesce(cardinality(waiting), 0));
END $$;

-- pop, a visit
--   takes     limit, now; deadLetter as `create_claim`
--   answers   {incarnation, messages} | "stale"
CREATE FUNCTION pop(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  limit_ bigint := (p->>'limit')::bigint;
  messages json; rows_ tid[]; places_ bigint[]; last_fresh bigint; from_returned bigint; count_ bigint; bytes_ bigint;
BEGIN
  IF s.free = 0 THEN
    answer := json_build_object('incarnation', s.incarnation, 'messages', '[]'::json);
    RETURN;
  END IF;
  IF p ? 'deadLetter' THEN s := bury(s, p); END IF;

  SELECT array_agg(at), array_agg(place), count(*), count(epoch), max(place) FILTER (WHERE epoch IS NULL)
  INTO rows_, places_, count_, from_returned, last_fresh FROM claimable(s, now_, limit_);
  IF p ? 'kept' AND count_ > 0 THEN PERFORM keep_gone(s, places_, now_); END IF;
  WITH gone AS (
    DELETE FROM message m WHERE ctid = ANY (rows_) RETURNING place, shown(m) AS message, octet_length(body) AS bytes
  )
  SELECT json_agg(message ORDER BY place), coalesce(sum(bytes), 0) INTO messages, bytes_ FROM gone;
  s := taken(s, last_fresh, from_returned, count_ < limit_);
  s.free := s.free - count_;
  s.bytes := s.bytes - bytes_;
  IF s.live = ANY (places_) THEN s.live := first_live(s, s.live); END IF;
  answer := json_build_object('incarnation', s.incarnation, 'messages', coalesce(messages, '[]'));
END $$;

-- purge_messages: exchanges the bucket for an empty one; takes now. Answers null | "stale".
CREATE FUNCTION purge_messages(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); s standing;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  -- What was there before enters the feed.
  IF q.has_feed THEN s := all_settled(q, (p->>'now')::bigint); END IF;
  INSERT INTO dropped (bucket, queue) VALUES (q.bucket, NULL);
  UPDATE queue SET bucket = open_bucket() WHERE number = q.number;
  RETURN NULL;
END $$;

-- redrive, a visit that shares its transaction with no other, since it locks more queues
--   takes     ids [[incarnation, number]], or none and then limit; elsewhere (names of queues that lie in other stores); now
--   answers   {moved: [[incarnation, number, created at, queue]]}: ids and the names of the queues they went to, in order | "stale"
CREATE FUNCTION redrive(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  places_ bigint[]; names text[]; moved json; target text; leaving bigint[];
BEGIN
  IF p ? 'ids' THEN
    places_ := places_of(s, p->'ids');
  END IF;
  WITH chosen AS (
    SELECT m.*, (
      SELECT n FROM jsonb_array_elements(p->'ids') WITH ORDINALITY AS x(id, n)
      WHERE (id->>0)::bigint = coalesce(m.born_incarnation, s.incarnation) AND (id->>1)::bigint = coalesce(m.born, m.place)
    ) AS asked
    FROM (
      (SELECT * FROM message WHERE ctid = ANY (rows_at(s.bucket, places_)) AND claim IS NULL AND expires_at > now_)
      UNION ALL
      (SELECT * FROM message WHERE places_ IS NULL AND bucket = s.bucket AND epoch = s.epoch AND expires_at > now_)
      UNION ALL
      (SELECT * FROM message WHERE places_ IS NULL AND bucket = s.bucket AND place >= s.fresh AND expires_at > now_)
    ) m
    WHERE m.came_from <> p->>'name' AND (p->'elsewhere' ? m.came_from OR EXISTS (
      SELECT FROM queue q WHERE q.project = p->>'project' AND q.kind = p->>'kind' AND q.name = m.came_from
    ))
    ORDER BY asked, place LIMIT CASE WHEN p ? 'ids' THEN NULL ELSE (p->>'limit')::bigint END
  )
  SELECT array_agg(place ORDER BY asked, place), array_agg(came_from ORDER BY asked, place),
         json_agg(json_build_array(coalesce(born_incarnation, s.incarnation), coalesce(born, place), created_at, came_from) ORDER BY asked, place)
  INTO places_, names, moved FROM chosen;
  IF places_ IS NULL THEN
    answer := json_build_object('moved', '[]'::json);
    RETURN;
  END IF;
  FOR target IN SELECT DISTINCT name FROM unnest(names) AS n(name) ORDER BY name LOOP
    SELECT array_agg(place ORDER BY n) INTO leaving FROM unnest(places_, names) WITH ORDINALITY AS x(place, name, n) WHERE name = target;
    IF p->'elsewhere' ? target THEN s := depart(s, leaving, p, target, NULL, NULL);
    ELSE s := move_messages(s, leaving, p, target, NULL, NULL);
    END IF;
  END LOOP;
  s := renew_epoch(s);
  answer := json_build_object('moved', moved);
END $$;

-- origins, a visit: names of the queues that messages came from which a redrive would look at.
--   takes     ids [[incarnation, number]], or none and then limit; now
--   answers   {names: [name]} | "stale"
CREATE FUNCTION origins(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE now_ bigint := (p->>'now')::bigint; names json;
BEGIN
  IF p ? 'ids' THEN
    SELECT json_agg(DISTINCT came_from) INTO names FROM message
    WHERE ctid = ANY (rows_at(s.bucket, places_of(s, p->'ids'))) AND expires_at > now_ AND came_from IS NOT NULL;
  ELSE
    SELECT json_agg(DISTINCT came_from) INTO names FROM (
      SELECT came_from FROM (
        (SELECT came_from, place FROM message
         WHERE bucket = s.bucket AND epoch = s.epoch AND expires_at > now_ AND came_from IS NOT NULL ORDER BY place LIMIT (p->>'limit')::bigint)
        UNION ALL
        (SELECT came_from, place FROM message
         WHERE bucket = s.bucket AND place >= s.fresh AND expires_at > now_ AND came_from IS NOT NULL ORDER BY place LIMIT (p->>'limit')::bigint)
      ) m ORDER BY place LIMIT (p->>'limit')::bigint
    ) first;
  END IF;
  answer := json_build_object('names', coalesce(names, '[]'));
END $$;

-- Moves messages, in the order of `places`, to the end of another queue of the project and kind. A dead letter queue comes into being by
-- that; messages that go back (`came_from_` is null) need their queue to be there. Their ttl becomes what makes `ttl - age` the rest of
-- their life, which is `ttl_` where it is given. Answers the standing of the bucket they leave.
CREATE FUNCTION move_messages(s standing, places bigint[], p jsonb, target text, came_from_ text, ttl_ bigint)
RETURNS standing LANGUAGE plpgsql AS $$
DECLARE q queue; t standing; now_ bigint := (p->>'now')::bigint; from_returned bigint; arrived_ bigint; expiry bigint; bytes_ bigint;
BEGIN
  -- Not waiting here means that no two moves ever wait for each other; the one that finds the queue locked is run again (lane.ts).
  SELECT * INTO q FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND name = target
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND AND came_from_ IS NOT NULL THEN
    INSERT INTO queue (project, kind, name, number, bucket, version, metadata)
    VALUES (p->>'project', p->>'kind', target, nextval('identity'), open_bucket(), nextval('identity'), '{}')
    ON CONFLICT DO NOTHING RETURNING * INTO q;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the queue to which messages move is locked, or has just gone' USING ERRCODE = 'serialization_failure';
  END IF;
  -- It will soon lie in another store.
  IF q.is_fenced THEN RETURN depart(s, places, p, target, came_from_, ttl_); END IF;
  t := settled(q, now_);
  IF p ? 'kept' THEN PERFORM keep_gone(s, places, now_); END IF;
  IF q.is_kept THEN
    PERFORM forget_gone(t, jsonb_agg(jsonb_build_array(coalesce(born_incarnation, s.incarnation), coalesce(born, place))))
    FROM message WHERE ctid = ANY (rows_at(s.bucket, places));
  END IF;
  WITH gone AS (
    DELETE FROM message WHERE ctid = ANY (rows_at(s.bucket, places)) RETURNING *
  ), arrived AS (
    INSERT INTO message (bucket, place, born_incarnation, born, created_at, expires_at, ttl, client, came_from, body)
    SELECT t.bucket, t.last + row_number() OVER (ORDER BY array_position(places, place)), coalesce(born_incarnation, s.incarnation),
           coalesce(born, place), created_at, end_, (end_ - created_at) / 1000, client, came_from_, body
    FROM gone, coalesce(now_ + 1000 * ttl_, expires_at) AS end_
    RETURNING expires_at, octet_length(body) AS bytes
  )
  SELECT (SELECT count(epoch) FROM gone), count(*), min(expires_at), coalesce(sum(bytes), 0)
  INTO from_returned, arrived_, expiry, bytes_ FROM arrived;
  t.last := t.last + arrived_;
  t.free := t.free + arrived_;
  t.bytes := t.bytes + bytes_;
  t.expires_at := least(t.expires_at, expiry);
  t := saved(t);
  PERFORM tell(p->>'project', p->>'kind', target, t, 'news');
  RETURN removed(s, places, from_returned, 0, bytes_);
END $$;

-- A message as it is answered: [incarnation of its id (null where that is the bucket's), number of its id, place (null while delayed),
-- number from its POST (null where that is its place), body, ttl in seconds, created at, number of the claim that holds it or null, claim count, who posted it].
CREATE FUNCTION shown(m message) RETURNS json LANGUAGE sql STABLE
RETURN json_build_array(m.born_incarnation, coalesce(m.born, m.place), m.place, m.posted, m.body, m.ttl, m.created_at,
                        m.claim, m.claim_count, m.client);

-- The row of a delayed message as if it had taken a place.
CREATE FUNCTION as_message(d delayed) RETURNS message LANGUAGE sql STABLE
RETURN ROW(d.bucket, NULL, d.number, d.born_incarnation, coalesce(d.born, d.number), NULL, NULL, d.created_at, d.expires_at, d.ttl,
           d.claim_count, d.client, d.came_from, d.body)::message;

-- The place of the message with this id [incarnation, number], or null. (A delayed one has none.)
CREATE FUNCTION place_of(s standing, id jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE found_ bigint;
BEGIN
  IF (id->>0)::bigint = s.incarnation THEN
    SELECT place INTO found_ FROM message WHERE bucket = s.bucket AND place = (id->>1)::bigint AND born IS NULL;
    IF FOUND THEN RETURN found_; END IF;
  END IF;
  SELECT place INTO found_ FROM message WHERE bucket = s.bucket AND born_incarnation = (id->>0)::bigint AND born = (id->>1)::bigint;
  RETURN found_;
END $$;

-- The places of the messages with these ids, in no order.
CREATE FUNCTION places_of(s standing, ids jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE own bigint[]; found_ bigint[]; moved bigint[];
BEGIN
  SELECT array_agg((id->>1)::bigint) FILTER (WHERE (id->>0)::bigint = s.incarnation) INTO own FROM jsonb_array_elements(ids) AS x(id);
  SELECT coalesce(array_agg(place), '{}') INTO found_
  FROM message WHERE ctid = ANY (rows_at(s.bucket, own)) AND born IS NULL;
  IF cardinality(found_) = jsonb_array_length(ids) THEN RETURN found_; END IF;
  SELECT coalesce(array_agg(DISTINCT at), '{}') INTO moved
  FROM jsonb_array_elements(ids) AS x(id), place_of(s, id) AS y(at)
  WHERE at <> ALL (found_);
  RETURN found_ || moved;
END $$;

-- Where the delayed messages with these ids are.
CREATE FUNCTION delayed_rows(s standing, ids jsonb) RETURNS tid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    SELECT found.at FROM jsonb_array_elements(ids) AS wanted(id),
      LATERAL (
        (SELECT ctid AS at FROM delayed
         WHERE bucket = s.bucket AND number = (id->>1)::bigint AND born IS NULL AND (id->>0)::bigint = s.incarnation)
        UNION ALL
        (SELECT ctid FROM delayed WHERE bucket = s.bucket AND born_incarnation = (id->>0)::bigint AND born = (id->>1)::bigint)
        OFFSET 0
      ) AS found
  );
END $$;
