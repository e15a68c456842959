-- Moves of claims. Messages are answered as `shown` (messages.sql) makes them.

-- create_claim, a visit
--   takes     limit, ttlSeconds, graceSeconds, now; deadLetter {queue, maxClaimCount, ttlSeconds or null}, where there is a policy,
--             with `elsewhere` where that queue lies in another store, or the
--             `version` that it must have for messages to move there at once; key, of a request that may be repeated; clientId, where it is known
--   answers   {incarnation, claim: its number, messages}, or null when there was nothing to claim; where the key finds a claim, what
--             `get_claim` answers | "stale"
CREATE FUNCTION create_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  limit_ bigint := (p->>'limit')::bigint;
  ttl_ bigint := (p->>'ttlSeconds')::bigint;
  life bigint := (p->>'ttlSeconds')::bigint + (p->>'graceSeconds')::bigint;
  ends_ bigint := now_ + 1000 * ttl_;
  earlier bigint; messages json; rows_ tid[]; places_ bigint[]; last_fresh bigint; from_returned bigint; count_ bigint;
BEGIN
  IF p ? 'key' THEN
    -- The last one of that key: one that was made before it did not hold anything any more.
    SELECT number INTO earlier FROM claim WHERE bucket + 0 = s.bucket AND key = p->>'key' ORDER BY number DESC LIMIT 1;
    IF FOUND THEN answer := found_claim(s, earlier, now_); END IF;
    IF answer IS NOT NULL THEN RETURN; END IF;
  END IF;
  IF s.free = 0 THEN RETURN; END IF;
  IF p ? 'deadLetter' THEN s := bury(s, p); END IF;

  SELECT array_agg(at), array_agg(place), count(*), count(epoch), max(place) FILTER (WHERE epoch IS NULL)
  INTO rows_, places_, count_, from_returned, last_fresh FROM claimable(s, now_, limit_);
  s := taken(s, last_fresh, from_returned, count_ < limit_);
  IF count_ = 0 THEN RETURN; END IF;
  s.last := s.last + 1;
  s.free := s.free - count_;
  s.held := s.held + count_;
  WITH held AS (
    UPDATE message m SET
      claim = s.last,
      epoch = NULL,
      claim_count = claim_count + 1,
      ttl = CASE WHEN expires_at < ends_ THEN life ELSE ttl END,
      expires_at = CASE WHEN expires_at < ends_ THEN now_ + 1000 * life ELSE expires_at END
    WHERE ctid = ANY (rows_)
    RETURNING place, shown(m) AS message
  )
  SELECT json_agg(message ORDER BY place) INTO messages FROM held;
  INSERT INTO claim (bucket, number, ends_at, renewed_at, ttl, places, key, client)
  VALUES (s.bucket, s.last, ends_, now_, ttl_, places_, p->>'key', p->>'clientId');
  s.ends_at := least(s.ends_at, ends_);
  answer := json_build_object('incarnation', s.incarnation, 'claim', s.last, 'messages', messages);
END $$;

-- exchange_claim, a visit: removes messages that are finished, and takes others.
--   takes     finished [[incarnation and number of the message, incarnation and number of the claim that holds it]]; all that `create_claim` takes
--   answers   {claim: as `create_claim`, gone: which of the finished were not there, counted from 0}
--             | {kept: which are there, but not held by that claim}, and then nothing was done | "stale"
CREATE FUNCTION exchange_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  f record; m message; o record;
  places_ bigint[]; kept bigint[]; gone_ bigint[];
  from_returned bigint; from_held bigint; bytes_ bigint;
