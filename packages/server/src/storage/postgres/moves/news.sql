-- News: who watches a queue is told when there may be something new in it.

-- Who watches a queue holds a shared lock of its slot; a transaction that brings news notifies once for each watched slot.
-- `gate` keeps a watcher that arrives between the look and the commit from missing the news: see storage/postgres/listening.ts.
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

-- next_wake: when there will be news by itself. The queue need not exist.
--   takes     now, no version
--   answers   when the next delay is over or the next claim may end; null when nothing is to come
CREATE FUNCTION next_wake(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE s standing := standing_of(bucket_of(p));
BEGIN
  RETURN to_json(nullif(least(s.due_at, s.ends_at), never()));
END $$;

-- settle_queue: settles what is due, which tells. Takes and answers as `next_wake`.
CREATE FUNCTION settle_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM settle_for(p);
  RETURN next_wake(p);
END $$;
