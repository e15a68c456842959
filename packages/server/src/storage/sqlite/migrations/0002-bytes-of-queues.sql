-- Of the bodies of its messages, in UTF-8; counts those that `free` and `claimed` count.
ALTER TABLE queues ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE queues SET bytes = (SELECT ifnull(sum(octet_length(body)), 0) FROM messages m WHERE m.bucket = queues.bucket);
