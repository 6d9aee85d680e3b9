-- Accounts of other services that people linked. Tokens are encrypted.

CREATE TABLE external_auth_links (
    provider_id      text        NOT NULL,
    user_id          uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    access_token     bytea       NOT NULL,
    refresh_token    bytea,
    -- NULL: the token does not expire.
    expires_at       timestamptz,
    -- What else the service told with the token.
    extra            jsonb       NOT NULL DEFAULT '{}',
    -- Why it can no longer be renewed; empty while it can.
    refresh_failure  text        NOT NULL DEFAULT '',
    -- One replica at a time renews: a token to renew with is good for one use.
    refreshing_until timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (provider_id, user_id)
);
CREATE INDEX external_auth_links_user_idx ON external_auth_links (user_id);
