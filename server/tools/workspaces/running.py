"""Start and stop the chat's workspace; what is so already stays so."""

from typing import Final

from coder_cli.sdk.builds import Transition, WorkspaceStatus
from server import workspaces
from server.kit.errors import Conflict
from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.ports import Binding
from server.tools.sentences import DELETED, DORMANT, NoWorkspace, ToolError
from server.tools.shape import Args, shaped
from server.tools.workspaces.creating import ready
from server.tools.workspaces.waiting import UNDER_WAY, failure, settled
from server.workspaces import BuildOrder, Standing

ATTEMPTS: Final = 3


class Nothing(Args):
    """No arguments."""


def start_workspace(bench: Bench) -> Tool:
    """Return the tool."""

    async def start(_: Nothing) -> Result:
        async with bench.link.building:
            now, asked = await _reach(bench, Transition.START, WorkspaceStatus.RUNNING)
            if now.build.status is not WorkspaceStatus.RUNNING:
                return await failure(bench, now, "starting the workspace")
            value: dict[str, Json] = {"started": True}
            if not asked:
                value["message"] = "the workspace is running already"
            return await ready(bench, now, value)

    return shaped(__package__ or "", "start_workspace", Nothing, start)


def stop_workspace(bench: Bench) -> Tool:
    """Return the tool."""

    async def stop(_: Nothing) -> Result:
        async with bench.link.building:
            now, asked = await _reach(bench, Transition.STOP, WorkspaceStatus.STOPPED)
            if now.build.status is not WorkspaceStatus.STOPPED:
                return await failure(bench, now, "stopping the workspace")
            value: dict[str, Json] = {
                "stopped": True,
                "workspace_name": now.build.workspace_name,
                "build_id": str(now.build.build_id),
            }
            if not asked:
                value["message"] = "the workspace is stopped already"
            return Result(value)

    return shaped(__package__ or "", "stop_workspace", Nothing, stop)


async def _reach(
    bench: Bench, transition: Transition, wanted: WorkspaceStatus
) -> tuple[Standing, bool]:
    """Bring the workspace to a status; return how it stands then, and whether it took a build."""
    now = await bench.link.look()
    for _ in range(ATTEMPTS):
        if now.build.status in UNDER_WAY:
            now = await settled(bench)
        _require(now)
        if now.build.status is wanted:
            return now, False
        try:
            build_id = await workspaces.begin(
                bench.means.desk, bench.facts.owner, now.build.workspace_id, BuildOrder(transition)
            )
        except Conflict:
            # Somebody else has just ordered a build: it may be the one that is wanted.
            now = await bench.link.look()
            continue
        await bench.link.bind(Binding(now.build.workspace_id, build_id))
        return await settled(bench), True
    raise ToolError("others are building this workspace; try again in a moment")


def _require(now: Standing) -> None:
    if now.build.dormant:
        raise ToolError(DORMANT)
    if now.build.status is WorkspaceStatus.DELETED:
        raise NoWorkspace(DELETED)
