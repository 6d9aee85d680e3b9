"""Wire shapes for tests of the client, all of one small deployment and one moment."""

from datetime import UTC, datetime
from uuid import UUID

from coder_cli.sdk.agents import AgentLifecycle, AgentStatus, WorkspaceAgent
from coder_cli.sdk.builds import Transition, WorkspaceBuild, WorkspaceResource, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus, JobType, ProvisionerJob
from coder_cli.sdk.organizations import Organization
from coder_cli.sdk.templates import Template, TemplateVersion
from coder_cli.sdk.users import LoginType, MinimalUser, SlimRole, User, UserStatus
from coder_cli.sdk.workspaces import Workspace

WHEN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def uid(number: int) -> UUID:
    """Return a readable id."""
    return UUID(int=number)


ORGANIZATION = Organization(
    id=uid(1), name="default", display_name="Default", created_at=WHEN, updated_at=WHEN,
    is_default=True,
)  # fmt: skip
ALICE = User(
    id=uid(2),
    username="alice",
    name="Alice Liddell",
    email="alice@example.com",
    created_at=WHEN,
    updated_at=WHEN,
    last_seen_at=WHEN,
    status=UserStatus.ACTIVE,
    login_type=LoginType.PASSWORD,
    organization_ids=[ORGANIZATION.id],
    roles=[SlimRole(name="owner", display_name="Owner")],
)


def job(status: JobStatus = JobStatus.SUCCEEDED, **more: object) -> ProvisionerJob:
    """Return a job of a build."""
    return ProvisionerJob.model_validate(
        {
            "id": uid(30),
            "created_at": WHEN,
            "status": status,
            "organization_id": ORGANIZATION.id,
            "type": JobType.WORKSPACE_BUILD,
            "file_id": uid(40),
            "completed_at": None if status.active else WHEN,
            **more,
        }
    )


def version(name: str = "first", number: int = 20, **more: object) -> TemplateVersion:
    """Return a version of the template ``local``."""
    author = MinimalUser(id=ALICE.id, username="alice")
    return TemplateVersion.model_validate(
        {
            "id": uid(number),
            "template_id": uid(10),
            "organization_id": ORGANIZATION.id,
            "created_at": WHEN,
            "updated_at": WHEN,
            "name": name,
            "job": job(),
            "created_by": author,
            **more,
        }
    )


def template(name: str = "local", **more: object) -> Template:
    """Return a template."""
    return Template.model_validate(
        {
            "id": uid(10),
            "created_at": WHEN,
            "updated_at": WHEN,
            "organization_id": ORGANIZATION.id,
            "organization_name": ORGANIZATION.name,
            "name": name,
            "active_version_id": uid(20),
            "created_by_id": ALICE.id,
            "created_by_name": "alice",
            **more,
        }
    )


def agent() -> WorkspaceAgent:
    """Return a connected agent."""
    return WorkspaceAgent(
        id=uid(60),
        created_at=WHEN,
        updated_at=WHEN,
        status=AgentStatus.CONNECTED,
        lifecycle_state=AgentLifecycle.READY,
        name="main",
        resource_id=uid(50),
        operating_system="linux",
        architecture="amd64",
        version="v0.1.0",
    )


def build(
    transition: Transition = Transition.START,
    status: WorkspaceStatus = WorkspaceStatus.RUNNING,
    number: int = 1,
    **more: object,
) -> WorkspaceBuild:
    """Return a build of the workspace ``dev``."""
    resource = WorkspaceResource(
        id=uid(50),
        created_at=WHEN,
        job_id=uid(30),
        workspace_transition=Transition.START,
        type="local_process",
        name="home",
        agents=[agent()],
    )
    return WorkspaceBuild.model_validate(
        {
            "id": uid(70 + number),
            "created_at": WHEN,
            "updated_at": WHEN,
            "workspace_id": uid(80),
            "workspace_name": "dev",
            "workspace_owner_id": ALICE.id,
            "workspace_owner_name": "alice",
            "template_version_id": uid(20),
            "template_version_name": "first",
            "build_number": number,
            "transition": transition,
            "job": job(),
            "status": status,
            "resources": [resource],
            **more,
        }
    )


def workspace(name: str = "dev", **more: object) -> Workspace:
    """Return a workspace."""
    return Workspace.model_validate(
        {
            "id": uid(80),
            "created_at": WHEN,
            "updated_at": WHEN,
            "owner_id": ALICE.id,
            "owner_name": "alice",
            "organization_id": ORGANIZATION.id,
            "organization_name": ORGANIZATION.name,
            "template_id": uid(10),
            "template_name": "local",
            "template_active_version_id": uid(20),
            "latest_build": build(),
            "name": name,
            "last_used_at": WHEN,
            **more,
        }
    )
