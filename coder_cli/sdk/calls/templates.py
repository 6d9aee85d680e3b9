"""Calls about files, templates and template versions."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import NOT_MODIFIED, Transport

if TYPE_CHECKING:
    from coder_cli.sdk.builds import WorkspaceResource
    from coder_cli.sdk.forms import DynamicParametersResponse
    from coder_cli.sdk.jobs import ProvisionerJobLog
    from coder_cli.sdk.templates import (
        CreateTemplateRequest,
        CreateTemplateVersionRequest,
        Template,
        TemplateExample,
        TemplateVersion,
        TemplateVersionParameter,
        TemplateVersionVariable,
        UpdateTemplateMeta,
    )


class TemplateCalls(Transport):
    """``/files``, ``/templates``, ``/templateversions``."""

    __slots__ = ()

    def upload(self, content: bytes, content_type: str = "application/x-tar") -> UUID:
        """Store an archive and return its file id."""
        answer = self.send("POST", "/files", content=(content_type, content))
        from coder_cli.sdk.common import UploadResponse

        return answer.read(UploadResponse).hash

    def download(self, file_id: UUID, *, as_zip: bool = False) -> bytes:
        """Return a stored archive, as tar unless asked for zip."""
        return self.get(f"/files/{file_id}", format="zip" if as_zip else None).content

    def template_examples(self) -> "list[TemplateExample]":
        """Return the starter templates that the server carries."""
        answer = self.get("/templates/examples")
        from coder_cli.sdk.templates import TemplateExample

        return answer.read_list(TemplateExample)

    def templates(self, organization: str = "", q: str = "") -> "list[Template]":
        """Return templates, of one organization or of all."""
        path = f"/organizations/{organization}/templates" if organization else "/templates"
        answer = self.get(path, q=q)
        from coder_cli.sdk.templates import Template

        return answer.read_list(Template)

    def template(self, template_id: UUID) -> "Template":
        """Return a template by id."""
        answer = self.get(f"/templates/{template_id}")
        from coder_cli.sdk.templates import Template

        return answer.read(Template)

    def template_by_name(self, organization: str, name: str) -> "Template":
        """Return a template by its name in an organization."""
        answer = self.get(f"/organizations/{organization}/templates/{name}")
        from coder_cli.sdk.templates import Template

        return answer.read(Template)

    def create_template(self, organization: str, request: "CreateTemplateRequest") -> "Template":
        """Make a template of a version that was imported."""
        from coder_cli.sdk.templates import Template

        path = f"/organizations/{organization}/templates"
        return self.send("POST", path, body=request).read(Template)

    def update_template(self, template_id: UUID, request: "UpdateTemplateMeta") -> bool:
        """Change a template's settings; return False when they are so already."""
        answer = self.send("PATCH", f"/templates/{template_id}", body=request)
        return answer.status != NOT_MODIFIED

    def delete_template(self, template_id: UUID) -> None:
        """Delete a template that no workspace uses."""
        self.send("DELETE", f"/templates/{template_id}")

    def template_versions(
        self, template_id: UUID, *, include_archived: bool = False
    ) -> "list[TemplateVersion]":
        """Return a template's versions, oldest first."""
        path = f"/templates/{template_id}/versions"
        answer = self.get(path, include_archived=include_archived or None)
        from coder_cli.sdk.templates import TemplateVersion

        return answer.read_list(TemplateVersion)

    def template_version(self, version_id: UUID) -> "TemplateVersion":
        """Return a version by id."""
        answer = self.get(f"/templateversions/{version_id}")
        from coder_cli.sdk.templates import TemplateVersion

        return answer.read(TemplateVersion)

    def template_version_by_name(
        self, organization: str, template: str, name: str
    ) -> "TemplateVersion":
        """Return a version by its name within a template."""
        path = f"/organizations/{organization}/templates/{template}/versions/{name}"
        answer = self.get(path)
        from coder_cli.sdk.templates import TemplateVersion

        return answer.read(TemplateVersion)

    def create_template_version(
        self, organization: str, request: "CreateTemplateVersionRequest"
    ) -> "TemplateVersion":
        """Import an uploaded archive as a version; its job starts at once."""
        from coder_cli.sdk.templates import TemplateVersion

        path = f"/organizations/{organization}/templateversions"
        return self.send("POST", path, body=request).read(TemplateVersion)

    def promote_template_version(self, template_id: UUID, version_id: UUID) -> None:
        """Make a version the one that new builds use."""
        from coder_cli.sdk.templates import UpdateActiveTemplateVersion

        body = UpdateActiveTemplateVersion(id=version_id)
        self.send("PATCH", f"/templates/{template_id}/versions", body=body)

    def archive_template_versions(self, template_id: UUID, *, everything: bool) -> list[UUID]:
        """Archive versions that nothing uses: failed ones, or all of them; return which."""
        from coder_cli.sdk.templates import (
            ArchiveTemplateVersionsRequest,
            ArchiveTemplateVersionsResponse,
        )

        path = f"/templates/{template_id}/versions/archive"
        body = ArchiveTemplateVersionsRequest(all=everything)
        return self.send("POST", path, body=body).read(ArchiveTemplateVersionsResponse).archived_ids

    def archive_template_version(self, version_id: UUID, *, archived: bool) -> None:
        """Hide a version from lists, or show it again."""
        verb = "archive" if archived else "unarchive"
        self.send("POST", f"/templateversions/{version_id}/{verb}")

    def cancel_template_version(self, version_id: UUID) -> None:
        """Stop the import of a version."""
        self.send("PATCH", f"/templateversions/{version_id}/cancel")

    def template_version_parameters(self, version_id: UUID) -> "list[TemplateVersionParameter]":
        """Return what a version asks for each workspace."""
        answer = self.get(f"/templateversions/{version_id}/rich-parameters")
        from coder_cli.sdk.templates import TemplateVersionParameter

        return answer.read_list(TemplateVersionParameter)

    def evaluate_form(
        self, version_id: UUID, inputs: "Mapping[str, str]", owner_id: UUID | None = None
    ) -> "DynamicParametersResponse":
        """Return what a version asks for, given some answers; for the caller if nobody is named."""
        from coder_cli.sdk.forms import DynamicParametersRequest, DynamicParametersResponse

        request = DynamicParametersRequest(inputs=dict(inputs), owner_id=owner_id)
        answer = self.send(
            "POST", f"/templateversions/{version_id}/dynamic-parameters/evaluate", body=request
        )
        return answer.read(DynamicParametersResponse)

    def template_version_variables(self, version_id: UUID) -> "list[TemplateVersionVariable]":
        """Return the Terraform variables of a version; secrets are blank."""
        answer = self.get(f"/templateversions/{version_id}/variables")
        from coder_cli.sdk.templates import TemplateVersionVariable

        return answer.read_list(TemplateVersionVariable)

    def template_version_resources(self, version_id: UUID) -> "list[WorkspaceResource]":
        """Return what the import planned."""
        answer = self.get(f"/templateversions/{version_id}/resources")
        from coder_cli.sdk.builds import WorkspaceResource

        return answer.read_list(WorkspaceResource)

    def template_version_logs(
        self, version_id: UUID, after: int = 0
    ) -> "Iterator[ProvisionerJobLog]":
        """Return what the import said so far."""
        answer = self.get(f"/templateversions/{version_id}/logs", after=after or None)
        from coder_cli.sdk.jobs import ProvisionerJobLog

        return iter(answer.read_list(ProvisionerJobLog))
