-- Adoption of an organisation that is there already: what was found in it, who is who, and what must not be touched.

-- One walk through a target, read-only. `walking` and `correlating` and `linking` are under way; `due_at` is when a worker
-- goes on with it. `lease_until` is by the database's clock.
CREATE TABLE scans (
    tenant_id    uuid        NOT NULL,
    target_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    state        text        NOT NULL,
    requested_by text        NOT NULL,
    requested_at timestamptz NOT NULL,
    finished_at  timestamptz,
    calls        bigint      NOT NULL DEFAULT 0,
    -- How many accounts the target says that it has.
    expected     bigint,
    -- What the application may not read of accounts.
    hidden       text[]      NOT NULL DEFAULT '{}',
    attempt      integer     NOT NULL DEFAULT 0,
    due_at       timestamptz,
    error_code   text,
    error        text,
    lease_epoch  bigint      NOT NULL DEFAULT 0,
    leased_by    text,
    lease_until  timestamptz,
    CONSTRAINT scans_pkey PRIMARY KEY (tenant_id, target_id, id),
    CONSTRAINT scans_state_check
        CHECK (state IN ('walking', 'correlating', 'linking', 'done', 'failed', 'cancelled'))
);
-- One at a time.
CREATE UNIQUE INDEX scans_open_key ON scans (tenant_id, target_id) WHERE state IN ('walking', 'correlating', 'linking');

-- The org units that a scan has come upon; those that are not read yet are where it goes on. `place` is where the list of
-- its accounts goes on, in the target's own words.
CREATE TABLE scanned_units (
    tenant_id         uuid    NOT NULL,
    target_id         uuid    NOT NULL,
    scan_id           uuid    NOT NULL,
    remote_id         text    NOT NULL,
    depth             integer NOT NULL,
    -- Names from the top, for people; and folded, to be compared. Both are empty at the top.
    path              text    NOT NULL,
    path_key          text    NOT NULL,
    -- Null until it was looked at.
    attributes        jsonb,
    place             text,
    read              boolean NOT NULL DEFAULT false,
    CONSTRAINT scanned_units_pkey PRIMARY KEY (tenant_id, target_id, scan_id, remote_id)
);
CREATE INDEX scanned_units_unread_idx ON scanned_units (tenant_id, target_id, scan_id, depth, remote_id) WHERE NOT read;

-- The accounts that a scan found, as they were. The oldest finished scan is kept: it is what there was before Rollcall.
CREATE TABLE scanned_accounts (
    tenant_id  uuid  NOT NULL,
    target_id  uuid  NOT NULL,
    scan_id    uuid  NOT NULL,
    remote_id  text  NOT NULL,
    attributes jsonb NOT NULL,
    CONSTRAINT scanned_accounts_pkey PRIMARY KEY (tenant_id, target_id, scan_id, remote_id)
);

-- Who may be who. `resource_id` alone: only in the directory; `remote_id` alone: only in the target.
-- `decision`: accepted, rejected, new (the person is to get a new account).
CREATE TABLE candidates (
    tenant_id   uuid     NOT NULL,
    target_id   uuid     NOT NULL,
    id          uuid     NOT NULL,
    scan_id     uuid     NOT NULL,
    bucket      text     NOT NULL,
    resource_id uuid,
    remote_id   text,
    score       integer  NOT NULL DEFAULT 0,
    keys        text[]   NOT NULL DEFAULT '{}',
    differs     text[]   NOT NULL DEFAULT '{}',
    decision    text,
    decided_by  text,
    decided_at  timestamptz,
    CONSTRAINT candidates_pkey PRIMARY KEY (tenant_id, target_id, id),
    CONSTRAINT candidates_bucket_check
        CHECK (bucket IN ('linked', 'suggested', 'contradiction', 'only_in_target', 'only_in_directory')),
    CONSTRAINT candidates_decision_check CHECK (decision IN ('accepted', 'rejected', 'new'))
);
CREATE INDEX candidates_bucket_idx ON candidates (tenant_id, target_id, bucket, id);
CREATE INDEX candidates_resource_idx ON candidates (tenant_id, target_id, resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX candidates_remote_idx ON candidates (tenant_id, target_id, remote_id) WHERE remote_id IS NOT NULL;

-- What is said of an account, an org unit or a person: protected and do_not_touch hold every step against it; later and
-- leaver only say what people intend. A lifted mark stays, so that an automatic one does not come back.
CREATE TABLE marks (
    tenant_id   uuid        NOT NULL,
    target_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    entity_kind text        NOT NULL,
    remote_id   text,
    resource_id uuid,
    kind        text        NOT NULL,
    reason      text        NOT NULL,
    made_by     text        NOT NULL,
    made_at     timestamptz NOT NULL,
    review_on   date,
    -- The target says that it is an administrator.
    automatic   boolean     NOT NULL DEFAULT false,
    lifted_by   text,
    lifted_at   timestamptz,
    CONSTRAINT marks_pkey PRIMARY KEY (tenant_id, target_id, id),
    CONSTRAINT marks_kind_check CHECK (kind IN ('protected', 'do_not_touch', 'later', 'leaver')),
    CONSTRAINT marks_about_check CHECK ((remote_id IS NULL) <> (resource_id IS NULL))
);
CREATE UNIQUE INDEX marks_remote_key ON marks (tenant_id, target_id, entity_kind, remote_id) WHERE remote_id IS NOT NULL;
CREATE UNIQUE INDEX marks_resource_key ON marks (tenant_id, target_id, resource_id) WHERE resource_id IS NOT NULL;

-- When the link was made by adoption.
ALTER TABLE links ADD COLUMN adopted_at timestamptz;
-- Whether the entity was adopted and no plan has permitted a change since: whatever differs waits for one.
ALTER TABLE deliveries ADD COLUMN adopted boolean NOT NULL DEFAULT false;
-- How much the keys count; see `rollcall_provisioning::correlation::Weights`.
ALTER TABLE targets ADD COLUMN weights jsonb NOT NULL DEFAULT '{}';
