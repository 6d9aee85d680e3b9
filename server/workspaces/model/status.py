"""The one word a list shows for a workspace: what its last build does, and how far that is."""

from collections.abc import Mapping
from types import MappingProxyType

from coder_cli.sdk.builds import Transition, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus

_SUCCEEDED = {
    Transition.START: WorkspaceStatus.RUNNING,
    Transition.STOP: WorkspaceStatus.STOPPED,
    Transition.DELETE: WorkspaceStatus.DELETED,
}
_RUNNING = {
    Transition.START: WorkspaceStatus.STARTING,
    Transition.STOP: WorkspaceStatus.STOPPING,
    Transition.DELETE: WorkspaceStatus.DELETING,
}
_WHATEVER = {
    JobStatus.PENDING: WorkspaceStatus.PENDING,
    JobStatus.CANCELING: WorkspaceStatus.CANCELING,
    JobStatus.CANCELED: WorkspaceStatus.CANCELED,
    JobStatus.FAILED: WorkspaceStatus.FAILED,
    JobStatus.UNKNOWN: WorkspaceStatus.FAILED,
}

STATUS: Mapping[tuple[JobStatus, Transition], WorkspaceStatus] = MappingProxyType(
    {
        **{(JobStatus.SUCCEEDED, transition): status for transition, status in _SUCCEEDED.items()},
        **{(JobStatus.RUNNING, transition): status for transition, status in _RUNNING.items()},
        **{
            (job, transition): status
            for job, status in _WHATEVER.items()
            for transition in Transition
        },
    }
)
"""(job of the latest build, its transition) -> status. Every pair is there."""


def workspace_status(transition: Transition, job: JobStatus) -> WorkspaceStatus:
    """Return the status of a workspace whose latest build has this transition and job."""
    return STATUS[job, transition]
