-- A queue that held dead letters but that nobody had created exists from now on.
ALTER TABLE queues DROP COLUMN latent;
