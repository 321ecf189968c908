-- The rules by which people and groups become entities: one document per tenant, in versions that are never changed.
CREATE TABLE mappings (
    tenant_id  uuid        NOT NULL,
    version    integer     NOT NULL,
    document   jsonb       NOT NULL,
    note       text        NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text        NOT NULL,
    CONSTRAINT mappings_pkey PRIMARY KEY (tenant_id, version),
    CONSTRAINT mappings_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
-- The version that counts; 0 is the document that all begin with.
ALTER TABLE tenants ADD COLUMN mapping_version integer NOT NULL DEFAULT 0;
-- The version under which an existing account was last let through. An account that another version changes is held
-- until a plan permits it.
ALTER TABLE deliveries ADD COLUMN mapping_version integer NOT NULL DEFAULT 0;
