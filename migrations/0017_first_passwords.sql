-- First passwords of accounts whose sign-in the target keeps, until an operator has fetched them. Sealed like every secret;
-- `userid` says of which account it is, since a person may have one after another.
CREATE TABLE first_passwords (
    tenant_id uuid        NOT NULL,
    target_id uuid        NOT NULL,
    user_id   uuid        NOT NULL,
    userid    text        NOT NULL,
    sealed    bytea       NOT NULL,
    made_at   timestamptz NOT NULL,
    CONSTRAINT first_passwords_pkey PRIMARY KEY (tenant_id, target_id, user_id)
);
-- Those that nobody has fetched are forgotten after a while.
CREATE INDEX first_passwords_made_idx ON first_passwords (made_at);
