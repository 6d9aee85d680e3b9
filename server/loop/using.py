"""Tools beside each other: bounded, heard in the order of their calls, and never the turn's end."""

import asyncio
from dataclasses import dataclass, field, replace

import structlog

from coder_cli.kit.clock import Clock
from server.llm import ToolResult
from server.loop.answers import INTERRUPTED, refusal
from server.loop.ledger import Voice
from server.loop.state import RunTools, Use
from server.loop.tool import Call

AT_ONCE = 16
"""How many tools of a step run at the same time."""

log = structlog.get_logger()


@dataclass(slots=True)
class Desk:
    """The tools of one step: whoever runs them may be cancelled, and what is done stays here."""

    effect: RunTools
    voice: Voice
    clock: Clock
    results: dict[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    ends_turn: bool = False
    _order: list[str] = field(default_factory=list[str])
    """The calls that are answered here, as they came."""
    _told: int = 0

    async def run(self) -> None:
        """Run everything; when it returns, each call that is not the client's has a result."""
        ours = {*self.effect.refused, *(use.call.id for use in self.effect.uses)}
        self._order = [call.id for call in self.effect.order if call.id in ours]
        for call in self.effect.order:
            if call.id in self.effect.refused:
                self._keep(refusal(call, self.effect.refused[call.id]))
        self._tell()
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for use in self.effect.uses:
                group.create_task(self._use(use, room))
        for use in self.effect.uses:
            # A tool that cancelled itself leaves nothing behind.
            if use.call.id not in self.results:
                self._keep(refusal(use.call, INTERRUPTED))
        self._tell()

    async def _use(self, use: Use, room: asyncio.Semaphore) -> None:
        async with room:
            result = await self._answer(use)
        self._keep(result)
        self._tell()

    async def _answer(self, use: Use) -> ToolResult:
        call = use.call
        try:
            result = await use.tool(Call(call.id, use.args))
        except Exception as error:
            # Its words may hold what a model must not read: they are for the log alone.
            log.exception("a tool panicked", tool=call.name, call=call.id)
            return refusal(call, f"tool panicked: {type(error).__name__}")
        self.ends_turn |= result.ends_turn and not result.is_error
        return ToolResult(
            call.id,
            call.name,
            result.value,
            is_error=result.is_error,
            is_media=result.is_media,
            mcp_server_config_id=call.mcp_server_config_id,
        )

    def _keep(self, result: ToolResult) -> None:
        self.results[result.id] = replace(result, created_at=self.clock.now())

    def _tell(self) -> None:
        """Tell the results that are there, up to the first that is not."""
        while self._told < len(self._order) and self._order[self._told] in self.results:
            self.voice.result(self.results[self._order[self._told]])
            self._told += 1
