-- Limits learnt from real churn: of what passed a guard, how much a person had decided about, which says nothing of what is
-- usual; and what a rehearsal would have sent.
ALTER TABLE effect_days
    ADD COLUMN decided  bigint NOT NULL DEFAULT 0,
    ADD COLUMN proposed bigint NOT NULL DEFAULT 0;
