"""What happened to jobs, for whoever waits: workers, log readers, rooms above."""

from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact

JOBS = "jobs"
"""The topic of everything that may give a worker something to do."""


def job_topic(job_id: UUID) -> str:
    """Return the topic of everything that happens to one job, new log lines too."""
    return f"job:{job_id}"


def cancel_topic(job_id: UUID) -> str:
    """Return the topic that only the job's worker listens to."""
    return f"job:{job_id}:cancel"


def key_topic(key_id: UUID) -> str:
    """Return the topic of what happens to one provisioner key."""
    return f"provisioner_key:{key_id}"


class KeyDeleted(Fact):
    """A provisioner key is valid no more."""

    key_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (key_topic(self.key_id),)


class JobPosted(Fact):
    """A job was queued."""

    job_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (JOBS, job_topic(self.job_id))


class JobChanged(Fact):
    """A job moved to another state, or was given back."""

    job_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (JOBS, job_topic(self.job_id))


class JobCanceled(Fact):
    """Somebody asked a job to end."""

    job_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (JOBS, job_topic(self.job_id), cancel_topic(self.job_id))


class LogsAdded(Fact):
    """A job has new log lines."""

    job_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (job_topic(self.job_id),)
