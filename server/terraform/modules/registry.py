"""Answer terraform as a registry of modules, on loopback, while one ``init`` runs.

A registry is asked over HTTP; it may be plain HTTP where a configuration file says so. The path
holds a secret of each run, so that nobody else on the host reads a private module.
"""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from server.terraform.modules.mirror import Address, Mirror, NoMirror

log = structlog.get_logger()

HOST = "registry.coder.com"
_MODULE = r"(?P<namespace>[^/]+)/(?P<name>[^/]+)/(?P<system>[^/]+)"
_ROUTES = (
    re.compile(rf"modules/{_MODULE}/(?P<what>versions)"),
    re.compile(rf"modules/{_MODULE}/(?P<version>[^/]+)/(?P<what>download)"),
    re.compile(rf"packages/{_MODULE}/(?P<version>[^/]+)(?P<what>\.tar\.gz)"),
)
_PATIENCE = 90.0
_LONGEST_REQUEST = 16 << 10


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    body: bytes = b""
    header: str = ""


_MISSING = _Answer("404 Not Found")


@asynccontextmanager
async def served(mirror: Mirror, trouble: Callable[[str], None]) -> AsyncGenerator[str]:
    """Serve a mirror; yield the address to give terraform as ``modules.v1``.

    ``trouble`` takes what terraform's own complaint would not tell.
    """
    registry = _Registry(mirror, trouble)
    server = await asyncio.start_server(registry.connected, "127.0.0.1", 0, limit=_LONGEST_REQUEST)
    port = server.sockets[0].getsockname()[1]
    registry.base = f"/{secrets.token_urlsafe(24)}/"
    registry.url = f"http://127.0.0.1:{port}{registry.base}"
    try:
        yield f"{registry.url}modules/"
    finally:
        server.close()


class _Registry:
    def __init__(self, mirror: Mirror, trouble: Callable[[str], None]) -> None:
        self.base = self.url = ""
        self._mirror = mirror
        self._trouble = trouble

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; each has a connection of its own."""
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
                answer = await self._answer(method, path)
                writer.write(_http(answer, with_body=method == "GET"))
                await writer.drain()
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError, TimeoutError):
            pass  # Whoever asks like that is not terraform.
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, method: str, path: str) -> _Answer:
        if method not in {"GET", "HEAD"} or not path.startswith(self.base):
            return _MISSING
        plain = path.removeprefix(self.base).partition("?")[0]
        found = next(filter(None, (route.fullmatch(plain) for route in _ROUTES)), None)
        if found is None:
            return _MISSING
        module = Address(found["namespace"], found["name"], found["system"])
        if not module.is_valid:
            return _MISSING
        version = found["version"] if found["what"] != "versions" else ""
        try:
            return await asyncio.to_thread(self._module, module, version, found["what"])
        except (NoMirror, OSError) as error:
            log.warning("modules_unreadable", error=str(error))
            self._trouble(str(error))
            return _Answer("500 Internal Server Error")

    def _module(self, module: Address, version: str, what: str) -> _Answer:
        module = module.current
        versions = self._mirror.versions(module)
        name = f"{module.namespace}/{module.name}/{module.system}"
        if not versions:
            self._trouble(f"The server's directory of modules has no {HOST}/{name}.")
            return _MISSING
        if what == "versions":
            listed = [{"version": version} for version in versions]
            document = {"modules": [{"versions": listed}]}
            return _Answer(
                "200 OK", json.dumps(document).encode(), "Content-Type: application/json"
            )
        if version not in versions:
            return _MISSING
        if what == "download":
            package = f"{self.url}packages/{name}/{version}.tar.gz"
            return _Answer("204 No Content", header=f"X-Terraform-Get: {package}")
        packed = self._mirror.packed(module, version)
        return _MISSING if packed is None else _Answer("200 OK", packed)


def _http(answer: _Answer, *, with_body: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status}", "Connection: close"]
    if not answer.status.startswith("204"):
        lines.append(f"Content-Length: {len(answer.body)}")
    if answer.header:
        lines.append(answer.header)
    head = "\r\n".join([*lines, "", ""]).encode()
    return head + answer.body if with_body else head
