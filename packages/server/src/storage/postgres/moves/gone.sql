-- Messages that were removed, kept for a minute or two for those who follow their queue. A queue is kept while a row of `keeper` says so: each node that
-- follows it prolongs that row from time to time. What a visit knows is `queue.is_kept`, which it has read with the lock, and which is set more often
-- than need be; so where nobody keeps, a visit costs a look at that.
--
-- To keep a queue takes two transactions. First the keeper is committed, then the queue is marked under its lock. So whoever finds no mark has
-- locked the queue before, and committed when the second is done; whoever unmarks it has looked at the keepers under the lock; and a
-- queue that is made later is marked from the beginning.

-- put_keeper: answers null. The queue is kept, once `keep_queue` has followed in another transaction.
--   takes     seconds: for how long
CREATE FUNCTION put_keeper(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO keeper (project, kind, name, until)
  VALUES (p->>'project', p->>'kind', p->>'name', server_now() + 1000 * (p->>'seconds')::bigint)
  ON CONFLICT (project, kind, name) DO UPDATE SET until = excluded.until;
  RETURN NULL;
END $$;

-- keep_queue: marks the queue, where there is one. Takes no version. Answers null.
CREATE FUNCTION keep_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE q queue := locked_queue(p);
BEGIN
  UPDATE queue SET is_kept = true WHERE number = q.number AND NOT is_kept;
  RETURN NULL;
END $$;

-- prolong_keepers
--   takes     queues [[project, kind, name]], in an order that is the same on every node; seconds
--   answers   which of them are not kept any more, or hardly, counted from 0: they have to be kept anew
CREATE FUNCTION prolong_keepers(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE key jsonb; over integer[] := '{}';
BEGIN
  FOR i IN 0 .. jsonb_array_length(p->'queues') - 1 LOOP
    key := p->'queues'->i;
    -- Some seconds before its end somebody may look who sees it over before this is committed.
    UPDATE keeper SET until = server_now() + 1000 * (p->>'seconds')::bigint
    WHERE project = key->>0 AND kind = key->>1 AND name = key->>2 AND until > server_now() + 10000;
    IF NOT FOUND THEN over := over || i; END IF;
  END LOOP;
  RETURN to_json(over);
END $$;

-- Whether the queue, which the caller has locked, is kept by now. Otherwise it is unmarked.
CREATE FUNCTION still_kept(q queue) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM keeper WHERE project = q.project AND kind = q.kind AND name = q.name AND until > server_now();
  IF FOUND THEN RETURN true; END IF;
  UPDATE queue SET is_kept = false WHERE number = q.number;
  RETURN false;
END $$;

-- Keeps the messages of these places, which are about to be removed.
CREATE FUNCTION keep_gone(s standing, places bigint[], now_ bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gone (bucket, place, posted, born_incarnation, born, created_at, expires_at, ttl, claim_count, client, body, gone_at)
  SELECT bucket, place, posted, born_incarnation, born, created_at, expires_at, ttl, claim_count, client, body, now_
  FROM message WHERE ctid = ANY (rows_at(s.bucket, places))
  -- One that came back by an import to its own place while nobody kept the queue.
  ON CONFLICT (bucket, place) DO UPDATE SET gone_at = excluded.gone_at;
END $$;

-- The messages with these ids [[incarnation, number]] come back to the queue.
CREATE FUNCTION forget_gone(s standing, ids jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM gone WHERE ctid = ANY (ARRAY(
    SELECT found.at FROM jsonb_array_elements(ids) AS wanted(id),
      LATERAL (
        (SELECT ctid AS at FROM gone
         WHERE bucket = s.bucket AND place = (id->>1)::bigint AND born IS NULL AND (id->>0)::bigint = s.incarnation)
        UNION ALL
        (SELECT ctid FROM gone WHERE bucket = s.bucket AND born_incarnation = (id->>0)::bigint AND born = (id->>1)::bigint)
        OFFSET 0
      ) AS found
  ));
END $$;

-- As `page_by_place`, and those that were removed and are there still.
CREATE FUNCTION page_with_gone(s standing, after_ bigint, limit_ bigint, hidden text, with_claimed boolean, now_ bigint)
RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT (m).* FROM (
    SELECT live AS m, place FROM page_by_place(s, after_, limit_, hidden, with_claimed, now_) live
    UNION ALL
    (SELECT as_message(gone), place FROM gone
     WHERE bucket = s.bucket AND place > after_ AND expires_at > now_ AND client IS DISTINCT FROM hidden
     ORDER BY place LIMIT limit_)
  ) both_kinds ORDER BY place LIMIT limit_;
END $$;

CREATE FUNCTION as_message(g gone) RETURNS message LANGUAGE sql STABLE
RETURN ROW(g.bucket, g.place, g.posted, g.born_incarnation, g.born, NULL, NULL, g.created_at, g.expires_at, g.ttl, g.claim_count, g.client, NULL,
           g.body)::message;

-- Whether a node is there to follow is a matter of the server's clock: what callers say the time is does not count.
CREATE FUNCTION server_now() RETURNS bigint LANGUAGE sql
RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
