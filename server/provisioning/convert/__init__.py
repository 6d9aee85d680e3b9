"""Rows of this room as the wire shows them."""

from server.provisioning.convert.daemons import daemon_to_sdk
from server.provisioning.convert.jobs import job_to_sdk, line_to_sdk
from server.provisioning.convert.keys import key_to_sdk, reserved_key_to_sdk
from server.provisioning.convert.resources import resources_to_sdk

__all__ = [
    "daemon_to_sdk",
    "job_to_sdk",
    "key_to_sdk",
    "line_to_sdk",
    "reserved_key_to_sdk",
    "resources_to_sdk",
]
