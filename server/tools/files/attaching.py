"""Hand a file of the workspace to the person."""

from typing import Final

from pydantic import Field, field_validator

from server.agents import AgentApi
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.files.sniffing import media_type
from server.tools.paths import expanded
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped

LARGEST: Final = 10 * 1024 * 1024
PIECE: Final = 4 * 1024 * 1024
LONGEST_NAME: Final = 255


class Attach(Args):
    """Arguments of ``attach_file``."""

    path: str = Field(description="The absolute path of the file.")
    name: str = Field(default="", description="What to call it; the file's own name if left out.")

    @field_validator("path")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("path is required")
        return value.strip()


def attach_file(bench: Bench) -> Tool:
    """Return the tool."""

    async def attach(args: Attach) -> Result:
        path = await expanded(bench.link, args.path)
        name = shortened(args.name.strip().rpartition("/")[2] or path.rpartition("/")[2])
        async with bench.link.open() as api:
            content = await _content(api, path)
        if not content:
            raise ToolError(f"{path} is empty")
        stored = await bench.port.keep_file(name, media_type(name, content), content)
        return Result(
            {
                "ok": True,
                "path": path,
                "file_id": str(stored.id),
                "name": stored.name,
                "media_type": stored.media_type,
                "size": stored.size,
            }
        )

    return shaped(__package__ or "", "attach_file", Attach, attach)


async def _content(api: AgentApi, path: str) -> bytes:
    content = bytearray()
    while True:
        piece = await api.read_file(path, len(content), PIECE)
        content += piece
        if len(content) > LARGEST:
            raise ToolError(f"{path} has more than {LARGEST} bytes, the most that can be attached")
        if len(piece) < PIECE:
            return bytes(content)


def shortened(name: str) -> str:
    """Return a name of 255 bytes at most, whose end says what it is."""
    raw = name.encode(errors="replace")
    if len(raw) <= LONGEST_NAME:
        return raw.decode()
    stem, dot, end = name.rpartition(".")
    tail = (dot + end).encode(errors="replace") if stem and len(end) <= 16 else b""
    return raw[: LONGEST_NAME - len(tail)].decode(errors="ignore") + tail.decode()
