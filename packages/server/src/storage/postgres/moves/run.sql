-- The door for the nodes. A node calls `run` with what has gathered: moves, one JSON object for each, which happen in order in
-- one transaction, and are answered by one row each.
--
-- A move is a function of its name, found below in `perform`; the comment before it says what it takes and answers. Common to them:
--   move                  its name
--   project, kind, name   the queue or topic it is on, where it is on one
--   version               that of the queue as the node knows it; a move that takes one answers "stale", having done nothing, where the queue
--                         has gone, or is in another version
--   visit                 given for a move that writes messages and claims of the queue: a text that no other queue has
--   kept                  there, from `perform`, where the messages that a visit removes are kept, see gone.sql
--   now                   the time, in milliseconds since 1970, as all instants
-- A queue's messages and claims lie in its *bucket*, whose name in ids and markers is its *incarnation*. A message or claim is named by
-- [incarnation, number]; where a client named one that cannot be, the node gives [0, 0]. Parameters called `p` are such an object.
--
-- Nodes of two successive versions call these functions during an update: a move that changes what it takes or answers gets a new name, and the
-- old one stays for one version. Everything else here may change as it likes, since all functions are exchanged together, between two transactions.

-- Keeps the moves from being exchanged in the midst of a transaction (see storage/postgres/migrate.ts), and makes their plans the same
-- whatever the statistics say: every access goes by an index, and a plan that was right for an empty table is right for a full one.
-- This one stays, whoever is at work in it, when the others are exchanged: it must go on calling `perform`, and nothing else. Answers an array.
CREATE OR REPLACE FUNCTION run(moves jsonb) RETURNS json[] LANGUAGE plpgsql
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
BEGIN
  LOCK TABLE service IN ROW SHARE MODE;
  RETURN perform(moves);
END $$;

-- Moves that follow each other and visit the same queue are one visit: the queue is locked and its standing read at the beginning; at the end
-- the standing is saved and watchers are told, once for all of them. Each acts on what the one before left, after what is due was settled.
CREATE FUNCTION perform(moves jsonb) RETURNS json[] LANGUAGE plpgsql AS $$
DECLARE
  p jsonb;
  move text;
  answer json;
  answers json[] := '{}';
  visited text;
  q queue;
  s standing;
  before standing;
  is_news boolean;
  posts jsonb[];
  firsts bigint[];
  o record;
  now_ bigint;
