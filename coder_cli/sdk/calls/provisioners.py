"""Calls about provisioner daemons, their jobs and their keys."""

from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.jobs import ProvisionerDaemon, ProvisionerJob
    from coder_cli.sdk.provisioners import ProvisionerKey


class ProvisionerCalls(Transport):
    """What is below ``/organizations/{organization}/provisioner…``."""

    __slots__ = ()

    def provisioner_daemons(
        self, organization: str, *, status: str = "", limit: int = 50
    ) -> "list[ProvisionerDaemon]":
        """Return an organization's daemons; ``status`` is a list by comma."""
        path = f"/organizations/{organization}/provisionerdaemons"
        answer = self.get(path, status=status or None, limit=limit)
        from coder_cli.sdk.jobs import ProvisionerDaemon

        return answer.read_list(ProvisionerDaemon)

    def provisioner_jobs(
        self, organization: str, *, status: str = "", initiator: str = "", limit: int = 50
    ) -> "list[ProvisionerJob]":
        """Return an organization's jobs, newest first; ``status`` is a list by comma."""
        path = f"/organizations/{organization}/provisionerjobs"
        answer = self.get(path, status=status or None, initiator=initiator or None, limit=limit)
        from coder_cli.sdk.jobs import ProvisionerJob

        return answer.read_list(ProvisionerJob)

    def provisioner_job(self, organization: str, job_id: UUID) -> "ProvisionerJob":
        """Return one job."""
        answer = self.get(f"/organizations/{organization}/provisionerjobs/{job_id}")
        from coder_cli.sdk.jobs import ProvisionerJob

        return answer.read(ProvisionerJob)

    def provisioner_keys(self, organization: str) -> "list[ProvisionerKey]":
        """Return an organization's keys."""
        answer = self.get(f"/organizations/{organization}/provisionerkeys")
        from coder_cli.sdk.provisioners import ProvisionerKey

        return answer.read_list(ProvisionerKey)

    def create_provisioner_key(self, organization: str, name: str, tags: dict[str, str]) -> str:
        """Make a key and return it: it is never shown again."""
        from coder_cli.sdk.provisioners import (
            CreateProvisionerKeyRequest,
            CreateProvisionerKeyResponse,
        )

        path = f"/organizations/{organization}/provisionerkeys"
        body = CreateProvisionerKeyRequest(name=name, tags=tags)
        return self.send("POST", path, body=body).read(CreateProvisionerKeyResponse).key

    def delete_provisioner_key(self, organization: str, name: str) -> None:
        """Delete a key; its daemons are disconnected."""
        self.send("DELETE", f"/organizations/{organization}/provisionerkeys/{name}")
