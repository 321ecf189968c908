-- Leaving: what a leaver hands over, and when what is kept of them is erased.

-- When what is kept of a person who has left is erased, as far as this target is concerned; null: not, or not yet known.
ALTER TABLE deliveries ADD COLUMN erase_at timestamptz;
CREATE INDEX deliveries_erase_idx ON deliveries (erase_at) WHERE erase_at IS NOT NULL;

-- Remote ids that the resource had before, so that what else is kept under them is found.
ALTER TABLE links ADD COLUMN former_ids text[] NOT NULL DEFAULT '{}';

-- Who takes over from a person who has left. `named` is what the source says, as its rule reads it; `successor_id` whom
-- that means; `problem` why it means nobody.
CREATE TABLE handovers (
    tenant_id    uuid        NOT NULL,
    target_id    uuid        NOT NULL,
    leaver_id    uuid        NOT NULL,
    named        text,
    successor_id uuid,
    problem      text,
    at           timestamptz NOT NULL,
    CONSTRAINT handovers_pkey PRIMARY KEY (tenant_id, target_id, leaver_id),
    CONSTRAINT handovers_problem_check CHECK (problem IN ('no_rule', 'nobody', 'unknown', 'several', 'left', 'rule_failed')),
    CONSTRAINT handovers_known_check CHECK ((successor_id IS NULL) = (problem IS NOT NULL))
);
-- Whoever takes over and leaves in turn hands over what they took.
CREATE INDEX handovers_successor_idx ON handovers (tenant_id, target_id, successor_id) WHERE successor_id IS NOT NULL;

-- The departments that a leaver headed.
CREATE TABLE headships (
    tenant_id uuid NOT NULL,
    target_id uuid NOT NULL,
    unit_id   uuid NOT NULL,
    leaver_id uuid NOT NULL,
    CONSTRAINT headships_pkey PRIMARY KEY (tenant_id, target_id, unit_id, leaver_id)
);
CREATE INDEX headships_leaver_idx ON headships (tenant_id, target_id, leaver_id);

-- Lifting a mark that forbids something takes two people: who has asked for it.
ALTER TABLE marks ADD COLUMN lift_asked_by text, ADD COLUMN lift_asked_at timestamptz;
