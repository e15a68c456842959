-- Metadata may be long, and most moves on a queue do not look at them: apart, the row of a queue is short, and so is a walk over
-- many of them.
CREATE TABLE metadata (
  queue INTEGER PRIMARY KEY,
  -- JSON of an object.
  text  TEXT NOT NULL
) STRICT;
INSERT INTO metadata SELECT id, metadata FROM queues;
ALTER TABLE queues DROP COLUMN metadata;
