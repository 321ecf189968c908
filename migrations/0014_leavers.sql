-- Since when a person has left, as far as this target is concerned; and who decided to remove the account at once.
ALTER TABLE links ADD COLUMN left_at timestamptz, ADD COLUMN removal_by text;
