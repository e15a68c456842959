-- Moves that only read. A STABLE function sees one snapshot, so a page is consistent without a lock. When something is due
-- that would change the answer, it answers null, and `run` settles the queue and asks again.

-- The bucket of the queue, or null when there is none, or not in this version.
CREATE FUNCTION bucket_of(p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT bucket FROM queue
    WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
      AND version = coalesce((p->>'version')::bigint, version)
  );
END $$;

-- The row of a delayed message as if it had taken a place.
CREATE FUNCTION as_message(d delayed) RETURNS message LANGUAGE sql STABLE
RETURN ROW(d.bucket, NULL, d.no, d.bucket, d.no, NULL, NULL, d.created_at, d.expires_at, d.ttl, 0, d.client, NULL, d.body)::message;

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
       WHERE bucket = s.bucket AND lane = s.epoch AND place > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
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
    (SELECT as_message(delayed) AS m, no AS at FROM delayed
     WHERE bucket = s.bucket AND no > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
     ORDER BY no LIMIT limit_)
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
     WHERE NOT with_claimed AND bucket = s.bucket AND lane = s.epoch AND place > after_ AND posted IS NULL AND expires_at > now_
       AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
    UNION ALL
    (SELECT message, place FROM message
     WHERE NOT with_claimed AND bucket = s.bucket AND place >= greatest(s.fresh, after_ + 1) AND posted IS NULL
       AND expires_at > now_ AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
  ) x ORDER BY at LIMIT limit_;
END $$;

-- Where a marker points. [bucket, place, posted]: the last message of a page; its place is null if it was still delayed, and
-- then is looked up, since it may have one by now.
CREATE FUNCTION place_after(s standing, marker jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (marker->>1)::bigint,
    (SELECT place FROM message WHERE bucket = s.bucket AND posted = (marker->>2)::bigint),
    (SELECT s.last FROM delayed WHERE bucket = s.bucket AND no = (marker->>2)::bigint),
    (marker->>2)::bigint
  )
$$;

-- list: after [bucket (its low 23 bits), place, posted] or null, limit, hidden, includeClaimed, includeDelayed. Answers {bucket, messages}.
CREATE FUNCTION list_messages(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  s standing; bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; messages json; marker jsonb;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND least(s.due_at, s.ends_at) <= now_ THEN RETURN NULL; END IF;
  IF (p->'after'->>0)::bigint = bucket_ & 8388607 THEN marker := p->'after'; END IF;
  IF (p->>'includeDelayed')::boolean THEN
    SELECT json_agg(shown(m)) INTO messages
    FROM page_by_posting(s, coalesce((marker->>2)::bigint, 0), (p->>'limit')::bigint, p->>'hidden',
                         (p->>'includeClaimed')::boolean, now_) m;
  ELSE
    SELECT json_agg(shown(m)) INTO messages
    FROM page_by_place(s, coalesce(CASE WHEN marker IS NOT NULL THEN place_after(s, marker) END, 0), (p->>'limit')::bigint,
                       p->>'hidden', (p->>'includeClaimed')::boolean, now_) m;
  END IF;
  RETURN json_build_object('bucket', bucket_, 'messages', coalesce(messages, '[]'));
END $$;

-- get: ids [[bucket, no]]. Answers {bucket, messages}, in no order.
CREATE FUNCTION get_messages(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; s standing; places_ bigint[]; messages json;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND s.ends_at <= now_ THEN RETURN NULL; END IF;
  places_ := places_of(bucket_, p->'ids');
  SELECT json_agg(shown(m)) INTO messages FROM (
    SELECT message AS m FROM message WHERE ctid = ANY (rows_at(bucket_, places_))
    UNION ALL
    SELECT as_message(delayed) FROM delayed WHERE ctid = ANY (delayed_rows(bucket_, p->'ids'))
  ) f WHERE (m).expires_at > now_;
  RETURN json_build_object('bucket', bucket_, 'messages', coalesce(messages, '[]'));
END $$;

-- get claim: claim. Answers {bucket, claim, ttl, renewedAt, messages}, or false.
CREATE FUNCTION get_claim(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); c claim; messages json;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  IF (p->'claim'->>0)::bigint <> bucket_ THEN RETURN 'false'; END IF;
  SELECT * INTO c FROM claim WHERE bucket = bucket_ AND no = (p->'claim'->>1)::bigint;
  SELECT json_agg(shown(m)) INTO messages FROM held_by(bucket_, c.no, (p->>'now')::bigint) m;
  IF messages IS NULL THEN RETURN 'false'; END IF;
  RETURN json_build_object('bucket', bucket_, 'claim', c.no, 'ttl', c.ttl, 'renewedAt', c.renewed_at, 'messages', messages);
END $$;

-- stats: the oldest and newest go by place, a delayed one by the place that it will take. Answers {bucket, free, claimed, oldest, newest}.
CREATE FUNCTION queue_stats(p jsonb, is_settled boolean) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE bucket_ bigint := bucket_of(p); now_ bigint := (p->>'now')::bigint; s standing; oldest json; newest json;
BEGIN
  IF bucket_ IS NULL THEN RETURN '"stale"'; END IF;
  s := standing_of(bucket_);
  IF NOT is_settled AND least(s.due_at, s.ends_at, s.expires_at) <= now_ THEN RETURN NULL; END IF;
  IF s.free + s.held > 0 THEN
    SELECT shown(m) INTO oldest FROM message m
    WHERE bucket = bucket_ AND place >= s.live AND expires_at > now_ ORDER BY place LIMIT 1;
    IF NOT FOUND THEN
      SELECT shown(as_message(d)) INTO oldest FROM delayed d
      WHERE bucket = bucket_ AND expires_at > now_ ORDER BY due_at, no LIMIT 1;
    END IF;
    SELECT shown(as_message(d)) INTO newest FROM delayed d
    WHERE bucket = bucket_ AND expires_at > now_ ORDER BY due_at DESC, no DESC LIMIT 1;
    IF NOT FOUND THEN
      SELECT shown(m) INTO newest FROM message m
      WHERE bucket = bucket_ AND place >= s.live AND expires_at > now_ ORDER BY place DESC LIMIT 1;
    END IF;
  END IF;
  RETURN json_build_object('bucket', bucket_, 'free', s.free, 'claimed', s.held, 'oldest', oldest, 'newest', newest);
END $$;

-- When the next delay is over or the next claim may end; null when nothing is to come. The queue need not exist.
CREATE FUNCTION next_wake(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE s standing := standing_of(bucket_of(p));
BEGIN
  RETURN to_json(nullif(least(s.due_at, s.ends_at), never()));
END $$;

-- Settles what is due, and answers as `next_wake`.
CREATE FUNCTION settle_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM settle_for(p - 'version');
  RETURN next_wake(p - 'version');
END $$;
