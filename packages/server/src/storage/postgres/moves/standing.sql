-- What moves are made of: what is known of a queue, and how what is due is settled.
--
-- Plans must not depend on statistics, which a new table has none of. So several rows are reached by their `ctid`s, never by
-- a join or by `place = ANY`, which the planner may turn into a walk over the whole bucket; whoever holds the lock of the
-- queue may rely on these. And the indexes by time are reached by `bucket + 0` only.

-- Far beyond every instant; still exact as a JavaScript number.
CREATE FUNCTION never() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 9007199254740991;

CREATE FUNCTION standing_of(bucket_ bigint) RETURNS standing LANGUAGE plpgsql STABLE AS $$
DECLARE s standing;
BEGIN
  SELECT * INTO s FROM standing WHERE bucket = bucket_ ORDER BY seq DESC LIMIT 1;
  RETURN s;
END $$;

-- Saves the standing, and answers it as it is saved.
CREATE FUNCTION saved(s standing) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  s.seq := s.seq + 1;
  INSERT INTO standing (bucket, seq, incarnation, last, fresh, live, free, held, epoch, returned, retaken,
                        due_at, ends_at, expires_at, bytes)
  VALUES (s.bucket, s.seq, s.incarnation, s.last, s.fresh, s.live, s.free, s.held, s.epoch, s.returned, s.retaken,
          s.due_at, s.ends_at, s.expires_at, s.bytes);
  DELETE FROM standing WHERE bucket = s.bucket AND seq = s.seq - 1;
  RETURN s;
END $$;

CREATE FUNCTION open_bucket() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE bucket_ bigint := nextval('identity');
BEGIN
  INSERT INTO standing (bucket, seq, incarnation, last, fresh, live, free, held, epoch, returned, retaken,
                        due_at, ends_at, expires_at, bytes)
  VALUES (bucket_, 0, ('x' || right(gen_random_uuid()::text, 12))::bit(48)::bigint, 0, 1, 1, 0, 0, 1, 0, 0, never(), never(), never(), 0);
  RETURN bucket_;
END $$;

-- Where the messages of these places are. `OFFSET 0` keeps the planner from turning the lookups round.
CREATE FUNCTION rows_at(bucket_ bigint, places bigint[]) RETURNS tid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    SELECT found.at FROM unnest(places) AS wanted(place),
      LATERAL (SELECT ctid AS at FROM message WHERE bucket = bucket_ AND place = wanted.place OFFSET 0) AS found
  );
END $$;

