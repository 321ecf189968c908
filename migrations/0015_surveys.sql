-- A look at everybody of a target, page by page in the order of their ids, after something changed for all of them at once:
-- other rules, or a new target. One row as long as it lasts. Beginning anew grows `number`, so that whoever is at an older
-- one writes nothing more.
CREATE TABLE surveys (
    tenant_id   uuid        NOT NULL,
    target_id   uuid        NOT NULL,
    number      bigint      NOT NULL DEFAULT 1,
    -- The last one who was looked at; null before the first.
    after       uuid,
    began_at    timestamptz NOT NULL,
    leased_by   text,
    lease_until timestamptz,
    CONSTRAINT surveys_pkey PRIMARY KEY (tenant_id, target_id)
);
