"""Calls that tell what a workspace would be: a version's presets, and builds only planned."""

from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.builds import WorkspaceResource
    from coder_cli.sdk.jobs import ProvisionerJob
    from coder_cli.sdk.templates import CreateTemplateVersionDryRunRequest, Preset


class DryRunCalls(Transport):
    """``/templateversions/{id}/dry-run`` and ``/presets``."""

    __slots__ = ()

    def presets(self, version_id: UUID) -> "list[Preset]":
        """Return the sets of parameter values that a version offers."""
        answer = self.get(f"/templateversions/{version_id}/presets")
        from coder_cli.sdk.templates import Preset

        return answer.read_list(Preset)

    def create_dry_run(
        self, version_id: UUID, request: "CreateTemplateVersionDryRunRequest"
    ) -> "ProvisionerJob":
        """Have a build planned that is not carried out."""
        from coder_cli.sdk.jobs import ProvisionerJob

        path = f"/templateversions/{version_id}/dry-run"
        return self.send("POST", path, body=request).read(ProvisionerJob)

    def dry_run(self, version_id: UUID, job_id: UUID) -> "ProvisionerJob":
        """Return how a planned build stands."""
        answer = self.get(f"/templateversions/{version_id}/dry-run/{job_id}")
        from coder_cli.sdk.jobs import ProvisionerJob

        return answer.read(ProvisionerJob)

    def cancel_dry_run(self, version_id: UUID, job_id: UUID) -> None:
        """Stop planning."""
        self.send("PATCH", f"/templateversions/{version_id}/dry-run/{job_id}/cancel")

    def dry_run_resources(self, version_id: UUID, job_id: UUID) -> "list[WorkspaceResource]":
        """Return what the planned build would make."""
        answer = self.get(f"/templateversions/{version_id}/dry-run/{job_id}/resources")
        from coder_cli.sdk.builds import WorkspaceResource

        return answer.read_list(WorkspaceResource)
