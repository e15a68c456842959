-- Moves of queues from store to store, see `MoveStore` of the storage contract. Where a queue leaves, triggers note which rows change; a page of records tells how
-- these are by then. All that writes to a queue locks it, and so do these.

-- The tables whose rows go with a queue, in the order in which they are read and in which what has changed is told.
--   what, owner       what leads to a row of it, see `tracked`, and the column that does
--   key, key_type     names the row beside that
--   shown             a record's row as an expression over a row `r`
CREATE FUNCTION moved_tables(OUT kind integer, OUT name text, OUT what text, OUT owner text, OUT key text, OUT key_type text, OUT shown text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
  VALUES
    (1, 'subscription', 'queue', 'queue', 'id', 'text', 'moved_subscription(r)'),
    (2, 'line', 'queue', NULL, NULL, NULL, NULL),
    (3, 'message', 'bucket', 'bucket', 'place', 'bigint',
     $s$ to_jsonb(r) - '{bucket,epoch}'::text[] || jsonb_build_object('is_returned', r.epoch IS NOT NULL) $s$),
    (4, 'delayed', 'bucket', 'bucket', 'number', 'bigint', $s$ to_jsonb(r) - '{bucket,wakes_at,claim_count,came_from}'::text[] $s$),
    (5, 'claim', 'bucket', 'bucket', 'number', 'bigint', 'moved_claim(r, $3)'),
    (6, 'idempotency', 'bucket', 'bucket', 'key', 'text', $s$ to_jsonb(r) - 'bucket' $s$),
    (7, 'arrival', 'queue', 'queue', 'incarnation', 'bigint', $s$ to_jsonb(r) - 'queue' $s$),
    (8, 'departure', 'incarnation', 'incarnation', 'number', 'bigint', $s$ to_jsonb(r) - '{seq,incarnation,project,kind}'::text[] $s$),
    (9, 'feed', 'queue', 'queue', 'number', 'bigint', $s$ to_jsonb(r) - 'queue' $s$),
    (10, 'owed', 'line', 'line', 'number', 'bigint', $s$ to_jsonb(r) - 'line' $s$),
    (11, 'failure', 'records', 'subscription', 'place', 'bigint', $s$ to_jsonb(r) - 'subscription' $s$),
    (12, 'log', 'records', 'subscription', 'number', 'bigint', $s$ jsonb_build_object('number', r.number, 'text', r.entry) $s$),
    (13, 'gone', 'bucket', 'bucket', 'place', 'bigint', $s$ to_jsonb(r) - '{bucket,gone_at}'::text[] $s$)
$$;

CREATE FUNCTION moved_subscription(s subscription) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(s) - '{queue,number,line,is_free,lease,wakes_at,logged,health}'::text[] || jsonb_build_object(
  'health', s.health::jsonb, 'lease', CASE WHEN s.is_free THEN 0 ELSE coalesce(s.lease, 0) END,
  'busy_until', CASE WHEN s.is_free THEN 0 ELSE s.wakes_at END,
  'log_from', coalesce((SELECT number FROM log WHERE subscription = s.number ORDER BY number LIMIT 1), s.logged + 1), 'log_end', s.logged + 1)
$$;

-- The key of one that has ended may be that of another one by now.
CREATE FUNCTION moved_claim(c claim, now_ bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(c) - '{bucket,key}'::text[] || jsonb_build_object(
  'key', CASE WHEN c.ends_at > now_ THEN c.key END,
  'holds', (SELECT count(*) FROM message WHERE ctid = ANY (rows_at(c.bucket, c.places)) AND claim = c.number))
$$;

-- noted_tables: takes nothing. Answers {noted: the tables whose changes are noted, isNeeded: whether a queue leaves}.
CREATE FUNCTION noted_tables(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  -- Waits for whoever is about to cease.
  PERFORM pg_advisory_xact_lock_shared(hashtext('moves ' || current_schema()), 0);
  RETURN json_build_object(
    'noted', (
      SELECT coalesce(json_agg(c.relname), '[]') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE t.tgname = 'touched' AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace
    ),
    'isNeeded', EXISTS (SELECT FROM moving WHERE role = 'leaving'));
END $$;

-- note_changes: has changes in rows of that table noted. In a transaction of its own: whoever has locked it waits for nothing else.
--   takes     table; no queue
--   answers   null
CREATE FUNCTION note_changes(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE t record; noted text; name_ text := p->>'table';
BEGIN
  -- Keeps `rest_triggers` away until the commit.
  PERFORM pg_advisory_xact_lock(hashtext('moves ' || current_schema()), 0);
  SELECT tgenabled INTO noted FROM pg_trigger WHERE tgrelid = format('%I.%I', current_schema(), name_)::regclass AND tgname = 'touched';
  IF noted = 'O' THEN RETURN NULL; END IF;
  SELECT * INTO t FROM moved_tables() m WHERE m.name = name_;
  EXECUTE format($f$
    CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO touched (queue, kind, owner, key, page)
        SELECT queue, %2$s, number, to_jsonb(OLD.%3$I), 0 FROM tracked WHERE what = %4$L AND number = OLD.%5$I
        ON CONFLICT (queue, kind, owner, key) DO UPDATE SET page = 0;
        %6$s
      END IF;
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO touched (queue, kind, owner, key, page)
        SELECT queue, %2$s, number, to_jsonb(NEW.%3$I), 0 FROM tracked WHERE what = %4$L AND number = NEW.%5$I
        ON CONFLICT (queue, kind, owner, key) DO UPDATE SET page = 0;
        %7$s
      END IF;
      RETURN NULL;
    END $body$ $f$,
    'touched_' || name_, t.kind, t.key, t.what, t.owner, touched_besides(name_, 'OLD'), touched_besides(name_, 'NEW'));
  -- Whoever writes waits behind this, which waits for whoever is writing, or for a vacuum.
  PERFORM set_config('lock_timeout', '200ms', true);
  IF noted IS NOT NULL THEN EXECUTE format('ALTER TABLE %I ENABLE TRIGGER touched', name_);
  ELSE
    EXECUTE format('CREATE TRIGGER touched AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION %I()', name_, 'touched_' || name_);
  END IF;
  RETURN NULL;
END $$;

-- What else a change of a row touches. How many messages a claim holds, only they say. What a subscription is owed hangs on its line, and what is recorded
-- of it on its number; a line that it has left is owed to nobody.
CREATE FUNCTION touched_besides(name text, version text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE name || ' ' || version
    WHEN 'subscription OLD' THEN $f$
      DELETE FROM tracked WHERE what = 'records' AND number = OLD.number OR what = 'line' AND number = OLD.line; $f$
    WHEN 'subscription NEW' THEN $f$
      INSERT INTO tracked (what, number, queue, id)
      SELECT x.what, x.number, queue, NEW.id FROM tracked, (VALUES ('line', NEW.line), ('records', NEW.number)) AS x(what, number)
      WHERE tracked.what = 'queue' AND tracked.number = NEW.queue ON CONFLICT DO NOTHING;
      IF TG_OP = 'UPDATE' AND NEW.line <> OLD.line THEN
        INSERT INTO touched (queue, kind, owner, key, page)
        SELECT queue, 2, number, to_jsonb(NEW.id), 0 FROM tracked WHERE what = 'queue' AND number = NEW.queue
        ON CONFLICT (queue, kind, owner, key) DO UPDATE SET page = 0;
      END IF; $f$
    ELSE CASE WHEN name = 'message' THEN format($f$
      INSERT INTO touched (queue, kind, owner, key, page)
      SELECT queue, 5, number, to_jsonb(%1$s.claim), 0 FROM tracked WHERE %1$s.claim IS NOT NULL AND what = 'bucket' AND number = %1$s.bucket
      ON CONFLICT (queue, kind, owner, key) DO UPDATE SET page = 0; $f$, version) ELSE '' END
  END
$$;

-- rest_triggers: ceases to note changes in rows of that table, where no queue leaves. Takes table. Answers null.
CREATE FUNCTION rest_triggers(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('moves ' || current_schema()), 0);
  IF EXISTS (SELECT FROM moving WHERE role = 'leaving') THEN RETURN NULL; END IF;
  PERFORM set_config('lock_timeout', '200ms', true);
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = format('%I.%I', current_schema(), p->>'table')::regclass AND tgname = 'touched' AND tgenabled = 'O') THEN
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER touched', p->>'table');
  END IF;
  RETURN NULL;
END $$;

-- begin_move: takes now. Answers the name of the copy, or null.
CREATE FUNCTION begin_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p); m moving; s standing;
BEGIN
  IF q.number IS NULL THEN RETURN NULL; END IF;
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF m.role = 'arriving' THEN RETURN NULL; END IF;
  IF is_tracked(q, m, m.copy) THEN RETURN to_json(m.copy); END IF;
  PERFORM end_tracking(q.number);
  UPDATE queue SET is_fenced = false WHERE number = q.number AND is_fenced;
  INSERT INTO moving (queue, role, copy, read_at) VALUES (q.number, 'leaving', gen_random_uuid()::text, (p->>'now')::bigint) RETURNING * INTO m;
  s := standing_of(q.bucket);
  INSERT INTO tracked (what, number, queue, id)
  VALUES ('bucket', q.bucket, q.number, NULL), ('queue', q.number, q.number, NULL), ('incarnation', s.incarnation, q.number, NULL) ON CONFLICT DO NOTHING;
  INSERT INTO tracked (what, number, queue, id)
  SELECT x.what, x.number, q.number, id FROM subscription, LATERAL (VALUES ('line', line), ('records', subscription.number)) AS x(what, number)
  WHERE queue = q.number ON CONFLICT DO NOTHING;
  RETURN to_json(m.copy);
END $$;

-- Whether what was noted of that copy holds for the contents that the queue has now.
CREATE FUNCTION is_tracked(q queue, m moving, copy_ text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce(m.role = 'leaving' AND m.copy = copy_, false)
    AND EXISTS (SELECT FROM tracked WHERE what = 'bucket' AND number = q.bucket AND queue = q.number);
END $$;

CREATE FUNCTION end_tracking(queue_ bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM moving WHERE queue = queue_;
  DELETE FROM tracked WHERE queue = queue_;
  DELETE FROM touched WHERE queue = queue_;
END $$;

-- read_move: the next records of a copy.
--   takes     copy; cursor [page whose records are stored, where the tables were read up to: the place of one, its owner, its key], or null; limit, bytes, now
--   answers   {records: [[of, key, row or null]], cursor, left} | "lost"
CREATE FUNCTION read_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  q queue := locked_queue(p);
  m moving;
  s standing;
  now_ bigint := (p->>'now')::bigint;
  room bigint := (p->>'limit')::bigint;
  bytes_ bigint := (p->>'bytes')::bigint;
  records jsonb[] := '{}';
  at_ integer := coalesce((p->'cursor'->>1)::integer, 1);
  owner_ bigint := coalesce((p->'cursor'->>2)::bigint, 0);
  key_ jsonb := p->'cursor'->3;
  t record;
  o record;
  r record;
  row_ jsonb;
BEGIN
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF NOT is_tracked(q, m, p->>'copy') THEN RETURN '"lost"'; END IF;
  DELETE FROM touched WHERE queue = q.number AND page = (p->'cursor'->>0)::bigint AND page > 0;
  UPDATE moving SET page = page + 1, read_at = now_ WHERE queue = q.number RETURNING * INTO m;
  s := standing_of(q.bucket);
  records := ARRAY[jsonb_build_array('queue', '[]'::jsonb, jsonb_build_object(
    'metadata', q.metadata, 'incarnation', s.incarnation, 'last', s.last, 'fresh', s.fresh,
    'numbered', (SELECT last_value FROM feed_number), 'is_kept', q.is_kept))];
  -- Everything, once.
  FOR t IN SELECT * FROM moved_tables() mt WHERE mt.kind >= at_ AND mt.key IS NOT NULL ORDER BY mt.kind LOOP
    IF t.kind > at_ THEN
      at_ := t.kind;
      owner_ := 0;
      key_ := NULL;
    END IF;
    FOR o IN SELECT number, id FROM tracked WHERE queue = q.number AND what = t.what AND number >= owner_ ORDER BY number LOOP
      IF o.number > owner_ THEN
        owner_ := o.number;
        key_ := NULL;
      END IF;
      FOR r IN EXECUTE format(
        'SELECT to_jsonb(r.%1$I) AS key, %2$s AS shown FROM %3$I r WHERE r.%4$I = $1 AND r.%1$I > coalesce(($2 #>> ''{}'')::%5$s, %6$s) ORDER BY r.%1$I LIMIT %7$s',
        t.key, t.shown, t.name, t.owner, t.key_type, CASE t.key_type WHEN 'text' THEN $s$''$s$ ELSE '-1' END, greatest(room, 0) + 1
      ) USING o.number, key_, now_ LOOP
        EXIT WHEN room <= 0 OR bytes_ <= 0;
        records := records || moved_record(t.name, o.id, r.key, r.shown);
        room := room - 1;
        bytes_ := bytes_ - 300 - coalesce(octet_length(r.shown->>'body'), 0);
        key_ := r.key;
      END LOOP;
      EXIT WHEN room <= 0 OR bytes_ <= 0;
    END LOOP;
    EXIT WHEN room <= 0 OR bytes_ <= 0;
    at_ := t.kind + 1;
    owner_ := 0;
    key_ := NULL;
  END LOOP;
  -- Then what has changed.
  IF at_ > 13 AND room > 0 AND bytes_ > 0 THEN
    FOR o IN SELECT touched.kind, touched.owner, touched.key FROM touched WHERE queue = q.number ORDER BY kind, owner, key LIMIT room LOOP
      EXIT WHEN bytes_ <= 0;
      UPDATE touched SET page = m.page WHERE queue = q.number AND kind = o.kind AND owner = o.owner AND key = o.key;
      SELECT mt.*, tracked.id INTO t FROM moved_tables() mt, tracked WHERE mt.kind = o.kind AND tracked.what = mt.what AND tracked.number = o.owner;
      -- What hung on a subscription that has gone goes with it.
      CONTINUE WHEN NOT FOUND;
      row_ := NULL;
      IF t.key IS NOT NULL THEN
        EXECUTE format('SELECT %2$s FROM %3$I r WHERE r.%4$I = $1 AND r.%1$I = ($2 #>> ''{}'')::%5$s', t.key, t.shown, t.name, t.owner, t.key_type)
        INTO row_ USING o.owner, o.key, now_;
      END IF;
      records := records || moved_record(t.name, t.id, o.key, row_);
      bytes_ := bytes_ - 300 - coalesce(octet_length(row_->>'body'), 0);
      IF t.name = 'message' AND row_ IS NULL THEN
        SELECT to_jsonb(g) - '{bucket,gone_at}'::text[] INTO row_ FROM gone g WHERE bucket = o.owner AND place = (o.key #>> '{}')::bigint;
        IF FOUND THEN records := records || moved_record('gone', NULL, o.key, row_); END IF;
      END IF;
    END LOOP;
  END IF;
  RETURN json_build_object(
    'records', array_to_json(records),
    'cursor', json_build_array(m.page, at_, owner_, key_),
    'left', at_ <= 13 OR EXISTS (SELECT FROM touched WHERE queue = q.number AND page <> m.page));
END $$;

CREATE FUNCTION moved_record(of text, id text, key jsonb, shown jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN jsonb_build_array(of, CASE WHEN id IS NULL THEN jsonb_build_array(key) ELSE jsonb_build_array(id, key) END, shown);

-- fence_move: takes copy, token, until. Answers "fenced" | "lost".
CREATE FUNCTION fence_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p); m moving;
BEGIN
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF NOT is_tracked(q, m, p->>'copy') THEN RETURN '"lost"'; END IF;
  UPDATE moving SET token = p->>'token', until = (p->>'until')::bigint WHERE queue = q.number;
  UPDATE queue SET is_fenced = true, version = nextval('identity') WHERE number = q.number;
  UPDATE work SET wakes_at = never() WHERE queue = q.number;
  PERFORM tell_of_moving(q);
  RETURN '"fenced"';
END $$;

-- Who waits for something in the queue looks where it is now.
CREATE FUNCTION tell_of_moving(q queue) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tell(q.project, q.kind, q.name, standing_of(q.bucket), 'news');
  PERFORM tell_of_subscriptions(q);
END $$;

-- receive_move: takes copy, token, now. Answers {cursor: text or null} | "occupied".
CREATE FUNCTION receive_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p); m moving;
BEGIN
  IF q.number IS NOT NULL AND NOT q.is_fenced THEN RETURN '"occupied"'; END IF;
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF m.role = 'arriving' AND m.copy = p->>'copy' THEN
    UPDATE moving SET token = p->>'token' WHERE queue = q.number;
    RETURN json_build_object('cursor', m.cursor);
  END IF;
  IF q.number IS NOT NULL THEN PERFORM discard(q); END IF;
  INSERT INTO queue (project, kind, name, number, bucket, version, metadata, is_fenced)
  VALUES (p->>'project', p->>'kind', p->>'name', nextval('identity'), open_bucket(), nextval('identity'), '{}', true)
  ON CONFLICT DO NOTHING RETURNING * INTO q;
  IF NOT FOUND THEN RETURN receive_move(p); END IF;
  INSERT INTO moving (queue, role, copy, token, read_at) VALUES (q.number, 'arriving', p->>'copy', p->>'token', (p->>'now')::bigint);
  RETURN json_build_object('cursor', NULL);
END $$;

-- The queue, locked, if it is fenced with the token. All null otherwise.
CREATE FUNCTION fenced_queue(p jsonb) RETURNS queue LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p);
BEGIN
  PERFORM FROM moving WHERE queue = q.number AND token = p->>'token';
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN q;
END $$;

CREATE FUNCTION discard(q queue) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s standing := standing_of(q.bucket);
BEGIN
  PERFORM tell_of_moving(q);
  DELETE FROM departure WHERE incarnation = s.incarnation;
  DELETE FROM queue WHERE number = q.number;
  DELETE FROM work WHERE queue = q.number;
  PERFORM end_tracking(q.number);
  INSERT INTO dropped (bucket, queue) VALUES (q.bucket, q.number);
END $$;

-- drop_move: takes token. Answers "dropped" | "lost".
CREATE FUNCTION drop_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := fenced_queue(p);
BEGIN
  IF q.number IS NULL THEN RETURN '"lost"'; END IF;
  PERFORM discard(q);
  RETURN '"dropped"';
END $$;

-- lift_move: takes token, now. Answers "lifted" | "lost".
CREATE FUNCTION lift_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := fenced_queue(p); m moving; s standing;
BEGIN
  IF q.number IS NULL THEN RETURN '"lost"'; END IF;
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF m.role = 'leaving' THEN
    UPDATE moving SET token = NULL WHERE queue = q.number;
  ELSE
    PERFORM end_tracking(q.number);
    s := standing_of(q.bucket);
    s.live := first_live(s, 1);
    s.fresh := greatest(s.fresh, s.live);
    s := saved(s);
  END IF;
  UPDATE queue SET is_fenced = false, version = nextval('identity') WHERE number = q.number;
  PERFORM tell_of_moving(q);
  PERFORM wake(q.number, (p->>'now')::bigint);
  RETURN '"lifted"';
END $$;

-- end_move: notes no longer what changes in the queue, unless it is fenced. Answers null.
CREATE FUNCTION end_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p);
BEGIN
  IF NOT q.is_fenced THEN PERFORM end_tracking(q.number); END IF;
  RETURN NULL;
END $$;

-- list_fenced: takes limit. Answers [[project, kind, name, role, token, until]].
CREATE FUNCTION list_fenced(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(json_build_array(q.project, q.kind, q.name, m.role, m.token, m.until)), '[]')
    FROM (SELECT * FROM moving WHERE token IS NOT NULL ORDER BY queue LIMIT (p->>'limit')::bigint) m,
      LATERAL (SELECT project, kind, name FROM queue WHERE number = m.queue OFFSET 0) q
  );
END $$;

-- As `MoveStore` names what is fenced; null for a queue that serves.
CREATE FUNCTION shown_fence(q queue) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF q.is_fenced IS NOT TRUE THEN RETURN NULL; END IF;
  RETURN (SELECT json_build_object('role', role, 'token', token, 'until', until) FROM moving WHERE queue = q.number);
END $$;

-- write_move: stores records in a copy.
--   takes     token, records [[of, key, row or null]], cursor (text), now
--   answers   "stored" | "lost"
CREATE FUNCTION write_move(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := fenced_queue(p); m moving; s standing; r jsonb;
BEGIN
  SELECT * INTO m FROM moving WHERE queue = q.number;
  IF m.role IS DISTINCT FROM 'arriving' THEN RETURN '"lost"'; END IF;
  s := standing_of(q.bucket);
  FOR r IN SELECT value FROM jsonb_array_elements(p->'records') LOOP
    CASE r->>0
      WHEN 'queue' THEN s := stored_queue(q, s, r->2);
      WHEN 'message' THEN s := stored_message(s, (r->1->>0)::bigint, r->2);
      WHEN 'delayed' THEN s := stored_delayed(s, (r->1->>0)::bigint, r->2);
      WHEN 'claim' THEN
        DELETE FROM claim WHERE bucket = s.bucket AND number = (r->1->>0)::bigint;
        IF jsonb_typeof(r->2) = 'object' THEN
          INSERT INTO claim SELECT (jsonb_populate_record(NULL::claim, r->2 || jsonb_build_object('bucket', s.bucket))).*;
          s.ends_at := least(s.ends_at, (r->2->>'ends_at')::bigint);
        END IF;
      WHEN 'idempotency' THEN s := stored_record(s, r->1->>0, r->2);
      WHEN 'arrival' THEN
        DELETE FROM arrival WHERE queue = q.number AND incarnation = (r->1->>0)::bigint;
        IF jsonb_typeof(r->2) = 'object' THEN
          INSERT INTO arrival SELECT (jsonb_populate_record(NULL::arrival, r->2 || jsonb_build_object('queue', q.number))).*;
        END IF;
      WHEN 'departure' THEN PERFORM stored_departure(q, s, (r->1->>0)::bigint, r->2);
      WHEN 'feed' THEN
        DELETE FROM feed WHERE queue = q.number AND number = (r->1->>0)::bigint;
        IF jsonb_typeof(r->2) = 'object' THEN
          INSERT INTO feed SELECT (jsonb_populate_record(NULL::feed, r->2 || jsonb_build_object('queue', q.number))).*;
        END IF;
      WHEN 'gone' THEN
        INSERT INTO gone SELECT (jsonb_populate_record(NULL::gone, r->2 || jsonb_build_object('bucket', s.bucket, 'gone_at', p->'now'))).*
        ON CONFLICT (bucket, place) DO NOTHING;
      ELSE PERFORM stored_for_subscription(q, r, (p->>'now')::bigint);
    END CASE;
  END LOOP;
  PERFORM saved(s);
  UPDATE moving SET cursor = p->>'cursor' WHERE queue = q.number;
  RETURN '"stored"';
END $$;

CREATE FUNCTION stored_queue(q queue, s standing, r jsonb) RETURNS standing LANGUAGE plpgsql AS $$
BEGIN
  s.incarnation := (r->>'incarnation')::bigint;
  s.last := greatest(s.last, (r->>'last')::bigint);
  s.fresh := greatest(s.fresh, (r->>'fresh')::bigint);
  UPDATE queue SET metadata = r->>'metadata' WHERE number = q.number AND metadata <> r->>'metadata';
  UPDATE moving SET incarnation = s.incarnation WHERE queue = q.number AND incarnation IS DISTINCT FROM s.incarnation;
  -- What is told from now on comes behind what was told there.
  -- A sequence that was never used says 1, and hands out 1 next.
  IF (r->>'numbered')::bigint > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM feed_number) THEN
    PERFORM pg_advisory_xact_lock(hashtext('moves ' || current_schema()), 1);
    -- Keeps others from taking numbers until the commit.
    ALTER SEQUENCE feed_number CACHE 1;
    PERFORM setval('feed_number', greatest((SELECT last_value FROM feed_number), (r->>'numbered')::bigint));
  END IF;
  -- Until those who follow it do so here.
  IF (r->>'is_kept')::boolean THEN
    INSERT INTO keeper (project, kind, name, until) VALUES (q.project, q.kind, q.name, server_now() + 120000)
    ON CONFLICT (project, kind, name) DO UPDATE SET until = greatest(keeper.until, excluded.until);
  END IF;
  RETURN s;
END $$;

CREATE FUNCTION stored_message(s standing, place_ bigint, r jsonb) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE m message;
BEGIN
  DELETE FROM message WHERE bucket = s.bucket AND place = place_ RETURNING * INTO m;
  IF FOUND THEN
    s.bytes := s.bytes - octet_length(m.body);
    s.free := s.free - num_nulls(m.claim);
    s.held := s.held - num_nonnulls(m.claim);
    s.returned := s.returned - num_nonnulls(m.epoch);
  END IF;
  IF jsonb_typeof(r) = 'null' THEN RETURN s; END IF;
  m := jsonb_populate_record(NULL::message, r || jsonb_build_object('bucket', s.bucket));
  -- All that were never claimed stand behind those that are.
  IF m.claim IS NOT NULL THEN s.fresh := greatest(s.fresh, m.place + 1);
  ELSIF (r->>'is_returned')::boolean OR m.place < s.fresh THEN m.epoch := s.epoch;
  END IF;
  INSERT INTO message SELECT m.*;
  PERFORM forget_gone(s, jsonb_build_array(jsonb_build_array(coalesce(m.born_incarnation, s.incarnation), coalesce(m.born, m.place))));
  s.bytes := s.bytes + octet_length(m.body);
  s.free := s.free + num_nulls(m.claim);
  s.held := s.held + num_nonnulls(m.claim);
  s.returned := s.returned + num_nonnulls(m.epoch);
  s.last := greatest(s.last, m.place);
  s.expires_at := least(s.expires_at, m.expires_at);
  RETURN s;
END $$;

CREATE FUNCTION stored_delayed(s standing, number_ bigint, r jsonb) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE d delayed;
BEGIN
  DELETE FROM delayed WHERE bucket = s.bucket AND number = number_ RETURNING * INTO d;
  IF FOUND THEN
    s.bytes := s.bytes - octet_length(d.body);
    s.free := s.free - 1;
  END IF;
  IF jsonb_typeof(r) = 'null' THEN RETURN s; END IF;
  d := jsonb_populate_record(NULL::delayed, r || jsonb_build_object('bucket', s.bucket, 'claim_count', 0));
  d.wakes_at := least(d.due_at, d.expires_at);
  INSERT INTO delayed SELECT d.*;
  s.bytes := s.bytes + octet_length(d.body);
  s.free := s.free + 1;
  s.due_at := least(s.due_at, d.wakes_at);
  RETURN s;
END $$;

CREATE FUNCTION stored_record(s standing, key_ text, r jsonb) RETURNS standing LANGUAGE plpgsql AS $$
DECLARE i idempotency;
BEGIN
  DELETE FROM idempotency WHERE bucket = s.bucket AND key = key_ RETURNING * INTO i;
  IF FOUND THEN s.bytes := s.bytes - octet_length(i.key) - octet_length(i.digest); END IF;
  IF jsonb_typeof(r) = 'null' THEN RETURN s; END IF;
  i := jsonb_populate_record(NULL::idempotency, r || jsonb_build_object('bucket', s.bucket));
  INSERT INTO idempotency SELECT i.*;
  s.bytes := s.bytes + octet_length(i.key) + octet_length(i.digest);
  s.expires_at := least(s.expires_at, removed_at(i.expires_at));
  RETURN s;
END $$;

CREATE FUNCTION stored_departure(q queue, s standing, number_ bigint, r jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF jsonb_typeof(r) = 'null' THEN
    DELETE FROM departure WHERE incarnation = s.incarnation AND number = number_;
  ELSIF NOT EXISTS (SELECT FROM departure WHERE incarnation = s.incarnation AND number = number_) THEN
    INSERT INTO departure SELECT (jsonb_populate_record(NULL::departure, r || jsonb_build_object(
      'seq', nextval('identity'), 'incarnation', s.incarnation, 'project', q.project, 'kind', 'queue'))).*;
  END IF;
END $$;

-- A subscription, or what hangs on one: that comes after it.
CREATE FUNCTION stored_for_subscription(q queue, r jsonb, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE f subscription; of text := r->>0; row_ jsonb := nullif(r->2, 'null'); key_ bigint := CASE WHEN jsonb_array_length(r->1) > 1 THEN (r->1->>1)::bigint END;
BEGIN
  SELECT * INTO f FROM subscription WHERE queue = q.number AND id = r->1->>0;
  IF of = 'subscription' THEN
    PERFORM stored_subscription(q, f, r->1->>0, row_, now_);
    RETURN;
  END IF;
  IF f.number IS NULL THEN RETURN; END IF;
  CASE of
    WHEN 'line' THEN
      INSERT INTO ended (number) VALUES (f.line) ON CONFLICT DO NOTHING;
      UPDATE subscription SET line = nextval('identity') WHERE queue = q.number AND id = f.id;
    WHEN 'owed' THEN
      DELETE FROM owed WHERE line = f.line AND number = key_;
      IF row_ IS NOT NULL THEN
        INSERT INTO owed SELECT (jsonb_populate_record(NULL::owed, row_ || jsonb_build_object('line', f.line))).*;
        UPDATE subscription SET wakes_at = least(wakes_at, (row_->>'due_at')::bigint) WHERE queue = q.number AND id = f.id AND is_free;
      END IF;
    WHEN 'failure' THEN
      DELETE FROM failure WHERE subscription = f.number AND place = key_;
      IF row_ IS NOT NULL THEN
        INSERT INTO failure SELECT (jsonb_populate_record(NULL::failure, row_ || jsonb_build_object('subscription', f.number))).*;
      END IF;
    WHEN 'log' THEN
      DELETE FROM log WHERE subscription = f.number AND number = key_;
      IF row_ IS NOT NULL THEN INSERT INTO log (subscription, number, entry) VALUES (f.number, key_, row_->>'text'); END IF;
  END CASE;
END $$;

-- `f`: as it is in the copy, or all null.
CREATE FUNCTION stored_subscription(q queue, f subscription, id_ text, r jsonb, now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE n subscription; owed_at bigint;
BEGIN
  IF r IS NULL THEN
    PERFORM ended(q, ARRAY(SELECT ctid FROM subscription WHERE queue = q.number AND id = id_));
    RETURN;
  END IF;
  n := jsonb_populate_record(f, r - '{health,busy_until,log_from,log_end,lease}'::text[]);
  n.queue := q.number;
  n.number := coalesce(f.number, nextval('identity'));
  n.line := coalesce(f.line, nextval('identity'));
  n.health := nullif(r->'health', 'null')::text;
  n.logged := (r->>'log_end')::bigint - 1;
  n.is_free := (r->>'busy_until')::bigint <= now_;
  n.lease := CASE WHEN NOT n.is_free THEN nullif((r->>'lease')::bigint, 0) END;
  SELECT due_at INTO owed_at FROM owed WHERE line + 0 = n.line ORDER BY due_at LIMIT 1;
  n.wakes_at := CASE WHEN n.is_free THEN coalesce(owed_at, never()) ELSE (r->>'busy_until')::bigint END;
  DELETE FROM subscription WHERE queue = q.number AND id = id_;
  INSERT INTO subscription SELECT n.*;
  PERFORM count_subscriptions(q.number, bytes_of(n) - CASE WHEN f.number IS NULL THEN 0 ELSE bytes_of(f) END);
  IF n.is_listening THEN
    UPDATE queue SET has_feed = true WHERE number = q.number AND NOT has_feed;
    INSERT INTO work (queue, wakes_at) VALUES (q.number, never()) ON CONFLICT (queue) DO NOTHING;
  END IF;
END $$;
