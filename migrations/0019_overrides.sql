-- Undo: attributes that are held at a value other than the one that the rules want, and what an undo needs to know.

-- One attribute of one entity that is held at `value` (null: at none) as long as the rules want `against`. It ends when
-- they want something else, or when a person lifts it; a row that has ended stays, so that the past can be explained. The
-- attribute `account` stands for the whole account, which is held absent.
CREATE TABLE overrides (
    tenant_id     uuid        NOT NULL,
    id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    target_id     uuid        NOT NULL,
    resource_kind text        NOT NULL,
    resource_id   uuid        NOT NULL,
    attribute     text        NOT NULL,
    value         jsonb,
    against       jsonb,
    made_by       text        NOT NULL,
    made_at       timestamptz NOT NULL,
    reason        text        NOT NULL,
    -- The day on which somebody is to ask whether it is still needed.
    review_on     date,
    plan_id       uuid,
    ended_at      timestamptz,
    -- Who lifted it; null when the rules want something else by now, or the resource has left.
    ended_by      text,
    ended_why     text,
    CONSTRAINT overrides_pkey PRIMARY KEY (tenant_id, id)
);
-- One at a time holds an attribute.
CREATE UNIQUE INDEX overrides_live_key ON overrides (tenant_id, target_id, resource_kind, resource_id, attribute)
    WHERE ended_at IS NULL;
CREATE INDEX overrides_resource_idx ON overrides (tenant_id, resource_id, id);

-- Of a plan that undoes: what it undoes, why, and when its overrides are to be reviewed. Of each of its changes: what is
-- held or lifted, what must still be so when it is applied, and what cannot be undone.
ALTER TABLE plans ADD COLUMN undoes jsonb;
ALTER TABLE plan_changes ADD COLUMN undo jsonb;

-- By which version of the mapping an action was decided, and whether it followed from that version rather than from a
-- change of the source.
ALTER TABLE attempts
    ADD COLUMN mapping_version integer,
    ADD COLUMN by_mapping boolean NOT NULL DEFAULT false;
CREATE INDEX attempts_mapping_idx ON attempts (tenant_id, target_id, mapping_version, id) WHERE by_mapping;
