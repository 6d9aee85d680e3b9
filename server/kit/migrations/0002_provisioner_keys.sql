-- Provisioner daemons of other machines log in with keys; a key says for which tags its daemons work.

CREATE TABLE provisioner_keys (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations,
    name            text        NOT NULL,
    hashed_secret   bytea       NOT NULL UNIQUE,
    tags            jsonb       NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX provisioner_keys_name_key ON provisioner_keys (organization_id, lower(name));

-- Daemons of the server's own processes have the reserved key "built-in".
UPDATE provisioner_daemons SET key_id = '00000000-0000-0000-0000-000000000001' WHERE key_id IS NULL;
ALTER TABLE provisioner_daemons ALTER COLUMN key_id SET DEFAULT '00000000-0000-0000-0000-000000000001';
ALTER TABLE provisioner_daemons ALTER COLUMN key_id SET NOT NULL;
ALTER TABLE provisioner_daemons ADD COLUMN line_id uuid;
COMMENT ON COLUMN provisioner_daemons.line_id IS
    'The line of a daemon of another machine; only this line may say that the daemon is gone.';
