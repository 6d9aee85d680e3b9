"""Modules of registry.coder.com from a directory of this host, for servers without a network."""

from server.terraform.modules.mirror import NoMirror, mirror_at
from server.terraform.modules.registry import HOST, served

__all__ = ["HOST", "NoMirror", "mirror_at", "served"]
