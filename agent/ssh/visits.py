"""Reports of who comes and goes, in one place for sessions and for forwarded connections."""

import logging
from dataclasses import dataclass, field
from typing import Final, cast
from uuid import UUID, uuid4

from agent.ssh.options import SshOptions
from coder_cli.kit.addresses import plain_address
from coder_cli.sdk.agentapi import ConnectionAction, ConnectionReport, ConnectionType

_KINDS: Final = {kind.value: kind for kind in ConnectionType}
log = logging.getLogger("agent.ssh")


def kind_of(name: str) -> ConnectionType:
    """Return which kind of session an editor says that it opens."""
    return _KINDS.get(name.strip().lower(), ConnectionType.SSH)


def peer_address(peer: object) -> str:
    """Return the address in what a transport calls its peer; nothing when it does not know."""
    told: object = cast("tuple[object, ...]", peer)[0] if isinstance(peer, tuple) else peer
    address = plain_address(str(told)) if told is not None else ""
    if address is None:
        log.error("the address of a client cannot be read: %r", told)
        return ""
    return address


@dataclass(slots=True, eq=False)
class Visit:
    """One client, from its report of coming to its one report of going."""

    options: SshOptions
    kind: ConnectionType
    address: str = ""
    id: UUID = field(default_factory=uuid4)
    _over: bool = False

    @property
    def over(self) -> bool:
        """Say whether the client's going was reported."""
        return self._over

    def begin(self) -> None:
        """Report that the client has come."""
        self._report(ConnectionAction.CONNECT)

    def end(self, code: int, reason: str) -> None:
        """Report that the client has gone, and how; once."""
        if not self._over:
            self._over = True
            self._report(ConnectionAction.DISCONNECT, code, reason)

    def _report(self, action: ConnectionAction, code: int = 0, reason: str = "") -> None:
        now = self.options.clock.now()
        self.options.report(
            ConnectionReport(self.id, action, self.kind, now, self.address, code, reason)
        )
