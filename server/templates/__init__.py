"""Templates: what workspaces are made from, version by version. See README.md."""

from server.templates.actions.dry_running import DryRunKind
from server.templates.actions.forms import FormDesk, as_owner
from server.templates.actions.importing import ImportKind
from server.templates.actions.read import (
    archive,
    built_version,
    presets,
    template,
    template_named,
    usable,
    version,
    version_parameters,
    version_variables,
)
from server.templates.errors import BadParameters
from server.templates.model.templates import Preset, Template, Version
from server.templates.model.values import Values, check_value, resolve_parameters
from server.templates.routes import routes

__all__ = [
    "BadParameters",
    "DryRunKind",
    "FormDesk",
    "ImportKind",
    "Preset",
    "Template",
    "Values",
    "Version",
    "archive",
    "as_owner",
    "built_version",
    "check_value",
    "presets",
    "resolve_parameters",
    "routes",
    "template",
    "template_named",
    "usable",
    "version",
    "version_parameters",
    "version_variables",
]
