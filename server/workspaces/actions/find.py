"""Find workspaces and builds by what a path says. Hidden and missing are the same refusal."""

from typing import TypeVar
from uuid import UUID

from server.kit.db import Tx
from server.kit.errors import NotFound
from server.workspaces.errors import WorkspaceGone
from server.workspaces.model import Build, Workspace
from server.workspaces.store import builds, workspaces

T = TypeVar("T")


async def workspace(tx: Tx, workspace_id: UUID, *, include_deleted: bool = False) -> Workspace:
    """Return the workspace if the actor may see it.

    Raises:
        NotFound: there is none, or it is hidden.
        WorkspaceGone: it was deleted.
    """
    found = _found(await workspaces.get(tx, workspace_id))
    if found.deleted and not include_deleted:
        raise WorkspaceGone(found.id)
    return found


async def named(tx: Tx, who: str, name: str, *, include_deleted: bool = False) -> Workspace:
    """Return what the user called ``who`` calls ``name``.

    Raises:
        NotFound: there is no such user or workspace, or it is hidden.
    """
    # Not through identity: whom a workspace is shared with need not see its owner's account.
    owner = tx.actor.user_id if who == "me" else _id_or_name(who)
    return _found(await workspaces.by_name(tx, owner, name, include_deleted=include_deleted))


async def build(tx: Tx, build_id: UUID) -> Build:
    """Return the build if the actor may see its workspace.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    return _found(await builds.get(tx, build_id))


async def build_of(tx: Tx, build_id: UUID) -> tuple[Build, Workspace]:
    """Return a build and its workspace, deleted or not.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    found = await build(tx, build_id)
    return found, await workspace(tx, found.workspace_id, include_deleted=True)


async def numbered(tx: Tx, who: str, name: str, number: int) -> Build:
    """Return a build by its number in what ``who`` calls ``name``.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    of = await named(tx, who, name, include_deleted=True)
    return _found(await builds.by_number(tx, of.id, number))


def _id_or_name(who: str) -> UUID | str:
    try:
        return UUID(who)
    except ValueError:
        return who


def _found(thing: T | None) -> T:
    if thing is None:
        raise NotFound
    return thing
