"""What the server does inside a workspace: processes and files, by its agent's API.

Each call is a stream of its own, opened on whichever replica asks; what is running is the agent's,
so a call that broke with its replica is simply made again by another one.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Json, files, processes
from coder_cli.sdk.agentapi.files import (
    Directory,
    Edited,
    EditFiles,
    FileLines,
    ListDirectory,
    ResolvedPath,
)
from coder_cli.sdk.agentapi.http import ChatContext, Message
from coder_cli.sdk.agentapi.processes import (
    LONGEST_WAIT,
    Process,
    Processes,
    ProcessOutput,
    ProcessSignal,
    ProcessStarted,
    SignalProcess,
    StartProcess,
)
from server.agents.actions.asking import LARGEST_ANSWER, PATIENCE, Asked, ask, fetch
from server.agents.actions.keeping import Kept
from server.agents.actions.streams import Dialer
from server.agents.errors import AgentRefused, BadAnswer

Shape = TypeVar("Shape")
TRANSFER_WITHIN: Final = 120.0
"""Seconds that a whole file may take."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AgentApi:
    """One agent's API, for a chat or for the server itself. Whoever has one has asked who may.

    All of it raises:
        NotFound: the agent is not there, or not connected; the message says which.
        Unreachable: it did not answer.
        AgentRefused: it said no; the message is a sentence, ``code`` its status.
        BadAnswer: what came is no answer of an agent's.
    """

    dialer: Dialer | Kept
    """A stream for each request, or streams that are kept."""
    agent_id: UUID
    chat: ChatContext | None = None

    async def start_process(self, wanted: StartProcess) -> UUID:
        """Start a process; with a client token it is safe to ask again."""
        again = bool(wanted.client_token)
        body, headers = api.to_json(wanted), self._headers()
        asked = Asked(processes.START, "POST", body, headers=headers, repeatable=again)
        return (await self._ask(asked, ProcessStarted)).id

    async def list_processes(self) -> tuple[Process, ...]:
        """Return the chat's newest processes, those that run before the others."""
        return (await self._get(processes.LIST, Processes)).processes

    async def process_output(self, process_id: UUID, within: float = 0) -> ProcessOutput:
        """Return what a process has said; wait for its end for at most ``within`` seconds."""
        path = processes.OUTPUT.format(id=process_id)
        if within > 0:
            try:
                async with asyncio.timeout(min(within, LONGEST_WAIT)):
                    # The agent waits as long itself; the patience is for its answer after that.
                    patience = LONGEST_WAIT + PATIENCE
                    return await self._get(f"{path}?wait=true", ProcessOutput, patience)
            except TimeoutError:
                pass
        return await self._get(path, ProcessOutput)

    async def signal_process(self, process_id: UUID, signal: ProcessSignal) -> str:
        """Send a signal to all of a process's group; return what the agent says."""
        path = processes.SIGNAL.format(id=process_id)
        return (await self._post(path, SignalProcess(signal), Message)).message

    async def end_processes(self) -> str:
        """End and forget all processes of the chat, which is closed."""
        asked = Asked(processes.OF_CHAT, "DELETE", headers=self._headers())
        return (await self._ask(asked, Message)).message

    async def list_directory(self, wanted: ListDirectory) -> Directory:
        """Return a directory's entries."""
        return await self._post(files.LIST_DIRECTORY, wanted, Directory)

    async def resolve_path(self, path: str) -> str:
        """Return where ``path`` leads, links followed."""
        target = _target(files.RESOLVE_PATH, path=path)
        return (await self._get(target, ResolvedPath)).resolved_path

    async def read_file(self, path: str, offset: int = 0, limit: int = LARGEST_ANSWER) -> bytes:
        """Return ``limit`` bytes of a file at most, which are 4 MiB at most."""
        limit = min(limit, LARGEST_ANSWER)
        target = _target(files.READ_FILE, path=path, offset=offset, limit=limit)
        asked = Asked(target, patience=TRANSFER_WITHIN, headers=self._headers())
        status, content = await fetch(self.dialer, self.agent_id, asked)
        if status != 200:
            raise _refusal(status, _parsed(content))
        return content

    async def read_lines(self, path: str, offset: int = 1, limit: int = 2000) -> FileLines:
        """Return lines of a file, numbered."""
        target = _target(files.READ_FILE_LINES, path=path, offset=offset, limit=limit)
        return await self._get(target, FileLines)

    async def write_file(self, path: str, content: bytes) -> str:
        """Put ``content`` in the place of a file, or make it; return what the agent says."""
        target = _target(files.WRITE_FILE, path=path)
        asked = Asked(target, "POST", content, TRANSFER_WITHIN, self._headers())
        return (await self._ask(asked, Message)).message

    async def edit_files(self, wanted: EditFiles) -> Edited:
        """Make all edits of all files, or none."""
        body = api.to_json(wanted)
        asked = Asked(files.EDIT_FILES, "POST", body, headers=self._headers(), repeatable=False)
        return await self._ask(asked, Edited)

    def _headers(self) -> dict[str, str]:
        return self.chat.headers() if self.chat else {}

    async def _get(self, target: str, shape: type[Shape], patience: float = PATIENCE) -> Shape:
        return await self._ask(Asked(target, patience=patience, headers=self._headers()), shape)

    async def _post(self, target: str, body: object, shape: type[Shape]) -> Shape:
        asked = Asked(target, "POST", api.to_json(body), headers=self._headers())
        return await self._ask(asked, shape)

    async def _ask(self, asked: Asked, shape: type[Shape]) -> Shape:
        status, content = await ask(self.dialer, self.agent_id, asked)
        if status != 200:
            raise _refusal(status, content)
        try:
            return api.from_json(shape, content)
        except api.BadShape as error:
            raise BadAnswer(f"does not fit: {error}") from error


def _target(at: str, /, **query: str | int) -> str:
    return f"{at}?{urlencode(query, errors='surrogateescape')}"


def _refusal(status: int, content: Json) -> AgentRefused:
    try:
        told = api.from_json(_Refusal, content)
    except api.BadShape:
        return AgentRefused(status, f"The workspace agent answered with status {status}.")
    return AgentRefused(status, told.message, detail=told.detail)


def _parsed(content: bytes) -> Json:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
