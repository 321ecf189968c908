-- A person may belong to several departments: one row for each, as long as the directory wants them there or the
-- target has them there. Whoever belongs to none has no row.
DROP TABLE placements;
CREATE TABLE placements (
    tenant_id uuid    NOT NULL,
    target_id uuid    NOT NULL,
    user_id   uuid    NOT NULL,
    unit_id   uuid    NOT NULL,
    wanted    boolean NOT NULL,
    applied   boolean NOT NULL,
    -- Whether the directory wants them to head it.
    head      boolean NOT NULL DEFAULT false,
    CONSTRAINT placements_pkey PRIMARY KEY (tenant_id, target_id, user_id, unit_id)
);
CREATE INDEX placements_wanted_idx ON placements (tenant_id, target_id, unit_id) WHERE wanted;
CREATE INDEX placements_applied_idx ON placements (tenant_id, target_id, unit_id) WHERE applied;
