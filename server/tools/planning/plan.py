"""Show the plan to the person who decides; the turn ends with it."""

from typing import Final

from pydantic import Field

from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.paths import expanded, plan_path
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped

LARGEST: Final = 32 * 1024
MEDIA_TYPE: Final = "text/markdown"


class Propose(Args):
    """Arguments of ``propose_plan``."""

    path: str = Field(
        default="", description="The absolute path of the chat's plan file; it ends in .md."
    )


def propose_plan(bench: Bench) -> Tool:
    """Return the tool."""

    async def propose(args: Propose) -> Result:
        right = await plan_path(bench.link)
        path = await expanded(bench.link, args.path) or right
        if path != right:
            raise ToolError(f"path must be the plan file of this chat: {right}")
        async with bench.link.open() as api:
            content = await api.read_file(path, 0, LARGEST + 1)
        if len(content) > LARGEST:
            raise ToolError(f"the plan has more than {LARGEST} bytes; make it shorter")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise ToolError("the plan is not text in UTF-8") from None
        if not text.strip() or "\0" in text:
            raise ToolError(f"the plan is empty; write it to {right} first")
        name = path.rpartition("/")[2]
        stored = await bench.port.keep_file(name, MEDIA_TYPE, content)
        return Result(
            {
                "ok": True,
                "path": path,
                "kind": "plan",
                "file_id": str(stored.id),
                "media_type": stored.media_type,
            },
            ends_turn=True,
        )

    return shaped(__package__ or "", "propose_plan", Propose, propose)
