"""Paths in the workspace as models write them."""

from pathlib import PurePosixPath
from uuid import UUID

from server.tools.link import WorkspaceLink
from server.tools.sentences import ToolError


async def expanded(link: WorkspaceLink, path: str) -> str:
    """Return ``path`` without white space around it and with ``~`` in full.

    What it comes to is the agent's to judge.
    """
    path = path.strip()
    if path == "~" or path.startswith("~/"):
        home = await link.home()
        return home + path[1:] if home != "/" else path[1:] or "/"
    return path


def plan_path_under(home: str, chat_id: UUID) -> str:
    """Return where a chat's plan is, in the home directory of the agent's user."""
    return f"{home.rstrip('/')}/.coder/plans/PLAN-{chat_id}.md"


def is_legacy_plan(path: str, home: str) -> bool:
    """Tell whether this is the plan file that all chats of a workspace once shared."""
    return PurePosixPath(path) == PurePosixPath(home) / "PLAN.md"


async def plan_path(link: WorkspaceLink) -> str:
    """Return where the plan of the link's chat is; raises what reaching the workspace raises."""
    return plan_path_under(await link.home(), link.facts.id)


async def require_plan_file(link: WorkspaceLink, path: str) -> None:
    """Refuse any file but the chat's plan.

    Raises:
        ToolError: it is another one; the message names the right one.
    """
    right = await plan_path(link)
    # No links are followed here: the name itself must be the right one, without detours.
    if path != right:
        raise ToolError(f"in plan mode only the plan file may be written: {right}")


async def require_no_legacy_plan(link: WorkspaceLink, path: str) -> None:
    """Refuse the shared plan file of old.

    Raises:
        ToolError: it is that one.
    """
    if path.rpartition("/")[2] == "PLAN.md" and is_legacy_plan(path, await link.home()):
        raise ToolError(
            f"{path} was shared by all chats of a workspace and is not written any more. "
            f"The plan file of this chat is {await plan_path(link)}"
        )
