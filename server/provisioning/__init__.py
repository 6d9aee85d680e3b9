"""Provisioning: the queue of jobs, the workers that run them, and what they made. See README.md."""

from server.provisioning.actions.jobs import (
    agents,
    cancel,
    enqueue,
    job,
    jobs,
    logs,
    resources,
    timings,
)
from server.provisioning.actions.kinds import Console, JobKind, Registry
from server.provisioning.errors import AlreadyCanceled, JobCompleted, JobFailed
from server.provisioning.events import JobChanged, JobPosted, LogsAdded, job_topic
from server.provisioning.model import (
    AgentStatus,
    AgentTimes,
    Job,
    JobType,
    NewJob,
    State,
    agent_status,
    job_tags,
)
from server.provisioning.store.logs import save_timings
from server.provisioning.store.made import save_resources

__all__ = [
    "AgentStatus",
    "AgentTimes",
    "AlreadyCanceled",
    "Console",
    "Job",
    "JobChanged",
    "JobCompleted",
    "JobFailed",
    "JobKind",
    "JobPosted",
    "JobType",
    "LogsAdded",
    "NewJob",
    "Registry",
    "State",
    "agent_status",
    "agents",
    "cancel",
    "enqueue",
    "job",
    "job_tags",
    "job_topic",
    "jobs",
    "logs",
    "resources",
    "save_resources",
    "save_timings",
    "timings",
]
