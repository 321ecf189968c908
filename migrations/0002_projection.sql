-- Expand step 2: the projection (targets, org units, placements, links, deliveries, attempts, rate budgets).

-- One configured DingTalk organisation. `settings` holds addresses and the application key; the application secret
-- is sealed with the installation's master key and never leaves in the clear.
CREATE TABLE targets (
    tenant_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    name              text        NOT NULL,
    kind              text        NOT NULL,
    settings          jsonb       NOT NULL,
    settings_revision bigint      NOT NULL DEFAULT 1,
    secret_sealed     bytea       NOT NULL,
    mode              text        NOT NULL,
    stopped_until     timestamptz,
    stopped_code      text,
    stopped_reason    text,
    created_at        timestamptz NOT NULL,
    CONSTRAINT targets_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT targets_name_key UNIQUE (tenant_id, name),
    CONSTRAINT targets_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT targets_mode_check CHECK (mode IN ('rehearsal', 'live', 'paused'))
);

-- Departments that follow from the users' attributes, per target because each target has its own mapping.
-- A row lives as long as the department does at the target. Directly under the root, parent_id is the target's own id,
-- so that it is never null and the look-up by name is one index.
CREATE TABLE org_units (
    tenant_id  uuid        NOT NULL,
    target_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    parent_id  uuid        NOT NULL,
    name       text        NOT NULL,
    name_key   text        NOT NULL,
    created_at timestamptz NOT NULL,
    gone_at    timestamptz,
    CONSTRAINT org_units_pkey PRIMARY KEY (tenant_id, target_id, id)
);
CREATE UNIQUE INDEX org_units_name_key ON org_units (tenant_id, target_id, parent_id, name_key) WHERE gone_at IS NULL;

-- Where a user belongs, and where the target has them. A department is empty when neither column names it.
CREATE TABLE placements (
    tenant_id    uuid NOT NULL,
    target_id    uuid NOT NULL,
    user_id      uuid NOT NULL,
    wanted_unit  uuid,
    applied_unit uuid,
    CONSTRAINT placements_pkey PRIMARY KEY (tenant_id, target_id, user_id)
);
CREATE INDEX placements_wanted_idx ON placements (tenant_id, target_id, wanted_unit) WHERE wanted_unit IS NOT NULL;
CREATE INDEX placements_applied_idx ON placements (tenant_id, target_id, applied_unit) WHERE applied_unit IS NOT NULL;

-- Our memory that a resource is an entity. It outlives the resource until the entity is gone. `generation` grows
-- when an entity is gone, so that a remote id is never used twice.
CREATE TABLE links (
    tenant_id     uuid        NOT NULL,
    target_id     uuid        NOT NULL,
    resource_kind text        NOT NULL,
    resource_id   uuid        NOT NULL,
    remote_id     text,
    generation    integer     NOT NULL DEFAULT 1,
    observed      text        NOT NULL,
    snapshot      jsonb       NOT NULL DEFAULT '{}',
    invited_at    timestamptz,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT links_pkey PRIMARY KEY (tenant_id, target_id, resource_kind, resource_id),
    CONSTRAINT links_observed_check CHECK (observed IN ('absent', 'unknown', 'known'))
);
-- Two resources never share an entity.
CREATE UNIQUE INDEX links_remote_id_key ON links (tenant_id, target_id, resource_kind, remote_id) WHERE remote_id IS NOT NULL;
-- Who else was invited under a number.
CREATE INDEX links_invited_idx ON links (tenant_id, target_id, (snapshot ->> 'mobile')) WHERE invited_at IS NOT NULL;

-- The dirty set: one row per target and resource. It is dirty while mark > done_mark. `due_at` is null when only a
-- new mark or a wake brings it back; it is set by the injected clock, `lease_until` by the database's own.
CREATE TABLE deliveries (
    tenant_id       uuid        NOT NULL,
    target_id       uuid        NOT NULL,
    resource_kind   text        NOT NULL,
    resource_id     uuid        NOT NULL,
    mark            bigint      NOT NULL DEFAULT 1,
    done_mark       bigint      NOT NULL DEFAULT 0,
    lane            smallint    NOT NULL,
    state           text        NOT NULL,
    due_at          timestamptz,
    dirty_since     timestamptz,
    attempt         integer     NOT NULL DEFAULT 0,
    waiting_for     uuid,
    wants           text[],
    lease_epoch     bigint      NOT NULL DEFAULT 0,
    leased_by       text,
    lease_until     timestamptz,
    error_class     text,
    error_code      text,
    reason          text,
    applied_version bigint,
    applied_at      timestamptz,
    request_id      text,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT deliveries_pkey PRIMARY KEY (tenant_id, target_id, resource_kind, resource_id)
) WITH (fillfactor = 70);
-- What a worker claims, target by target, in the order in which it claims.
CREATE INDEX deliveries_due_idx ON deliveries (tenant_id, target_id, lane, due_at, resource_id) WHERE due_at IS NOT NULL;
-- Who is woken when a resource arrives at the target.
CREATE INDEX deliveries_waiting_idx ON deliveries (tenant_id, target_id, waiting_for) WHERE waiting_for IS NOT NULL;
-- Who is woken when an entity gives up a value that it alone could have: `wants` are the values that were refused.
CREATE INDEX deliveries_wants_idx ON deliveries USING gin (wants) WHERE wants IS NOT NULL;
-- Lists by state, and the count of each.
CREATE INDEX deliveries_state_idx ON deliveries (tenant_id, target_id, state, resource_id);

-- Every call to a target that changes something, and every try that failed before one.
CREATE TABLE attempts (
    tenant_id     uuid        NOT NULL,
    target_id     uuid        NOT NULL,
    id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at            timestamptz NOT NULL,
    resource_kind text        NOT NULL,
    resource_id   uuid        NOT NULL,
    mark          bigint      NOT NULL,
    request_id    text,
    worker        text        NOT NULL,
    action        text        NOT NULL,
    attributes    text[]      NOT NULL,
    outcome       text        NOT NULL,
    error_class   text,
    error_code    text,
    message       text,
    duration_ms   integer     NOT NULL,
    CONSTRAINT attempts_pkey PRIMARY KEY (tenant_id, target_id, id)
);
CREATE INDEX attempts_resource_idx ON attempts (tenant_id, resource_id, id);

-- When the next call under a limit may go, for all workers of the installation together.
CREATE UNLOGGED TABLE rate_budgets (
    key     text        NOT NULL,
    next_at timestamptz NOT NULL,
    CONSTRAINT rate_budgets_pkey PRIMARY KEY (key)
);
