-- Guards: what a live target was sent that is guarded, what trips a guard, and what is held.

-- The target's own limits; see `rollcall_provisioning::guard::Guards`.
ALTER TABLE targets ADD COLUMN guards jsonb NOT NULL DEFAULT '{}';

-- Which guard last let a change of which resource pass. One row for each, so that a repeated try counts once.
CREATE TABLE effects (
    tenant_id   uuid        NOT NULL,
    target_id   uuid        NOT NULL,
    effect      text        NOT NULL,
    resource_id uuid        NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT effects_pkey PRIMARY KEY (tenant_id, target_id, effect, resource_id)
);
CREATE INDEX effects_at_idx ON effects (tenant_id, target_id, effect, at);

-- How many passed a guard on which day, from which limits are learnt.
CREATE TABLE effect_days (
    tenant_id uuid   NOT NULL,
    target_id uuid   NOT NULL,
    effect    text   NOT NULL,
    day       date   NOT NULL,
    passed    bigint NOT NULL,
    CONSTRAINT effect_days_pkey PRIMARY KEY (tenant_id, target_id, effect, day)
);

-- A guard that holds. It is open until nothing is held by it any more or a person closes it.
CREATE TABLE trips (
    tenant_id  uuid        NOT NULL,
    target_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    effect     text        NOT NULL,
    window_of  text        NOT NULL,
    observed   bigint      NOT NULL,
    most       bigint      NOT NULL,
    base       bigint      NOT NULL,
    arithmetic text        NOT NULL,
    tripped_at timestamptz NOT NULL,
    closed_at  timestamptz,
    closed_by  text,
    CONSTRAINT trips_pkey PRIMARY KEY (tenant_id, target_id, id)
);
CREATE UNIQUE INDEX trips_open_key ON trips (tenant_id, target_id, effect) WHERE closed_at IS NULL;

-- What holds a delivery (`rehearsal`, `guard:<effect>`, …), and what would be done.
ALTER TABLE deliveries ADD COLUMN held_by text, ADD COLUMN proposal jsonb;
CREATE INDEX deliveries_held_idx ON deliveries (tenant_id, target_id, held_by) WHERE held_by IS NOT NULL;
