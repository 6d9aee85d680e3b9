"""Wait for other agents, talk to them, end them."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import Field, field_validator

from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.shape import Args, shaped
from server.tools.subagents.spawning import about


class Which(Args):
    """Arguments that only say which agent."""

    chat_id: UUID = Field(description="The chat_id that spawn_agent answered.")


class Wait(Which):
    """Arguments of ``wait_agent``."""

    timeout_seconds: float = Field(
        default=300, ge=1, le=3600, description="How long to wait, an hour at most."
    )


class Say(Which):
    """Arguments of ``message_agent``."""

    message: str = Field(max_length=100_000, description="What to tell it.")
    interrupt: bool = Field(
        default=False, description="Stop what it does now; else it reads the message afterwards."
    )

    @field_validator("message")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("message is required")
        return value


class Page(Args):
    """Arguments of ``list_agents``."""

    limit: int = Field(default=10, ge=1, le=50, description="How many, 50 at most.")
    offset: int = Field(default=0, ge=0, description="How many to skip.")


def wait_agent(bench: Bench) -> Tool:
    """Return the tool."""

    async def wait(args: Wait) -> Result:
        child = await bench.port.wait_child(args.chat_id, args.timeout_seconds)
        value = about(child)
        if child.status == "error":
            value["error"] = dict(child.error or {"message": "the agent failed"})
            if child.report:
                value["report"] = child.report
            return Result(value, is_error=True)
        if not child.done:
            value["timed_out"] = True
            return Result(value)
        value["report"] = child.report
        return Result(value)

    return shaped(__package__ or "", "wait_agent", Wait, wait)


def message_agent(bench: Bench) -> Tool:
    """Return the tool."""

    async def say(args: Say) -> Result:
        child = await bench.port.message_child(args.chat_id, args.message, interrupt=args.interrupt)
        told = {key: item for key, item in about(child).items() if key != "type"}
        return Result({**told, "interrupted": args.interrupt})

    return shaped(__package__ or "", "message_agent", Say, say)


def close_agent(bench: Bench) -> Tool:
    """Return the tool."""
    return _ending(bench, "close_agent", "terminated")


def interrupt_agent(bench: Bench) -> Tool:
    """Return the tool by its other name."""
    return _ending(bench, "interrupt_agent", "interrupted")


def _ending(bench: Bench, name: str, word: str) -> Tool:
    async def end(args: Which) -> Result:
        child = await bench.port.interrupt_child(args.chat_id)
        told = {key: item for key, item in about(child).items() if key != "type"}
        return Result({**told, word: True})

    return shaped(__package__ or "", name, Which, end)


def list_agents(bench: Bench) -> Tool:
    """Return the tool."""

    async def look(args: Page) -> Result:
        found, total = await bench.port.children(args.limit, args.offset)
        rows: list[Json] = [
            {
                **about(child),
                "created_at": _time(child.created_at),
                "updated_at": _time(child.updated_at),
            }
            for child in found
        ]
        return Result(
            {
                "agents": rows,
                "total": total,
                "returned": len(rows),
                "offset": args.offset,
                "has_more": args.offset + len(rows) < total,
            }
        )

    return shaped(__package__ or "", "list_agents", Page, look)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
