-- Moves of what subscriptions are owed. See `DeliveryStore` of the storage contract, and the tables feed, subscription, owed and work.
--
-- A post writes nothing for a subscription. Those of a queue that may be leased are found by two indexes: who has to be looked at (`wakes_at`), and
-- who is free and stands before the end of the feed (`position`). `work` says from when on that is worth while; whoever makes it earlier
-- tells (`wake`).
--
-- A notification is answered as [ref, incarnation and number of the id of the message, body, who posted it, ttl and delay in seconds, created at,
-- since, attempts as JSON text or null]; an announcement is one without an id, whose text stands as the body.

-- find_work: which queues have something to lease.
--   takes     limit, now
--   answers   {queues: [[project, kind, name]], those that have waited longest first; next: when another will have, or null}
CREATE FUNCTION find_work(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE now_ bigint := (p->>'now')::bigint; queues json; next_ bigint;
BEGIN
  SELECT json_agg(json_build_array(q.project, q.kind, q.name) ORDER BY w.wakes_at) INTO queues FROM (
    SELECT queue, wakes_at FROM work WHERE wakes_at <= now_ ORDER BY wakes_at LIMIT (p->>'limit')::bigint
  ) w, LATERAL (SELECT project, kind, name FROM queue WHERE number = w.queue OFFSET 0) q;
  SELECT wakes_at INTO next_ FROM work WHERE wakes_at > now_ ORDER BY wakes_at LIMIT 1;
  RETURN json_build_object('queues', coalesce(queues, '[]'), 'next', nullif(next_, never()));
END $$;

-- lease_subscriptions: leases those of one queue.
--   takes     limit, seconds, batch {notifications, bytes}, now; no version
--   answers   {metadata, version, leases: [[lease, subscription, notifications]], next: when there may be more, or null}, or null where the queue
--             has gone
CREATE FUNCTION lease_subscriptions(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  limit_ bigint := (p->>'limit')::bigint;
  ends_ bigint := now_ + 1000 * (p->>'seconds')::bigint;
  q queue := locked_queue(p);
  s standing;
  trimmed_ bigint;
  last_ bigint;
  f subscription;
  owed json;
  owed_behind bigint;
  leases json[] := '{}';
  next_ bigint;
BEGIN
  IF q.number IS NULL OR q.is_fenced THEN RETURN NULL; END IF;
  s := settled(q, now_);
  trimmed_ := trimmed_of(q.number);
  last_ := last_fed(q.number, trimmed_);
  -- By turns, so that many that try again hold nobody up to whom all is new, nor the other way round. With `wakes_at` alone the planner would take
  -- the index by it, and read all that are idle.
  FOR f IN
    SELECT (sub).* FROM (
      SELECT sub, row_number() OVER (ORDER BY wakes_at) AS turn FROM (
        SELECT subscription AS sub, wakes_at FROM subscription WHERE queue + 0 = q.number AND wakes_at <= now_ AND expires_at > now_
        ORDER BY wakes_at LIMIT limit_ + 100
      ) woken
      UNION ALL
      SELECT sub, row_number() OVER (ORDER BY position) FROM (
        SELECT subscription AS sub, position FROM subscription
        WHERE queue + 0 = q.number AND is_listening AND is_free AND position >= trimmed_ AND position < last_ AND wakes_at + 0 > now_
          AND expires_at > now_
        ORDER BY position LIMIT limit_
      ) behind
    ) candidate ORDER BY turn
  LOOP
    EXIT WHEN cardinality(leases) >= limit_;
    -- Those that have come equally far, and have nothing to try again, are owed the same.
    IF NOT f.is_free OR f.wakes_at <= now_ OR f.position IS DISTINCT FROM owed_behind THEN
      owed := owed_to(f, p->'batch', now_);
      owed_behind := CASE WHEN f.is_free AND f.wakes_at > now_ THEN f.position END;
    END IF;
    IF owed IS NULL THEN
      PERFORM freed(f, now_);
      CONTINUE;
    END IF;
    UPDATE subscription SET is_free = false, lease = nextval('feed_number'), wakes_at = ends_
    WHERE queue = f.queue AND id = f.id RETURNING * INTO f;
    leases := leases || json_build_array(f.lease, shown_subscription(f), owed);
  END LOOP;
  IF q.has_feed THEN PERFORM trim_feed(q.number, now_); END IF;
  next_ := next_work(q, s, trimmed_, last_, now_);
  UPDATE work SET wakes_at = next_ WHERE queue = q.number AND wakes_at <> next_;
  RETURN json_build_object('metadata', q.metadata, 'version', q.version, 'leases', array_to_json(leases), 'next', nullif(next_, never()));
END $$;

-- settle_lease
--   takes     id of the subscription; lease; outcomes [[ref, "done" | "postponed" | "failed", until or when the record expires or null, attempts or null]];
--             log [JSON text]; keepLog, keepFailures; health (JSON text) or null, and the subscriber of which it tells; next {seconds, batch} or null;
--             restsUntil or null; now; no version
--   answers   {subscription, notifications: none where the lease has ended}, or "lost"
CREATE FUNCTION settle_lease(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (p->>'now')::bigint;
  q queue := locked_queue(p);
  f subscription;
  before bigint;
  owed json;
BEGIN
  SELECT * INTO f FROM subscription
  WHERE queue = q.number AND id = p->>'id' AND lease = (p->>'lease')::bigint AND wakes_at > now_ AND expires_at > now_;
  IF NOT FOUND OR q.is_fenced THEN RETURN '"lost"'; END IF;
  IF q.has_feed THEN PERFORM settled(q, now_); END IF;
  before := f.position;
  f.position := note_outcomes(f, p->'outcomes', now_);
  IF f.subscriber = p->>'subscriber' THEN f.health := p->>'health'; END IF;
  IF p->'outcomes' @? 'strict $[*] ? (@[1] == "failed")' THEN PERFORM keep_failures(f.number, (p->>'keepFailures')::bigint, now_); END IF;
  f.logged := keep_log(f, p->'log', (p->>'keepLog')::bigint);
  IF p->'next'->>'seconds' IS NOT NULL THEN owed := owed_to(f, p->'next'->'batch', now_); END IF;
  IF owed IS NOT NULL THEN
    PERFORM kept(f, now_ + 1000 * (p->'next'->>'seconds')::bigint);
    -- Otherwise the next lease does it, for all that were settled by then.
    IF f.position > before THEN PERFORM trim_feed(q.number, now_); END IF;
  ELSIF p->'next'->>'seconds' IS NULL AND (p->>'restsUntil')::bigint > now_ THEN
    f.lease := NULL;
    PERFORM kept(f, (p->>'restsUntil')::bigint);
  ELSE
    PERFORM wake(q.number, freed(f, now_));
  END IF;
  RETURN json_build_object('subscription', shown_subscription(f), 'notifications', coalesce(owed, '[]'));
END $$;

-- announce: in place of what was announced before and is still owed.
--   takes     id or null, text, now
--   answers   whether there is such a subscription | "stale"
CREATE FUNCTION announce(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); now_ bigint := (p->>'now')::bigint; f subscription;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO f FROM subscription WHERE queue = q.number AND id = p->>'id' AND expires_at > now_;
  IF NOT FOUND THEN RETURN 'false'; END IF;
  -- What became visible before stands before it.
  PERFORM settled(q, now_);
  DELETE FROM owed WHERE ctid = ANY (ARRAY(SELECT ctid FROM owed WHERE line = f.line AND born IS NULL));
  INSERT INTO owed (line, number, due_at, since, body) VALUES (f.line, nextval('feed_number'), 0, now_, p->>'text');
  PERFORM owes_at_once(f, now_);
  RETURN 'true';
END $$;

-- list_failures
--   takes     id or null; after: a place, or null; limit, now
--   answers   [[place, notification, failed at]] or null | "stale"
CREATE FUNCTION list_failures(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_number(p); now_ bigint := (p->>'now')::bigint; number_ bigint; after_ bigint := coalesce((p->>'after')::bigint, 0); failures json;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  SELECT number INTO number_ FROM subscription WHERE queue = queue_ AND id = p->>'id' AND expires_at > now_;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT json_agg(json_build_array(place, shown_notification(number, born_incarnation, born, body, client, ttl, delay, created_at, since, attempts),
                                   failed_at) ORDER BY place)
  INTO failures FROM (
    SELECT * FROM failure WHERE subscription = number_ AND place > after_ AND expires_at > now_
    ORDER BY place LIMIT (p->>'limit')::bigint
  ) page;
  RETURN coalesce(failures, '[]');
END $$;

-- replay_failures
--   takes     id or null; ids [[incarnation, number]], or none and then limit; since or null; now
--   answers   [[incarnation, number, created at]], in the order in which they failed, or null | "stale"
CREATE FUNCTION replay_failures(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := entered_queue(p); now_ bigint := (p->>'now')::bigint; f subscription; rows_ tid[]; since_ bigint; ids json;
BEGIN
  IF q.number IS NULL THEN RETURN '"stale"'; END IF;
  SELECT * INTO f FROM subscription WHERE queue = q.number AND id = p->>'id' AND is_listening AND expires_at > now_;
  IF NOT FOUND THEN RETURN NULL; END IF;
  since_ := coalesce((p->>'since')::bigint, 0);
  IF p ? 'ids' THEN
    rows_ := ARRAY(
      SELECT found.at FROM jsonb_array_elements(p->'ids') AS wanted(id),
        LATERAL (SELECT ctid AS at FROM failure
                 WHERE subscription = f.number AND born_incarnation = (id->>0)::bigint AND born = (id->>1)::bigint
                   AND failed_at >= since_ AND expires_at > now_ OFFSET 0) AS found
    );
  ELSE
    rows_ := ARRAY(
      SELECT ctid FROM failure WHERE subscription = f.number AND failed_at >= since_ AND expires_at > now_
      ORDER BY place LIMIT (p->>'limit')::bigint
    );
  END IF;
  WITH again AS (
    DELETE FROM failure WHERE ctid = ANY (rows_) RETURNING *
  ), put_aside AS (
    INSERT INTO owed (line, number, due_at, born_incarnation, born, created_at, ttl, delay, since, client, body)
    SELECT f.line, number, 0, born_incarnation, born, created_at, ttl, delay, since, client, body FROM again
  )
  SELECT json_agg(json_build_array(born_incarnation, born, created_at) ORDER BY place) INTO ids FROM again;
  IF ids IS NULL THEN RETURN '[]'; END IF;
  PERFORM owes_at_once(f, now_);
  RETURN ids;
END $$;

-- get_log
--   takes     id or null, now
--   answers   [JSON text] or null | "stale"
CREATE FUNCTION get_log(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE queue_ bigint := queue_number(p); number_ bigint;
BEGIN
  IF queue_ IS NULL THEN RETURN '"stale"'; END IF;
  SELECT number INTO number_ FROM subscription WHERE queue = queue_ AND id = p->>'id' AND expires_at > (p->>'now')::bigint;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN (SELECT coalesce(json_agg(entry ORDER BY number), '[]') FROM log WHERE subscription = number_);
END $$;

-- What the subscription is owed by now, the first of it; null when that is nothing.
CREATE FUNCTION owed_to(f subscription, batch jsonb, now_ bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE limit_ bigint := (batch->>'notifications')::bigint; found_ bigint;
BEGIN
  -- Who is free is woken when something is to be tried again.
  IF NOT f.is_free OR f.wakes_at <= now_ THEN
    LOOP
      UPDATE owed SET due_at = 0 WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM owed WHERE line + 0 = f.line AND due_at > 0 AND due_at <= now_ ORDER BY due_at LIMIT 1000
      ));
      GET DIAGNOSTICS found_ = ROW_COUNT;
      EXIT WHEN found_ < 1000;
    END LOOP;
  END IF;
  RETURN (
    SELECT json_agg(shown_notification(number, born_incarnation, born, body, client, ttl, delay, created_at, since, attempts) ORDER BY turn) FROM (
      SELECT *, sum(octet_length(body)) OVER (ORDER BY turn) - octet_length(body) AS bytes_before FROM (
        SELECT *, row_number() OVER (ORDER BY is_new, number) AS turn FROM (
          (SELECT false AS is_new, number, born_incarnation, born, body, client, ttl, delay, created_at, since, attempts FROM owed
           WHERE line + 0 = f.line AND due_at = 0 ORDER BY number LIMIT limit_)
          UNION ALL
          (SELECT true, number, born_incarnation, born, body, client, ttl, delay, created_at, since, NULL FROM feed
           WHERE f.is_listening AND queue = f.queue AND number > f.position ORDER BY number LIMIT limit_)
        ) both_kinds
      ) in_order
    ) counted WHERE turn = 1 OR turn <= limit_ AND bytes_before < (batch->>'bytes')::bigint
  );
END $$;

-- Answers up to where the subscription has come in the feed by that. What it is not owed any more is passed over.
CREATE FUNCTION note_outcomes(f subscription, outcomes jsonb, now_ bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  has_retries boolean := EXISTS (SELECT FROM owed WHERE line + 0 = f.line AND due_at = 0);
  o record;
  r owed;
  done bigint[];
  reached bigint;
BEGIN
  FOR o IN SELECT (x->>0)::bigint AS ref, x->>1 AS became, (x->>2)::bigint AS at, x->>3 AS attempts FROM jsonb_array_elements(outcomes) AS y(x) LOOP
    r := NULL;
    IF has_retries THEN
      DELETE FROM owed WHERE line = f.line AND number = o.ref RETURNING * INTO r;
    END IF;
    IF r.number IS DISTINCT FROM o.ref THEN
      CONTINUE WHEN NOT f.is_listening OR o.ref <= f.position;
      IF o.became = 'done' THEN
        done := done || o.ref;
        CONTINUE;
      END IF;
      SELECT f.line, number, 0, born_incarnation, born, created_at, ttl, delay, since, client, body, NULL INTO r FROM feed
      WHERE queue = f.queue AND number = o.ref;
      CONTINUE WHEN NOT FOUND;
      reached := greatest(reached, o.ref);
    END IF;
    IF o.became = 'postponed' THEN
      r.due_at := o.at;
      r.attempts := o.attempts;
      INSERT INTO owed SELECT r.*;
    ELSIF o.became = 'failed' AND r.born IS NOT NULL THEN
      INSERT INTO failure (subscription, number, born_incarnation, born, created_at, ttl, delay, since, client, body, attempts, failed_at, expires_at)
      VALUES (f.number, r.number, r.born_incarnation, r.born, r.created_at, r.ttl, r.delay, r.since, r.client, r.body, o.attempts, now_, o.at);
    END IF;
  END LOOP;
  -- Mostly the last one, and then no other is looked for.
  RETURN greatest(f.position, reached, (
    SELECT ref FROM (SELECT ref FROM unnest(done) AS x(ref) ORDER BY ref DESC OFFSET 0) last_first
    WHERE EXISTS (SELECT FROM feed WHERE queue = f.queue AND number = ref OFFSET 0) LIMIT 1
  ));
END $$;

CREATE FUNCTION keep_failures(number_ bigint, keep bigint, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE last_gone bigint;
BEGIN
  SELECT place INTO last_gone FROM failure WHERE subscription = number_ AND expires_at > now_ ORDER BY place DESC OFFSET keep LIMIT 1;
  IF FOUND THEN
    DELETE FROM failure WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM failure WHERE subscription = number_ AND place <= last_gone ORDER BY place
    ));
  END IF;
END $$;

-- Answers the number of the last entry then.
CREATE FUNCTION keep_log(f subscription, more jsonb, keep bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE last_ bigint := f.logged + jsonb_array_length(more);
BEGIN
  IF last_ > f.logged THEN
    INSERT INTO log (subscription, number, entry)
    SELECT f.number, f.logged + n, entry FROM jsonb_array_elements_text(more) WITH ORDINALITY AS x(entry, n);
  END IF;
  -- The numbers of one that came from another store may begin at 0.
  IF last_ >= keep THEN DELETE FROM log WHERE subscription = f.number AND number <= last_ - keep; END IF;
  RETURN last_;
END $$;

-- Writes the subscription, which stays leased, or rests, until then.
CREATE FUNCTION kept(f subscription, until bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE subscription SET position = f.position, health = f.health, logged = f.logged, lease = f.lease, wakes_at = until WHERE queue = f.queue AND id = f.id;
  PERFORM wake(f.queue, until);
END $$;

-- Writes the subscription, which is neither leased nor rests. Answers when it can be leased next, if nothing new comes: `never()` where it is owed
-- nothing.
CREATE FUNCTION freed(f subscription, now_ bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE next_ bigint;
BEGIN
  SELECT greatest(due_at, now_) INTO next_ FROM owed WHERE line + 0 = f.line ORDER BY due_at LIMIT 1;
  next_ := coalesce(next_, never());
  UPDATE subscription SET position = f.position, health = f.health, logged = f.logged, is_free = true, lease = NULL, wakes_at = next_
  WHERE queue = f.queue AND id = f.id;
  IF f.is_listening AND EXISTS (SELECT FROM feed WHERE queue = f.queue AND number > f.position) THEN RETURN now_; END IF;
  RETURN next_;
END $$;

-- The subscription is owed something that is not in the feed. Whoever has leased it, or lets it rest, will see.
CREATE FUNCTION owes_at_once(f subscription, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE subscription SET wakes_at = now_ WHERE queue = f.queue AND id = f.id AND is_free AND wakes_at > now_;
  IF FOUND THEN PERFORM wake(f.queue, now_); END IF;
END $$;

-- From when on a lease may bring something, as things are now.
CREATE FUNCTION next_work(q queue, s standing, trimmed_ bigint, last_ bigint, now_ bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE woken bigint;
BEGIN
  IF EXISTS (
    SELECT FROM subscription
    WHERE queue + 0 = q.number AND is_listening AND is_free AND position >= trimmed_ AND position < last_ AND expires_at > now_
  ) THEN RETURN now_; END IF;
  SELECT wakes_at INTO woken FROM subscription WHERE queue + 0 = q.number AND wakes_at < never() AND expires_at > now_ ORDER BY wakes_at LIMIT 1;
  RETURN least(woken, CASE WHEN q.has_feed THEN s.due_at END, never());
END $$;

-- There is work in the queue from `at` on, so whoever leases is told, unless that was known. The channel is that of `tell`.
CREATE FUNCTION wake(queue_ bigint, at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Looked at first, since an INSERT that finds its row locks it.
  IF at = never() OR EXISTS (SELECT FROM work WHERE queue = queue_ AND wakes_at + 0 <= at) THEN RETURN; END IF;
  INSERT INTO work (queue, wakes_at) VALUES (queue_, at) ON CONFLICT (queue) DO UPDATE SET wakes_at = excluded.wakes_at;
  PERFORM pg_notify('zaqar ' || current_schema(), 'work');
END $$;

-- Something new is in the feed. Where nobody is free, who ends a lease or a rest will see.
CREATE FUNCTION wake_for_news(queue_ bigint, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE w work;
BEGIN
  SELECT * INTO w FROM work WHERE queue = queue_;
  IF w.wakes_at <= now_ THEN RETURN; END IF;
  IF EXISTS (SELECT FROM subscription WHERE queue + 0 = queue_ AND is_listening AND is_free AND position >= coalesce(w.trimmed, 0)) THEN
    PERFORM wake(queue_, now_);
  END IF;
END $$;

-- The feed that messages of the queue enter; null when nobody listens.
CREATE FUNCTION feed_of(q queue) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN q.has_feed THEN q.number END;

-- Before a subscription begins to listen: what is visible by now enters no feed, or stands before its position.
CREATE FUNCTION open_feed(q queue, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s standing := all_settled(q, now_);
BEGIN
  IF NOT q.has_feed THEN
    UPDATE queue SET has_feed = true WHERE number = q.number;
    INSERT INTO work (queue, wakes_at) VALUES (q.number, never()) ON CONFLICT (queue) DO NOTHING;
    PERFORM wake(q.number, s.due_at);
  END IF;
END $$;

-- Removes what has been delivered to everybody who listens, up to 1000 entries; all where nobody listens any more, and then there is no feed.
CREATE FUNCTION trim_feed(queue_ bigint, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE from_ bigint := trimmed_of(queue_); low bigint; count_ bigint; last_ bigint;
BEGIN
  low := lowest_position(queue_, from_, now_);
  IF low = from_ THEN RETURN; END IF;
  WITH gone AS (
    DELETE FROM feed WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM feed WHERE queue = queue_ AND number > from_ AND number <= coalesce(low, never()) ORDER BY number LIMIT 1000
    ))
    RETURNING number
  )
  SELECT count(*), max(number) INTO count_, last_ FROM gone;
  UPDATE work SET trimmed = CASE WHEN count_ = 1000 THEN last_ ELSE coalesce(low, last_, from_) END WHERE queue = queue_;
  IF low IS NULL AND count_ < 1000 THEN UPDATE queue SET has_feed = false WHERE number = queue_ AND has_feed; END IF;
END $$;

-- Whether `trim_feed` would do anything.
CREATE FUNCTION is_to_trim(q queue, now_ bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE from_ bigint; low bigint;
BEGIN
  IF NOT q.has_feed THEN RETURN false; END IF;
  from_ := trimmed_of(q.number);
  low := lowest_position(q.number, from_, now_);
  RETURN low IS NULL OR EXISTS (SELECT FROM feed WHERE queue = q.number AND number > from_ AND number <= low);
END $$;

CREATE FUNCTION trimmed_of(queue_ bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE trimmed_ bigint;
BEGIN
  SELECT trimmed INTO trimmed_ FROM work WHERE queue = queue_;
  RETURN coalesce(trimmed_, 0);
END $$;

-- How far it has come who listens and has come least far; null when nobody listens. None of them stands before `from_`.
CREATE FUNCTION lowest_position(queue_ bigint, from_ bigint, now_ bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN least(
    (SELECT position FROM subscription
     WHERE queue + 0 = queue_ AND is_listening AND is_free AND position >= from_ AND expires_at > now_ ORDER BY position LIMIT 1),
    (SELECT position FROM subscription
     WHERE queue + 0 = queue_ AND is_listening AND NOT is_free AND position >= from_ AND expires_at > now_ ORDER BY position LIMIT 1)
  );
END $$;

-- The end of the feed; null where it is empty.
CREATE FUNCTION last_fed(queue_ bigint, trimmed_ bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE last_ bigint;
BEGIN
  SELECT number INTO last_ FROM feed WHERE queue = queue_ AND number > trimmed_ ORDER BY number DESC LIMIT 1;
  RETURN last_;
END $$;

CREATE FUNCTION shown_notification(number bigint, born_incarnation bigint, born bigint, body text, client text, ttl bigint, delay bigint,
                                   created_at bigint, since bigint, attempts text) RETURNS json LANGUAGE sql STABLE
RETURN json_build_array(number, born_incarnation, born, body, client, ttl, delay, created_at, since, attempts);
