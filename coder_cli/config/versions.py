"""Notice, once per command, that client and server are of different versions."""

import sys
from collections.abc import Mapping

from coder_cli.kit.build import version
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import SdkError

HEADER = "X-Coder-Build-Version"


class VersionWatch:
    """Read the version that every response carries, and say when it does not fit ours."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard = False

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take note of one response's headers."""
        server = headers.get(HEADER, "")
        if self._heard or not server:
            return
        self._heard = True
        if not same(version(), server):
            sys.stderr.write(f"{self._warning(server)}\n")

    def _warning(self, server: str) -> str:
        try:
            custom = self._client.build_info().upgrade_message
        except SdkError:
            custom = ""
        advice = custom or f"Install {server} from {self._client.url}/install.sh"
        return f"version mismatch: client {version()}, server {server}\n{advice}"


def same(ours: str, theirs: str) -> bool:
    """Say whether two versions speak the same API: major and minor number agree."""
    return ours.split(".")[:2] == theirs.split(".")[:2]
