"""``coder server`` and its rescue commands, without their flags. See README.md."""

from server.cli.admin import NewAdmin, builtin_url, create_admin, reset_password, serve_builtin
from server.cli.dbcrypt import delete as delete_secrets
from server.cli.dbcrypt import rotate as rotate_keys
from server.cli.far import Provisioner
from server.cli.provisioner import provision
from server.cli.start import Voice, serve

__all__ = [
    "NewAdmin",
    "Provisioner",
    "Voice",
    "builtin_url",
    "create_admin",
    "delete_secrets",
    "provision",
    "reset_password",
    "rotate_keys",
    "serve",
    "serve_builtin",
]