BEGIN
  FOR f IN SELECT id, n - 1 AS at FROM jsonb_array_elements(p->'finished') WITH ORDINALITY AS x(id, n) LOOP
    SELECT * INTO m FROM message WHERE bucket = s.bucket AND place = place_of(s, f.id) AND expires_at > now_;
    IF NOT FOUND THEN
      PERFORM FROM delayed WHERE ctid = ANY (delayed_rows(s, jsonb_build_array(f.id))) AND expires_at > now_;
      IF FOUND THEN kept := kept || f.at; ELSE gone_ := gone_ || f.at; END IF;
    ELSIF m.claim = claim_of(s, jsonb_build_array(f.id->2, f.id->3)) AND is_live_claim(s.bucket, m.claim, now_) THEN
      places_ := places_ || m.place;
    ELSE
      kept := kept || f.at;
    END IF;
  END LOOP;
  IF kept IS NOT NULL THEN
    answer := json_build_object('kept', to_json(kept));
    RETURN;
  END IF;
  IF places_ IS NOT NULL THEN
    IF p ? 'kept' THEN PERFORM keep_gone(s, places_, now_); END IF;
    WITH gone AS (
      DELETE FROM message WHERE ctid = ANY (rows_at(s.bucket, places_)) RETURNING place, epoch, claim, octet_length(body) AS bytes
    )
    SELECT array_agg(place), count(epoch), count(claim), sum(bytes) INTO places_, from_returned, from_held, bytes_ FROM gone;
    s := removed(s, places_, from_returned, from_held, bytes_);
  END IF;
  o := create_claim(s, p);
  s := o.s;
  answer := json_build_object('claim', o.answer, 'gone', coalesce(to_json(gone_), '[]'));
END $$;

-- get_claim
--   takes     claim [incarnation, number], now
--   answers   {incarnation, claim, ttl, renewedAt, messages}, or false when it is not live or holds nothing | "stale"
CREATE FUNCTION get_claim(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); s standing;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  RETURN coalesce(found_claim(s, claim_of(s, p->'claim'), (p->>'now')::bigint), 'false');
END $$;

-- What `get_claim` answers of the claim of that number; null when it is not live or holds nothing.
CREATE FUNCTION found_claim(s standing, number_ bigint, now_ bigint) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE c claim; messages json;
BEGIN
  SELECT * INTO c FROM claim WHERE bucket = s.bucket AND number = number_;
  SELECT json_agg(shown(m)) INTO messages FROM held_by(s.bucket, c.number, now_) m;
  IF messages IS NULL THEN RETURN NULL; END IF;
  RETURN json_build_object('incarnation', s.incarnation, 'claim', c.number, 'ttl', c.ttl, 'renewedAt', c.renewed_at, 'messages', messages);
END $$;

