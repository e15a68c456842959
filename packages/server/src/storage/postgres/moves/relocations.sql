-- Moves of drains and of the rebalance. They come one after the other, with those of pools. One is answered as [pool, status, rate,
-- asked_at, ended_at, queues_left, queues_moved, records_moved, trouble].

CREATE FUNCTION shown_relocation(r relocation) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(r.pool, r.status, r.rate, r.asked_at, r.ended_at, r.queues_left, r.queues_moved, r.records_moved, r.trouble);

-- begin_relocation: takes pool, rate or null, now. Answers it | "no-pool"
CREATE FUNCTION begin_relocation(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r relocation; weight_ bigint := 0;
BEGIN
  PERFORM enter_pools();
  UPDATE relocation SET rate = (p->>'rate')::bigint WHERE pool = p->>'pool' AND status = 'active' RETURNING * INTO r;
  IF FOUND THEN RETURN shown_relocation(r); END IF;
  IF p->>'pool' <> '' THEN
    -- One that failed has taken the weight already.
    SELECT coalesce(nullif(pool.weight, 0), relocation.weight, 0) INTO weight_
    FROM pool LEFT JOIN relocation ON relocation.pool = pool.name WHERE pool.name = p->>'pool';
    IF NOT FOUND THEN RETURN '"no-pool"'; END IF;
    UPDATE pool SET weight = 0 WHERE name = p->>'pool';
  END IF;
  DELETE FROM relocation WHERE pool = p->>'pool';
  INSERT INTO relocation (pool, status, rate, asked_at, weight)
  VALUES (p->>'pool', 'active', (p->>'rate')::bigint, (p->>'now')::bigint, weight_) RETURNING * INTO r;
  RETURN shown_relocation(r);
END $$;

-- get_relocation: takes pool. Answers it, or null.
CREATE FUNCTION get_relocation(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT shown_relocation(r) FROM relocation r WHERE pool = p->>'pool'
$$;

-- cancel_relocation: takes pool, now. Answers it, or null.
CREATE FUNCTION cancel_relocation(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r relocation;
BEGIN
  PERFORM enter_pools();
  SELECT * INTO r FROM relocation WHERE pool = p->>'pool';
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF r.status IN ('active', 'failed') THEN
    UPDATE pool SET weight = r.weight WHERE name = r.pool AND weight = 0;
    UPDATE relocation SET status = 'cancelled', ended_at = (p->>'now')::bigint, weight = 0 WHERE pool = r.pool RETURNING * INTO r;
  END IF;
  RETURN shown_relocation(r);
END $$;

-- lease_relocation: takes until, now. Answers [it, the lease], or null.
CREATE FUNCTION lease_relocation(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r relocation;
BEGIN
  -- Most nodes ask in vain, and disturb nobody.
  PERFORM FROM relocation WHERE status = 'active' AND leased_until <= (p->>'now')::bigint;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM enter_pools();
  UPDATE relocation SET lease = nextval('identity'), leased_until = (p->>'until')::bigint WHERE pool = (
    SELECT pool FROM relocation WHERE status = 'active' AND leased_until <= (p->>'now')::bigint ORDER BY pool LIMIT 1
  ) RETURNING * INTO r;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN json_build_array(shown_relocation(r), r.lease);
END $$;

-- settle_relocation
--   takes     pool, lease, queuesLeft or null, queuesMoved, recordsMoved, trouble or null, until, ends ("done", "failed" or null), now
--   answers   it | "lost"
CREATE FUNCTION settle_relocation(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r relocation;
BEGIN
  PERFORM enter_pools();
  UPDATE relocation SET
    queues_left = (p->>'queuesLeft')::bigint, queues_moved = queues_moved + (p->>'queuesMoved')::bigint,
    records_moved = records_moved + (p->>'recordsMoved')::bigint, trouble = p->>'trouble', leased_until = (p->>'until')::bigint
  WHERE pool = p->>'pool' AND lease = (p->>'lease')::bigint RETURNING * INTO r;
  IF NOT FOUND THEN RETURN '"lost"'; END IF;
  IF p->>'ends' IS NOT NULL AND r.status = 'active' THEN
    UPDATE relocation SET
      status = p->>'ends', ended_at = (p->>'now')::bigint, weight = CASE WHEN p->>'ends' = 'done' THEN 0 ELSE weight END
    WHERE pool = r.pool RETURNING * INTO r;
  END IF;
  RETURN shown_relocation(r);
END $$;
