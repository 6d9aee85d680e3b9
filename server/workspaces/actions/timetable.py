"""When a workspace starts and stops by itself, and who may say so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.kit.db import Tx
from server.kit.errors import Conflict, Invalid
from server.workspaces import policy
from server.workspaces.actions import find
from server.workspaces.errors import invalid_field
from server.workspaces.events import WorkspaceChanged
from server.workspaces.model import (
    BadSchedule,
    Workspace,
    bumped_deadline,
    check_extension,
    check_ttl,
    parse_weekly,
)
from server.workspaces.store import builds, using, workspaces

NO_AUTOSTART = "Autostart is not allowed for workspaces using this template."
NO_AUTOSTOP = "Custom autostop TTL is not allowed for workspaces using this template."


class Timing(Protocol):
    """What a template lays down."""

    @property
    def default_ttl_ms(self) -> int: ...
    @property
    def allow_user_autostop(self) -> bool: ...
    @property
    def allow_user_autostart(self) -> bool: ...
    @property
    def autostart_days(self) -> list[str]: ...


def first_ttl(template: Timing, ttl_ms: int | None) -> int | None:
    """Return how long a new workspace runs after a start: as asked, else as its template says.

    Raises:
        Invalid: it is too short, or too long.
    """
    if ttl_ms is None or not template.allow_user_autostop:
        return template.default_ttl_ms or None
    return _checked_ttl("Invalid Workspace Time to Shutdown.", ttl_ms)


def first_start(now: datetime, template: Timing, schedule: str) -> datetime | None:
    """Return when a workspace with this schedule starts by itself next; None is never.

    Raises:
        Invalid: it is no schedule, or the template allows none.
    """
    if not schedule:
        return None
    if not template.allow_user_autostart:
        raise invalid_field(NO_AUTOSTART, "schedule", NO_AUTOSTART)
    return next_start(now, schedule, template.autostart_days)


def next_start(now: datetime, schedule: str, days: list[str]) -> datetime | None:
    """Return when ``schedule`` is due next on one of ``days``.

    Raises:
        Invalid: it is no schedule.
    """
    try:
        return parse_weekly(schedule).after(now, days)
    except BadSchedule as error:
        raise invalid_field("Invalid Autostart Schedule.", "schedule", str(error)) from error


async def set_ttl(tx: Tx, workspace_id: UUID, ttl_ms: int | None) -> None:
    """Write how long the workspace runs after a start; 0 is for ever, and frees what runs now.

    Raises:
        Invalid: it is too short or too long, or the template's to decide.
    """
    workspace = await _mine(tx, workspace_id)
    if not workspace.allow_user_autostop:
        message = "Error updating workspace time until shutdown."
        raise invalid_field(message, "ttl_ms", NO_AUTOSTOP)
    ttl = _checked_ttl("Error updating workspace time until shutdown.", ttl_ms or 0)
    await workspaces.set_ttl(tx, workspace.id, ttl)
    if ttl is None:
        await builds.set_deadline(tx, workspace.latest_build_id, None)
    await _changed(tx, workspace)


async def set_autostart(tx: Tx, workspace_id: UUID, schedule: str) -> None:
    """Write when the workspace starts by itself; an empty schedule is never.

    Raises:
        Invalid: it is no schedule, or the template allows none.
    """
    workspace = await _mine(tx, workspace_id)
    due: datetime | None = None
    if schedule:
        if not workspace.template_allow_user_autostart:
            raise invalid_field(NO_AUTOSTART, "schedule", NO_AUTOSTART)
        due = next_start(tx.now, schedule, workspace.template_autostart_days)
    await workspaces.set_autostart(tx, workspace.id, schedule or None, due)
    await _changed(tx, workspace)


async def extend(tx: Tx, workspace_id: UUID, deadline: datetime) -> None:
    """Move when the running workspace stops by itself.

    Raises:
        Conflict: it does not run, or does not stop by itself.
        Invalid: too soon, or later than its last possible moment.
    """
    workspace = await _mine(tx, workspace_id)
    await workspaces.lock(tx, workspace.id)
    last = await builds.last(tx, workspace.id)
    if last is None or last.transition != "start":
        raise Conflict("Workspace must be started.")
    if last.active:
        raise Conflict("Workspace is still building!")
    if last.deadline is None:
        raise Conflict("Workspace shutdown is manual.")
    complaint = check_extension(tx.now, deadline, last.max_deadline)
    if complaint is not None:
        raise Invalid(complaint)
    await builds.set_deadline(tx, last.id, deadline)
    await _changed(tx, workspace)


async def use(tx: Tx, workspace_id: UUID) -> None:
    """Take note that somebody uses the workspace, and put off its stop if it has one.

    The caller asked who may do so.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    workspace = await find.workspace(tx, workspace_id)
    await workspaces.use(tx, workspace.id)
    last = await builds.last(tx, workspace.id)
    if last is None or last.active or last.transition != "start":
        return
    later = bumped_deadline(tx.now, last.deadline, last.max_deadline, workspace.activity_bump_ms)
    if later is not None:
        await builds.set_deadline(tx, last.id, later)
        await _changed(tx, workspace)


async def use_all(tx: Tx, workspace_ids: Sequence[UUID]) -> None:
    """Take note that somebody uses these workspaces, as ``use`` does; those that are gone are not.

    The caller asked who may do so.
    """
    if not workspace_ids:
        return
    later: dict[UUID, datetime] = {}
    for one in await using.use(tx, workspace_ids):
        bump = bumped_deadline(tx.now, one.deadline, one.max_deadline, one.activity_bump_ms)
        if bump is not None:
            later[one.build_id] = bump
            await tx.announce(WorkspaceChanged(workspace_id=one.id, owner_id=one.owner_id))
    if later:
        await using.put_off(tx, list(later), list(later.values()))


def _checked_ttl(message: str, ttl_ms: int) -> int | None:
    complaint = check_ttl(ttl_ms) if ttl_ms else None
    if complaint is not None:
        raise invalid_field(message, "ttl_ms", complaint)
    return ttl_ms or None


async def _mine(tx: Tx, workspace_id: UUID) -> Workspace:
    workspace = await find.workspace(tx, workspace_id)
    policy.may_update(tx.actor, workspace)
    return workspace


async def _changed(tx: Tx, workspace: Workspace) -> None:
    await tx.announce(WorkspaceChanged(workspace_id=workspace.id, owner_id=workspace.owner_id))
