-- The catalogue of pools: where each queue lies, see docs/decisions/pools.md. `is_settled` is false while the queue is being made or deleted: only
-- its pool says whether it is there. `is_leaving`: the mark was taken away, and nobody has placed the queue since. `version` is exchanged whenever the row changes.
CREATE TABLE placement (
  project text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  pool text COLLATE "C" NOT NULL,
  version bigint NOT NULL DEFAULT nextval('identity'),
  is_settled boolean NOT NULL DEFAULT false,
  is_leaving boolean NOT NULL DEFAULT false,
  PRIMARY KEY (project, kind, name)
);
CREATE INDEX placement_pool ON placement (pool, project, kind, name);
