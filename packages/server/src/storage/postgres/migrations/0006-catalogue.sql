-- Moves of pools and flavors. There are few, and they change rarely: writers come one after the other.

CREATE FUNCTION enter_catalogue() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM service FOR NO KEY UPDATE;
END $$;

-- pool {name, uri, weight, options (JSON text), flavor}.
CREATE FUNCTION put_pool(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM enter_catalogue();
  PERFORM FROM pool WHERE uri = p->>'uri' AND name <> p->>'name';
  IF FOUND THEN RETURN '"uri-in-use"'; END IF;
  INSERT INTO pool VALUES (p->>'name', p->>'uri', (p->>'weight')::integer, p->>'options', p->>'flavor')
  ON CONFLICT (name) DO UPDATE
  SET uri = excluded.uri, weight = excluded.weight, options = excluded.options, flavor = excluded.flavor;
  RETURN '"stored"';
END $$;

CREATE FUNCTION shown_pool(p pool) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(p.name, p.uri, p.weight, p.options, p.flavor);

CREATE FUNCTION get_pool(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT shown_pool(pool) FROM pool WHERE name = p->>'name'
$$;

CREATE FUNCTION list_pools(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(shown_pool(x)), '[]') FROM (
    SELECT pool AS x FROM pool WHERE name > coalesce(p->>'after', '') ORDER BY name LIMIT (p->>'limit')::integer
  ) page
$$;

-- Answers the names of the flavors whose last pool it is; removed when there are none.
CREATE FUNCTION delete_pool(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE last_of json;
BEGIN
  PERFORM enter_catalogue();
  SELECT json_agg(name ORDER BY name) INTO last_of
  FROM (SELECT DISTINCT name FROM flavor WHERE pools = ARRAY[p->>'name']) f;
  IF last_of IS NOT NULL THEN RETURN last_of; END IF;
  DELETE FROM pool WHERE name = p->>'name';
  UPDATE flavor SET pools = array_remove(pools, p->>'name') WHERE p->>'name' = ANY (pools);
  RETURN '[]';
END $$;

-- project, name, pools. Answers the first pool that does not exist, or null when the flavor was stored.
CREATE FUNCTION put_flavor(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE unknown text; pools_ text[];
BEGIN
  PERFORM enter_catalogue();
  SELECT coalesce(array_agg(x.name ORDER BY n), '{}') INTO pools_
  FROM jsonb_array_elements_text(p->'pools') WITH ORDINALITY AS x(name, n);
  SELECT x.name INTO unknown FROM unnest(pools_) WITH ORDINALITY AS x(name, n)
  WHERE NOT EXISTS (SELECT FROM pool WHERE pool.name = x.name) ORDER BY n LIMIT 1;
  IF FOUND THEN RETURN to_json(unknown); END IF;
  INSERT INTO flavor VALUES (p->>'project', p->>'name', pools_)
  ON CONFLICT (project, name) DO UPDATE SET pools = excluded.pools;
  RETURN NULL;
END $$;

CREATE FUNCTION shown_flavor(f flavor) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_array(f.name, to_json(f.pools));

CREATE FUNCTION get_flavor(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT shown_flavor(flavor) FROM flavor WHERE project = p->>'project' AND name = p->>'name'
$$;

CREATE FUNCTION list_flavors(p jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(shown_flavor(x)), '[]') FROM (
    SELECT flavor AS x FROM flavor WHERE project = p->>'project' AND name > coalesce(p->>'after', '')
    ORDER BY name LIMIT (p->>'limit')::integer
  ) page
$$;

CREATE FUNCTION delete_flavor(p jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  PERFORM enter_catalogue();
  DELETE FROM flavor WHERE project = p->>'project' AND name = p->>'name';
  RETURN NULL;
END $$;
