"""What is said of a workspace's memory and volumes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    """How often to measure, and how many measurements tell how it goes."""

    num_datapoints: int
    collection_interval_seconds: float


@dataclass(frozen=True, slots=True)
class MemoryMonitor:
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class VolumeMonitor:
    path: str
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the template wants to be watched; without either there is nothing to do."""

    config: MonitoringConfig
    memory: MemoryMonitor | None = None
    volumes: tuple[VolumeMonitor, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """Bytes."""

    used: int
    total: int


@dataclass(frozen=True, slots=True)
class VolumeUsage:
    """Bytes."""

    volume: str
    used: int
    total: int


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One measurement. What could not be measured is left out."""

    collected_at: datetime
    memory: MemoryUsage | None = None
    volumes: tuple[VolumeUsage, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """The newest measurements, the oldest first."""

    datapoints: tuple[Datapoint, ...]
