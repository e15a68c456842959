-- The door for the nodes, and the sweeper.

-- One read of a queue. Settles first when what is due would change the answer.
CREATE FUNCTION read_settled(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE answer json;
BEGIN
  FOR attempt IN 1..2 LOOP
    CASE p->>'move'
      WHEN 'list_messages' THEN answer := list_messages(p, attempt = 2);
      WHEN 'get_messages' THEN answer := get_messages(p, attempt = 2);
      WHEN 'queue_stats' THEN answer := queue_stats(p, attempt = 2);
    END CASE;
    IF answer IS NOT NULL THEN RETURN answer; END IF;
    PERFORM settle_for(p);
  END LOOP;
END $$;

-- Moves on messages and claims of one queue, in order: enters it once, saves what is known of it once, tells watchers once,
-- and stores what posts in a row bring by one statement. Answers '"stale"' where the queue has gone, or is not in the version
-- of the move.
CREATE FUNCTION visit(moves jsonb[]) RETURNS SETOF json LANGUAGE plpgsql AS $$
DECLARE
  p jsonb;
  q queue := locked_queue(moves[1]);
  s standing := standing_of(q.bucket);
  before standing := s;
  o record;
  now_ bigint;
  posts jsonb[];
  firsts bigint[];
  is_news boolean := false;
BEGIN
  FOREACH p IN ARRAY moves LOOP
    IF q.version IS DISTINCT FROM (p->>'version')::bigint THEN
      RETURN NEXT '"stale"';
      CONTINUE;
    END IF;
    now_ := (p->>'now')::bigint;
    IF p->>'move' <> 'append' OR s.due_at <= now_ OR s.ends_at <= now_ OR s.expires_at <= now_ THEN
      IF posts IS NOT NULL THEN s := stored(s, posts, firsts); END IF;
      posts := NULL;
      firsts := NULL;
      is_news := is_news OR is_news_due(s, now_);
      s := settle(s, now_);
    END IF;
    CASE p->>'move'
      WHEN 'append' THEN o := append(s, p);
      WHEN 'create_claim' THEN o := create_claim(s, p);
      WHEN 'delete_message' THEN o := delete_message(s, p);
      WHEN 'delete_messages' THEN o := delete_messages(s, p);
      WHEN 'pop' THEN o := pop(s, p);
      WHEN 'renew_claim' THEN o := renew_claim(s, p);
      WHEN 'release_claim' THEN o := release_claim(s, p);
      WHEN 'redrive' THEN o := redrive(s, p);
    END CASE;
    IF o.is_news THEN
      is_news := true;
      IF p->>'move' = 'append' THEN
        posts := posts || p;
        firsts := firsts || (s.last + 1);
      END IF;
    END IF;
    s := o.s;
    RETURN NEXT o.answer;
  END LOOP;
  IF posts IS NOT NULL THEN s := stored(s, posts, firsts); END IF;
  IF s IS DISTINCT FROM before THEN PERFORM save(s); END IF;
  IF is_news THEN PERFORM tell(moves[1]); END IF;
END $$;

-- A move that is answered by itself.
CREATE FUNCTION answered(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  CASE p->>'move'
    WHEN 'list_messages' THEN RETURN read_settled(p);
    WHEN 'get_messages' THEN RETURN read_settled(p);
    WHEN 'get_claim' THEN RETURN get_claim(p);
    WHEN 'queue_stats' THEN RETURN read_settled(p);
    WHEN 'purge_messages' THEN RETURN purge_messages(p);
    WHEN 'create_queue' THEN RETURN create_queue(p);
    WHEN 'get_queue' THEN RETURN get_queue(p);
    WHEN 'update_queue' THEN RETURN update_queue(p);
    WHEN 'delete_queue' THEN RETURN delete_queue(p);
    WHEN 'list_queues' THEN RETURN list_queues(p);
    WHEN 'count_queues' THEN RETURN count_queues(p);
    WHEN 'project_usage' THEN RETURN project_usage(p);
    WHEN 'create_subscription' THEN RETURN create_subscription(p);
    WHEN 'get_subscription' THEN RETURN get_subscription(p);
    WHEN 'list_subscriptions' THEN RETURN list_subscriptions(p);
    WHEN 'update_subscription' THEN RETURN update_subscription(p);
    WHEN 'confirm_subscription' THEN RETURN confirm_subscription(p);
    WHEN 'delete_subscription' THEN RETURN delete_subscription(p);
    WHEN 'purge_subscriptions' THEN RETURN purge_subscriptions(p);
    WHEN 'put_pool' THEN RETURN put_pool(p);
    WHEN 'update_pool' THEN RETURN update_pool(p);
    WHEN 'get_pool' THEN RETURN get_pool(p);
    WHEN 'list_pools' THEN RETURN list_pools(p);
    WHEN 'delete_pool' THEN RETURN delete_pool(p);
    WHEN 'put_flavor' THEN RETURN put_flavor(p);
    WHEN 'update_flavor' THEN RETURN update_flavor(p);
    WHEN 'get_flavor' THEN RETURN get_flavor(p);
    WHEN 'list_flavors' THEN RETURN list_flavors(p);
    WHEN 'delete_flavor' THEN RETURN delete_flavor(p);
    WHEN 'next_wake' THEN RETURN next_wake(p);
    WHEN 'settle_queue' THEN RETURN settle_queue(p);
    WHEN 'sweep' THEN RETURN sweep(p);
    WHEN 'ping' THEN RETURN ping();
  END CASE;
END $$;

-- Runs moves in order in one transaction, and answers one row for each. The settings make the plans of the moves the same
-- whatever the statistics say: every access goes by an index, and a plan that was right for an empty table is right for a
-- full one.
CREATE FUNCTION run(moves jsonb) RETURNS SETOF json LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET join_collapse_limit = 1
SET jit = off
SET lock_timeout = '5s'
AS $$
DECLARE
  p jsonb;
  queue_ text;
  visited text;
  gathered jsonb[] := '{}';
BEGIN
  FOR p IN SELECT value FROM jsonb_array_elements(moves) LOOP
    -- Moves on messages and claims of one queue that follow each other make up one visit.
    queue_ := CASE WHEN p->>'move' IN ('append', 'create_claim', 'delete_message', 'delete_messages', 'pop', 'renew_claim',
                                       'release_claim', 'redrive')
              THEN concat_ws(' ', p->>'kind', length(p->>'name'), p->>'name', p->>'project') END;
    IF visited IS DISTINCT FROM queue_ THEN
      IF visited IS NOT NULL THEN RETURN QUERY SELECT * FROM visit(gathered); END IF;
      gathered := '{}';
      visited := queue_;
    END IF;
    IF queue_ IS NULL THEN RETURN NEXT answered(p);
    ELSE gathered := gathered || p;
    END IF;
  END LOOP;
  IF visited IS NOT NULL THEN RETURN QUERY SELECT * FROM visit(gathered); END IF;
END $$;

-- Takes a lock that only a server that takes writes gives.
CREATE FUNCTION ping() RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM service FOR NO KEY UPDATE;
  RETURN NULL;
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
    SELECT ctid FROM delayed WHERE bucket = d.bucket ORDER BY no LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM claim WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM claim WHERE bucket = d.bucket ORDER BY no LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency WHERE bucket = d.bucket ORDER BY key LIMIT limit_
  ));
  GET DIAGNOSTICS count_ = ROW_COUNT;
  IF count_ = limit_ THEN RETURN true; END IF;
  DELETE FROM subscription WHERE queue = d.queue;
  DELETE FROM standing WHERE bucket = d.bucket;
  DELETE FROM dropped WHERE bucket = d.bucket;
  RETURN true;
