-- How many calls that change something a target was sent on which day (UTC), so that it is known what is left of what may be
-- sent in a day and in a month.
CREATE TABLE call_days (
    tenant_id uuid   NOT NULL,
    target_id uuid   NOT NULL,
    day       date   NOT NULL,
    calls     bigint NOT NULL,
    CONSTRAINT call_days_pkey PRIMARY KEY (tenant_id, target_id, day)
);
