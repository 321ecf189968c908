-- Expand step 6: several sources for one resource.
--
-- An externalId belongs to the client that gave it (RFC 7643 section 3.1). `external_id`, and `externalId` in
-- `attributes`, are those of the source that created the resource; `external_ids` holds those of all others, as an
-- object from the id of the source to its externalId. It is null for nearly everybody.
ALTER TABLE users ADD COLUMN external_ids jsonb;
ALTER TABLE groups ADD COLUMN external_ids jsonb;
-- Look-up by externalId, by another source than the one that created.
CREATE INDEX users_external_ids_idx ON users USING gin (external_ids jsonb_path_ops) WITH (fastupdate = off) WHERE deleted_at IS NULL AND external_ids IS NOT NULL;
CREATE INDEX groups_external_ids_idx ON groups USING gin (external_ids jsonb_path_ops) WITH (fastupdate = off) WHERE deleted_at IS NULL AND external_ids IS NOT NULL;

-- Which source decides an attribute. What another source writes there is recorded and not applied. `attribute` is the
-- name of an attribute, after its URN and a colon if an extension defines it.
CREATE TABLE attribute_owners (
    tenant_id     uuid        NOT NULL,
    resource_kind text        NOT NULL,
    attribute     text        NOT NULL,
    source_id     uuid        NOT NULL,
    CONSTRAINT attribute_owners_pkey PRIMARY KEY (tenant_id, resource_kind, attribute),
    CONSTRAINT attribute_owners_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id)
);
