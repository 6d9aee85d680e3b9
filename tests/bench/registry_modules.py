"""A module registry of released modules, read from a bare repository: terraform's own protocol."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

_VERSIONS = re.compile(r"/(?P<space>[^/]+)/(?P<name>[^/]+)/coder/versions")
_DOWNLOAD = re.compile(r"/(?P<space>[^/]+)/(?P<name>[^/]+)/coder/(?P<version>[^/]+)/download")
_ARCHIVE = re.compile(r"/archive/(?P<space>[^/]+)/(?P<name>[^/]+)/(?P<version>[^/]+)\.tar\.gz")


async def git(repository: Path, *arguments: str) -> bytes:
    """Run git in a bare repository; return what it prints.

    Raises:
        ValueError: git refuses.
    """
    process = await asyncio.create_subprocess_exec(
        "git",
        f"--git-dir={repository}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise ValueError(err.decode())
    return out


@dataclass(slots=True)
class ModuleRegistry:
    """Serves ``release/<namespace>/<module>/v<version>`` tags on a port of this host."""

    repository: Path
    port: int = 0
    _server: asyncio.Server | None = field(default=None)

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End."""
        if self._server is not None:
            self._server.close()

    @property
    def settings(self) -> str:
        """Terraform's CLI configuration that sends registry.coder.com here."""
        where = f"http://127.0.0.1:{self.port}/"
        return (
            f'host "registry.coder.com" {{\n  services = {{ "modules.v1" = "{where}" }}\n}}\n'
            "disable_checkpoint = true\n"
        )

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ")[1].decode().partition("?")[0]
        try:
            headers, body = await self._find(path)
            status = "200 OK"
        except ValueError:
            headers, body, status = "", b"", "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}"
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()
        writer.close()

    async def _find(self, path: str) -> tuple[str, bytes]:
        if found := _VERSIONS.fullmatch(path):
            pattern = f"release/{_space(found)}/{found['name']}/v*"
            tags = (await git(self.repository, "tag", "--list", pattern)).decode().split()
            versions = [{"version": tag.rpartition("/v")[2]} for tag in tags]
            answer = json.dumps({"modules": [{"versions": versions}]})
            return "Content-Type: application/json\r\n", answer.encode()
        if found := _DOWNLOAD.fullmatch(path):
            source = f"/archive/{_space(found)}/{found['name']}/{found['version']}.tar.gz"
            return f"X-Terraform-Get: {source}\r\n", b""
        if found := _ARCHIVE.fullmatch(path):
            tag = f"release/{found['space']}/{found['name']}/v{found['version']}"
            folder = f"{tag}:registry/{found['space']}/modules/{found['name']}"
            body = await git(self.repository, "archive", "--format=tar.gz", folder)
            return "Content-Type: application/gzip\r\n", body
        raise ValueError(path)


def _space(found: re.Match[str]) -> str:
    # The registry's first address was registry.coder.com/modules/<name>/coder.
    return "coder" if found["space"] == "modules" else found["space"]
