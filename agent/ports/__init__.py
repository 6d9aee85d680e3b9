"""Which ports somebody in the workspace listens on. See README.md."""

from agent.ports.listening import ListeningPorts
from agent.ports.system import Listener, Listeners, SystemListeners

__all__ = ["Listener", "Listeners", "ListeningPorts", "SystemListeners"]
