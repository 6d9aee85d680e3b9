"""Counts of the store as clients read them."""

from datetime import datetime, timedelta

from coder_cli.sdk import deployment as sdk
from server.web import store

_WINDOW = timedelta(hours=24)
_FRESH = timedelta(seconds=30)


def stats(
    counted: store.Workspaces, sessions: store.Sessions, now: datetime
) -> sdk.DeploymentStats:
    """Return the statistics of the deployment at ``now``."""
    return sdk.DeploymentStats(
        aggregated_from=now - _WINDOW,
        collected_at=now,
        next_update_at=now + _FRESH,
        workspaces=sdk.WorkspaceDeploymentStats(
            pending=counted.pending,
            building=counted.building,
            running=counted.running,
            failed=counted.failed,
            stopped=counted.stopped,
        ),
        session_count=sdk.SessionCountDeploymentStats(
            vscode=sessions.vscode,
            ssh=sessions.ssh,
            jetbrains=sessions.jetbrains,
            reconnecting_pty=sessions.reconnecting_pty,
        ),
    )
