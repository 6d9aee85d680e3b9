"""What the ports of a workspace mean, and which right each needs. Pure.

Source: reference, agent and provisioner, sections 7.2 and 8.1.
"""

from coder_cli.sdk.agentapi import Port
from server.agents.errors import NoSuchPort, PortReserved
from server.kit.authz import Action

_SHELLS = frozenset({Port.SSH, Port.RECONNECTING_PTY, Port.HTTP_API, Port.SSH_STANDARD})
_HIGHEST = 65535


def action_for(port: int) -> Action:
    """Return what somebody must be allowed to do to connect to ``port``.

    Raises:
        PortReserved: nobody may.
        NoSuchPort: there is no such port.
    """
    if port in _SHELLS:
        return Action.SSH
    if not 1 <= port <= _HIGHEST:
        raise NoSuchPort(port)
    if port < Port.MINIMUM:
        raise PortReserved(port)
    return Action.APPLICATION_CONNECT
