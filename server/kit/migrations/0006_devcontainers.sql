-- Dev containers that a template declares inside an agent. What belongs to the agent in one (its apps, scripts and
-- variables) is kept as the template has it; that agent registers itself once its container runs.

CREATE TABLE workspace_agent_devcontainers (
    id                 uuid        PRIMARY KEY,
    workspace_agent_id uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    name               text        NOT NULL,
    workspace_folder   text        NOT NULL,
    config_path        text        NOT NULL DEFAULT '',
    inside             jsonb       NOT NULL DEFAULT '{}',
    created_at         timestamptz NOT NULL
);
CREATE INDEX workspace_agent_devcontainers_agent_idx ON workspace_agent_devcontainers (workspace_agent_id);
