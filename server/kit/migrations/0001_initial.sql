-- The first schema. Times are timestamptz, durations of templates and workspaces are milliseconds (the wire's unit).

CREATE TABLE site_configs (
    key   text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE crypto_keys (
    feature    text        NOT NULL,
    sequence   integer     NOT NULL,
    secret     bytea       NOT NULL,
    starts_at  timestamptz NOT NULL,
    PRIMARY KEY (feature, sequence)
);

CREATE TABLE replicas (
    id            uuid        PRIMARY KEY,
    hostname      text        NOT NULL,
    relay_address text        NOT NULL,
    version       text        NOT NULL,
    started_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    stopped_at    timestamptz
);

-- Identity ------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id                 uuid        PRIMARY KEY,
    email              text        NOT NULL,
    username           text        NOT NULL,
    name               text        NOT NULL DEFAULT '',
    hashed_password    text        NOT NULL DEFAULT '',
    status             text        NOT NULL CHECK (status IN ('active', 'dormant', 'suspended')),
    roles              text[]      NOT NULL DEFAULT '{}',
    login_type         text        NOT NULL CHECK (login_type IN ('password', 'github', 'oidc', 'token', 'none')),
    avatar_url         text        NOT NULL DEFAULT '',
    is_service_account boolean     NOT NULL DEFAULT false,
    is_system          boolean     NOT NULL DEFAULT false,
    deleted            boolean     NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    last_seen_at       timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00'
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE NOT deleted;
CREATE UNIQUE INDEX users_username_key ON users (lower(username)) WHERE NOT deleted;

CREATE TABLE user_configs (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key     text NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE api_keys (
    id               text        PRIMARY KEY CHECK (length(id) = 10),
    user_id          uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    hashed_secret    bytea       NOT NULL,
    login_type       text        NOT NULL,
    token_name       text        NOT NULL DEFAULT '',
    scopes           text[]      NOT NULL DEFAULT '{coder:all}',
    allow_list       text[]      NOT NULL DEFAULT '{*:*}',
    lifetime_seconds bigint      NOT NULL,
    ip_address       text        NOT NULL DEFAULT '0.0.0.0',
    last_used        timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX api_keys_user_idx ON api_keys (user_id, created_at);
CREATE UNIQUE INDEX api_keys_token_name_key ON api_keys (user_id, token_name) WHERE login_type = 'token';

CREATE TABLE git_ssh_keys (
    user_id     uuid        PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    private_key text        NOT NULL,
    public_key  text        NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE organizations (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL,
    display_name text        NOT NULL DEFAULT '',
    description  text        NOT NULL DEFAULT '',
    icon         text        NOT NULL DEFAULT '',
    is_default   boolean     NOT NULL DEFAULT false,
    deleted      boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX organizations_name_key ON organizations (lower(name)) WHERE NOT deleted;
CREATE UNIQUE INDEX organizations_default_key ON organizations (is_default) WHERE is_default;

CREATE TABLE organization_members (
    organization_id uuid        NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id         uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    roles           text[]      NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_user_idx ON organization_members (user_id);

-- Provisioning --------------------------------------------------------------------------------------------------------

CREATE TABLE files (
    id         uuid        PRIMARY KEY,
    hash       text        NOT NULL,
    created_by uuid        NOT NULL REFERENCES users,
    mimetype   text        NOT NULL,
    data       bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (hash, created_by)
);

CREATE TABLE provisioner_daemons (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations,
    name            text        NOT NULL,
    version         text        NOT NULL,
    api_version     text        NOT NULL,
    provisioners    text[]      NOT NULL,
    tags            jsonb       NOT NULL DEFAULT '{}',
    key_id          uuid,
    replica_id      uuid,
    created_at      timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE provisioner_jobs (
    id               uuid        PRIMARY KEY,
    organization_id  uuid        NOT NULL REFERENCES organizations,
    initiator_id     uuid        NOT NULL REFERENCES users,
    type             text        NOT NULL CHECK (type IN ('template_version_import', 'workspace_build', 'template_version_dry_run')),
    provisioner      text        NOT NULL DEFAULT 'terraform',
    file_id          uuid        NOT NULL REFERENCES files,
    input            jsonb       NOT NULL,
    tags             jsonb       NOT NULL DEFAULT '{}',
    priority         integer     NOT NULL DEFAULT 0,
    worker_id        uuid,
    attempt          integer     NOT NULL DEFAULT 0,
    lease_token      uuid,
    lease_expires_at timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    started_at       timestamptz,
    canceled_at      timestamptz,
    completed_at     timestamptz,
    error            text        NOT NULL DEFAULT '',
    error_code       text        NOT NULL DEFAULT '',
    logs_length      integer     NOT NULL DEFAULT 0,
    logs_overflowed  boolean     NOT NULL DEFAULT false
);
CREATE INDEX provisioner_jobs_open_idx ON provisioner_jobs (priority DESC, created_at) WHERE completed_at IS NULL;
CREATE INDEX provisioner_jobs_worker_idx ON provisioner_jobs (worker_id, completed_at DESC);
CREATE INDEX provisioner_jobs_organization_idx ON provisioner_jobs (organization_id, created_at DESC);

CREATE TABLE provisioner_job_logs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id     uuid        NOT NULL REFERENCES provisioner_jobs ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    source     text        NOT NULL CHECK (source IN ('provisioner_daemon', 'provisioner')),
    level      text        NOT NULL CHECK (level IN ('trace', 'debug', 'info', 'warn', 'error')),
    stage      text        NOT NULL,
    output     text        NOT NULL
);
CREATE INDEX provisioner_job_logs_job_idx ON provisioner_job_logs (job_id, id);

CREATE TABLE provisioner_job_timings (
    job_id     uuid        NOT NULL REFERENCES provisioner_jobs ON DELETE CASCADE,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    stage      text        NOT NULL,
    source     text        NOT NULL,
    action     text        NOT NULL,
    resource   text        NOT NULL
);
CREATE INDEX provisioner_job_timings_job_idx ON provisioner_job_timings (job_id);

-- Templates -----------------------------------------------------------------------------------------------------------

CREATE TABLE templates (
    id                                uuid        PRIMARY KEY,
    organization_id                   uuid        NOT NULL REFERENCES organizations,
    name                              text        NOT NULL,
    display_name                      text        NOT NULL DEFAULT '',
    description                       text        NOT NULL DEFAULT '',
    icon                              text        NOT NULL DEFAULT '',
    provisioner                       text        NOT NULL DEFAULT 'terraform',
    active_version_id                 uuid        NOT NULL,
    created_by                        uuid        NOT NULL REFERENCES users,
    deleted                           boolean     NOT NULL DEFAULT false,
    deprecated                        text        NOT NULL DEFAULT '',
    default_ttl_ms                    bigint      NOT NULL DEFAULT 0,
    activity_bump_ms                  bigint      NOT NULL DEFAULT 3600000,
    failure_ttl_ms                    bigint      NOT NULL DEFAULT 0,
    time_til_dormant_ms               bigint      NOT NULL DEFAULT 0,
    time_til_dormant_autodelete_ms    bigint      NOT NULL DEFAULT 0,
    autostop_days                     text[]      NOT NULL DEFAULT '{}',
    autostop_weeks                    integer     NOT NULL DEFAULT 1,
    autostart_days                    text[]      NOT NULL DEFAULT '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}',
    allow_user_autostart              boolean     NOT NULL DEFAULT true,
    allow_user_autostop               boolean     NOT NULL DEFAULT true,
    allow_user_cancel_workspace_jobs  boolean     NOT NULL DEFAULT true,
    require_active_version            boolean     NOT NULL DEFAULT false,
    use_classic_parameter_flow        boolean     NOT NULL DEFAULT false,
    max_port_share_level              text        NOT NULL DEFAULT 'owner',
    cors_behavior                     text        NOT NULL DEFAULT 'simple',
    user_acl                          jsonb       NOT NULL DEFAULT '{}',
    group_acl                         jsonb       NOT NULL DEFAULT '{}',
    created_at                        timestamptz NOT NULL,
    updated_at                        timestamptz NOT NULL
);
CREATE UNIQUE INDEX templates_name_key ON templates (organization_id, lower(name)) WHERE NOT deleted;

CREATE TABLE template_versions (
    id                 uuid        PRIMARY KEY,
    template_id        uuid        REFERENCES templates ON DELETE CASCADE,
    organization_id    uuid        NOT NULL REFERENCES organizations,
    name               text        NOT NULL,
    message            text        NOT NULL DEFAULT '',
    readme             text        NOT NULL DEFAULT '',
    job_id             uuid        NOT NULL UNIQUE REFERENCES provisioner_jobs,
    created_by         uuid        NOT NULL REFERENCES users,
    archived           boolean     NOT NULL DEFAULT false,
    has_ai_task        boolean     NOT NULL DEFAULT false,
    has_external_agent boolean     NOT NULL DEFAULT false,
    external_auth      jsonb       NOT NULL DEFAULT '[]',
    workspace_tags     jsonb       NOT NULL DEFAULT '{}',
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX template_versions_name_key ON template_versions (template_id, lower(name));
CREATE INDEX template_versions_template_idx ON template_versions (template_id, created_at DESC);

CREATE TABLE template_version_parameters (
    template_version_id  uuid    NOT NULL REFERENCES template_versions ON DELETE CASCADE,
    position             integer NOT NULL,
    name                 text    NOT NULL,
    display_name         text    NOT NULL DEFAULT '',
    description          text    NOT NULL DEFAULT '',
    type                 text    NOT NULL,
    form_type            text    NOT NULL DEFAULT '',
    styling              jsonb   NOT NULL DEFAULT '{}',
    mutable              boolean NOT NULL,
    ephemeral            boolean NOT NULL DEFAULT false,
    required             boolean NOT NULL,
    default_value        text    NOT NULL DEFAULT '',
    icon                 text    NOT NULL DEFAULT '',
    options              jsonb   NOT NULL DEFAULT '[]',
    validation_regex     text    NOT NULL DEFAULT '',
    validation_error     text    NOT NULL DEFAULT '',
    validation_min       integer,
    validation_max       integer,
    validation_monotonic text    NOT NULL DEFAULT '',
    PRIMARY KEY (template_version_id, name)
);

CREATE TABLE template_version_variables (
    template_version_id uuid    NOT NULL REFERENCES template_versions ON DELETE CASCADE,
    name                text    NOT NULL,
    description         text    NOT NULL DEFAULT '',
    type                text    NOT NULL DEFAULT 'string',
    value               text    NOT NULL DEFAULT '',
    default_value       text    NOT NULL DEFAULT '',
    required            boolean NOT NULL,
    sensitive           boolean NOT NULL DEFAULT false,
    PRIMARY KEY (template_version_id, name)
);

CREATE TABLE template_version_presets (
    id                  uuid    PRIMARY KEY,
    template_version_id uuid    NOT NULL REFERENCES template_versions ON DELETE CASCADE,
    name                text    NOT NULL,
    description         text    NOT NULL DEFAULT '',
    icon                text    NOT NULL DEFAULT '',
    is_default          boolean NOT NULL DEFAULT false,
    parameters          jsonb   NOT NULL DEFAULT '{}',
    prebuild            jsonb,
    UNIQUE (template_version_id, name)
);

-- Workspaces ----------------------------------------------------------------------------------------------------------

CREATE TABLE workspaces (
    id                 uuid        PRIMARY KEY,
    owner_id           uuid        NOT NULL REFERENCES users,
    organization_id    uuid        NOT NULL REFERENCES organizations,
    template_id        uuid        NOT NULL REFERENCES templates,
    name               text        NOT NULL,
    deleted            boolean     NOT NULL DEFAULT false,
    autostart_schedule text,
    ttl_ms             bigint,
    automatic_updates  text        NOT NULL DEFAULT 'never' CHECK (automatic_updates IN ('always', 'never')),
    favorite           boolean     NOT NULL DEFAULT false,
    -- The latest build is a start that succeeded. Lists sort by it, and 10,000 look-ups are too slow.
    running            boolean     NOT NULL DEFAULT false,
    dormant_at         timestamptz,
    deleting_at        timestamptz,
    next_start_at      timestamptz,
    user_acl           jsonb       NOT NULL DEFAULT '{}',
    group_acl          jsonb       NOT NULL DEFAULT '{}',
    last_used_at       timestamptz NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX workspaces_name_key ON workspaces (owner_id, lower(name)) WHERE NOT deleted;
CREATE INDEX workspaces_template_idx ON workspaces (template_id) WHERE NOT deleted;
CREATE INDEX workspaces_organization_idx ON workspaces (organization_id) WHERE NOT deleted;

CREATE TABLE workspace_builds (
    id                  uuid        PRIMARY KEY,
    workspace_id        uuid        NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    template_version_id uuid        NOT NULL REFERENCES template_versions,
    build_number        integer     NOT NULL,
    transition          text        NOT NULL CHECK (transition IN ('start', 'stop', 'delete')),
    reason              text        NOT NULL,
    initiator_id        uuid        NOT NULL REFERENCES users,
    job_id              uuid        NOT NULL UNIQUE REFERENCES provisioner_jobs,
    preset_id           uuid        REFERENCES template_version_presets,
    state               bytea,
    orphan              boolean     NOT NULL DEFAULT false,
    log_level           text        NOT NULL DEFAULT '',
    deadline            timestamptz,
    max_deadline        timestamptz,
    daily_cost          integer     NOT NULL DEFAULT 0,
    has_external_agent  boolean     NOT NULL DEFAULT false,
    has_ai_task         boolean     NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (workspace_id, build_number)
);

CREATE TABLE workspace_build_parameters (
    workspace_build_id uuid NOT NULL REFERENCES workspace_builds ON DELETE CASCADE,
    name               text NOT NULL,
    value              text NOT NULL,
    PRIMARY KEY (workspace_build_id, name)
);

CREATE TABLE workspace_resources (
    id            uuid        PRIMARY KEY,
    job_id        uuid        NOT NULL REFERENCES provisioner_jobs ON DELETE CASCADE,
    transition    text        NOT NULL,
    position      integer     NOT NULL,
    type          text        NOT NULL,
    name          text        NOT NULL,
    hide          boolean     NOT NULL DEFAULT false,
    icon          text        NOT NULL DEFAULT '',
    instance_type text        NOT NULL DEFAULT '',
    daily_cost    integer     NOT NULL DEFAULT 0,
    module_path   text        NOT NULL DEFAULT '',
    metadata      jsonb       NOT NULL DEFAULT '[]',
    created_at    timestamptz NOT NULL
);
CREATE INDEX workspace_resources_job_idx ON workspace_resources (job_id);

CREATE TABLE workspace_agents (
    id                         uuid        PRIMARY KEY,
    parent_id                  uuid        REFERENCES workspace_agents ON DELETE CASCADE,
    resource_id                uuid        NOT NULL REFERENCES workspace_resources ON DELETE CASCADE,
    name                       text        NOT NULL,
    position                   integer     NOT NULL DEFAULT 0,
    auth_token                 bytea       NOT NULL,
    auth_instance_id           text,
    api_key_scope              text        NOT NULL DEFAULT 'all',
    architecture               text        NOT NULL,
    operating_system           text        NOT NULL,
    directory                  text        NOT NULL DEFAULT '',
    expanded_directory         text        NOT NULL DEFAULT '',
    environment_variables      jsonb       NOT NULL DEFAULT '{}',
    motd_file                  text        NOT NULL DEFAULT '',
    troubleshooting_url        text        NOT NULL DEFAULT '',
    connection_timeout_seconds integer     NOT NULL DEFAULT 120,
    display_apps               text[]      NOT NULL DEFAULT '{}',
    resources_monitoring       jsonb       NOT NULL DEFAULT '{}',
    metadata                   jsonb       NOT NULL DEFAULT '[]',
    lifecycle_state            text        NOT NULL DEFAULT 'created',
    version                    text        NOT NULL DEFAULT '',
    api_version                text        NOT NULL DEFAULT '',
    subsystems                 text[]      NOT NULL DEFAULT '{}',
    ssh_host_key               text        NOT NULL DEFAULT '',
    connection_id              uuid,
    connected_replica_id       uuid,
    first_connected_at         timestamptz,
    last_connected_at          timestamptz,
    disconnected_at            timestamptz,
    started_at                 timestamptz,
    ready_at                   timestamptz,
    logs_length                integer     NOT NULL DEFAULT 0 CHECK (logs_length <= 1048576),
    logs_overflowed            boolean     NOT NULL DEFAULT false,
    created_at                 timestamptz NOT NULL,
    updated_at                 timestamptz NOT NULL
);
CREATE INDEX workspace_agents_resource_idx ON workspace_agents (resource_id);
CREATE INDEX workspace_agents_line_idx ON workspace_agents (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX workspace_agents_token_idx ON workspace_agents (auth_token);

CREATE TABLE workspace_agent_log_sources (
    id                 uuid        NOT NULL,
    workspace_agent_id uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    display_name       text        NOT NULL,
    icon               text        NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (workspace_agent_id, id)
);

CREATE TABLE workspace_agent_scripts (
    id                 uuid        PRIMARY KEY,
    workspace_agent_id uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    log_source_id      uuid        NOT NULL,
    display_name       text        NOT NULL,
    log_path           text        NOT NULL DEFAULT '',
    script             text        NOT NULL,
    cron               text        NOT NULL DEFAULT '',
    start_blocks_login boolean     NOT NULL DEFAULT false,
    run_on_start       boolean     NOT NULL DEFAULT false,
    run_on_stop        boolean     NOT NULL DEFAULT false,
    timeout_seconds    integer     NOT NULL DEFAULT 0,
    position           integer     NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL
);
CREATE INDEX workspace_agent_scripts_agent_idx ON workspace_agent_scripts (workspace_agent_id);

CREATE TABLE workspace_agent_script_timings (
    script_id  uuid        NOT NULL REFERENCES workspace_agent_scripts ON DELETE CASCADE,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    exit_code  integer     NOT NULL,
    stage      text        NOT NULL CHECK (stage IN ('start', 'stop', 'cron')),
    status     text        NOT NULL CHECK (status IN ('ok', 'exit_failure', 'timed_out', 'pipes_left_open')),
    UNIQUE (script_id, started_at)
);

CREATE TABLE workspace_agent_logs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id   uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    source_id  uuid        NOT NULL,
    level      text        NOT NULL,
    output     text        NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX workspace_agent_logs_agent_idx ON workspace_agent_logs (agent_id, id);

CREATE TABLE workspace_agent_metadata (
    workspace_agent_id uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    key                text        NOT NULL,
    value              text        NOT NULL DEFAULT '',
    error              text        NOT NULL DEFAULT '',
    collected_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_agent_id, key)
);

CREATE TABLE workspace_apps (
    id                    uuid        PRIMARY KEY,
    agent_id              uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    slug                  text        NOT NULL,
    display_name          text        NOT NULL DEFAULT '',
    icon                  text        NOT NULL DEFAULT '',
    command               text        NOT NULL DEFAULT '',
    url                   text        NOT NULL DEFAULT '',
    external              boolean     NOT NULL DEFAULT false,
    subdomain             boolean     NOT NULL DEFAULT false,
    sharing_level         text        NOT NULL DEFAULT 'owner',
    healthcheck_url       text        NOT NULL DEFAULT '',
    healthcheck_interval  integer     NOT NULL DEFAULT 0,
    healthcheck_threshold integer     NOT NULL DEFAULT 0,
    health                text        NOT NULL DEFAULT 'disabled',
    hidden                boolean     NOT NULL DEFAULT false,
    open_in               text        NOT NULL DEFAULT 'slim-window',
    display_group         text        NOT NULL DEFAULT '',
    tooltip               text        NOT NULL DEFAULT '',
    position              integer     NOT NULL DEFAULT 0,
    created_at            timestamptz NOT NULL,
    UNIQUE (agent_id, slug)
);

CREATE TABLE workspace_app_statuses (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    agent_id     uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    app_id       uuid        NOT NULL REFERENCES workspace_apps ON DELETE CASCADE,
    state        text        NOT NULL,
    message      text        NOT NULL,
    uri          text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL
);
CREATE INDEX workspace_app_statuses_app_idx ON workspace_app_statuses (app_id, created_at DESC);

CREATE TABLE workspace_connections (
    id              uuid        PRIMARY KEY,
    agent_id        uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    workspace_id    uuid        NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    type            text        NOT NULL,
    ip              text        NOT NULL DEFAULT '',
    connected_at    timestamptz NOT NULL,
    disconnected_at timestamptz,
    status_code     integer,
    reason          text        NOT NULL DEFAULT ''
);
CREATE INDEX workspace_connections_workspace_idx ON workspace_connections (workspace_id, connected_at DESC);
