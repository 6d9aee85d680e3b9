"""The built-in PostgreSQL: found, initialised, started, adopted, backed up and stopped.

It listens on a Unix socket only, asks for a random password, and never runs as root. A server that
was killed leaves its PostgreSQL running; the next one adopts it.
"""

from server.kit.postgres.cluster import Cluster
from server.kit.postgres.places import PostgresError, find_places

__all__ = ["Cluster", "PostgresError", "find_places"]
