-- Expand step 3: more ways to authenticate than bearer tokens, what each of them may do, and from where and how fast a
-- source may call.

-- Whether old set-ups may use HTTP Basic; the networks it may call from (none named: any); its own rate instead of the
-- installation's.
ALTER TABLE sources
    ADD COLUMN basic_allowed       boolean NOT NULL DEFAULT false,
    ADD COLUMN allowed_networks    text[]  NOT NULL DEFAULT '{}',
    ADD COLUMN requests_per_second integer,
    ADD COLUMN request_burst       integer,
    ADD CONSTRAINT sources_rate_check CHECK (requests_per_second >= 25 AND request_burst >= 50);
-- Whether anybody may use HTTP Basic: a refusal names the schemes that are on before it is known whose request it was.
CREATE INDEX sources_basic_idx ON sources (tenant_id) WHERE basic_allowed;

-- OAuth 2.0 clients of a source: who may fetch access tokens at the token endpoint. What they prove it with (secrets, keys,
-- a federated identity) is in `credentials`. `scopes` is null for all.
CREATE TABLE oauth_clients (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    source_id     uuid        NOT NULL,
    label         text        NOT NULL,
    scopes        text[],
    token_seconds integer     NOT NULL,
    created_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    CONSTRAINT oauth_clients_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT oauth_clients_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES sources (tenant_id, id),
    CONSTRAINT oauth_clients_lifetime_check CHECK (token_seconds BETWEEN 3600 AND 21600)
);

-- A credential proves itself by a secret, or by somebody else's signature: `trust` then says whose keys, and what the signed
-- token must say. `client_id` is the OAuth client that it belongs to.
ALTER TABLE credentials
    ADD COLUMN kind      text NOT NULL DEFAULT 'token',
    ADD COLUMN client_id uuid,
    ADD COLUMN scopes    text[],
    ADD COLUMN trust     jsonb,
    ALTER COLUMN secret_hash DROP NOT NULL,
    ADD CONSTRAINT credentials_client_fkey FOREIGN KEY (tenant_id, client_id) REFERENCES oauth_clients (tenant_id, id),
    ADD CONSTRAINT credentials_proof_check CHECK ((secret_hash IS NULL) <> (trust IS NULL)),
    ADD CONSTRAINT credentials_kind_check
        CHECK (kind IN ('token', 'password', 'client_secret', 'private_key_jwt', 'federation', 'issuer'));
-- The proofs of one OAuth client.
CREATE INDEX credentials_client_idx ON credentials (tenant_id, client_id) WHERE client_id IS NOT NULL;
-- Tokens that an issuer signs for every customer alike name no tenant of ours: issuer and audience alone say whose they are,
-- so that each pair may be trusted once in an installation.
CREATE UNIQUE INDEX credentials_issuer_key ON credentials ((trust ->> 'issuer'), (trust ->> 'audience'))
    WHERE kind = 'issuer' AND revoked_at IS NULL;

-- Assertions that were used, until they expire, so that none is used twice (RFC 7523 section 3, `jti`).
CREATE TABLE used_assertions (
    tenant_id     uuid        NOT NULL,
    credential_id uuid        NOT NULL,
    jti_hash      bytea       NOT NULL,
    expires_at    timestamptz NOT NULL,
    CONSTRAINT used_assertions_pkey PRIMARY KEY (tenant_id, credential_id, jti_hash)
);
