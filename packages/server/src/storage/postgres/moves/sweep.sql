-- Housekeeping.

-- sweep: one slice. Does nothing while another node sweeps, or did just now. Shares its transaction with no other move, since it locks
-- queues of its own choice.
--   takes     now; gap, the least time in milliseconds between two rounds by all nodes together; goneBefore, an instant: messages that were
--             removed by then are kept no longer
--   answers   whether more is waiting
CREATE FUNCTION sweep(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  is_more boolean;
  q queue;
  swept record;
  due standing;
  reached bigint := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('sweep ' || current_schema()), 0) THEN RETURN 'false'; END IF;
  -- First this row, then queues: the order in which everybody locks.
  SELECT swept_queue, swept_at INTO swept FROM service FOR NO KEY UPDATE;
  IF now_ BETWEEN swept.swept_at AND swept.swept_at + (p->>'gap')::bigint - 1 THEN RETURN 'false'; END IF;
  is_more := sweep_dropped(2000);
  is_more := sweep_ended(2000) OR is_more;
  is_more := sweep_gone((p->>'goneBefore')::bigint, 5000) OR is_more;
  PERFORM sweep_subscriptions(now_);
  PERFORM sweep_moves(now_ - 600000);
  DELETE FROM failure WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM failure WHERE expires_at + 0 <= now_ ORDER BY expires_at + 0 LIMIT 1000
  ));
  DELETE FROM departure WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM departure WHERE expires_at + 0 <= now_ ORDER BY expires_at + 0 LIMIT 1000
  ));
  FOR q IN SELECT * FROM queue WHERE number > swept.swept_queue ORDER BY number LIMIT 500 LOOP
    reached := q.number;
    due := standing_of(q.bucket);
    CONTINUE WHEN due.due_at > now_ AND due.ends_at > now_ AND due.expires_at > now_ AND NOT is_to_trim(q, now_);
    -- A busy queue settles itself.
    SELECT * INTO q FROM queue WHERE number = q.number FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND OR q.is_fenced;
    due := settled(q, now_);
    IF q.has_feed THEN PERFORM trim_feed(q.number, now_); END IF;
    is_more := is_more OR due.due_at <= now_ OR due.ends_at <= now_ OR due.expires_at <= now_;
    -- All these queues stay locked until the end.
    IF clock_timestamp() > statement_timestamp() + interval '200 ms' THEN
      is_more := true;
      EXIT;
    END IF;
  END LOOP;
  UPDATE service SET swept_queue = reached, swept_at = now_;
  RETURN to_json(is_more);
END $$;

-- Forgets what was noted of queues that nobody has read since.
CREATE FUNCTION sweep_moves(before_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE queue_ bigint;
BEGIN
  -- Whoever is at work on one has locked it.
  FOR queue_ IN
    SELECT number FROM queue WHERE number IN (SELECT queue FROM moving WHERE role = 'leaving' AND token IS NULL AND read_at <= before_)
    FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    PERFORM end_tracking(queue_) FROM moving WHERE queue = queue_ AND token IS NULL AND read_at <= before_;
  END LOOP;
END $$;

-- Frees what purged and deleted queues left, up to `limit_` rows of a table. Answers whether there is more.
CREATE FUNCTION sweep_dropped(limit_ bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE d dropped; count_ bigint;
BEGIN
  SELECT * INTO d FROM dropped ORDER BY bucket LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM message WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM message WHERE bucket = d.bucket ORDER BY place LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM delayed WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM delayed WHERE bucket = d.bucket ORDER BY number LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM claim WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM claim WHERE bucket = d.bucket ORDER BY number LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency WHERE bucket = d.bucket ORDER BY key LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM feed WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM feed WHERE queue = d.queue ORDER BY number LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  WITH gone AS (
    DELETE FROM subscription WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM subscription WHERE queue = d.queue ORDER BY id LIMIT limit_
    ))
    RETURNING number, line
  )
  INSERT INTO ended (number) SELECT unnest(ARRAY[number, line]) FROM gone;
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = 2 * limit_ THEN RETURN true; END IF;
  DELETE FROM arrival WHERE queue = d.queue;
  DELETE FROM standing WHERE bucket = d.bucket;
  DELETE FROM dropped WHERE bucket = d.bucket;
  RETURN true;
END $$;

-- Frees what subscriptions that are gone were owed, and what was recorded of them, as `sweep_dropped` does.
CREATE FUNCTION sweep_ended(limit_ bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE number_ bigint; count_ bigint; removed_ bigint := 0; turns integer := 0;
BEGIN
  FOR number_ IN SELECT number FROM ended ORDER BY number LIMIT 200 LOOP
    DELETE FROM owed WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM owed WHERE line + 0 = number_ ORDER BY due_at LIMIT limit_
    ));
    GET DIAGNOSTICS count_ = ROW_COUNT;
    removed_ := removed_ + count_;
    DELETE FROM failure WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM failure WHERE subscription = number_ ORDER BY place LIMIT limit_
    ));
    GET DIAGNOSTICS count_ = ROW_COUNT;
    removed_ := removed_ + count_;
    IF removed_ >= limit_ THEN RETURN true; END IF;
    DELETE FROM log WHERE subscription = number_;
    DELETE FROM ended WHERE number = number_;
    turns := turns + 1;
  END LOOP;
  RETURN turns = 200;
END $$;

-- Removes messages that are kept no longer, and keepers that are over, as `sweep_dropped` does.
CREATE FUNCTION sweep_gone(before_ bigint, limit_ bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE count_ bigint;
BEGIN
  -- Waits for nobody who puts some again.
  DELETE FROM keeper WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM keeper WHERE until + 0 <= server_now() ORDER BY until + 0 LIMIT 1000 FOR UPDATE SKIP LOCKED
  ));
  DELETE FROM gone WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM gone WHERE gone_at + 0 <= before_ ORDER BY gone_at + 0 LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  RETURN count_ = limit_;
END $$;

-- Removes expired subscriptions of queues that nobody is at work on. Those of a queue that is gone go with what it left behind.
CREATE FUNCTION sweep_subscriptions(now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE expired record; q queue;
BEGIN
  FOR expired IN
    SELECT queue, array_agg(at) AS rows FROM (
      SELECT queue, ctid AS at FROM subscription WHERE expires_at + 0 <= now_ ORDER BY expires_at + 0 LIMIT 1000
    ) found GROUP BY queue
  LOOP
    -- First the queue, then its subscriptions: the order in which everybody locks.
    SELECT * INTO q FROM queue WHERE number = expired.queue FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND OR q.is_fenced;
    -- They may have been written, and lie elsewhere, since they were found.
    PERFORM ended(q, ARRAY(SELECT ctid FROM subscription WHERE ctid = ANY (expired.rows) AND queue = q.number AND expires_at <= now_));
    IF q.has_feed THEN PERFORM trim_feed(q.number, now_); END IF;
  END LOOP;
END $$;
