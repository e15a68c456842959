-- Moves of the catalogue of pools. A placement is answered as [project, kind, name, pool, version, whether it is settled, token, target]. A move that takes a
-- version does nothing when the row is of another.

CREATE FUNCTION shown_placement(r placement) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(r.project, r.kind, r.name, r.pool, r.version, r.is_settled, r.token, r.target);

-- Who watches the queue in this store is told, with the next instant at which there will be news of itself, if it lies here.
CREATE FUNCTION tell_of_placement(r placement) RETURNS void LANGUAGE plpgsql AS $$
DECLARE bucket_ bigint;
BEGIN
  SELECT bucket INTO bucket_ FROM queue WHERE project = r.project AND kind = r.kind AND name = r.name;
  PERFORM tell(r.project, r.kind, r.name, CASE WHEN bucket_ IS NOT NULL THEN standing_of(bucket_) END, 'news');
END $$;

-- get_placement: answers the placement, or null.
CREATE FUNCTION get_placement(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT shown_placement(r) FROM placement r
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name'
$$;

-- place_queue: the placement that is there, with a new version if it is leaving; else a new one.
--   takes     flavor or null, without (names of pools), draw (from 0 to below 1)
--   answers   {placement, isNew} | "no-pool"
CREATE FUNCTION place_queue(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r placement; pool_ text;
BEGIN
  SELECT * INTO r FROM placement WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name';
  IF FOUND AND r.is_leaving THEN
    UPDATE placement SET version = nextval('identity'), is_leaving = false
    WHERE project = r.project AND kind = r.kind AND name = r.name AND is_leaving RETURNING * INTO r;
    -- Somebody has placed or removed it just now.
    IF NOT FOUND THEN RETURN place_queue(p); END IF;
  END IF;
  IF FOUND THEN RETURN json_build_object('placement', shown_placement(r), 'isNew', false); END IF;
  pool_ := drawn_pool(p);
  IF pool_ IS NULL THEN RETURN '"no-pool"'; END IF;
  -- Keeps it from being deleted until the commit.
  PERFORM FROM pool WHERE name = pool_ FOR KEY SHARE;
  IF NOT FOUND THEN RETURN place_queue(p); END IF;
  INSERT INTO placement (project, kind, name, pool) VALUES (p->>'project', p->>'kind', p->>'name', pool_)
  ON CONFLICT DO NOTHING RETURNING * INTO r;
  IF NOT FOUND THEN RETURN place_queue(p); END IF;
  RETURN json_build_object('placement', shown_placement(r), 'isNew', true);
END $$;

-- adopt_queues: places what lies in this very store without a placement.
--   takes     pool, after [project, kind, name] or null, limit (of those that are looked at)
--   answers   [project, kind, name] of the last that was looked at, or null at the end
CREATE FUNCTION adopt_queues(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  limit_ bigint := (p->>'limit')::bigint;
  last json;
  looked bigint;
BEGIN
  PERFORM FROM pool WHERE name = p->>'pool' FOR KEY SHARE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  WITH page AS (
    SELECT project, kind, name, is_copy(queue) AS is_copy FROM queue
    WHERE (project, kind, name) > (coalesce(p->'after'->>0, ''), coalesce(p->'after'->>1, ''), coalesce(p->'after'->>2, ''))
    ORDER BY project, kind, name LIMIT limit_
  ), adopted AS (
    INSERT INTO placement (project, kind, name, pool, is_settled)
    SELECT project, kind, name, p->>'pool', true FROM page WHERE NOT is_copy ON CONFLICT DO NOTHING
  )
  SELECT count(*), (array_agg(json_build_array(project, kind, name) ORDER BY project DESC, kind DESC, name DESC))[1]
  INTO looked, last FROM page;
  RETURN CASE WHEN looked = limit_ THEN last END;
END $$;

-- Up to each pool the weights are added; the first sum above the number that was drawn is of the pool that it hits.
CREATE FUNCTION drawn_pool(p jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  WITH candidate AS (
    SELECT name, sum(weight) OVER (ORDER BY name) AS up_to, sum(weight) OVER () AS whole FROM pool
    WHERE weight > 0 AND NOT p->'without' ? name AND p->>'flavor' IS NOT DISTINCT FROM (
      SELECT flavor FROM pool_flavor WHERE project = p->>'project' AND pool = pool.name
    )
  )
  SELECT name FROM candidate WHERE up_to > (p->>'draw')::numeric * whole ORDER BY name LIMIT 1
$$;

-- settle_placement: takes version. Answers whether it did.
CREATE FUNCTION settle_placement(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r placement;
BEGIN
  UPDATE placement SET version = nextval('identity'), is_settled = true, is_leaving = false
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint RETURNING * INTO r;
  IF NOT FOUND THEN RETURN 'false'; END IF;
  PERFORM tell_of_placement(r);
  RETURN 'true';
END $$;

-- unsettle_placement: takes pool, and version or none. Answers the placement, or null when nothing was done.
CREATE FUNCTION unsettle_placement(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r placement;
BEGIN
  UPDATE placement SET version = nextval('identity'), is_settled = false, is_leaving = true
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND pool = p->>'pool'
    AND version = coalesce((p->>'version')::bigint, version) RETURNING * INTO r;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN shown_placement(r);
END $$;

-- move_placement: takes version, pool, token and target or null. Answers the placement as it is then, or null when nothing was done.
CREATE FUNCTION move_placement(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r placement;
BEGIN
  PERFORM FROM pool WHERE name = p->>'pool' FOR KEY SHARE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  UPDATE placement SET version = nextval('identity'), pool = p->>'pool', token = p->>'token', target = p->>'target'
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint RETURNING * INTO r;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM tell_of_placement(r);
  RETURN shown_placement(r);
END $$;

-- remove_placement: takes version. Answers whether it did.
CREATE FUNCTION remove_placement(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r placement;
BEGIN
  DELETE FROM placement
  WHERE project = p->>'project' AND kind = p->>'kind' AND name = p->>'name' AND version = (p->>'version')::bigint RETURNING * INTO r;
  IF NOT FOUND THEN RETURN 'false'; END IF;
  PERFORM tell_of_placement(r);
  RETURN 'true';
END $$;

-- list_placements: takes project, kind, after (a name, or null), limit, nameContains or null. Answers [placement], by name.
CREATE FUNCTION list_placements(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(shown_placement(r)), '[]') FROM (
      SELECT placement AS r FROM placement
      WHERE project = p->>'project' AND kind = p->>'kind' AND name > coalesce(p->>'after', '')
        AND strpos(name, coalesce(p->>'nameContains', '')) > 0
      ORDER BY name LIMIT (p->>'limit')::bigint
    ) page
  );
END $$;

-- count_placements: takes project, kind. Answers [[pool, settled ones]].
CREATE FUNCTION count_placements(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(json_build_array(pool, queues) ORDER BY pool), '[]') FROM (
      SELECT pool, count(*) AS queues FROM placement
      WHERE project = p->>'project' AND kind = p->>'kind' AND is_settled GROUP BY pool
    ) counted
  );
END $$;

-- list_placements_of: takes pool, after [project, kind, name] or null, limit. Answers [placement], by project, kind and name.
CREATE FUNCTION list_placements_of(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(shown_placement(r)), '[]') FROM (
      SELECT placement AS r FROM placement
      WHERE pool = p->>'pool'
        AND (project, kind, name) > (coalesce(p->'after'->>0, ''), coalesce(p->'after'->>1, ''), coalesce(p->'after'->>2, ''))
      ORDER BY project, kind, name LIMIT (p->>'limit')::bigint
    ) page
  );
END $$;
