-- What tells rows apart comes first. While a new target is filled nothing has been counted of it yet, and Postgres takes an
-- index that begins with tenant and target to be as good as any other: it then read everybody for each department.
ALTER TABLE placements DROP CONSTRAINT placements_pkey;
ALTER TABLE placements ADD CONSTRAINT placements_pkey PRIMARY KEY (user_id, tenant_id, target_id, unit_id);
DROP INDEX placements_wanted_idx;
DROP INDEX placements_applied_idx;
CREATE INDEX placements_wanted_idx ON placements (unit_id, tenant_id, target_id) WHERE wanted;
CREATE INDEX placements_unit_idx ON placements (unit_id, tenant_id, target_id);
