-- Chats: conversations with a model whose loop runs in the control plane, what they cost, and whose keys they use.

-- Providers and models ------------------------------------------------------------------------------------------------

CREATE TABLE chat_providers (
    id                             uuid        PRIMARY KEY,
    -- The wire format and the vendor: anthropic, openai, google, azure, bedrock, openrouter, vercel, openai-compat, scripted.
    provider                       text        NOT NULL,
    display_name                   text        NOT NULL DEFAULT '',
    icon                           text        NOT NULL DEFAULT '',
    enabled                        boolean     NOT NULL DEFAULT true,
    -- Encrypted (AES-256-GCM); NULL when there is none.
    api_key                        bytea,
    central_api_key_enabled        boolean     NOT NULL DEFAULT true,
    allow_user_api_key             boolean     NOT NULL DEFAULT false,
    allow_central_api_key_fallback boolean     NOT NULL DEFAULT false,
    base_url                       text        NOT NULL DEFAULT '',
    created_at                     timestamptz NOT NULL,
    updated_at                     timestamptz NOT NULL
);
CREATE UNIQUE INDEX chat_providers_provider_key ON chat_providers (provider);

CREATE TABLE chat_model_configs (
    id                    uuid        PRIMARY KEY,
    provider              text        NOT NULL,
    model                 text        NOT NULL,
    display_name          text        NOT NULL DEFAULT '',
    enabled               boolean     NOT NULL DEFAULT true,
    is_default            boolean     NOT NULL DEFAULT false,
    context_limit         bigint      NOT NULL CHECK (context_limit > 0),
    compression_threshold integer     NOT NULL CHECK (compression_threshold BETWEEN 0 AND 100),
    -- The call options of the wire (`model_config`), checked when written.
    options               jsonb       NOT NULL DEFAULT '{}',
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    deleted               boolean     NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX chat_model_configs_default_key ON chat_model_configs (is_default) WHERE is_default AND NOT deleted;

CREATE TABLE user_chat_provider_keys (
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    provider   text        NOT NULL,
    api_key    bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, provider)
);

-- Chats ---------------------------------------------------------------------------------------------------------------

