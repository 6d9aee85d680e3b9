"""The workspace's desktop: seen and moved from afar. See README.md."""

from agent.desktop.routes import DesktopRoutes
from agent.desktop.server import Desktop
from agent.desktop.starting import NoDesktop

__all__ = ["Desktop", "DesktopRoutes", "NoDesktop"]
