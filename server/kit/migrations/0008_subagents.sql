-- A template assigns the agent inside a dev container its id, so that apps and scripts can name it before it exists.

ALTER TABLE workspace_agent_devcontainers ADD COLUMN subagent_id uuid;

CREATE INDEX workspace_agents_parent_idx ON workspace_agents (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX workspace_agents_instance_idx ON workspace_agents (auth_instance_id) WHERE auth_instance_id IS NOT NULL;