-- list_claims: those that are live and hold something, in the order of their numbers.
--   takes     after [incarnation, number] or null, limit, now
--   answers   {incarnation, claims [[number, ttl, renewed at, how many messages it holds, client or null]], marker: the number behind which the
--             next page begins, or null} | "stale"
-- One that holds nothing any more stands there until its end, and a busy queue may have a hundred thousand of them: after a thousand the page is over.
CREATE FUNCTION list_claims(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  bucket_ bigint := bucket_of(p);
  now_ bigint := (p->>'now')::bigint;
  s standing; c claim; count_ bigint; looked bigint := 0;
  after_ bigint; marker_ bigint; listed json[] := '{}';
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  after_ := coalesce(claim_of(s, p->'after'), 0);
  FOR c IN SELECT * FROM claim WHERE bucket = s.bucket AND number > after_ ORDER BY number LIMIT 1001 LOOP
    IF looked = 1000 THEN
      marker_ := after_;
      EXIT;
    END IF;
    looked := looked + 1;
    count_ := 0;
    IF c.ends_at > now_ THEN
      SELECT count(*) INTO count_ FROM message WHERE ctid = ANY (rows_at(s.bucket, c.places)) AND claim = c.number AND expires_at > now_;
    END IF;
    IF count_ > 0 AND cardinality(listed) = (p->>'limit')::bigint THEN
      marker_ := after_;
      EXIT;
    END IF;
    IF count_ > 0 THEN listed := listed || json_build_array(c.number, c.ttl, c.renewed_at, count_, c.client); END IF;
    after_ := c.number;
  END LOOP;
  RETURN json_build_object('incarnation', s.incarnation, 'claims', array_to_json(listed), 'marker', marker_);
END $$;

-- renew_claim, a visit
--   takes     claim [incarnation, number], ttlSeconds, graceSeconds, now
--   answers   whether the claim is live and holds something | "stale"
CREATE FUNCTION renew_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  given bigint;
  ttl_ bigint := (p->>'ttlSeconds')::bigint;
  life bigint := (p->>'ttlSeconds')::bigint + (p->>'graceSeconds')::bigint;
  ends_ bigint := now_ + 1000 * ttl_;
  places_ bigint[];
BEGIN
  given := claim_of(s, p->'claim');
  SELECT array_agg(place) INTO places_ FROM held_by(s.bucket, given, now_);
  IF places_ IS NULL THEN
    answer := 'false';
    RETURN;
  END IF;
  UPDATE claim SET ends_at = ends_, renewed_at = now_, ttl = ttl_ WHERE bucket = s.bucket AND number = given;
  UPDATE message SET ttl = life, expires_at = now_ + 1000 * life
  WHERE ctid = ANY (rows_at(s.bucket, places_)) AND expires_at < ends_;
  s.ends_at := least(s.ends_at, ends_);
  answer := 'true';
END $$;

-- release_claim, a visit: takes claim [incarnation, number], now. Answers null | "stale".
CREATE FUNCTION release_claim(INOUT s standing, p jsonb, OUT is_news boolean, OUT answer json) LANGUAGE plpgsql AS $$
DECLARE
  given bigint;
  places_ bigint[];
  back_ bigint;
BEGIN
  given := claim_of(s, p->'claim');
  DELETE FROM claim WHERE bucket = s.bucket AND number = given RETURNING places INTO places_;
  IF places_ IS NULL THEN RETURN; END IF;
  UPDATE message SET claim = NULL, epoch = s.epoch WHERE ctid = ANY (rows_at(s.bucket, places_)) AND claim = given;
  GET DIAGNOSTICS back_ = ROW_COUNT;
  s.held := s.held - back_;
  s.free := s.free + back_;
  s.returned := s.returned + back_;
  is_news := back_ > 0;
END $$;

-- The first `count_` places that can be claimed.
CREATE FUNCTION claimable(s standing, now_ bigint, count_ bigint)
RETURNS TABLE (at tid, place bigint, epoch bigint, claim_count integer) LANGUAGE sql STABLE AS $$
  (SELECT ctid, place, epoch, claim_count FROM message
   WHERE bucket = s.bucket AND epoch = s.epoch AND expires_at > now_ ORDER BY place LIMIT count_)
  UNION ALL
  (SELECT ctid, place, epoch, claim_count FROM message
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
    IF d ? 'elsewhere' OR NOT is_there_for(p, d) THEN s := depart(s, buried, p, d->>'queue', p->>'name', (d->>'ttlSeconds')::bigint);
    ELSE s := move_messages(s, buried, p, d->>'queue', p->>'name', (d->>'ttlSeconds')::bigint);
    END IF;
  END LOOP;
  RETURN s;
END $$;

-- Whether the dead letter queue may be moved to at once. One of the version that is wanted stays so until the commit.
CREATE FUNCTION is_there_for(p jsonb, d jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT d ? 'version' THEN RETURN true; END IF;
  PERFORM FROM queue WHERE project = p->>'project' AND kind = p->>'kind' AND name = d->>'queue' AND version::text = d->>'version'
  FOR NO KEY UPDATE SKIP LOCKED;
  RETURN FOUND;
END $$;

-- After messages were claimed or popped: `last_fresh` is the last one taken that had never been claimed.
CREATE FUNCTION taken(s standing, last_fresh bigint, from_returned bigint, is_all boolean) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  IF is_all THEN s.fresh := s.last + 1;
  ELSIF last_fresh IS NOT NULL THEN s.fresh := last_fresh + 1;
  END IF;
  s.returned := s.returned - from_returned;
  s.retaken := s.retaken + from_returned;
  RETURN renew_epoch(s);
END $$;

-- The number of the claim with this id [incarnation, number]; null when it is none of this queue.
CREATE FUNCTION claim_of(s standing, id jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN (id->>0)::bigint = s.incarnation THEN (id->>1)::bigint END;

CREATE FUNCTION is_live_claim(bucket_ bigint, claim_ bigint, now_ bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM claim WHERE bucket = bucket_ AND number = claim_ AND ends_at > now_);
END $$;

-- What the claim holds, in the order of the queue.
CREATE FUNCTION held_by(bucket_ bigint, claim_ bigint, now_ bigint) RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT * FROM message
    WHERE claim = claim_ AND expires_at > now_ AND ctid = ANY (rows_at(bucket_, (
      SELECT places FROM claim WHERE bucket = bucket_ AND number = claim_ AND ends_at > now_
    )))
    ORDER BY place;
END $$;
