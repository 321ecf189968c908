-- Expand step 25: too many values that are refused with one code stop steps of a kind (operations, section 5.3).

-- From when on refusals with a code are counted: after a try that worked those before it say nothing any more. `kind` as in
-- `stops`.
CREATE TABLE refusals_counted (
    tenant_id uuid        NOT NULL,
    target_id uuid        NOT NULL,
    kind      text        NOT NULL,
    code      text        NOT NULL,
    since     timestamptz NOT NULL,
    CONSTRAINT refusals_counted_pkey PRIMARY KEY (tenant_id, target_id, kind, code)
);

-- How many resources were refused with a code of late.
CREATE INDEX attempts_refused_idx ON attempts (tenant_id, target_id, error_code, at) WHERE outcome = 'failed';
