-- Stops: what of a target does not work until its cause has gone, and when it is tried next; and the times at which a target
-- must be left alone.

-- One row for each cause's reach: `kind` is the kind of entity that is stopped, empty for the whole target. `probing`: one
-- delivery is trying at this moment whether it works again. `calls` are the calls that were refused, the newest last.
CREATE TABLE stops (
    tenant_id   uuid        NOT NULL,
    target_id   uuid        NOT NULL,
    kind        text        NOT NULL,
    cause       text        NOT NULL,
    code        text        NOT NULL,
    reason      text        NOT NULL,
    advice      text        NOT NULL,
    since       timestamptz NOT NULL,
    tries       integer     NOT NULL,
    next_try_at timestamptz NOT NULL,
    probing     boolean     NOT NULL DEFAULT false,
    calls       jsonb       NOT NULL,
    CONSTRAINT stops_pkey PRIMARY KEY (tenant_id, target_id, kind)
);

-- See `rollcall_provisioning::window::Windows`. `targets.stopped_until` stays the gate of the whole target, which claims
-- read with the row that they need anyway.
ALTER TABLE targets ADD COLUMN deny_windows jsonb NOT NULL DEFAULT '[]';
ALTER TABLE targets DROP COLUMN stopped_code, DROP COLUMN stopped_reason;
