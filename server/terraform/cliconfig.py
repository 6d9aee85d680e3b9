"""Terraform's own configuration file: where its providers come from."""

import os
import platform
import re
import sys
from pathlib import Path

from server.terraform.state import write_private

BUILTIN, REGISTRY = "builtin", "registry"
_ADDRESSES = ("registry.terraform.io/coder/coder", "registry.opentofu.org/coder/coder")
_VERSIONS = ("0.99.0", "1.99.0", "2.99.0")
"""What an executable claims to be, so that any ``~>`` of a template is met. Exact pins are not."""
_SYSTEMS = {"win32": "windows"}
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_LOCKED = re.compile(r'provider "[^"]+/coder/coder" \{.*?^\}\n?', re.MULTILINE | re.DOTALL)


def write(cache_dir: Path, provider: str, theirs: str) -> Path:
    """Return the configuration file for a choice of the provider.

    The site's own file, with its mirrors and credentials, is used where it can be.
    """
    (cache_dir / "plugins").mkdir(parents=True, exist_ok=True)
    if provider in {BUILTIN, REGISTRY}:
        if theirs and os.access(theirs, os.R_OK) and Path(theirs).is_file():
            return Path(theirs)
        return _replace(cache_dir / "terraform.tfrc", "disable_checkpoint = true\n")
    mirror = cache_dir / "mirror"
    for address in _ADDRESSES:
        for version in _VERSIONS:
            _offer(mirror / address / version, version, Path(provider).absolute())
    ours = ", ".join(f'"{address}"' for address in _ADDRESSES)
    return _replace(
        cache_dir / "terraform-mirror.tfrc",
        "disable_checkpoint = true\n"
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = [{ours}]\n  }}\n'
        f"  direct {{\n    exclude = [{ours}]\n  }}\n"
        "}\n",
    )


def with_modules(config: Path, host: str, url: str, to: Path) -> Path:
    """Return a configuration in which a host's modules come from a URL."""
    services = f'host "{host}" {{\n  services = {{ "modules.v1" = "{url}" }}\n}}\n'
    write_private(to, f"{config.read_text()}\n{services}".encode())
    return to


def unlock(lock_file: Path) -> None:
    """Forget which coder/coder a template was locked to; its checksum is that of another file."""
    if lock_file.is_file():
        lock_file.write_text(_LOCKED.sub("", lock_file.read_text()))


def _offer(directory: Path, version: str, program: Path) -> None:
    machine = platform.machine()
    target = f"{_SYSTEMS.get(sys.platform, sys.platform)}_{_MACHINES.get(machine, machine.lower())}"
    starter = directory / target / f"terraform-provider-coder_v{version}"
    starter.parent.mkdir(parents=True, exist_ok=True)
    _replace(starter, f"#!/bin/sh\nexec '{program}' \"$@\"\n").chmod(0o755)


def _replace(path: Path, content: str) -> Path:
    if not path.exists() or path.read_text() != content:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(content)
        draft.replace(path)
    return path
