"""Look for a template, and read what it asks for."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

from pydantic import Field

from server import templates, workspaces
from server.kit.errors import NotFound
from server.llm import Json
from server.loop import Result, Tool
from server.templates import Preset, Template
from server.terraform import Parameter
from server.tools.bench import Bench
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped
from server.tools.workspaces.ranking import Ranked, ranked, recommended

PAGE: Final = 10
README: Final = 8000
DESCRIPTION: Final = 300
NOTE: Final = (
    "Parameters that are not required may be left out: they keep their defaults. "
    "Give values as strings; a list is a string of JSON."
)
CREATE_IT: Final = "Call read_template for its parameters, then create_workspace with its id."
CHOOSE: Final = (
    "Choose the template that fits the task by name and description; ask the user if several do. "
    "Then call read_template with its id."
)
NOTHING_FITS: Final = "No template fits the query. Call list_templates without it."
NO_TEMPLATES: Final = (
    "There is no template that the user may use here. Tell the user to ask an administrator."
)


class Listing(Args):
    """Arguments of ``list_templates``."""

    query: str = Field(default="", description="Words of the name or the description.")
    page: int = Field(default=1, ge=1, description="Which ten templates, counted from 1.")


class Reading(Args):
    """Arguments of ``read_template``."""

    template_id: UUID = Field(description="The id of a template, from list_templates.")


def list_templates(bench: Bench) -> Tool:
    """Return the tool."""

    async def search(args: Listing) -> Result:
        allowed = await bench.port.allowed_templates()
        async with bench.means.database.tx(bench.facts.owner) as tx:
            found = await templates.usable(tx, bench.facts.organization_id)
            found = [
                each
                for each in found
                if each.agents_allowed and (allowed is None or each.id in allowed)
            ]
            uses = await workspaces.uses(tx, [each.id for each in found])
            order = ranked(found, uses, args.query, tx.now)
        return Result(_page(order, args, anything=bool(found)))

    return shaped(__package__ or "", "list_templates", Listing, search)


def _page(order: Sequence[Ranked], args: Listing, *, anything: bool) -> Json:
    begin = (args.page - 1) * PAGE
    best = recommended(order, args.query)
    rows: list[Json] = [_row(each) for each in order[begin : begin + PAGE]]
    answer: dict[str, Json] = {"templates": rows, "page": args.page}
    if begin + PAGE < len(order):
        answer["next_page"] = args.page + 1
    if best is not None:
        answer["recommended_template_id"] = str(best.template.id)
    if order:
        answer["next_step"] = CREATE_IT if best else CHOOSE
    else:
        answer["next_step"] = NOTHING_FITS if anything else NO_TEMPLATES
    return answer


def _row(each: Ranked) -> Json:
    of, use = each.template, each.use
    return {
        "id": str(of.id),
        "name": of.name,
        "display_name": of.display_name,
        "description": of.description[:DESCRIPTION],
        "active_developers": of.active_user_count,
        "your_workspace_count": use.active if use else 0,
        "last_used_by_you": use.last_used_at.astimezone(UTC).isoformat() if use else None,
    }


def read_template(bench: Bench) -> Tool:
    """Return the tool."""

    async def read(args: Reading) -> Result:
        await require_allowed(bench, args.template_id)
        async with bench.means.database.tx(bench.facts.owner) as tx:
            try:
                of = await templates.template(tx, args.template_id)
                version = await templates.version(tx, of.active_version_id)
            except NotFound:
                raise unknown(args.template_id) from None
            require_here(bench, of)
            parameters = await templates.version_parameters(tx, version.id)
            presets = await templates.presets(tx, version.id)
        value: dict[str, Json] = {
            "template": {
                "id": str(of.id),
                "name": of.name,
                "display_name": of.display_name,
                "description": of.description,
                "organization_name": of.organization_name,
                "active_version_id": str(version.id),
                "has_external_agent": version.has_external_agent,
                "readme": version.readme[:README],
            },
            "parameters": [_parameter(each) for each in parameters],
            "parameters_note": NOTE,
        }
        if presets:
            value["presets"] = [_preset(each) for each in presets]
        return Result(value)

    return shaped(__package__ or "", "read_template", Reading, read)


async def require_allowed(bench: Bench, template_id: UUID) -> None:
    """Refuse a template that the deployment does not allow for chats.

    Raises:
        ToolError: it is not on the list.
    """
    allowed = await bench.port.allowed_templates()
    if allowed is not None and template_id not in allowed:
        raise ToolError(
            f"template {template_id} is not on this deployment's list of templates that agents "
            "may use. Use list_templates to see those that are"
        )


def require_here(bench: Bench, of: Template) -> None:
    """Refuse a template of another organization than the chat's, and one that is not for agents.

    Raises:
        ToolError: it is.
    """
    if not of.agents_allowed:
        raise ToolError(
            f'template "{of.name}" is set to allow no agents. '
            "Use list_templates to see those that do"
        )
    if of.organization_id != bench.facts.organization_id:
        raise ToolError(
            f'template "{of.name}" belongs to another organization than this chat. '
            "Use list_templates to see those of the chat's own"
        )


def unknown(template_id: UUID) -> ToolError:
    """Return the refusal of a template that is not there, or that is hidden."""
    return ToolError(
        f"template {template_id} is not found. Use list_templates to see those that are there"
    )


def _parameter(each: Parameter) -> Json:
    told: dict[str, Json] = {
        "name": each.name,
        "type": each.type,
        "required": each.required,
        "mutable": each.mutable,
    }
    more: dict[str, Json] = {
        "display_name": each.display_name,
        "description": each.description[:DESCRIPTION],
        "default": each.default_value,
        "options": [
            {"name": option.name, "value": option.value, "description": option.description}
            for option in each.options
        ],
        "validation_regex": each.validation_regex,
        "validation_error": each.validation_error,
        "validation_min": each.validation_min,
        "validation_max": each.validation_max,
        "validation_monotonic": each.validation_monotonic,
    }
    empty: tuple[Json, ...] = ("", None, [])
    return told | {key: item for key, item in more.items() if item not in empty}


def _preset(each: Preset) -> Json:
    return {
        "id": str(each.id),
        "name": each.name,
        "default": each.is_default,
        "desired_prebuild_instances": each.desired_instances,
        "parameters": dict(each.parameters),
    }
