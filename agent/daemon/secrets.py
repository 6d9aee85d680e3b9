"""User secrets that are files: written before anything of the workspace runs."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from agent.kit.paths import expand_path
from agent.processes import Environment
from coder_cli.sdk.agentapi import Secret

log = logging.getLogger("agent")


def write_secret_files(secrets: Iterable[Secret], environment: Environment) -> None:
    """Write each secret that names a file, private to the user; a failure is logged, no more."""
    for secret in secrets:
        if secret.file_path:
            path = Path(expand_path(secret.file_path, environment.base, environment.home()))
            try:
                _write(path, secret.value)
            except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
                log.warning("a secret cannot be written to %s: %s", path, error)


def _write(path: Path, value: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(value)
