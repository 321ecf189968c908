-- Guards that look at how things stand: how many people a source has, hour by hour, so that it is noticed when its list
-- is suddenly short.
CREATE TABLE source_sizes (
    tenant_id uuid        NOT NULL,
    source_id uuid        NOT NULL,
    at        timestamptz NOT NULL,
    -- People whom the source has created and who are active.
    active    bigint      NOT NULL,
    CONSTRAINT source_sizes_pkey PRIMARY KEY (tenant_id, source_id, at)
);
CREATE INDEX source_sizes_at_idx ON source_sizes (at);

-- How many there are now is asked for each of its departures.
CREATE INDEX users_source_idx ON users (tenant_id, source_id) WHERE active AND deleted_at IS NULL;
