-- Plans: what is to be done, set down so that people can read, approve and apply exactly that.

CREATE TABLE plans (
    tenant_id    uuid        NOT NULL,
    target_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    -- `held`: what was held when it was made; `undo`: the way back from another plan or a time.
    kind         text        NOT NULL,
    state        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    expires_at   timestamptz NOT NULL,
    -- What is counted in it, by action and by guarded effect, and which guards would hold a part of it.
    summary      jsonb       NOT NULL,
    requested_by text,
    requested_at timestamptz,
    reason       text,
    approved_by  text,
    approved_at  timestamptz,
    applied_by   text,
    applied_at   timestamptz,
    ended_at     timestamptz,
    CONSTRAINT plans_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX plans_target_idx ON plans (tenant_id, target_id, created_at DESC);

-- One resource in a plan. `state`: planned, permitted, applied, moved, failed, withheld.
CREATE TABLE plan_changes (
    tenant_id     uuid        NOT NULL,
    plan_id       uuid        NOT NULL,
    resource_kind text        NOT NULL,
    resource_id   uuid        NOT NULL,
    name          text,
    proposal      jsonb       NOT NULL,
    -- Whether a guard would hold it when the plan is judged as a whole.
    guarded       boolean     NOT NULL,
    reason        text,
    state         text        NOT NULL,
    detail        text,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT plan_changes_pkey PRIMARY KEY (tenant_id, plan_id, resource_kind, resource_id)
);
CREATE INDEX plan_changes_state_idx ON plan_changes (tenant_id, plan_id, state);

-- The plan by which a delivery may be sent although something holds it.
ALTER TABLE deliveries ADD COLUMN permit uuid;

-- What an entity had before and after an action that was accepted: how a plan is undone and a value explained.
ALTER TABLE attempts ADD COLUMN before jsonb, ADD COLUMN after jsonb, ADD COLUMN plan_id uuid;
CREATE INDEX attempts_plan_idx ON attempts (tenant_id, plan_id, id) WHERE plan_id IS NOT NULL;
CREATE INDEX attempts_at_idx ON attempts (tenant_id, target_id, at);
