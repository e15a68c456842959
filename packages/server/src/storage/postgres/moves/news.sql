-- News: who watches a queue is told when there may be something new in it, and when the next instant comes at which there will be by itself.

-- A notification is `HASH WHAT NEXT`. What is `news`; `next`, where only the instant has come nearer; or `subscriptions`, where some have changed or gone,
-- and then there is no standing. NEXT, in milliseconds, is left out when nothing is to come. The hash says which queue; its first byte is the slot. Who watches a queue holds a shared lock of its slot, so a transaction that
-- nobody wants to hear of notifies nobody. `gate` keeps a watcher that arrives between the look and the commit from missing the news: see
-- storage/postgres/listening.ts. Answers whether it notified.
CREATE FUNCTION tell(project text, kind text, name text, s standing, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  hash bytea := substr(sha256(convert_to(kind || ' ' || octet_length(name) || ' ' || name || ' ' || project, 'UTF8')), 1, 16);
  slot integer := get_byte(hash, 0);
  watched integer := watch_lock('watched');
BEGIN
  -- In a condition, since an expression costs a fraction of what a statement does.
  IF pg_advisory_xact_lock_shared(watch_lock('gate'), slot) IS NULL THEN END IF;
  IF pg_try_advisory_lock(watched, slot) THEN RETURN NOT pg_advisory_unlock(watched, slot); END IF;
  PERFORM pg_notify('zaqar ' || current_schema(), concat_ws(' ', encode(hash, 'hex'), what, nullif(next_news(s), never())));
  RETURN true;
END $$;

CREATE FUNCTION watch_lock(part text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT hashtext(part || ' ' || current_schema())
$$;

-- When the next delay is over or the next claim may end.
CREATE FUNCTION next_news(s standing) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN least(s.due_at, s.ends_at);

-- next_wake: the next instant at which there will be news by itself. The queue need not exist.
--   takes     now, no version
--   answers   the instant, or null when nothing is to come
CREATE FUNCTION next_wake(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE s standing := standing_of(bucket_of(p));
BEGIN
  RETURN to_json(nullif(next_news(s), never()));
END $$;

-- settle_queue: settles what is due, which tells. Takes and answers as `next_wake`.
CREATE FUNCTION settle_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM settle_for(p);
  RETURN next_wake(p);
END $$;
