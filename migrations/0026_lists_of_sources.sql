-- Expand step 26: how many people a source has is also asked of sources that created none of them.

-- The people whom a source calls by a name of its own although another one created them.
CREATE INDEX users_known_idx ON users USING gin (external_ids) WITH (fastupdate = off)
    WHERE active AND deleted_at IS NULL AND external_ids IS NOT NULL;
