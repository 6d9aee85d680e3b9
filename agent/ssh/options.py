"""What the SSH server is given by the agent's composition root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.kit.child import Children
from agent.processes import Environment
from agent.ssh.hostkey import HostKey
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Banner, ConnectionReport


@dataclass(frozen=True, slots=True)
class SshOptions:
    """What the SSH server works with."""

    environment: Environment
    children: Children
    clock: Clock
    key: HostKey
    report: Callable[[ConnectionReport], None] = field(repr=False)
    banners: Callable[[], Sequence[Banner]] = field(repr=False)
    idle_limit: float = 72 * 3600
    """A client that gives no sign of life for so many seconds is dropped; under 3, never."""
    block_file_transfer: bool = False
