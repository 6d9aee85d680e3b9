"""What a version asks for: parameters, variables, presets, sign-ins. Written by its import."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from server.kit.db import Tx, jsonb
from server.templates.model.templates import Preset
from server.terraform import Imported, Option, Parameter, Variable
from server.terraform import Preset as FoundPreset

DESCRIBE: LiteralString = """
    UPDATE template_versions
       SET readme = %(readme)s, has_ai_task = %(has_ai_task)s,
           has_external_agent = %(has_external_agent)s, external_auth = %(external_auth)s,
           workspace_tags = %(workspace_tags)s, updated_at = %(now)s
     WHERE id = %(version_id)s
"""

INSERT_PARAMETER: LiteralString = """
    INSERT INTO template_version_parameters
           (template_version_id, position, name, display_name, description, type, form_type,
            styling, mutable, ephemeral, required, default_value, icon, options,
            validation_regex, validation_error, validation_min, validation_max,
            validation_monotonic)
    VALUES (%(version_id)s, %(position)s, %(name)s, %(display_name)s, %(description)s, %(type)s,
            %(form_type)s, %(styling)s::jsonb, %(mutable)s, %(ephemeral)s, %(required)s,
            %(default_value)s, %(icon)s, %(options)s, %(validation_regex)s, %(validation_error)s,
            %(validation_min)s, %(validation_max)s, %(validation_monotonic)s)
"""

PARAMETERS: LiteralString = """
    SELECT name, display_name, description, type, form_type, styling::text AS styling, mutable,
           ephemeral, required, default_value, icon, options, validation_regex, validation_error,
           validation_min, validation_max, validation_monotonic, position
      FROM template_version_parameters
     WHERE template_version_id = %(version_id)s
     ORDER BY position, name
"""

FORGET_VARIABLES: LiteralString = """
    DELETE FROM template_version_variables WHERE template_version_id = %(version_id)s
"""

INSERT_VARIABLE: LiteralString = """
    INSERT INTO template_version_variables
           (template_version_id, name, description, type, value, default_value, required,
            sensitive)
    VALUES (%(version_id)s, %(name)s, %(description)s, %(type)s, %(value)s, %(default_value)s,
            %(required)s, %(sensitive)s)
"""

VARIABLES: LiteralString = """
    SELECT name, description, type, default_value, required, sensitive, value
      FROM template_version_variables
     WHERE template_version_id = %(version_id)s
     ORDER BY name
"""

INSERT_PRESET: LiteralString = """
    INSERT INTO template_version_presets
           (id, template_version_id, name, description, icon, is_default, parameters, prebuild)
    VALUES (%(id)s, %(version_id)s, %(name)s, %(description)s, %(icon)s, %(is_default)s,
            %(parameters)s, %(prebuild)s)
"""

PRESETS: LiteralString = """
    SELECT id, name, parameters, description, icon, is_default, prebuild
      FROM template_version_presets
     WHERE template_version_id = %(version_id)s
     ORDER BY name
"""

INVALIDATE_PRESETS: LiteralString = """
    UPDATE template_version_presets SET invalidated_at = %(now)s
     WHERE template_version_id = %(version_id)s AND prebuild IS NOT NULL
    RETURNING name
"""


@dataclass(frozen=True, slots=True)
class _ParameterRow:
    name: str
    display_name: str
    description: str
    type: str
    form_type: str
    styling: str
    mutable: bool
    ephemeral: bool
    required: bool
    default_value: str
    icon: str
    options: list[dict[str, str]]
    validation_regex: str
    validation_error: str
    validation_min: int | None
    validation_max: int | None
    validation_monotonic: str
    position: int


async def describe(tx: Tx, version_id: UUID, found: Imported) -> None:
    """Write what an import learned about the version as a whole."""
    args = {
        "version_id": version_id,
        # A README is a file, so anything may be in it; PostgreSQL cannot store NUL in text.
        "readme": found.readme.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        "has_ai_task": found.has_ai_task,
        "has_external_agent": found.has_external_agent,
        "external_auth": jsonb([asdict(auth) for auth in found.external_auth]),
        "workspace_tags": jsonb(dict(found.workspace_tags)),
        "now": tx.now,
    }
    await tx.run(DESCRIBE, args)


async def save_parameters(tx: Tx, version_id: UUID, found: Sequence[Parameter]) -> None:
    """Write a version's parameters, in the order in which people are asked."""
    ordered = sorted(found, key=lambda parameter: (parameter.order, parameter.name))
    rows: list[dict[str, Any]] = [
        {
            **asdict(parameter),
            "version_id": version_id,
            "position": position,
            "styling": parameter.styling or "{}",
            "options": jsonb([asdict(option) for option in parameter.options]),
        }
        for position, parameter in enumerate(ordered)
    ]
    await tx.many(INSERT_PARAMETER, rows)


async def parameters(tx: Tx, version_id: UUID) -> list[Parameter]:
    """Return a version's parameters, in the order in which people are asked."""
    rows = await tx.all(_ParameterRow, PARAMETERS, {"version_id": version_id})
    return [_parameter(row) for row in rows]


def _parameter(row: _ParameterRow) -> Parameter:
    fields = asdict(row)
    fields["order"] = fields.pop("position")
    fields["options"] = tuple(Option(**option) for option in row.options)
    return Parameter(**fields)


async def save_variables(tx: Tx, version_id: UUID, found: Sequence[Variable]) -> None:
    """Write a version's Terraform variables, with the values that its import ran with."""
    await tx.run(FORGET_VARIABLES, {"version_id": version_id})
    rows = [{**asdict(variable), "version_id": version_id} for variable in found]
    await tx.many(INSERT_VARIABLE, rows)


async def variables(tx: Tx, version_id: UUID) -> list[Variable]:
    """Return a version's Terraform variables, secrets included."""
    return await tx.all(Variable, VARIABLES, {"version_id": version_id})


async def save_presets(tx: Tx, version_id: UUID, found: Sequence[FoundPreset]) -> None:
    """Write a version's presets."""
    rows = [
        {
            "id": uuid4(),
            "version_id": version_id,
            "name": preset.name,
            "description": preset.description,
            "icon": preset.icon,
            "is_default": preset.default,
            "parameters": jsonb(dict(preset.parameters)),
            "prebuild": None if preset.prebuilds is None else jsonb(asdict(preset.prebuilds)),
        }
        for preset in found
    ]
    await tx.many(INSERT_PRESET, rows)


async def presets(tx: Tx, version_id: UUID) -> list[Preset]:
    """Return a version's presets."""
    return await tx.all(Preset, PRESETS, {"version_id": version_id})


async def invalidate_presets(tx: Tx, version_id: UUID) -> list[str]:
    """Write that ready workspaces of a version's presets are stale; return the presets' names."""
    args = {"version_id": version_id, "now": tx.now}
    return sorted(await tx.values(INVALIDATE_PRESETS, args))
