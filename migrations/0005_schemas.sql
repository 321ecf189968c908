-- Expand step 5: what a tenant adds to the model of its directory.

-- Extension schemas. `urn_key` is the URN in lower case, because URNs are compared so; `document` is the schema as
-- RFC 7643 section 7 writes it.
CREATE TABLE schemas (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    urn_key       text        NOT NULL,
    resource_kind text        NOT NULL,
    document      jsonb       NOT NULL,
    created_at    timestamptz NOT NULL,
    modified_at   timestamptz NOT NULL,
    CONSTRAINT schemas_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT schemas_urn_key UNIQUE (tenant_id, urn_key),
    CONSTRAINT schemas_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