-- After messages were removed: the lowest place that is still there.
CREATE FUNCTION first_live(s standing, from_ bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE found_ bigint;
BEGIN
  SELECT place INTO found_ FROM message WHERE bucket = s.bucket AND place >= from_ ORDER BY place LIMIT 1;
  RETURN coalesce(found_, s.last + 1);
END $$;

-- Keeps the standing right after the messages of `places` are gone; `from_returned` of them were returned ones, `from_held` held, and
-- their bodies had `bytes_`.
CREATE FUNCTION removed(s standing, places bigint[], from_returned bigint, from_held bigint, bytes_ bigint)
RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  s.bytes := s.bytes - bytes_;
  s.held := s.held - from_held;
  s.free := s.free - (cardinality(places) - from_held);
  s.returned := s.returned - from_returned;
  s.retaken := s.retaken + from_returned;
  IF s.live = ANY (places) THEN s.live := first_live(s, s.live); END IF;
  IF s.fresh < s.live THEN s.fresh := s.live;
  ELSIF s.fresh = ANY (places) THEN s.fresh := first_live(s, s.fresh);
  END IF;
  RETURN s;
END $$;

-- Returned messages that are claimed again leave dead entries at the head of their epoch of the index. A new epoch starts when
-- the epoch is empty, or when its dead outnumber its living so far that moving these costs less than passing those.
CREATE FUNCTION renew_epoch(s standing) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  IF s.returned > 0 THEN
    IF s.retaken < 1000 + 2 * s.returned OR s.returned > 10000 THEN RETURN s; END IF;
    UPDATE message SET epoch = s.epoch + 1 WHERE bucket = s.bucket AND epoch = s.epoch;
  ELSIF s.retaken = 0 THEN
    RETURN s;
  END IF;
  s.epoch := s.epoch + 1;
  s.retaken := 0;
  RETURN s;
END $$;

-- Locks the queue, and answers its version and bucket. All null when there is no such queue.
CREATE FUNCTION locked_queue(p jsonb) RETURNS queue LANGUAGE plpgsql AS $$
DECLARE q queue;
BEGIN
  SELECT * INTO q FROM queue
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
  FOR NO KEY UPDATE;
  RETURN q;
END $$;

-- The bucket of the queue, or null when there is none, or not in this version.
CREATE FUNCTION bucket_of(p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT bucket FROM queue
    WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
      AND version = coalesce((p->>'version')::bigint, version)
  );
END $$;

-- First move what is due. Bounded: whatever is left after so many slices waits for the next move or the sweeper. `feed_` as `feed_of`.
CREATE FUNCTION settle(s standing, feed_ bigint, now_ bigint) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  IF s.due_at <= now_ THEN s := settle_delayed(s, feed_, now_, 20); END IF;
  IF s.ends_at <= now_ THEN s := settle_claims(s, now_, 20); END IF;
  IF s.expires_at <= now_ THEN s := settle_expired(s, now_, 5); END IF;
  RETURN s;
END $$;

-- The standing of a queue, which the caller has locked, with what is due settled and told.
CREATE FUNCTION settled(q queue, now_ bigint) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE s standing := standing_of(q.bucket); is_news boolean := is_news_due(s, now_);
BEGIN
  IF is_news OR s.expires_at <= now_ THEN
    s := saved(settle(s, feed_of(q), now_));
  END IF;
  IF is_news THEN PERFORM tell(q.project, q.kind, q.name, s, 'news'); END IF;
  RETURN s;
END $$;

-- As `settled`, and no delay that is over is left.
CREATE FUNCTION all_settled(q queue, now_ bigint) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE s standing;
BEGIN
  LOOP
    s := settled(q, now_);
    IF s.due_at > now_ THEN RETURN s; END IF;
  END LOOP;
END $$;

-- For a reader whose answer would change by what is due: settles that. Does nothing when the queue is gone or has changed
-- (`p` has no version where any will do).
CREATE FUNCTION settle_for(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p);
BEGIN
  IF q.bucket IS NULL OR q.is_fenced OR q.version <> (p->>'version')::bigint THEN RETURN; END IF;
  PERFORM settled(q, (p->>'now')::bigint);
END $$;

-- Whether settling makes messages claimable. Who settles has to tell: afterwards nobody can find out any more that it was due.
CREATE FUNCTION is_news_due(s standing, now_ bigint) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN next_news(s) <= now_;

-- Delays that are over: the messages take their places now, in the order in which the delays ended, and enter the feed. That also those do that
-- have expired since then.
CREATE FUNCTION settle_delayed(s standing, feed_ bigint, now_ bigint, slices integer) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE woken bigint; placed bigint; first_expiry bigint; lost bigint;
BEGIN
  FOR turn IN 1..slices LOOP
    WITH due AS (
      DELETE FROM delayed WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM delayed WHERE bucket + 0 = s.bucket AND wakes_at >= s.due_at AND wakes_at <= now_
        ORDER BY wakes_at, number LIMIT 1000
      ))
      RETURNING *
    ), arrived AS (
      INSERT INTO message (bucket, place, posted, born_incarnation, born, created_at, expires_at, ttl, claim_count, client, came_from, body)
      SELECT bucket, s.last + row_number() OVER (ORDER BY wakes_at, number), number, coalesce(born_incarnation, s.incarnation),
             coalesce(born, number), created_at, expires_at, ttl, claim_count, client, came_from, body
      FROM due WHERE expires_at > now_
      RETURNING expires_at
    ), told AS (
      INSERT INTO feed (queue, born_incarnation, born, created_at, ttl, delay, since, client, body)
      SELECT feed_, coalesce(born_incarnation, s.incarnation), coalesce(born, number), created_at, ttl, (due_at - created_at) / 1000, due_at,
             client, body
      FROM (SELECT * FROM due WHERE feed_ IS NOT NULL AND due_at < expires_at ORDER BY wakes_at, number OFFSET 0) in_order
    )
    SELECT (SELECT count(*) FROM due), (SELECT coalesce(sum(octet_length(body)) FILTER (WHERE expires_at <= now_), 0) FROM due),
           count(*), min(expires_at)
    INTO woken, lost, placed, first_expiry FROM arrived;
    s.last := s.last + placed;
    s.free := s.free - (woken - placed);
    s.bytes := s.bytes - lost;
    s.expires_at := least(s.expires_at, first_expiry);
    EXIT WHEN woken < 1000;
  END LOOP;
  SELECT coalesce(min(wakes_at), never()) INTO s.due_at
  FROM (SELECT wakes_at FROM delayed WHERE bucket + 0 = s.bucket AND wakes_at >= s.due_at ORDER BY wakes_at LIMIT 1) next;
  RETURN s;
