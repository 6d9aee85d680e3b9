"""Provisioner daemons as the wire shows them."""

from datetime import datetime
from typing import Any

from coder_cli.sdk import jobs as sdk
from server.provisioning.model import RESERVED, DaemonView, daemon_status


def daemon_to_sdk(daemon: DaemonView, now: datetime) -> sdk.ProvisionerDaemon:
    """Return a daemon as clients see it."""
    return sdk.ProvisionerDaemon(
        id=daemon.id,
        organization_id=daemon.organization_id,
        created_at=daemon.created_at,
        last_seen_at=daemon.last_seen_at,
        name=daemon.name,
        version=daemon.version,
        api_version=daemon.api_version,
        provisioners=[sdk.ProvisionerType(kind) for kind in daemon.provisioners],
        tags=daemon.tags,
        key_id=daemon.key_id,
        key_name=RESERVED.get(daemon.key_id) or daemon.key_name,
        status=sdk.ProvisionerDaemonStatus(daemon_status(daemon, now)),
        current_job=_job(daemon.current_job),
        previous_job=_job(daemon.previous_job),
    )


def _job(found: dict[str, Any] | None) -> sdk.ProvisionerDaemonJob | None:
    return None if found is None else sdk.ProvisionerDaemonJob.model_validate(found)
