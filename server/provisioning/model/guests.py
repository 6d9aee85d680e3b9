"""Provisioner daemons of other machines: who they say they are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from coder_cli.sdk.provisioners import LINE_VERSION
from server.provisioning.errors import OtherLine

LONGEST_DAEMON_NAME = 128


@dataclass(frozen=True, slots=True)
class Guest:
    """A daemon that was let in."""

    organization_id: UUID
    name: str
    version: str
    tags: Mapping[str, str]
    key_id: UUID
    line_id: UUID = field(default_factory=uuid4)


def check_line(spoken: str, build: str, ours: str) -> None:
    """Refuse a daemon whose line is another one than ours.

    Args:
        spoken: the version of the line that the daemon speaks, as it wrote it.
        build: the daemon's release.
        ours: this server's release.

    Raises:
        OtherLine: the text says which side is old.
    """
    if not spoken.isdecimal() or len(spoken) > 6:
        raise OtherLine(
            "This server speaks only with provisioner daemons of its own kind; "
            f"start one with coder provisioner start of {ours}."
        )
    if int(spoken) == LINE_VERSION:
        return
    old, new = "the server is old", f"update the server, which is {ours}"
    if int(spoken) < LINE_VERSION:
        old, new = "the provisioner daemon is old", f"update it to {ours}"
    raise OtherLine(
        f"The provisioner daemon ({build or 'of an unknown release'}) speaks version {spoken} of "
        f"the line, this server version {LINE_VERSION}: {old}; {new}."
    )
