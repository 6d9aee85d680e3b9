"""``coder server`` and its rescue commands, without their flags. See README.md."""

from server.cli.admin import NewAdmin, builtin_url, create_admin, reset_password, serve_builtin
from server.cli.far import Provisioner
from server.cli.provisioner import provision
from server.cli.start import Voice, serve

__all__ = [
    "NewAdmin",
    "Provisioner",
    "Voice",
    "builtin_url",
    "create_admin",
    "provision",
    "reset_password",
    "serve",
    "serve_builtin",
]
