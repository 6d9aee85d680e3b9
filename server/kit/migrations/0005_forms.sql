-- What the live form of a version is evaluated from: the template cut down to its parameters, as a tar. Versions that
-- were imported before have none; their form shows what the import stored.

CREATE TABLE template_version_forms (
    template_version_id uuid  PRIMARY KEY REFERENCES template_versions ON DELETE CASCADE,
    slice               bytea NOT NULL,
    problem             text  NOT NULL DEFAULT ''
);
