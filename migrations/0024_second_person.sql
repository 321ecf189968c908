-- The second person: which token made which, and who was behind a request for a release.

-- The token of the REST API that made this credential; null when it was made at the command line or in the console.
ALTER TABLE credentials ADD COLUMN minted_by uuid;
UPDATE credentials c SET minted_by = (e.details -> 'by' ->> 'token')::uuid
FROM changes e
WHERE e.tenant_id = c.tenant_id AND e.resource_id = c.id AND e.operation = 'create' AND e.resource_kind = 'credential'
  AND jsonb_typeof(e.details -> 'by') = 'object';

-- Everybody who may be behind whoever asked for the release of a plan, as `rollcall_provisioning::decider` compares them;
-- null of requests before this.
ALTER TABLE plans ADD COLUMN requested_as text[];
-- The same of whoever asked that a mark be lifted.
ALTER TABLE marks ADD COLUMN lift_asked_as text[];
