-- Expand step 7: whose externalId a manager is named by.
--
-- An externalId belongs to the source that gave it, and so does a reference that is made of one: `manager_source` is the
-- source that wrote it, and the manager is whoever that source calls so. Set only where `manager_by` is externalId.
ALTER TABLE users ADD COLUMN manager_source uuid;