CREATE TABLE chats (
    id                          uuid        PRIMARY KEY,
    organization_id             uuid        NOT NULL REFERENCES organizations,
    owner_id                    uuid        NOT NULL REFERENCES users,
    workspace_id                uuid        REFERENCES workspaces ON DELETE SET NULL,
    build_id                    uuid,
    agent_id                    uuid,
    parent_chat_id              uuid        REFERENCES chats ON DELETE CASCADE,
    root_chat_id                uuid        REFERENCES chats ON DELETE CASCADE,
    last_model_config_id        uuid        NOT NULL REFERENCES chat_model_configs,
    last_reasoning_effort       text        NOT NULL DEFAULT '',
    title                       text        NOT NULL,
    title_source                text        NOT NULL DEFAULT 'fallback'
                                CHECK (title_source IN ('fallback', 'generated', 'user')),
    status                      text        NOT NULL
                                CHECK (status IN ('waiting', 'running', 'interrupting', 'requires_action', 'error')),
    mode                        text        CHECK (mode IN ('computer_use', 'explore', 'orchestrator')),
    plan_mode                   text        NOT NULL DEFAULT '' CHECK (plan_mode IN ('', 'plan')),
    last_error                  jsonb,
    archived                    boolean     NOT NULL DEFAULT false,
    pin_order                   integer     NOT NULL DEFAULT 0,
    labels                      jsonb       NOT NULL DEFAULT '{}',
    mcp_server_ids              uuid[]      NOT NULL DEFAULT '{}',
    client_type                 text        NOT NULL DEFAULT 'api' CHECK (client_type IN ('ui', 'api')),
    dynamic_tools               jsonb       NOT NULL DEFAULT '[]',
    last_injected_context       jsonb,
    last_read_message_id        bigint      NOT NULL DEFAULT 0,
    -- One of the three moves with each change of its kind: readers compare numbers, and read again.
    snapshot_version            bigint      NOT NULL DEFAULT 1,
    history_version             bigint      NOT NULL DEFAULT 1,
    queue_version               bigint      NOT NULL DEFAULT 1,
    -- Rows in the queue. Written with every change of it, under the lock of this row: whoever waited for the lock
    -- reads this number as it is then, while a count would be of before.
    queued                      integer     NOT NULL DEFAULT 0 CHECK (queued >= 0),
    generation_attempt          integer     NOT NULL DEFAULT 0,
    retry_state                 jsonb,
    requires_action_deadline_at timestamptz,
    -- Since when somebody waits for a new title; one at a time, and nobody for longer than a minute.
    retitling_since             timestamptz,
    compaction_requested_at     timestamptz,
    -- Who runs it: the replica, and this one lease of it. Both are empty, or neither.
    worker_id                   uuid,
    runner_id                   uuid,
    -- Whom a hard stop took it from: what this one had written so far may still be stored, until a new turn begins.
    stopped_runner_id           uuid,
    started_at                  timestamptz,
    created_at                  timestamptz NOT NULL,
    updated_at                  timestamptz NOT NULL,
    CHECK ((worker_id IS NULL) = (runner_id IS NULL)),
    CHECK (runner_id IS NULL OR status IN ('running', 'interrupting')),
    CHECK (NOT archived OR status IN ('waiting', 'error')),
    CHECK (status <> 'waiting' OR queued = 0),
    CHECK ((status = 'requires_action') = (requires_action_deadline_at IS NOT NULL)),
    CHECK ((parent_chat_id IS NULL) = (root_chat_id IS NULL))
);
-- The list of a user's chats, in its order: pinned ones first, then those that changed last.
CREATE INDEX chats_owner_idx ON chats (
    owner_id, archived, (CASE WHEN pin_order > 0 THEN -pin_order ELSE -2147483647 END) DESC, updated_at DESC, id DESC
) WHERE parent_chat_id IS NULL;
CREATE INDEX chats_organization_idx ON chats (organization_id, updated_at DESC, id DESC) WHERE parent_chat_id IS NULL;
CREATE INDEX chats_parent_idx ON chats (parent_chat_id) WHERE parent_chat_id IS NOT NULL;
CREATE INDEX chats_workspace_idx ON chats (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX chats_runnable_idx ON chats (updated_at) WHERE status IN ('running', 'interrupting') AND runner_id IS NULL;
CREATE INDEX chats_owned_idx ON chats (id) WHERE runner_id IS NOT NULL;
CREATE INDEX chats_deadline_idx ON chats (requires_action_deadline_at) WHERE status = 'requires_action';

-- Leases: written every few seconds for each turn that runs, so not in the log of the database. After a crash of
-- PostgreSQL the table is empty, and a chat without a lease counts as left by its runner.
CREATE UNLOGGED TABLE chat_heartbeats (
    chat_id    uuid        PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    runner_id  uuid        NOT NULL,
    worker_id  uuid        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX chat_heartbeats_expires_idx ON chat_heartbeats (expires_at);

CREATE TABLE chat_messages (
    id                    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id               uuid        NOT NULL REFERENCES chats ON DELETE CASCADE,
    created_by            uuid        REFERENCES users,
    model_config_id       uuid        REFERENCES chat_model_configs,
    created_at            timestamptz NOT NULL,
    role                  text        NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
    -- An array of parts (reference, chats, section 1.5); NUL is escaped by the codec.
    content               jsonb       NOT NULL,
    content_version       smallint    NOT NULL DEFAULT 1,
    visibility            text        NOT NULL DEFAULT 'both' CHECK (visibility IN ('user', 'model', 'both')),
    compressed            boolean     NOT NULL DEFAULT false,
    deleted               boolean     NOT NULL DEFAULT false,
    revision              bigint      NOT NULL DEFAULT 1,
    reasoning_effort      text        NOT NULL DEFAULT '',
    input_tokens          bigint,
    output_tokens         bigint,
    total_tokens          bigint,
    reasoning_tokens      bigint,
    cache_creation_tokens bigint,
    cache_read_tokens     bigint,
    context_limit         bigint,
    total_cost_micros     bigint,
    -- Prices per million at the time, and where they came from: later prices change no history.
    price                 jsonb,
    runtime_ms            bigint,
    provider_response_id  text
);
CREATE INDEX chat_messages_chat_idx ON chat_messages (chat_id, id) WHERE NOT deleted;
CREATE INDEX chat_messages_cost_idx ON chat_messages (chat_id, created_at) INCLUDE (total_cost_micros, model_config_id)
    WHERE role = 'assistant';

CREATE TABLE chat_queued_messages (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id          uuid        NOT NULL REFERENCES chats ON DELETE CASCADE,
    content          jsonb       NOT NULL,
    model_config_id  uuid        REFERENCES chat_model_configs,
    reasoning_effort text        NOT NULL DEFAULT '',
    created_by       uuid        REFERENCES users,
    position         bigint      NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE INDEX chat_queued_messages_chat_idx ON chat_queued_messages (chat_id, position, id);

-- Files ---------------------------------------------------------------------------------------------------------------

CREATE TABLE chat_files (
    id              uuid        PRIMARY KEY,
    owner_id        uuid        NOT NULL REFERENCES users,
    organization_id uuid        NOT NULL REFERENCES organizations,
    name            text        NOT NULL,
    mimetype        text        NOT NULL,
    data            bytea       NOT NULL,
    size_bytes      bigint      NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE TABLE chat_file_links (
    chat_id uuid NOT NULL REFERENCES chats ON DELETE CASCADE,
    file_id uuid NOT NULL REFERENCES chat_files ON DELETE CASCADE,
    PRIMARY KEY (chat_id, file_id)
);
CREATE INDEX chat_file_links_file_idx ON chat_file_links (file_id);

-- Branches and pull requests ------------------------------------------------------------------------------------------

CREATE TABLE chat_diff_statuses (
    chat_id              uuid        PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    url                  text,
    pull_request_state   text,
    pull_request_title   text        NOT NULL DEFAULT '',
    pull_request_draft   boolean     NOT NULL DEFAULT false,
    changes_requested    boolean     NOT NULL DEFAULT false,
    additions            integer     NOT NULL DEFAULT 0,
    deletions            integer     NOT NULL DEFAULT 0,
    changed_files        integer     NOT NULL DEFAULT 0,
    author_login         text,
    author_avatar_url    text,
    base_branch          text,
    head_branch          text,
    pr_number            integer,
    commits              integer,
    approved             boolean,
    reviewer_count       integer,
    git_branch           text        NOT NULL DEFAULT '',
    git_remote_origin    text        NOT NULL DEFAULT '',
    -- When the branch was reported: a pull request is looked for often soon after a push, and seldom later.
    pushed_at            timestamptz,
    refreshed_at         timestamptz,
    stale_at             timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL
);
CREATE INDEX chat_diff_statuses_stale_idx ON chat_diff_statuses (stale_at);

-- Money ---------------------------------------------------------------------------------------------------------------

-- What was spent, by owner and day (UTC): a limit is checked before every call of a model, and sums few rows.
CREATE TABLE chat_spend (
    owner_id        uuid   NOT NULL REFERENCES users ON DELETE CASCADE,
    organization_id uuid   NOT NULL REFERENCES organizations ON DELETE CASCADE,
    day             date   NOT NULL,
    cost_micros     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (owner_id, organization_id, day)
);
CREATE INDEX chat_spend_day_idx ON chat_spend (day) INCLUDE (cost_micros);
-- Calls under way, at the most that they may cost; settled is what one cost whose step is not stored yet. A row counts
-- while its runner's lease lives (chat_heartbeats).
CREATE TABLE chat_spend_reservations (
    runner_id   uuid    PRIMARY KEY,
    chat_id     uuid    NOT NULL REFERENCES chats ON DELETE CASCADE,
    owner_id    uuid    NOT NULL REFERENCES users ON DELETE CASCADE,
    cost_micros bigint  NOT NULL,
    settled     boolean NOT NULL DEFAULT false
);
CREATE INDEX chat_spend_reservations_owner_idx ON chat_spend_reservations (owner_id);

ALTER TABLE users ADD COLUMN chat_spend_limit_micros bigint;
CREATE INDEX users_chat_spend_limit_idx ON users (id) WHERE chat_spend_limit_micros IS NOT NULL;
CREATE TABLE chat_usage_limit_config (
    singleton            boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    enabled              boolean     NOT NULL DEFAULT false,
    default_limit_micros bigint      NOT NULL DEFAULT 0 CHECK (default_limit_micros >= 0),
    -- All users together; NULL is no limit.
    deployment_limit_micros bigint   CHECK (deployment_limit_micros > 0),
    period               text        NOT NULL DEFAULT 'month' CHECK (period IN ('day', 'week', 'month')),
    updated_at           timestamptz NOT NULL
);

-- Whose chats run nothing until somebody lifts it; without an owner it is everybody's.
CREATE TABLE chat_pauses (
    owner_id   uuid        REFERENCES users ON DELETE CASCADE,
    reason     text        NOT NULL DEFAULT '',
    paused_by  uuid        REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (owner_id)
);

-- The deployment's own key for sealed columns, used where the settings have none (server/kit/sealing.py).
INSERT INTO crypto_keys (feature, sequence, secret, starts_at)
VALUES ('columns', 1,
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
               || uuid_send(gen_random_uuid())),
        now());
