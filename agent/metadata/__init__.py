"""Metadata: what the agent measures of its workspace, and tells the server. See README.md."""

from agent.metadata.apps import AppHealths
from agent.metadata.collector import Metadata
from agent.metadata.probe import is_well
from agent.metadata.usage import ResourceMonitor

__all__ = ["AppHealths", "Metadata", "ResourceMonitor", "is_well"]