END $$;

-- Claims that have ended: what they still hold returns to its old place.
CREATE FUNCTION settle_claims(s standing, now_ bigint, slices integer) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE ended_ bigint[]; places_ bigint[]; back_ bigint;
BEGIN
  FOR turn IN 1..slices LOOP
    WITH ended AS (
      DELETE FROM claim WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM claim WHERE bucket + 0 = s.bucket AND ends_at >= s.ends_at AND ends_at <= now_ ORDER BY ends_at LIMIT 500
      ))
      RETURNING number, places
    )
    SELECT array_agg(DISTINCT number), array_agg(place) INTO ended_, places_ FROM ended, unnest(places) AS p(place);
    EXIT WHEN ended_ IS NULL;
    UPDATE message SET claim = NULL, epoch = s.epoch WHERE ctid = ANY (rows_at(s.bucket, places_)) AND claim = ANY (ended_);
    GET DIAGNOSTICS back_ = ROW_COUNT;
    s.held := s.held - back_;
    s.free := s.free + back_;
    s.returned := s.returned + back_;
    EXIT WHEN cardinality(ended_) < 500;
  END LOOP;
  SELECT coalesce(min(ends_at), never()) INTO s.ends_at
  FROM (SELECT ends_at FROM claim WHERE bucket + 0 = s.bucket AND ends_at >= s.ends_at ORDER BY ends_at LIMIT 1) next;
  RETURN s;
END $$;

-- Messages that have expired are removed, and so are idempotency records.
CREATE FUNCTION settle_expired(s standing, now_ bigint, slices integer) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE places_ bigint[]; from_returned bigint; from_held bigint; bytes_ bigint; count_ bigint; first_record bigint := s.expires_at - 10000;
BEGIN
  FOR turn IN 1..slices LOOP
    WITH gone AS (
      DELETE FROM message WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM message WHERE bucket + 0 = s.bucket AND expires_at >= s.expires_at AND expires_at <= now_
        ORDER BY expires_at LIMIT 1000
      ))
      RETURNING place, epoch, claim, octet_length(body) AS bytes
    )
    SELECT coalesce(array_agg(place), '{}'), count(epoch), count(claim), coalesce(sum(bytes), 0)
    INTO places_, from_returned, from_held, bytes_ FROM gone;
    s := removed(s, places_, from_returned, from_held, bytes_);
    EXIT WHEN cardinality(places_) < 1000;
  END LOOP;
  SELECT coalesce(min(expires_at), never()) INTO s.expires_at
  FROM (SELECT expires_at FROM message WHERE bucket + 0 = s.bucket AND expires_at >= s.expires_at ORDER BY expires_at LIMIT 1) next;
  FOR turn IN 1..slices LOOP
    WITH gone AS (
      DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency WHERE bucket + 0 = s.bucket AND expires_at >= first_record AND expires_at <= now_
        ORDER BY expires_at LIMIT 1000
      ))
      RETURNING octet_length(key) + octet_length(digest) AS bytes
    )
    SELECT count(*), coalesce(sum(bytes), 0) INTO count_, bytes_ FROM gone;
    s.bytes := s.bytes - bytes_;
    EXIT WHEN count_ < 1000;
  END LOOP;
  SELECT least(s.expires_at, removed_at(min(expires_at))) INTO s.expires_at FROM (
    SELECT expires_at FROM idempotency WHERE bucket + 0 = s.bucket AND expires_at >= first_record ORDER BY expires_at LIMIT 1
  ) next;
  RETURN s;
END $$;

-- When an idempotency record that ends at `at` is removed. Some seconds late, so that a queue with many of them removes some thousand
-- at a time rather than one with each move.
CREATE FUNCTION removed_at(at bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (at + 9999) / 10000 * 10000;
