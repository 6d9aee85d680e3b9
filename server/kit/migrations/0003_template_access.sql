-- Who may use a template is told by its lists of access, no longer by being a member of its organization. The group of
-- everybody has the organization's id; whoever could use a template yesterday can today.

UPDATE templates SET group_acl = jsonb_build_object(organization_id::text, 'use') WHERE group_acl = '{}';

-- How long before a workspace stops by itself its owner is told, and whether chats may make workspaces of a template.
ALTER TABLE templates
    ADD COLUMN time_til_autostop_notify_ms bigint NOT NULL DEFAULT 0,
    ADD COLUMN agents_allowed boolean NOT NULL DEFAULT true;

-- Ready workspaces of an invalidated preset are made anew.
ALTER TABLE template_version_presets ADD COLUMN invalidated_at timestamptz;

-- Who used workspaces of a template, by the hour: daily users are counted in the time zone of whoever asks.
CREATE TABLE template_usage (
    template_id uuid        NOT NULL REFERENCES templates ON DELETE CASCADE,
    user_id     uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    hour        timestamptz NOT NULL,
    PRIMARY KEY (template_id, hour, user_id)
);

-- Settings of a template look for its dormant workspaces, and archiving for its versions in use.
CREATE INDEX workspace_builds_version_idx ON workspace_builds (template_version_id);

-- Reading an archive asks which imports were made from it.
CREATE INDEX provisioner_jobs_file_idx ON provisioner_jobs (file_id);