BEGIN
  FOR i IN 0 .. jsonb_array_length(moves) - 1 LOOP
    p := moves->i;
    move := p->>'move';
    IF visited IS DISTINCT FROM p->>'visit' THEN
      IF visited IS NOT NULL THEN s := left_behind(q, s, before, posts, firsts, is_news); END IF;
      visited := p->>'visit';
      IF visited IS NOT NULL THEN
        q := locked_queue(p);
        s := standing_of(q.bucket);
        IF q.is_kept THEN q.is_kept := still_kept(q); END IF;
        before := s;
        is_news := false;
        posts := NULL;
      END IF;
    END IF;

    IF visited IS NOT NULL THEN
      IF q.version IS DISTINCT FROM (p->>'version')::bigint THEN
        answers := answers || '"stale"'::json;
        CONTINUE;
      END IF;
      -- What posts in a row bring is stored by one statement, so the first move that is none has to see to it.
      now_ := (p->>'now')::bigint;
      IF move <> 'append' OR least(s.due_at, s.ends_at, s.expires_at) <= now_ THEN
        IF posts IS NOT NULL THEN s := stored(s, feed_of(q), posts, firsts); END IF;
        posts := NULL;
        is_news := is_news OR is_news_due(s, now_);
        s := settle(s, feed_of(q), now_);
      END IF;
      IF q.is_kept AND move <> 'append' THEN p := p || '{"kept": true}'; END IF;
    END IF;

    CASE move
      -- Visits. They take the standing and answer it as they leave it, and whether there is news.
      WHEN 'append' THEN o := append(s, p);
      WHEN 'create_claim' THEN o := create_claim(s, p);
      WHEN 'delete_message' THEN o := delete_message(s, p);
      WHEN 'delete_messages' THEN o := delete_messages(s, p);
      WHEN 'pop' THEN o := pop(s, p);
      WHEN 'renew_claim' THEN o := renew_claim(s, p);
      WHEN 'release_claim' THEN o := release_claim(s, p);
      WHEN 'redrive' THEN o := redrive(s, p);
      WHEN 'origins' THEN o := origins(s, p);
      WHEN 'exchange_claim' THEN o := exchange_claim(s, p);
      WHEN 'import_messages' THEN o := import_messages(s, p);
      -- All others.
      WHEN 'list_messages' THEN answer := list_messages(p);
      WHEN 'get_messages' THEN answer := get_messages(p);
      WHEN 'get_claim' THEN answer := get_claim(p);
      WHEN 'list_claims' THEN answer := list_claims(p);
      WHEN 'queue_end' THEN answer := queue_end(p);
      WHEN 'export_messages' THEN answer := export_messages(p);
      WHEN 'list_departures' THEN answer := list_departures(p);
      WHEN 'delete_departures' THEN answer := delete_departures(p);
      WHEN 'purge_messages' THEN answer := purge_messages(p);
      WHEN 'create_queue' THEN answer := create_queue(p);
      WHEN 'get_queue' THEN answer := get_queue(p);
      WHEN 'update_queue' THEN answer := update_queue(p);
      WHEN 'delete_queue' THEN answer := delete_queue(p);
      WHEN 'queue_stats' THEN answer := queue_stats(p);
      WHEN 'list_queues' THEN answer := list_queues(p);
      WHEN 'count_queues' THEN answer := count_queues(p);
      WHEN 'project_usage' THEN answer := project_usage(p);
      WHEN 'census_queues' THEN answer := census_queues(p);
      WHEN 'census_owed' THEN answer := census_owed(p);
      WHEN 'create_subscription' THEN answer := create_subscription(p);
      WHEN 'get_subscription' THEN answer := get_subscription(p);
      WHEN 'list_subscriptions' THEN answer := list_subscriptions(p);
      WHEN 'update_subscription' THEN answer := update_subscription(p);
      WHEN 'confirm_subscription' THEN answer := confirm_subscription(p);
      WHEN 'delete_subscription' THEN answer := delete_subscription(p);
      WHEN 'purge_subscriptions' THEN answer := purge_subscriptions(p);
      WHEN 'put_keeper' THEN answer := put_keeper(p);
      WHEN 'keep_queue' THEN answer := keep_queue(p);
      WHEN 'prolong_keepers' THEN answer := prolong_keepers(p);
      WHEN 'find_work' THEN answer := find_work(p);
      WHEN 'lease_subscriptions' THEN answer := lease_subscriptions(p);
      WHEN 'settle_lease' THEN answer := settle_lease(p);
      WHEN 'announce' THEN answer := announce(p);
      WHEN 'list_failures' THEN answer := list_failures(p);
      WHEN 'replay_failures' THEN answer := replay_failures(p);
      WHEN 'get_log' THEN answer := get_log(p);
      WHEN 'put_pool' THEN answer := put_pool(p);
      WHEN 'update_pool' THEN answer := update_pool(p);
      WHEN 'get_pool' THEN answer := get_pool(p);
      WHEN 'list_pools' THEN answer := list_pools(p);
      WHEN 'delete_pool' THEN answer := delete_pool(p);
      WHEN 'put_flavor' THEN answer := put_flavor(p);
      WHEN 'update_flavor' THEN answer := update_flavor(p);
      WHEN 'get_flavor' THEN answer := get_flavor(p);
      WHEN 'list_flavors' THEN answer := list_flavors(p);
      WHEN 'delete_flavor' THEN answer := delete_flavor(p);
      WHEN 'get_placement' THEN answer := get_placement(p);
      WHEN 'place_queue' THEN answer := place_queue(p);
      WHEN 'adopt_queues' THEN answer := adopt_queues(p);
      WHEN 'settle_placement' THEN answer := settle_placement(p);
      WHEN 'unsettle_placement' THEN answer := unsettle_placement(p);
      WHEN 'move_placement' THEN answer := move_placement(p);
      WHEN 'remove_placement' THEN answer := remove_placement(p);
      WHEN 'list_placements' THEN answer := list_placements(p);
      WHEN 'count_placements' THEN answer := count_placements(p);
      WHEN 'list_placements_of' THEN answer := list_placements_of(p);
      WHEN 'begin_relocation' THEN answer := begin_relocation(p);
      WHEN 'get_relocation' THEN answer := get_relocation(p);
      WHEN 'cancel_relocation' THEN answer := cancel_relocation(p);
      WHEN 'lease_relocation' THEN answer := lease_relocation(p);
      WHEN 'settle_relocation' THEN answer := settle_relocation(p);
      WHEN 'noted_tables' THEN answer := noted_tables(p);
      WHEN 'note_changes' THEN answer := note_changes(p);
      WHEN 'rest_triggers' THEN answer := rest_triggers(p);
      WHEN 'begin_move' THEN answer := begin_move(p);
      WHEN 'read_move' THEN answer := read_move(p);
      WHEN 'fence_move' THEN answer := fence_move(p);
      WHEN 'receive_move' THEN answer := receive_move(p);
      WHEN 'write_move' THEN answer := write_move(p);
      WHEN 'lift_move' THEN answer := lift_move(p);
      WHEN 'drop_move' THEN answer := drop_move(p);
      WHEN 'end_move' THEN answer := end_move(p);
      WHEN 'list_fenced' THEN answer := list_fenced(p);
      WHEN 'next_wake' THEN answer := next_wake(p);
      WHEN 'settle_queue' THEN answer := settle_queue(p);
      WHEN 'sweep' THEN answer := sweep(p);
      WHEN 'ping' THEN answer := ping();
    END CASE;

    IF visited IS NOT NULL THEN
      IF o.is_news AND move = 'append' THEN
        IF posts IS NULL THEN firsts := NULL; END IF;
        posts := posts || p;
        firsts := firsts || (s.last + 1);
      END IF;
      is_news := is_news OR o.is_news IS TRUE;
      s := o.s;
      answer := o.answer;
    END IF;
    answers := answers || answer;
  END LOOP;
  IF visited IS NOT NULL THEN s := left_behind(q, s, before, posts, firsts, is_news); END IF;
  RETURN answers;
END $$;

-- The end of a visit. Answers the standing as it is left.
CREATE FUNCTION left_behind(q queue, s standing, before standing, posts jsonb[], firsts bigint[], is_news boolean)
RETURNS standing LANGUAGE plpgsql AS $$
DECLARE is_told boolean;
BEGIN
  IF posts IS NOT NULL THEN s := stored(s, feed_of(q), posts, firsts); END IF;
  IF s IS DISTINCT FROM before THEN s := saved(s); END IF;
  IF q.has_feed AND s.due_at < before.due_at THEN PERFORM wake(q.number, s.due_at); END IF;
  IF is_news OR next_news(s) < next_news(before) THEN is_told := tell(q.project, q.kind, q.name, s, CASE WHEN is_news THEN 'news' ELSE 'next' END); END IF;
  RETURN s;
END $$;

-- Takes a lock that only a server that takes writes gives. Answers null.
CREATE FUNCTION ping() RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM service FOR NO KEY UPDATE;
  RETURN NULL;
END $$;
