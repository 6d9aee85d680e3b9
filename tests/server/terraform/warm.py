"""The real terraform, run by a test itself against a warm provider: no driver in between."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coder_cli.kit.environ import environ
from server.terraform.provider import ProviderHost, Recorder

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a terraform command ended."""

    code: int
    text: str
    """What it said, both streams together."""


def bare() -> dict[str, str]:
    """Return the environment without anything that would change what terraform does."""
    plain = {n: v for n, v in environ().items() if not n.startswith(("TF_", "CODER_"))}
    return plain | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


async def terraform(
    directory: Path,
    *arguments: str,
    build: Mapping[str, str] = NOTHING,
    recorder: Recorder | None = None,
) -> Ran:
    """Run a terraform command; ``build`` is what the provider knows."""
    async with ProviderHost().serve(build, recorder) as reattach:
        return await run(directory, *arguments, env={"TF_REATTACH_PROVIDERS": reattach.variable})


async def run(directory: Path, *arguments: str, env: Mapping[str, str]) -> Ran:
    """Run a terraform command with these variables on top."""
    (directory / "terraform.rc").touch()
    rc = {"TF_CLI_CONFIG_FILE": str(directory / "terraform.rc")}
    process = await asyncio.create_subprocess_exec(
        shutil.which("terraform") or "tofu",
        *arguments,
        "-no-color",
        cwd=directory,
        env=bare() | rc | dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Ran(process.returncode or 0, said.decode())
