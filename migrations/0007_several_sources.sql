-- no-transaction
-- Expand step 7: what follows from several sources. The column is there before the rest begins, so that nobody waits for
-- the table meanwhile; done twice, it does the same as once.

-- Whose externalId a manager is named by.
--
-- An externalId belongs to the source that gave it, and so does a reference that is made of one: `manager_source` is the
-- source that wrote it, and the manager is whoever that source calls so. Set only where `manager_by` is externalId. Where
-- it is missing there, a program of the release before has written the reference: it counts as that of the source that
-- created the report.
BEGIN;
ALTER TABLE users ADD COLUMN IF NOT EXISTS manager_source uuid;
COMMIT;

-- The change log knows who wrote the references that are there.
BEGIN;
UPDATE users u SET manager_source = COALESCE(
    (SELECT c.source_id FROM changes c
     WHERE c.tenant_id = u.tenant_id AND c.resource_id = u.id AND c.source_id IS NOT NULL
       AND (c.details ? 'manager_by'
            OR c.details -> 'attributes' ? 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager')
     ORDER BY c.id DESC LIMIT 1),
    u.source_id)
WHERE u.manager_by = 'externalId' AND u.manager_source IS NULL;
COMMIT;

-- Owners of attributes of schemas that tenants have removed decide nothing, and stood in the way of a new list.
BEGIN;
DELETE FROM attribute_owners o
WHERE o.attribute LIKE '%:%' AND o.attribute NOT ILIKE 'urn:ietf:params:scim:schemas:%'
  AND NOT EXISTS (SELECT 1 FROM schemas s WHERE s.tenant_id = o.tenant_id
                    AND s.urn_key = lower(substring(o.attribute from '^(.*):[^:]*$')));
COMMIT;
