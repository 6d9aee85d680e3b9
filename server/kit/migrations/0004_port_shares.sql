-- Ports of workspaces that others may reach. An agent is named, not referred to: each build makes it anew.

CREATE TABLE workspace_agent_port_shares (
    workspace_id uuid    NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    agent_name   text    NOT NULL,
    port         integer NOT NULL CHECK (port BETWEEN 9 AND 65535),
    share_level  text    NOT NULL CHECK (share_level IN ('authenticated', 'organization', 'public')),
    protocol     text    NOT NULL CHECK (protocol IN ('http', 'https')),
    PRIMARY KEY (workspace_id, agent_name, port)
);
