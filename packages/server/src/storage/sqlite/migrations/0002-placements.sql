-- The catalogue of pools: where each queue lies, see docs/decisions/pools.md.
CREATE TABLE placement (
  project    TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  pool       TEXT    NOT NULL,
  -- Exchanged whenever the row changes, and never used again.
  version    TEXT    NOT NULL,
  -- 0 while the queue is being made or deleted: only its pool says whether it is there.
  is_settled INTEGER NOT NULL,
  -- The mark was taken away, and nobody has placed the queue since.
  is_leaving INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (project, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_pool ON placement (pool, project, kind, name);
