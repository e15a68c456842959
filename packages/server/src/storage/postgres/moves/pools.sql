-- Moves of pools and flavors. There are few, and they change rarely: writers come one after the other. `project` is the one that asks; a pool
-- is answered as [name, uri, weight, options as JSON text, its flavor in the project or null], a flavor as [name, [pool]].

CREATE FUNCTION enter_pools() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM service FOR NO KEY UPDATE;
END $$;

CREATE FUNCTION shown_pool(pool_ pool, project_ text) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN json_build_array(
    pool_.name, pool_.uri, pool_.weight, pool_.options,
    (SELECT flavor FROM pool_flavor WHERE project = project_ AND pool = pool_.name)
  );
END $$;

-- In place of what the pool belonged to in the project; null: to nothing.
CREATE FUNCTION tie(project_ text, pool_ text, flavor_ text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF flavor_ IS NULL THEN
    DELETE FROM pool_flavor WHERE project = project_ AND pool = pool_;
  ELSE
    INSERT INTO pool_flavor (project, pool, flavor) VALUES (project_, pool_, flavor_)
    ON CONFLICT (project, pool) DO UPDATE SET flavor = excluded.flavor;
  END IF;
END $$;

CREATE FUNCTION is_draining(pool_ text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM relocation WHERE pool = pool_ AND status = 'active');

-- put_pool: creates or overwrites.
--   takes     project, name, uri, weight, options (JSON text), flavor or null
--   answers   "stored" | "uri-in-use", where another pool has it | "draining", where it would get a weight
CREATE FUNCTION put_pool(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM enter_pools();
  PERFORM FROM pool WHERE uri = p->>'uri' AND name <> p->>'name';
  IF FOUND THEN RETURN '"uri-in-use"'; END IF;
  IF (p->>'weight')::bigint > 0 AND is_draining(p->>'name') THEN RETURN '"draining"'; END IF;
  INSERT INTO pool (name, uri, weight, options) VALUES (p->>'name', p->>'uri', (p->>'weight')::bigint, p->>'options')
  ON CONFLICT (name) DO UPDATE SET uri = excluded.uri, weight = excluded.weight, options = excluded.options;
  PERFORM tie(p->>'project', p->>'name', p->>'flavor');
  RETURN '"stored"';
END $$;

-- update_pool
--   takes     project, name, and any of uri, weight, options, flavor
--   answers   the pool as it is then | "absent" | "uri-in-use" | "draining"
CREATE FUNCTION update_pool(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE updated pool;
BEGIN
  PERFORM enter_pools();
  PERFORM FROM pool WHERE name = p->>'name';
  IF NOT FOUND THEN RETURN '"absent"'; END IF;
  PERFORM FROM pool WHERE uri = p->>'uri' AND name <> p->>'name';
  IF FOUND THEN RETURN '"uri-in-use"'; END IF;
  IF (p->>'weight')::bigint > 0 AND is_draining(p->>'name') THEN RETURN '"draining"'; END IF;
  UPDATE pool SET
    uri = coalesce(p->>'uri', uri), weight = coalesce((p->>'weight')::bigint, weight), options = coalesce(p->>'options', options)
  WHERE name = p->>'name' RETURNING * INTO updated;
  IF p ? 'flavor' THEN PERFORM tie(p->>'project', p->>'name', p->>'flavor'); END IF;
  RETURN shown_pool(updated, p->>'project');
END $$;

-- get_pool: takes project, name. Answers the pool, or null.
CREATE FUNCTION get_pool(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT shown_pool(pool, p->>'project') FROM pool WHERE name = p->>'name');
END $$;

-- list_pools: takes project, after (a name, or null), limit. Answers [pool], by name.
CREATE FUNCTION list_pools(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(shown_pool(x, p->>'project')), '[]') FROM (
      SELECT pool AS x FROM pool WHERE name > coalesce(p->>'after', '') ORDER BY name LIMIT (p->>'limit')::bigint
    ) page
  );
END $$;

-- delete_pool: takes name. Answers the names of the flavors whose last pool it is, or "queues" while some are placed on it; it was removed when
-- it answers an empty list.
CREATE FUNCTION delete_pool(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE last_of json;
BEGIN
  PERFORM enter_pools();
  SELECT json_agg(flavor ORDER BY flavor) INTO last_of FROM (
    SELECT DISTINCT flavor FROM pool_flavor own
    WHERE pool = p->>'name' AND NOT EXISTS (
      SELECT FROM pool_flavor other WHERE other.project = own.project AND other.flavor = own.flavor AND other.pool <> own.pool
    )
  ) f;
  IF last_of IS NOT NULL THEN RETURN last_of; END IF;
  -- Who places a queue there holds the row until its commit.
  PERFORM FROM pool WHERE name = p->>'name' FOR UPDATE;
  PERFORM FROM placement WHERE pool = p->>'name' LIMIT 1;
  IF FOUND THEN RETURN '"queues"'; END IF;
  DELETE FROM pool WHERE name = p->>'name';
  DELETE FROM relocation WHERE pool = p->>'name';
  RETURN '[]';
END $$;

-- The first of the pools [name] that does not exist.
CREATE FUNCTION unknown_pool(pools jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT x.name FROM jsonb_array_elements_text(pools) WITH ORDINALITY AS x(name, n)
    WHERE NOT EXISTS (SELECT FROM pool WHERE pool.name = x.name) ORDER BY n LIMIT 1
  );
END $$;

-- put_flavor: creates it, or lets more pools join it.
--   takes     project, name, pools [name]
--   answers   the first pool that does not exist, or null when the flavor was stored
CREATE FUNCTION put_flavor(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE unknown text;
BEGIN
  PERFORM enter_pools();
  unknown := unknown_pool(p->'pools');
  IF unknown IS NOT NULL THEN RETURN to_json(unknown); END IF;
  INSERT INTO flavor (project, name) VALUES (p->>'project', p->>'name') ON CONFLICT DO NOTHING;
  PERFORM tie(p->>'project', x.name, p->>'name') FROM jsonb_array_elements_text(p->'pools') AS x(name);
  RETURN NULL;
END $$;

-- update_flavor: its pools are these alone then. Takes and answers as `put_flavor`, but false when there is no such flavor.
CREATE FUNCTION update_flavor(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE unknown text;
BEGIN
  PERFORM enter_pools();
  PERFORM FROM flavor WHERE project = p->>'project' AND name = p->>'name';
  IF NOT FOUND THEN RETURN 'false'; END IF;
  unknown := unknown_pool(p->'pools');
  IF unknown IS NOT NULL THEN RETURN to_json(unknown); END IF;
  DELETE FROM pool_flavor WHERE project = p->>'project' AND flavor = p->>'name';
  PERFORM tie(p->>'project', x.name, p->>'name') FROM jsonb_array_elements_text(p->'pools') AS x(name);
  RETURN NULL;
END $$;

CREATE FUNCTION shown_flavor(f flavor) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN json_build_array(f.name, (
    SELECT coalesce(json_agg(pool ORDER BY pool), '[]') FROM pool_flavor WHERE project = f.project AND flavor = f.name
  ));
END $$;

-- get_flavor: takes project, name. Answers the flavor, or null.
CREATE FUNCTION get_flavor(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT shown_flavor(flavor) FROM flavor WHERE project = p->>'project' AND name = p->>'name');
END $$;

-- list_flavors: takes project, after (a name, or null), limit. Answers [flavor], by name.
CREATE FUNCTION list_flavors(p jsonb) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(shown_flavor(x)), '[]') FROM (
      SELECT flavor AS x FROM flavor WHERE project = p->>'project' AND name > coalesce(p->>'after', '')
      ORDER BY name LIMIT (p->>'limit')::bigint
    ) page
  );
END $$;

-- delete_flavor: takes project, name. Answers null.
CREATE FUNCTION delete_flavor(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM enter_pools();
  DELETE FROM flavor WHERE project = p->>'project' AND name = p->>'name';
  DELETE FROM pool_flavor WHERE project = p->>'project' AND flavor = p->>'name';
  RETURN NULL;
END $$;
