"""Let another agent do a part of the work."""

from uuid import UUID

from pydantic import Field, field_validator

from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.ports import Child, ChildOrder
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped

TYPES = ("general", "explore")
DELEGATED = "delegated chats cannot create child subagents"
NO_DESKTOP = "agents that use a computer are not enabled on this deployment"
LONGEST_PROMPT = 100_000


class Plain(Args):
    """Arguments of the older tools, whose name says the type."""

    prompt: str = Field(
        max_length=LONGEST_PROMPT,
        description="The whole task: the other agent sees nothing of this conversation.",
    )
    title: str = Field(default="", max_length=200, description="What to call it.")
    model_config_id: UUID | None = Field(
        default=None, description="Another model; this chat's one if left out."
    )
    reasoning_effort: str = Field(default="", max_length=32, description="How hard it thinks.")

    @field_validator("prompt")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("prompt is required")
        return value


class Spawn(Plain):
    """Arguments of ``spawn_agent``."""

    type: str = Field(
        default="general",
        description="general works on files; explore only looks, and reports.",
        json_schema_extra={"enum": list(TYPES)},
    )


def about(child: Child) -> dict[str, Json]:
    """Return what every answer says of a child."""
    return {
        "chat_id": str(child.chat_id),
        "title": child.title,
        "status": child.status,
        "type": child.type,
    }


def spawn_agent(bench: Bench) -> Tool:
    """Return the tool."""

    async def spawn(args: Spawn) -> Result:
        return await _spawn(bench, args, args.type)

    return shaped(__package__ or "", "spawn_agent", Spawn, spawn)


def spawn_explore_agent(bench: Bench) -> Tool:
    """Return the older tool for an explorer."""

    async def spawn(args: Plain) -> Result:
        return await _spawn(bench, args, "explore")

    return shaped(__package__ or "", "spawn_explore_agent", Plain, spawn)


def spawn_computer_use_agent(bench: Bench) -> Tool:
    """Return the older tool for an agent with a desktop."""

    async def spawn(args: Plain) -> Result:
        return await _spawn(bench, args, "computer_use")

    return shaped(__package__ or "", "spawn_computer_use_agent", Plain, spawn)


async def _spawn(bench: Bench, args: Plain, type_: str) -> Result:
    if not bench.facts.is_root:
        raise ToolError(DELEGATED)
    if type_ == "computer_use":
        raise ToolError(NO_DESKTOP)
    if type_ not in TYPES:
        raise ToolError(f"type: {type_!r} is none of {', '.join(TYPES)}")
    order = ChildOrder(
        prompt=args.prompt,
        type=type_,
        title=args.title.strip(),
        model_config_id=args.model_config_id,
        reasoning_effort=args.reasoning_effort,
    )
    return Result(about(await bench.port.spawn(order)))
