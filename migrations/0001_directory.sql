-- Expand step 1: the directory (tenants, sources, credentials, operators, users, groups, memberships, changes).
--
-- Every table begins with the tenant in its key, so that it can be distributed by tenant. The text columns ending
-- in _key hold the folded form of a value (see `rollcall_scim::fold`): they exist to be compared, never to be shown.

CREATE TABLE tenants (
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT tenants_pkey PRIMARY KEY (id),
    CONSTRAINT tenants_name_key UNIQUE (name)
);

-- One configured SCIM client. `profile` names the set of wire tolerances; `overrides` changes single switches of it.
CREATE TABLE sources (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    profile    text        NOT NULL,
    overrides  jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sources_name_key UNIQUE (tenant_id, name),
    CONSTRAINT sources_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- Bearer tokens, as SHA-256 of a 256-bit random secret. `source_id` is null for tokens of the REST API.
CREATE TABLE credentials (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    source_id    uuid,
    label        text        NOT NULL,
    secret_hash  bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CONSTRAINT credentials_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT credentials_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id)
);

-- People who sign in to the console. The name is unique over all tenants, because it is all that they type.
CREATE TABLE operators (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT operators_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT operators_name_key UNIQUE (name),
    CONSTRAINT operators_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- SCIM users. `attributes` is the resource without id, meta and read-only attributes; the columns before it are
-- copies of what clients look people up by, cut off at 1,000 bytes where the client may send more than an index holds.
CREATE TABLE users (
    tenant_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    source_id           uuid        NOT NULL,
    user_name_key       text        NOT NULL,
    external_id         text,
    active              boolean     NOT NULL,
    display_name_key    text,
    email_keys          text[]      NOT NULL,
    employee_number_key text,
    manager_id          text,
    attributes          jsonb       NOT NULL,
    version             bigint      NOT NULL,
    created_at          timestamptz NOT NULL,
    modified_at         timestamptz NOT NULL,
    deleted_at          timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 85); -- Room for the next version on the same page, so that an update need not touch the indexes.
-- One live holder of a userName; a deleted one does not count (RFC 7644 section 3.6).
CREATE UNIQUE INDEX users_user_name_key ON users (tenant_id, user_name_key) WHERE deleted_at IS NULL;
-- Look-up by externalId, as Entra and Workday feeds do.
CREATE INDEX users_external_id_idx ON users (tenant_id, external_id) WHERE deleted_at IS NULL AND external_id IS NOT NULL;
-- Filter displayName eq.
CREATE INDEX users_display_name_idx ON users (tenant_id, display_name_key) WHERE deleted_at IS NULL AND display_name_key IS NOT NULL;
-- Filter emails.value eq and emails[type eq "work"].value eq. Without the list of pending entries, which every look-up
-- would have to read.
CREATE INDEX users_email_idx ON users USING gin (email_keys) WITH (fastupdate = off) WHERE deleted_at IS NULL;
-- Filter employeeNumber eq.
CREATE INDEX users_employee_number_idx ON users (tenant_id, employee_number_key) WHERE deleted_at IS NULL AND employee_number_key IS NOT NULL;
-- Filter manager eq, and the reports of a manager who leaves.
CREATE INDEX users_manager_idx ON users (tenant_id, manager_id) WHERE deleted_at IS NULL AND manager_id IS NOT NULL;
-- Listing in a stable order; ids grow with time.
CREATE INDEX users_live_idx ON users (tenant_id, id) WHERE deleted_at IS NULL;

-- Deleted users whose rows are still needed; see the store's collecting.
CREATE INDEX users_deleted_idx ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- SCIM groups; members are rows of their own.
CREATE TABLE groups (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    source_id        uuid        NOT NULL,
    display_name_key text        NOT NULL,
    external_id      text,
    attributes       jsonb       NOT NULL,
    version          bigint      NOT NULL,
    created_at       timestamptz NOT NULL,
    modified_at      timestamptz NOT NULL,
    deleted_at       timestamptz,
    CONSTRAINT groups_pkey PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 85); -- The version moves with every member.
-- Entra needs displayName to be unique, Okta links by it.
CREATE UNIQUE INDEX groups_display_name_key ON groups (tenant_id, display_name_key) WHERE deleted_at IS NULL;
CREATE INDEX groups_external_id_idx ON groups (tenant_id, external_id) WHERE deleted_at IS NULL AND external_id IS NOT NULL;
CREATE INDEX groups_live_idx ON groups (tenant_id, id) WHERE deleted_at IS NULL;

-- Who is in which group. `member_id` is the `value` as the client sent it: it may name nobody yet.
CREATE TABLE memberships (
    tenant_id uuid NOT NULL,
    group_id  uuid NOT NULL,
    member_id text NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (tenant_id, group_id, member_id)
);
-- The groups of a user.
CREATE INDEX memberships_member_idx ON memberships (tenant_id, member_id);

-- Append-only: who changed what, when, and because of which request. Also where alerts are kept.
CREATE TABLE changes (
    tenant_id     uuid        NOT NULL,
    id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at            timestamptz NOT NULL,
    source_id     uuid,
    request_id    text        NOT NULL,
    operation     text        NOT NULL,
    resource_kind text        NOT NULL,
    resource_id   uuid        NOT NULL,
    version       bigint      NOT NULL,
    details       jsonb       NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (tenant_id, id)
);
-- The history of one person.
CREATE INDEX changes_resource_idx ON changes (tenant_id, resource_id, id);
