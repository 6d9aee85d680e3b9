"""A chat as its row says it, and what a move does to that row. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.chats.errors import IllegalMove
from server.chats.model.states import Move, State, Status, after, state_of, status_of
from server.kit.authz import Kind, Object

ACTION_DEADLINE = timedelta(minutes=5)
"""How long a chat waits for the client to run its tools."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A row of ``chats``; see the migration for what the columns mean."""

    id: UUID
    organization_id: UUID
    owner_id: UUID
    owner_username: str
    owner_name: str
    workspace_id: UUID | None
    build_id: UUID | None
    agent_id: UUID | None
    parent_chat_id: UUID | None
    root_chat_id: UUID | None
    last_model_config_id: UUID
    last_reasoning_effort: str
    title: str
    title_source: str
    status: Status
    mode: str | None
    plan_mode: str
    last_error: Mapping[str, Any] | None
    archived: bool
    pin_order: int
    labels: Mapping[str, str]
    mcp_server_ids: list[UUID]
    client_type: str
    dynamic_tools: list[dict[str, Any]]
    snapshot_version: int
    history_version: int
    queue_version: int
    queued: int
    generation_attempt: int
    retry_state: Any
    requires_action_deadline_at: datetime | None
    compaction_requested_at: datetime | None
    worker_id: UUID | None
    runner_id: UUID | None
    stopped_runner_id: UUID | None
    started_at: datetime | None
    created_at: datetime
    updated_at: datetime
    has_unread: bool = False

    def __post_init__(self) -> None:
        """Read the status of the row as one of ours."""
        object.__setattr__(self, "status", Status(self.status))

    @property
    def state(self) -> State | None:
        """Return where the chat is; None is a row that no chat may have (see ``reconciled``)."""
        return state_of(self.status, queued=self.queued > 0, archived=self.archived)

    @property
    def is_root(self) -> bool:
        """Tell whether no other chat made this one."""
        return self.parent_chat_id is None

    @property
    def idle(self) -> bool:
        """Tell whether the next message may run at once."""
        return self.status in (Status.WAITING, Status.ERROR)

    @property
    def runnable(self) -> bool:
        """Tell whether it waits for a worker."""
        return self.status in (Status.RUNNING, Status.INTERRUPTING) and self.runner_id is None

    @property
    def object(self) -> Object:
        """Return what actions on this chat are asked for."""
        return Object(
            Kind.CHAT, id=self.id, owner_id=self.owner_id, organization_id=self.organization_id
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose heartbeat it is, and until when it counts."""

    runner_id: UUID
    expires_at: datetime


def moved(chat: Chat, move: Move, now: datetime, *, queued: int | None = None) -> Chat:
    """Return the row after ``move``, with ``queued`` messages waiting (None: as many as before).

    The runner stays while its turn goes on; whoever ends a turn, or cuts its history, clears it.

    Raises:
        IllegalMove: the table has no such move.
    """
    left = chat.queued if queued is None else queued
    if chat.state is None:
        raise IllegalMove(move, "an inconsistent state")
    state = after(chat.state, move, queued=left > 0)
    status = status_of(state)
    next_ = replace(
        chat,
        status=status,
        queued=left,
        archived=state.value.startswith("X"),
        requires_action_deadline_at=_deadline(chat, status, now),
    )
    if status is not Status.ERROR:
        next_ = replace(next_, last_error=None)
    if move is Move.REQUEST_COMPACTION:
        next_ = replace(next_, compaction_requested_at=now)
    if move in _ENDS_TURN:
        next_ = replace(released(next_), compaction_requested_at=None)
    if status is Status.RUNNING and move in _BEGINS_TURN:
        next_ = replace(next_, stopped_runner_id=None)
    return next_


def released(chat: Chat) -> Chat:
    """Return the row without a runner: its next step needs a new lease."""
    return replace(
        chat,
        worker_id=None,
        runner_id=None,
        started_at=None,
        generation_attempt=0,
        retry_state=None,
    )


def stopped(chat: Chat) -> Chat:
    """Return the row without its runner, which may still store what it had written so far."""
    return replace(released(chat), stopped_runner_id=chat.runner_id)


def reconciled(chat: Chat, now: datetime, message: str) -> Chat:
    """Return the error state nearest to a row that no chat may have."""
    error = {"message": message, "kind": "generic", "retryable": False}
    return replace(
        released(chat),
        status=Status.ERROR,
        last_error=error,
        requires_action_deadline_at=None,
        compaction_requested_at=None,
        updated_at=now,
    )


def _deadline(chat: Chat, status: Status, now: datetime) -> datetime | None:
    if status is not Status.REQUIRES_ACTION:
        return None
    return chat.requires_action_deadline_at or now + ACTION_DEADLINE


_ENDS_TURN = frozenset(
    {
        Move.EDIT,
        Move.ENTER_ACTION,
        Move.FINISH_TURN,
        Move.FINISH_INTERRUPTION,
        Move.FINISH_ERROR,
    }
)
_BEGINS_TURN = frozenset(
    {
        Move.SEND,
        Move.EDIT,
        Move.PROMOTE,
        Move.COMPLETE_ACTION,
        Move.REQUEST_COMPACTION,
        Move.FINISH_INTERRUPTION,
        Move.FINISH_TURN,
    }
)
