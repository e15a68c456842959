-- Moves of messages and claims. Each takes the standing of the bucket, which `run` has entered and settled, and its parameters
-- as one JSON object; storage/postgres/*.ts has the types. Each leaves the standing as it is now, says whether watchers have to
-- know, and answers.

-- Who watches a queue holds a shared lock of its slot; a transaction that brings news notifies once for each watched slot.
-- `gate` keeps a watcher that arrives between the look and the commit from missing the news: see watch.ts.
CREATE FUNCTION watch_slot(project text, kind text, name text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT get_byte(sha256(convert_to(project || chr(31) || kind || chr(31) || name, 'UTF8')), 0)
$$;

CREATE FUNCTION watch_lock(part text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT hashtext(part || ' ' || current_schema())
$$;

CREATE FUNCTION tell(project text, kind text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE slot integer := watch_slot(project, kind, name);
BEGIN
  PERFORM pg_advisory_xact_lock_shared(watch_lock('gate'), slot);
  IF pg_try_advisory_lock(watch_lock('watched'), slot) THEN
    PERFORM pg_advisory_unlock(watch_lock('watched'), slot);
  ELSE
    PERFORM pg_notify('zaqar ' || current_schema(), slot::text);
  END IF;
END $$;

CREATE FUNCTION tell(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tell(p->>'project', p->>'kind', p->>'name');
END $$;

-- A message as storage/postgres/rows.ts reads it.
CREATE FUNCTION shown(m message) RETURNS json LANGUAGE sql STABLE
RETURN json_build_array(coalesce(m.born_bucket, m.bucket), coalesce(m.born, m.place), m.place, m.posted, m.body, m.ttl, m.created_at,
                        m.claim, m.claim_count, m.client);

-- The place of the message with this id, or null. (A delayed one has none.)
CREATE FUNCTION place_of(bucket_ bigint, id_bucket bigint, id_no bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE found_ bigint;
BEGIN
  IF id_bucket = bucket_ THEN
    SELECT place INTO found_ FROM message WHERE bucket = bucket_ AND place = id_no AND born IS NULL;
    IF FOUND THEN RETURN found_; END IF;
  END IF;
  SELECT place INTO found_ FROM message WHERE bucket = bucket_ AND born_bucket = id_bucket AND born = id_no;
  RETURN found_;
END $$;

-- The places of the messages with these ids [[bucket, no]], in no order.
CREATE FUNCTION places_of(bucket_ bigint, ids jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE own bigint[]; found_ bigint[]; moved bigint[];
BEGIN
  SELECT array_agg((id->>1)::bigint) FILTER (WHERE (id->>0)::bigint = bucket_) INTO own FROM jsonb_array_elements(ids) AS x(id);
  SELECT coalesce(array_agg(place), '{}') INTO found_
  FROM message WHERE ctid = ANY (rows_at(bucket_, own)) AND born IS NULL;
  IF cardinality(found_) = jsonb_array_length(ids) THEN RETURN found_; END IF;
  SELECT coalesce(array_agg(DISTINCT at), '{}') INTO moved
  FROM jsonb_array_elements(ids) AS x(id), place_of(bucket_, (id->>0)::bigint, (id->>1)::bigint) AS y(at)
  WHERE at <> ALL (found_);
  RETURN found_ || moved;
END $$;

-- Where the delayed messages with these ids are.
CREATE FUNCTION delayed_rows(bucket_ bigint, ids jsonb) RETURNS tid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    SELECT found.at FROM jsonb_array_elements(ids) AS wanted(id),
      LATERAL (SELECT ctid AS at FROM delayed WHERE bucket = bucket_ AND no = (id->>1)::bigint OFFSET 0) AS found
    WHERE (id->>0)::bigint = bucket_
  );
END $$;

-- append: messages [[body, ttl, delay]], bytes (of all bodies), delayed (whether any is), client, idempotency {key, digest, expiresAt} or none.
-- Answers {bucket, first, count}; ids are numbered from `first`. Gives out the numbers only: what several posts in a row
-- bring is stored by one statement, see `stored`. It is news when there is something to store.
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
      answer := json_build_object('bucket', s.bucket, 'first', earlier.first, 'count', earlier.count);
      RETURN;
    END IF;
    INSERT INTO idempotency VALUES (s.bucket, p->'idempotency'->>'key', p->'idempotency'->>'digest',
                                    (p->'idempotency'->>'expiresAt')::bigint, first_, count_)
    ON CONFLICT (bucket, key) DO UPDATE
    SET digest = excluded.digest, expires_at = excluded.expires_at, first = excluded.first, count = excluded.count;
    s.bytes := s.bytes + octet_length(p->'idempotency'->>'key') + octet_length(p->'idempotency'->>'digest')
               - coalesce(octet_length(earlier.key) + octet_length(earlier.digest), 0);
    s.expires_at := least(s.expires_at, removed_at((p->'idempotency'->>'expiresAt')::bigint));
  END IF;
  s.last := s.last + count_;
  s.free := s.free + count_;
  s.bytes := s.bytes + (p->>'bytes')::bigint;
  is_news := true;
  answer := json_build_object('bucket', s.bucket, 'first', first_, 'count', count_);
END $$;

-- Stores the messages of `posts`, parameters of `append`, each numbered from its `firsts`.
CREATE FUNCTION stored(s standing, posts jsonb[], firsts bigint[]) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE soonest bigint; expiry bigint;
BEGIN
  IF (SELECT bool_or((post->>'delayed')::boolean) FROM unnest(posts) AS x(post)) THEN
    WITH arrived AS (
      INSERT INTO delayed (bucket, no, due_at, wakes_at, created_at, expires_at, ttl, client, body)
      SELECT s.bucket, first_ + n - 1, now_ + 1000 * (m->>2)::bigint, now_ + 1000 * least((m->>1)::bigint, (m->>2)::bigint), now_,
             now_ + 1000 * (m->>1)::bigint, (m->>1)::bigint, post->>'client', m->>0
      FROM unnest(posts, firsts) AS x(post, first_), CAST(post->>'now' AS bigint) AS now_,
        jsonb_array_elements(post->'messages') WITH ORDINALITY AS y(m, n)
      WHERE (m->>2)::bigint > 0
      RETURNING wakes_at
    )
    SELECT min(wakes_at) INTO soonest FROM arrived;
  END IF;
  WITH arrived AS (
    INSERT INTO message (bucket, place, created_at, expires_at, ttl, client, body)
    SELECT s.bucket, first_ + n - 1, now_, now_ + 1000 * (m->>1)::bigint, (m->>1)::bigint, post->>'client', m->>0
    FROM unnest(posts, firsts) AS x(post, first_), CAST(post->>'now' AS bigint) AS now_,
      jsonb_array_elements(post->'messages') WITH ORDINALITY AS y(m, n)
    WHERE (m->>2)::bigint = 0
    RETURNING expires_at
  )
  SELECT min(expires_at) INTO expiry FROM arrived;
  s.due_at := least(s.due_at, soonest);
  s.expires_at := least(s.expires_at, expiry);
  RETURN s;
END $$;

-- Moves messages, in the order of `places`, to the end of another queue of the project and kind. A dead letter queue comes into being by that;
-- messages that go back (`came_from_` is null) need their queue to be there. Their ttl becomes what makes `ttl - age` the rest of their life, which is
-- `ttl_` where it is given. Answers the standing of the bucket they leave.
CREATE FUNCTION move_messages(s standing, places bigint[], p jsonb, target text, came_from_ text, ttl_ bigint)
RETURNS standing LANGUAGE plpgsql AS $$
DECLARE q queue; t standing; now_ bigint := (p->>'now')::bigint; from_lane bigint; arrived_ bigint; expiry bigint; bytes_ bigint;
BEGIN
  -- Not waiting here means that no two moves ever wait for each other; the one that finds the queue locked is run again (lane.ts).
  SELECT * INTO q FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND name = target
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND AND came_from_ IS NOT NULL THEN
    INSERT INTO queue VALUES (p->>'project', p->>'kind', target, nextval('number'), open_bucket(), nextval('number'), '{}')
    ON CONFLICT DO NOTHING RETURNING * INTO q;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the queue to which messages move is locked, or has just gone' USING ERRCODE = 'serialization_failure';
  END IF;
  t := settled(q, now_);
  WITH gone AS (
    DELETE FROM message WHERE ctid = ANY (rows_at(s.bucket, places)) RETURNING *
  ), arrived AS (
    INSERT INTO message (bucket, place, born_bucket, born, created_at, expires_at, ttl, client, came_from, body)
    SELECT t.bucket, t.last + row_number() OVER (ORDER BY array_position(places, place)), coalesce(born_bucket, bucket), coalesce(born, place), created_at,
           coalesce(now_ + 1000 * ttl_, expires_at), (coalesce(now_ + 1000 * ttl_, expires_at) - created_at) / 1000, client, came_from_, body
    FROM gone
    RETURNING expires_at, octet_length(body) AS bytes
  )
  SELECT (SELECT count(lane) FROM gone), count(*), min(expires_at), coalesce(sum(bytes), 0)
  INTO from_lane, arrived_, expiry, bytes_ FROM arrived;
  t.last := t.last + arrived_;
  t.free := t.free + arrived_;
  t.bytes := t.bytes + bytes_;
  t.expires_at := least(t.expires_at, expiry);
  PERFORM save(t);
  PERFORM tell(p->>'project', p->>'kind', target);
  RETURN removed(s, places, from_lane, 0, bytes_);
END $$;

-- The first `count_` places that can be claimed.
CREATE FUNCTION claimable(s standing, now_ bigint, count_ bigint)
RETURNS TABLE (at tid, place bigint, lane bigint, claim_count integer) LANGUAGE sql STABLE AS $$
  (SELECT ctid, place, lane, claim_count FROM message
   WHERE bucket = s.bucket AND lane = s.epoch AND expires_at > now_ ORDER BY place LIMIT count_)
  UNION ALL
  (SELECT ctid, place, lane, claim_count FROM message
   WHERE bucket = s.bucket AND place >= s.fresh AND expires_at > now_ ORDER BY place LIMIT count_)
  ORDER BY place LIMIT count_
$$;

-- Moves those that were claimed too often out of the way of the next `limit` messages. At most some thousands at a time.
CREATE FUNCTION bury(s standing, p jsonb) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE buried bigint[]; d jsonb := p->'deadLetter';
BEGIN
  FOR turn IN 1..200 LOOP
    SELECT array_agg(place ORDER BY place) INTO buried FROM claimable(s, (p->>'now')::bigint, (p->>'limit')::bigint)
    WHERE claim_count >= (d->>'maxClaimCount')::bigint;
    EXIT WHEN buried IS NULL;
    s := move_messages(s, buried, p, d->>'queue', p->>'name', (d->>'ttlSeconds')::bigint);
  END LOOP;
  RETURN s;
END $$;

-- After messages were claimed or popped: `last_fresh` is the last one taken that had never been claimed.
CREATE FUNCTION taken(s standing, last_fresh bigint, from_lane bigint, is_all boolean) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  IF is_all THEN s.fresh := s.last + 1;
  ELSIF last_fresh IS NOT NULL THEN s.fresh := last_fresh + 1;
  END IF;
  s.returned := s.returned - from_lane;
  s.retaken := s.retaken + from_lane;
  RETURN renew_lane(s);
END $$;

-- claim: limit, ttl, grace, deadLetter {queue, maxClaimCount, ttlSeconds} or null. Answers {bucket, claim, messages} or null.
CREATE FUNCTION create_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  limit_ bigint := (p->>'limit')::bigint;
  ttl_ bigint := (p->>'ttlSeconds')::bigint;
  life bigint := (p->>'ttlSeconds')::bigint + (p->>'graceSeconds')::bigint;
  ends_ bigint := now_ + 1000 * ttl_;
  messages json; rows_ tid[]; places_ bigint[]; last_fresh bigint; from_lane bigint; count_ bigint;
BEGIN
  IF s.free = 0 THEN RETURN; END IF;
  IF p ? 'deadLetter' THEN s := bury(s, p); END IF;

  SELECT array_agg(at), array_agg(place), count(*), count(lane), max(place) FILTER (WHERE lane IS NULL)
  INTO rows_, places_, count_, from_lane, last_fresh FROM claimable(s, now_, limit_);
  s := taken(s, last_fresh, from_lane, count_ < limit_);
  IF count_ = 0 THEN RETURN; END IF;
  s.last := s.last + 1;
  s.free := s.free - count_;
  s.held := s.held + count_;
  WITH held AS (
    UPDATE message m SET
      claim = s.last,
      lane = NULL,
      claim_count = claim_count + 1,
      ttl = CASE WHEN expires_at < ends_ THEN life ELSE ttl END,
      expires_at = CASE WHEN expires_at < ends_ THEN now_ + 1000 * life ELSE expires_at END
    WHERE ctid = ANY (rows_)
    RETURNING place, shown(m) AS message
  )
  SELECT json_agg(message ORDER BY place) INTO messages FROM held;
  INSERT INTO claim VALUES (s.bucket, s.last, ends_, now_, ttl_, places_);
  -- Only a watcher whose timer would come too late has to know.
  IF ends_ < s.ends_at THEN
    s.ends_at := ends_;
    is_news := true;
  END IF;
  answer := json_build_object('bucket', s.bucket, 'claim', s.last, 'messages', messages);
END $$;

-- pop: limit, deadLetter. Answers {bucket, messages}.
CREATE FUNCTION pop(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  limit_ bigint := (p->>'limit')::bigint;
  messages json; rows_ tid[]; places_ bigint[]; last_fresh bigint; from_lane bigint; count_ bigint; bytes_ bigint;
BEGIN
  IF s.free = 0 THEN
    answer := json_build_object('bucket', s.bucket, 'messages', '[]'::json);
    RETURN;
  END IF;
  IF p ? 'deadLetter' THEN s := bury(s, p); END IF;

  SELECT array_agg(at), array_agg(place), count(*), count(lane), max(place) FILTER (WHERE lane IS NULL)
  INTO rows_, places_, count_, from_lane, last_fresh FROM claimable(s, now_, limit_);
  WITH gone AS (
    DELETE FROM message m WHERE ctid = ANY (rows_) RETURNING place, shown(m) AS message, octet_length(body) AS bytes
  )
  SELECT json_agg(message ORDER BY place), coalesce(sum(bytes), 0) INTO messages, bytes_ FROM gone;
  s := taken(s, last_fresh, from_lane, count_ < limit_);
  s.free := s.free - count_;
  s.bytes := s.bytes - bytes_;
  IF s.live = ANY (places_) THEN s.live := first_live(s, s.live); END IF;
  answer := json_build_object('bucket', s.bucket, 'messages', coalesce(messages, '[]'));
END $$;

CREATE FUNCTION is_live_claim(bucket_ bigint, claim_ bigint, now_ bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM claim WHERE bucket = bucket_ AND no = claim_ AND ends_at > now_);
END $$;

-- What the claim holds, in the order of the queue.
CREATE FUNCTION held_by(bucket_ bigint, claim_ bigint, now_ bigint) RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT * FROM message
    WHERE claim = claim_ AND expires_at > now_ AND ctid = ANY (rows_at(bucket_, (
      SELECT places FROM claim WHERE bucket = bucket_ AND no = claim_ AND ends_at > now_
    )))
    ORDER BY place;
END $$;

-- delete: id [bucket, no], claim [bucket, no] or null for none; [0, 0] names no claim.
CREATE FUNCTION delete_message(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  m message;
  o record;
  given bigint;
BEGIN
  SELECT * INTO m FROM message
  WHERE bucket = s.bucket AND place = place_of(s.bucket, (p->'id'->>0)::bigint, (p->'id'->>1)::bigint) AND expires_at > now_;
  IF NOT FOUND THEN
    o := delete_delayed(s, p);
    s := o.s;
    answer := o.answer;
    RETURN;
  END IF;
  IF NOT is_live_claim(s.bucket, m.claim, now_) THEN m.claim := NULL; END IF;
  IF p ? 'claim' THEN
    given := CASE WHEN (p->'claim'->>0)::bigint = s.bucket THEN (p->'claim'->>1)::bigint END;
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
  DELETE FROM message WHERE bucket = s.bucket AND place = m.place;
  s := removed(s, ARRAY[m.place], num_nonnulls(m.lane), num_nonnulls(m.claim), octet_length(m.body));
  s := renew_lane(s);
  answer := '"deleted"';
END $$;

CREATE FUNCTION delete_delayed(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE bytes_ bigint;
BEGIN
  IF (p->'id'->>0)::bigint <> s.bucket THEN
    answer := '"absent"';
    RETURN;
  END IF;
  IF p ? 'claim' THEN
    PERFORM FROM delayed WHERE bucket = s.bucket AND no = (p->'id'->>1)::bigint;
    answer := CASE WHEN FOUND THEN '"not-claimed"' ELSE '"absent"' END::json;
    RETURN;
  END IF;
  DELETE FROM delayed WHERE bucket = s.bucket AND no = (p->'id'->>1)::bigint RETURNING octet_length(body) INTO bytes_;
  IF NOT FOUND THEN
    answer := '"absent"';
    RETURN;
  END IF;
  s.free := s.free - 1;
  s.bytes := s.bytes - bytes_;
  answer := '"deleted"';
END $$;

-- deleteMany: ids [[bucket, no]], claims [[bucket, no]] or null.
CREATE FUNCTION delete_messages(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  places_ bigint[]; rows_ tid[]; waiting bigint[]; waiting_rows tid[]; allowed bigint[]; from_lane bigint; from_held bigint;
  bytes_ bigint;
BEGIN
  places_ := places_of(s.bucket, p->'ids');
  SELECT array_agg(place), array_agg(ctid) INTO places_, rows_ FROM message
  WHERE ctid = ANY (rows_at(s.bucket, places_)) AND expires_at > now_;
  IF places_ IS NULL OR cardinality(places_) < jsonb_array_length(p->'ids') THEN
    SELECT array_agg(no), array_agg(ctid) INTO waiting, waiting_rows FROM delayed
    WHERE ctid = ANY (delayed_rows(s.bucket, p->'ids')) AND expires_at > now_;
  END IF;
  IF p ? 'claims' THEN
    SELECT coalesce(array_agg((id->>1)::bigint), '{}') INTO allowed FROM jsonb_array_elements(p->'claims') AS x(id)
    WHERE (id->>0)::bigint = s.bucket AND is_live_claim(s.bucket, (id->>1)::bigint, now_);
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
    WITH gone AS (DELETE FROM message WHERE ctid = ANY (rows_) RETURNING lane, claim, octet_length(body) AS bytes)
    SELECT count(lane), count(claim), sum(bytes) INTO from_lane, from_held, bytes_ FROM gone;
    s := renew_lane(removed(s, places_, from_lane, from_held, bytes_));
  END IF;
  answer := '"deleted"';
END $$;

-- renew: claim, ttlSeconds, graceSeconds. Answers whether the claim is live.
CREATE FUNCTION renew_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  given bigint;
  ttl_ bigint := (p->>'ttlSeconds')::bigint;
  life bigint := (p->>'ttlSeconds')::bigint + (p->>'graceSeconds')::bigint;
  ends_ bigint := now_ + 1000 * ttl_;
  places_ bigint[];
BEGIN
  given := CASE WHEN (p->'claim'->>0)::bigint = s.bucket THEN (p->'claim'->>1)::bigint END;
  SELECT array_agg(place) INTO places_ FROM held_by(s.bucket, given, now_);
  IF places_ IS NULL THEN
    answer := 'false';
    RETURN;
  END IF;
  UPDATE claim SET ends_at = ends_, renewed_at = now_, ttl = ttl_ WHERE bucket = s.bucket AND no = given;
  UPDATE message SET ttl = life, expires_at = now_ + 1000 * life
  WHERE ctid = ANY (rows_at(s.bucket, places_)) AND expires_at < ends_;
  IF ends_ < s.ends_at THEN
    s.ends_at := ends_;
    is_news := true;
  END IF;
  answer := 'true';
END $$;

-- release: claim.
CREATE FUNCTION release_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  given bigint;
  places_ bigint[];
  back_ bigint;
BEGIN
  given := CASE WHEN (p->'claim'->>0)::bigint = s.bucket THEN (p->'claim'->>1)::bigint END;
  DELETE FROM claim WHERE bucket = s.bucket AND no = given RETURNING places INTO places_;
  IF places_ IS NULL THEN RETURN; END IF;
  UPDATE message SET claim = NULL, lane = s.epoch WHERE ctid = ANY (rows_at(s.bucket, places_)) AND claim = given;
  GET DIAGNOSTICS back_ = ROW_COUNT;
  s.held := s.held - back_;
  s.free := s.free + back_;
  s.returned := s.returned + back_;
  is_news := back_ > 0;
END $$;

-- redrive: ids [[bucket, no]] or null, limit. Answers {moved: [[id bucket, id no, queue]]}.
CREATE FUNCTION redrive(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  places_ bigint[]; names text[]; moved json; target text;
BEGIN
  IF p ? 'ids' THEN
    places_ := places_of(s.bucket, p->'ids');
  END IF;
  WITH chosen AS (
    SELECT m.*, (
      SELECT n FROM jsonb_array_elements(p->'ids') WITH ORDINALITY AS x(id, n)
      WHERE (id->>0)::bigint = coalesce(m.born_bucket, m.bucket) AND (id->>1)::bigint = coalesce(m.born, m.place)
    ) AS asked
    FROM (
      (SELECT * FROM message WHERE ctid = ANY (rows_at(s.bucket, places_)) AND claim IS NULL AND expires_at > now_)
      UNION ALL
      (SELECT * FROM message WHERE places_ IS NULL AND bucket = s.bucket AND lane = s.epoch AND expires_at > now_)
      UNION ALL
      (SELECT * FROM message WHERE places_ IS NULL AND bucket = s.bucket AND place >= s.fresh AND expires_at > now_)
    ) m
    WHERE EXISTS (SELECT FROM queue q WHERE q.project = p->>'project' AND q.kind = p->>'kind' AND q.name = m.came_from)
    ORDER BY asked, place LIMIT CASE WHEN p ? 'ids' THEN NULL ELSE (p->>'limit')::bigint END
  )
  SELECT array_agg(place ORDER BY asked, place), array_agg(came_from ORDER BY asked, place),
         json_agg(json_build_array(coalesce(born_bucket, bucket), coalesce(born, place), came_from) ORDER BY asked, place)
  INTO places_, names, moved FROM chosen;
  IF places_ IS NULL THEN
    answer := json_build_object('moved', '[]'::json);
    RETURN;
  END IF;
  FOR target IN SELECT DISTINCT name FROM unnest(names) AS n(name) ORDER BY name LOOP
    s := move_messages(s, (SELECT array_agg(place ORDER BY n) FROM unnest(places_, names) WITH ORDINALITY AS x(place, name, n)
                           WHERE name = target),
                       p, target, NULL, NULL);
  END LOOP;
  s := renew_lane(s);
  answer := json_build_object('moved', moved);
END $$;
