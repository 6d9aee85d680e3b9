"""Rows of this room as the wire shows them."""

from server.provisioning.convert.jobs import job_to_sdk, line_to_sdk
from server.provisioning.convert.resources import resources_to_sdk

__all__ = ["job_to_sdk", "line_to_sdk", "resources_to_sdk"]
