"""Jobs, log lines and timings as the wire shows them."""

from coder_cli.sdk import jobs as sdk
from coder_cli.sdk.common import ZERO_ID
from coder_cli.sdk.words import LogLevel
from server.provisioning.model import JobView, StoredLine


def job_to_sdk(job: JobView) -> sdk.ProvisionerJob:
    """Return a job as clients see it."""
    return sdk.ProvisionerJob(
        id=job.id,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        canceled_at=job.canceled_at,
        error=job.error,
        error_code=_error_code(job.error_code),
        status=sdk.JobStatus(job.state.value),
        worker_id=job.worker_id,
        worker_name=job.worker_name,
        file_id=job.file_id,
        tags=job.tags,
        queue_position=job.queue_position,
        queue_size=job.queue_size,
        organization_id=job.organization_id,
        initiator_id=job.initiator_id,
        input=sdk.JobInput.model_validate(job.input),
        type=sdk.JobType(job.type),
        metadata=_metadata(job),
        logs_overflowed=job.logs_overflowed,
    )


def _error_code(code: str) -> sdk.JobErrorCode:
    """Return a code that clients know; others are ours alone."""
    known = code in set(sdk.JobErrorCode)
    return sdk.JobErrorCode(code) if known else sdk.JobErrorCode.NONE


def _metadata(job: JobView) -> sdk.JobMetadata:
    return sdk.JobMetadata(
        template_version_name=job.template_version_name,
        template_id=job.template_id or ZERO_ID,
        template_name=job.template_name,
        template_display_name=job.template_display_name,
        template_icon=job.template_icon,
        workspace_id=job.workspace_id,
        workspace_name=job.workspace_name,
    )


def line_to_sdk(line: StoredLine) -> sdk.ProvisionerJobLog:
    """Return a log line as clients see it."""
    return sdk.ProvisionerJobLog(
        id=line.id,
        created_at=line.created_at,
        log_source=sdk.LogSource(line.source),
        log_level=LogLevel(line.level),
        stage=line.stage,
        output=line.output,
    )
