"""Make the chat's workspace; asked again, say what is there."""

import json
from typing import Annotated, Final, cast
from uuid import UUID

from pydantic import BeforeValidator, Field

from coder_cli.sdk.builds import WorkspaceStatus
from server import templates, workspaces
from server.kit.errors import Conflict, NotFound
from server.llm import Json
from server.loop import Result, Tool
from server.templates import Template
from server.tools.bench import Bench
from server.tools.ports import Binding
from server.tools.sentences import NoWorkspace, ToolError
from server.tools.shape import Args, shaped
from server.tools.workspaces.names import generated, workspace_name
from server.tools.workspaces.templates import require_allowed, require_here, unknown
from server.tools.workspaces.waiting import UNDER_WAY, failure, readiness, settled
from server.workspaces import Standing, Workspace, WorkspaceOrder

MOST_PARAMETERS: Final = 200


def _values(value: object) -> object:
    """Take values as templates do: texts, and whatever else as the text of its JSON."""
    if isinstance(value, str):
        try:
            value = cast("object", json.loads(value))
        except (ValueError, RecursionError):
            return value
    if not isinstance(value, dict):
        return value
    pairs = cast("dict[object, object]", value)
    return {
        str(key): item if isinstance(item, str) else json.dumps(item)
        for key, item in pairs.items()
        if item is not None
    }


class Create(Args):
    """Arguments of ``create_workspace``."""

    template_id: UUID = Field(description="The id of a template, from list_templates.")
    name: str = Field(
        default="", description="What to call it; letters, digits and hyphens, 32 at most."
    )
    parameters: Annotated[dict[str, str], BeforeValidator(_values)] = Field(
        default_factory=dict[str, str],
        max_length=MOST_PARAMETERS,
        description="Values for the template's parameters, by name.",
    )
    preset_id: UUID | None = Field(
        default=None, description="The id of one of the template's presets."
    )


def create_workspace(bench: Bench) -> Tool:
    """Return the tool."""

    async def create(args: Create) -> Result:
        async with bench.link.building:
            return await _existing(bench) or await _made(bench, args)

    return shaped(__package__ or "", "create_workspace", Create, create)


async def _existing(bench: Bench) -> Result | None:
    """Return what to say of the workspace that the chat has; None where it has none."""
    try:
        now = await bench.link.look()
        if now.build.status in UNDER_WAY:
            now = await settled(bench)
    except NoWorkspace:
        return None
    value: dict[str, Json] = {
        "created": False,
        "workspace_name": now.build.workspace_name,
        "build_id": str(now.build.build_id),
    }
    if now.build.status is WorkspaceStatus.DELETED:
        return None
    if now.build.status is not WorkspaceStatus.RUNNING:
        value["status"] = "stopped"
        value["message"] = (
            f"the chat has a workspace already, which is {now.build.status}. "
            "Use start_workspace to start it"
        )
        return Result(value)
    value["status"] = "already_exists"
    value["message"] = "the chat has a running workspace already; work in it"
    return Result(value | await readiness(bench, now))


async def _made(bench: Bench, args: Create) -> Result:
    template = await _template(bench, args.template_id)
    made = await _order(bench, args, template)
    # Who watches the chat can follow the build from here on.
    await bench.link.bind(Binding(made.id, made.latest_build_id))
    now = await settled(bench)
    if now.build.status is not WorkspaceStatus.RUNNING:
        return await failure(bench, now, "creating the workspace")
    return await ready(bench, now, {"created": True})


async def ready(bench: Bench, now: Standing, value: dict[str, Json]) -> Result:
    """Return the result for a workspace that runs, once its agent is there."""
    value["workspace_name"] = now.build.workspace_name
    value["build_id"] = str(now.build.build_id)
    return Result(value | await readiness(bench, now))


async def _template(bench: Bench, template_id: UUID) -> Template:
    await require_allowed(bench, template_id)
    async with bench.means.database.tx(bench.facts.owner) as tx:
        try:
            template = await templates.template(tx, template_id)
            version = await templates.version(tx, template.active_version_id)
        except NotFound:
            raise unknown(template_id) from None
    require_here(bench, template)
    if version.has_external_agent:
        raise ToolError(
            f'template "{template.name}" uses an external agent, which Coder cannot start: its '
            "workspaces become usable only after somebody runs `coder agent` on their own host. "
            "Choose another template, or ask the user to create and start such a workspace "
            "themselves and to attach it to this chat"
        )
    return template


async def _order(bench: Bench, args: Create, template: Template) -> Workspace:
    name = workspace_name(args.name, template.name)
    ttl = await bench.port.workspace_ttl_ms()
    for last in (False, True):
        order = WorkspaceOrder(
            name,
            template_id=template.id,
            preset_id=args.preset_id,
            parameters=args.parameters,
            ttl_ms=ttl or None,
        )
        try:
            return await workspaces.make(
                bench.means.desk, bench.facts.owner, order, template.organization_id
            )
        except Conflict:
            # The name is taken, or the template has just changed.
            if last:
                raise
            name = generated(args.name or template.name)
    raise AssertionError
