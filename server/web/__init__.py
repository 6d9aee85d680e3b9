"""What every visitor meets: pages, versions, health, metrics, binaries. See README.md."""

from server.web.deployment import Deployment
from server.web.limit import BodyLimit
from server.web.metrics import Metrics, metrics_app
from server.web.redirect import Redirect
from server.web.routes import install, routes

__all__ = [
    "BodyLimit",
    "Deployment",
    "Metrics",
    "Redirect",
    "install",
    "metrics_app",
    "routes",
]
