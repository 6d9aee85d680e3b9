"""Find the terraform that runs builds, and judge its version."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from server.terraform.environment import clean

Version = tuple[int, int, int]

_OLDEST: Mapping[str, Version] = {"terraform": (1, 9, 0), "tofu": (1, 10, 0)}
_ADVISED: Version = (1, 12, 0)
_SECONDS = 30


class NoTerraform(Exception):
    """There is no terraform to run; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A terraform, or an OpenTofu, that can be used."""

    path: Path
    flavour: str
    """terraform or tofu"""
    version: str

    @property
    def warning(self) -> str:
        """Return what a person should know about this version, or nothing."""
        if self.flavour == "tofu" or _numbers(self.version) >= _ADVISED:
            return ""
        return (
            f"terraform {self.version} evaluates both sides of && and ||; "
            f"some modules rely on {_text(_ADVISED)} or newer"
        )


def find(setting: Path | None, search_path: str, cache_dir: Path) -> Path:
    """Return the binary: the one of the settings, on PATH, or in the cache directory.

    Raises:
        NoTerraform: there is none.
    """
    if setting is not None:
        if not os.access(setting, os.X_OK) or setting.is_dir():
            raise NoTerraform(
                f"The settings name {setting} as terraform, but it is not an executable file."
            )
        return setting
    stored = cache_dir / "bin"
    for name in ("terraform", "tofu"):
        if found := shutil.which(name, path=search_path):
            return Path(found)
    for name in ("terraform", "tofu"):
        if os.access(stored / name, os.X_OK):
            return stored / name
    raise NoTerraform(
        "Terraform is not installed where the server runs. Install Terraform 1.9 or newer "
        "(https://developer.hashicorp.com/terraform/install) or OpenTofu 1.10 or newer "
        "(https://opentofu.org/docs/intro/install) so that `terraform` or `tofu` is on the "
        f"server's PATH, or put the file at {stored / 'terraform'}, or name it with "
        "--terraform-binary. Then try again; the server need not be restarted."
    )


async def inspect(path: Path, host: Mapping[str, str]) -> Binary:
    """Ask a binary for its version.

    Raises:
        NoTerraform: it does not answer, or it is too old.
    """
    env = {**clean(host), "CHECKPOINT_DISABLE": "1"}
    try:
        # Not by asyncio: under load, uvloop has been seen to lose the words of so short a program.
        ended = await asyncio.to_thread(
            subprocess.run,
            [os.fspath(path), "version", "-json"],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        version = str(json.loads(ended.stdout)["terraform_version"])
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
        raise NoTerraform(f"{path} does not say its version, as terraform would: {error}") from None
    flavour = "tofu" if "tofu" in path.name else "terraform"
    oldest = _OLDEST[flavour]
    if _numbers(version) < oldest:
        raise NoTerraform(f"{flavour} version {version} is too old. required >= {_text(oldest)}")
    return Binary(path, flavour, version)


def _numbers(version: str) -> Version:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def _text(version: Version) -> str:
    return ".".join(map(str, version))
