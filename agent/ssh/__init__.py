"""SSH: the way into the workspace, for people, editors and file copies. See README.md.

The engine (``agent.ssh.server`` and below) is imported late: it is the heaviest part of the agent,
and start scripts need not wait for it.
"""

from agent.ssh.door import SshDoor
from agent.ssh.hostkey import PLACE, HostKey, host_key
from agent.ssh.options import SshOptions

__all__ = ["PLACE", "HostKey", "SshDoor", "SshOptions", "host_key"]