END $$;

-- Removes expired subscriptions of queues that nobody is at work on. Those of a queue that is gone go with what it left behind.
CREATE FUNCTION sweep_subscriptions(now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE expired record; bytes_ bigint;
BEGIN
  FOR expired IN
    SELECT queue, array_agg(at) AS rows FROM (
      SELECT queue, ctid AS at FROM subscription WHERE expires_at + 0 <= now_ ORDER BY expires_at + 0 LIMIT 1000
    ) found GROUP BY queue
  LOOP
    -- First the queue, then its subscriptions: the order in which everybody locks.
    PERFORM FROM queue WHERE no = expired.queue FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    WITH gone AS (
      DELETE FROM subscription s WHERE ctid = ANY (expired.rows) AND queue = expired.queue AND expires_at <= now_
      RETURNING bytes_of(s) AS bytes
    )
    SELECT coalesce(sum(bytes), 0) INTO bytes_ FROM gone;
    PERFORM count_subscriptions(expired.queue, -bytes_);
  END LOOP;
END $$;

-- Housekeeping, one slice of it: `now`, and `gap`, the least time in milliseconds between two rounds by all nodes together.
-- Answers whether more is waiting; does nothing while another node sweeps, or did just now.
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
  PERFORM sweep_subscriptions(now_);
  FOR q IN SELECT * FROM queue WHERE no > swept.swept_queue ORDER BY no LIMIT 500 LOOP
    reached := q.no;
    due := standing_of(q.bucket);
    CONTINUE WHEN due.due_at > now_ AND due.ends_at > now_ AND due.expires_at > now_;
    -- A busy queue settles itself.
    SELECT * INTO q FROM queue WHERE no = q.no FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    due := settled(q, now_);
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
