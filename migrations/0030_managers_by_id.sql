-- The id that `manager_id` names, if it is one: whoever reads many people need not look at the text of each.
ALTER TABLE users ADD COLUMN manager_user uuid GENERATED ALWAYS AS (
    CASE WHEN manager_id ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN manager_id::uuid END) STORED;
