-- Memory and volumes of agents: whether they run full, and when that began and ended. Whoever notifies people reads
-- the moves that are alerts.

CREATE TABLE workspace_agent_resource_monitors (
    agent_id    uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    kind        text        NOT NULL CHECK (kind IN ('memory', 'volume')),
    path        text        NOT NULL,
    threshold   integer     NOT NULL,
    state       text        NOT NULL CHECK (state IN ('OK', 'NOK')),
    quiet_until timestamptz,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (agent_id, kind, path)
);

CREATE TABLE workspace_agent_resource_moves (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id uuid        NOT NULL REFERENCES workspace_agents ON DELETE CASCADE,
    kind     text        NOT NULL,
    path     text        NOT NULL,
    state    text        NOT NULL CHECK (state IN ('OK', 'NOK')),
    alert    boolean     NOT NULL,
    moved_at timestamptz NOT NULL
);
CREATE INDEX workspace_agent_resource_moves_agent_idx ON workspace_agent_resource_moves (agent_id, id);
