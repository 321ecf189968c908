-- Which database this was when a server last opened it; one row. A restored or a copied one differs in it. What a server may
-- not ask Postgres for is null.
CREATE TABLE instance (
    id       smallint    NOT NULL DEFAULT 1,
    -- The identifier that the cluster got when it was made.
    cluster  text,
    -- Grows with each recovery to a moment in the past, and when a standby takes over.
    timeline text,
    -- The oids of the database, and of this table, which a restored dump makes anew.
    database bigint      NOT NULL,
    tables   bigint      NOT NULL,
    noted_at timestamptz NOT NULL,
    CONSTRAINT instance_pkey PRIMARY KEY (id),
    CONSTRAINT instance_id_check CHECK (id = 1)
);
-- Why a target is paused that no person has paused.
ALTER TABLE targets ADD COLUMN paused_reason text;
