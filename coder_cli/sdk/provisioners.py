"""Keys of provisioner daemons, and how a daemon of another machine knocks."""

from typing import Final
from uuid import UUID

from coder_cli.sdk.common import Request, Shape, Time
from coder_cli.sdk.jobs import ProvisionerDaemon

KEY_HEADER: Final = "Coder-Provisioner-Daemon-Key"
PSK_HEADER: Final = "Coder-Provisioner-Daemon-PSK"
LINE_VERSION: Final = 1
"""The version of the line between a provisioner daemon and its server; both ends must agree."""


class CreateProvisionerKeyRequest(Request):
    name: str = ""
    tags: dict[str, str] | None = None


class CreateProvisionerKeyResponse(Shape):
    """The only time that the key itself is shown."""

    key: str


class ProvisionerKey(Shape):
    id: UUID
    created_at: Time
    organization: UUID
    name: str
    tags: dict[str, str] = {}


class ProvisionerKeyDaemons(Shape):
    key: ProvisionerKey
    daemons: list[ProvisionerDaemon] = []
