"""The process API: one method for each route."""

from uuid import UUID

from agent.network.http import Answer, Refusal, Reply, Request, Table, Touched, nobody_asks
from agent.processes.errors import (
    NoSuchProcess,
    NotRunning,
    NotStarted,
    OtherInput,
    ProcessError,
    TooMany,
    WrongRequest,
)
from agent.processes.process import Running
from agent.processes.registry import Registry
from coder_cli.sdk.agentapi import Json, processes, to_json
from coder_cli.sdk.agentapi.http import ChatContext
from coder_cli.sdk.agentapi.processes import (
    LONGEST_WAIT,
    Process,
    ProcessOutput,
    ProcessStarted,
    SignalProcess,
    StartProcess,
    Truncation,
)

LARGEST_START = 2 * 1024 * 1024
"""A command may carry a whole program."""


class ProcessRoutes:
    """Answers requests about the processes of ``registry``."""

    def __init__(self, registry: Registry, touched: Touched = nobody_asks) -> None:
        self._registry = registry
        self._touched = touched

    def mount(self, table: Table) -> None:
        """Add the routes."""
        table.add("POST", processes.START, self._start)
        table.add("GET", processes.LIST, self._list)
        table.add("GET", processes.OUTPUT, self._output)
        table.add("POST", processes.SIGNAL, self._signal)
        table.add("DELETE", processes.OF_CHAT, self._end_all)

    async def _start(self, request: Request) -> Reply:
        wanted = await request.shape(StartProcess, LARGEST_START)
        try:
            process = self._registry.start(wanted, chat_of(request))
        except ProcessError as no:
            raise _refusal(no) from no
        self._touched(request, [process.workdir])
        return Answer(200, to_json(ProcessStarted(process.id)))

    async def _list(self, request: Request) -> Reply:
        found = self._registry.list(chat_of(request))
        return Answer(200, {"processes": [_sparse(_told(process)) for process in found]})

    async def _output(self, request: Request) -> Reply:
        try:
            process = self._registry.get(request.params["id"], chat_of(request))
        except ProcessError as no:
            raise _refusal(no) from no
        if request.query.get("wait") in {"true", "1"}:
            await self._registry.wait(process, LONGEST_WAIT)
        if not process.running:
            self._touched(request, [process.workdir])
        return Answer(200, _sparse(_output(process)))

    async def _signal(self, request: Request) -> Reply:
        name = request.params["id"]
        wanted = await request.shape(SignalProcess)
        try:
            self._registry.signal(name, wanted.signal, chat_of(request))
        except ProcessError as no:
            raise _refusal(no) from no
        return Answer(200, {"message": f'Signal "{wanted.signal}" sent to process "{name}".'})

    async def _end_all(self, request: Request) -> Reply:
        chat = chat_of(request)
        if chat is None:
            raise Refusal(400, "The header Coder-Chat-Id says whose processes are meant.")
        count = await self._registry.end_all(chat)
        return Answer(200, {"message": f"{count} running processes were ended."})


def chat_of(request: Request) -> UUID | None:
    """Return the chat that a request is made for; raises ``Refusal``."""
    try:
        context = ChatContext.of(request.headers)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return context.id if context else None


def _told(process: Running) -> Process:
    ended = process.ended_at
    return Process(
        process.id,
        process.wanted.command,
        process.workdir,
        process.wanted.background,
        process.running,
        int(process.started_at.timestamp()),
        process.exit_code,
        int(ended.timestamp()) if ended else None,
    )


def _output(process: Running) -> ProcessOutput:
    excerpt = process.output()
    cut = None
    if excerpt.omitted:
        cut = Truncation(excerpt.original, excerpt.retained, excerpt.omitted)
    return ProcessOutput(excerpt.text, process.running, cut, process.exit_code)


def _sparse(shape: object) -> dict[str, Json]:
    return {name: value for name, value in to_json(shape).items() if value is not None}


def _refusal(no: ProcessError) -> Refusal:
    match no:
        case NoSuchProcess():
            return Refusal(404, str(no))
        case NotRunning() | OtherInput():
            return Refusal(409, str(no))
        case WrongRequest():
            return Refusal(400, str(no))
        case TooMany():
            return Refusal(429, str(no))
        case NotStarted():
            return Refusal(500, str(no), no.detail)
        case _:
            return Refusal(500, str(no))
