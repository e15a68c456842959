-- Who made the claim; null: nobody said, or it is from before.
ALTER TABLE claim ADD COLUMN client text;
