"""Provisioning: the queue of jobs, the workers that run them, and what they made. See README.md."""

from server.provisioning.actions.arriving import Hall
from server.provisioning.actions.jobs import (
    agents,
    cancel,
    enqueue,
    job,
    jobs,
    log_tail,
    logs,
    resources,
    settle,
    timings,
)
from server.provisioning.actions.kinds import Console, JobKind, Order, Registry
from server.provisioning.actions.leases import Desk
from server.provisioning.actions.orders import (
    ELSEWHERE,
    BuildOrder,
    DryRunOrder,
    ImportOrder,
    OrphanOrder,
)
from server.provisioning.actions.search import matched_provisioners
from server.provisioning.errors import AlreadyCanceled, JobCompleted, JobFailed, LineEnded
from server.provisioning.events import job_topic
from server.provisioning.model import (
    API_VERSION,
    INACTIVE_AFTER,
    AgentStatus,
    AgentTimes,
    Job,
    JobType,
    NewJob,
    State,
    agent_status,
    job_tags,
)
from server.provisioning.routes import routes
from server.provisioning.routes.follow import Lines, follow
from server.provisioning.store.logs import save_timings
from server.provisioning.store.made import save_resources
from server.provisioning.worker.daemons import DaemonOptions, Daemons, Means
from server.provisioning.worker.external import ExternalDaemon, Moments, Place
from server.provisioning.worker.line import ServerLine, ShownOut, Unreachable

__all__ = [
    "API_VERSION",
    "ELSEWHERE",
    "INACTIVE_AFTER",
    "AgentStatus",
    "AgentTimes",
    "AlreadyCanceled",
    "BuildOrder",
    "Console",
    "DaemonOptions",
    "Daemons",
    "Desk",
    "DryRunOrder",
    "ExternalDaemon",
    "Hall",
    "ImportOrder",
    "Job",
    "JobCompleted",
    "JobFailed",
    "JobKind",
    "JobType",
    "LineEnded",
    "Lines",
    "Means",
    "Moments",
    "NewJob",
    "Order",
    "OrphanOrder",
    "Place",
    "Registry",
    "ServerLine",
    "ShownOut",
    "State",
    "Unreachable",
    "agent_status",
    "agents",
    "cancel",
    "enqueue",
    "follow",
    "job",
    "job_tags",
    "job_topic",
    "jobs",
    "log_tail",
    "logs",
    "matched_provisioners",
    "resources",
    "routes",
    "save_resources",
    "save_timings",
    "settle",
    "timings",
]
