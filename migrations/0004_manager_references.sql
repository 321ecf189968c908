-- Expand step 4: managers who are named by something else than an id.
--
-- `users.manager_id` stays what the client sent. Where that is to be read as the manager's externalId or employeeNumber,
-- `manager_by` says which of the two, and `manager_key` is what the manager's column `external_id` or
-- `employee_number_key` must hold. Both are null where it is read as an id. Who the manager is follows from the manager's
-- own row whenever somebody asks, so a manager who comes after the report needs nothing rewritten.
ALTER TABLE users
    ADD COLUMN manager_by  text,
    ADD COLUMN manager_key text;
-- The reports of somebody who comes, leaves or gets another externalId or employeeNumber.
CREATE INDEX users_manager_key_idx ON users (tenant_id, manager_key, manager_by) WHERE deleted_at IS NULL AND manager_key IS NOT NULL;
