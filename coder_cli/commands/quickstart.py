"""``coder server --quickstart``: from nothing to a workspace with a shell, by the public API only.

It runs beside the server, once that answers. Each step looks first whether it was done already, so
that a second run picks up where the first one was.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from threading import Event
from typing import TYPE_CHECKING

from coder_cli import config, ui
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError, SdkError

if TYPE_CHECKING:
    from coder_cli.sdk.agents import WorkspaceAgent
    from coder_cli.sdk.templates import Template
    from coder_cli.sdk.workspaces import Workspace

USERNAME, EMAIL = "admin", "admin@coder.local"
TEMPLATE, WORKSPACE = "local", "dev"
_LOOK_EVERY = 0.25
_AGENT_PATIENCE = 180.0
_FAILED = frozenset({"start_error", "start_timeout", "shutting_down", "off"})


def run(url: str) -> None:
    """Set the deployment at ``url`` up; a failure is told and leaves the server running."""
    try:
        client = _log_in(url)
        workspace = _workspace(client, _template(client))
        _await_agents(client, workspace)
    except (Refused, SdkError, OSError) as error:
        ui.note(f"\n{ui.styled('Quickstart stopped:', 'red')} {ui.explain(error)}")
        ui.note("The server goes on. Start it with --quickstart again to take up from here.")
        return
    coder = _command()
    ui.result(
        f"\nYour workspace {ui.styled(WORKSPACE, 'cyan')} is ready. In another terminal:\n"
        f"\n  {coder} ssh {WORKSPACE}"
        f"\n  {coder} config-ssh --yes && ssh coder.{WORKSPACE}"
        f"\n  {coder} templates init --id {TEMPLATE}\n"
    )


def _command() -> str:
    """Return how this program is called with this configuration directory."""
    options = config.current()
    if not options.said("global-config"):
        return "coder"
    return f"coder --global-config {shlex.quote(str(options.config_dir))}"


def _log_in(url: str) -> Client:
    """Return a client that may do everything: of the first user, or of who is logged in."""
    session = config.session()
    client = config.connect(url, "")
    if client.has_first_user():
        client = config.connect(url, session.token)
        try:
            user = client.user("me")
        except ApiError as error:
            if error.status != 401:
                raise
            raise Refused(
                f"This deployment has users, and nobody is logged in here: coder login {url}"
            ) from None
        session.save(url, session.token)
        _done(f"Logged in as {user.username}")
        return client
    password = _create_first_user(client)
    token = config.connect(url, client.log_in(EMAIL, password)).create_session_key()
    session.save(url, token)
    return config.connect(url, token)


def _create_first_user(client: Client) -> str:
    from coder_cli.sdk.users import CreateFirstUserRequest

    password = token_urlsafe(15)
    client.create_first_user(
        CreateFirstUserRequest(email=EMAIL, username=USERNAME, password=password)
    )
    _done("Created the first user, and logged this terminal's user in as them")
    ui.result(
        f"\n    Username: {USERNAME}\n    Email:    {EMAIL}\n    Password: {password}"
        "\n\n    The password is shown this once; coder reset-password sets another.\n"
    )
    return password


def _template(client: Client) -> "Template":
    from coder_cli.commands.templates.archive import pack
    from coder_cli.commands.templates.starting import starters
    from coder_cli.sdk.templates import CreateTemplateRequest, CreateTemplateVersionRequest

    organization = str(client.organizations_of("me")[0].id)
    try:
        template = client.template_by_name(organization, TEMPLATE)
    except ApiError as error:
        if error.status != 404:
            raise
    else:
        _done(f"Template {TEMPLATE} exists")
        return template
    starter = next((one for one in starters() if one.id == TEMPLATE), None)
    if starter is None:
        raise Refused(f"This installation lacks the starter template {TEMPLATE!r}.")
    from coder_cli.commands.following import follow_import

    ui.note(f"\nPushing the starter template {TEMPLATE!r}: {starter.description}")
    file_id = client.upload(pack(Path(str(starter.directory))))
    version = follow_import(
        client,
        client.create_template_version(
            organization, CreateTemplateVersionRequest(file_id=file_id, message="quickstart")
        ),
    )
    if version.job.status != "succeeded":
        raise Refused(f"The template's import {version.job.status}: {version.job.error}")
    made = client.create_template(
        organization,
        CreateTemplateRequest(
            name=TEMPLATE,
            template_version_id=version.id,
            display_name=starter.name,
            description=starter.description[:128],
        ),
    )
    _done(f"Created template {TEMPLATE}")
    return made


def _workspace(client: Client, template: "Template") -> "Workspace":
    """Return the workspace, built and started."""
    from coder_cli.commands.builds import build
    from coder_cli.commands.following import follow_build
    from coder_cli.sdk.workspaces import CreateWorkspaceRequest

    try:
        workspace = client.workspace_by_name("me", WORKSPACE)
    except ApiError as error:
        if error.status != 404:
            raise
        ui.note(f"\nCreating workspace {WORKSPACE!r}")
        request = CreateWorkspaceRequest(name=WORKSPACE, template_id=template.id)
        workspace = client.create_workspace("me", request)
    running = workspace.latest_build
    if running.job.status.active:
        follow_build(client, running)
    elif running.transition != "start" or running.job.status != "succeeded":
        ui.note(f"\nStarting workspace {WORKSPACE!r}")
        version = workspace.latest_build.template_version_id
        follow_build(client, build(client, workspace, "start", version_id=version))
    _done(f"Workspace {WORKSPACE} is running")
    return client.workspace(workspace.id)


@dataclass(slots=True)
class _Said:
    """What was told of an agent last, so that it is told once."""

    state: str = ""

    def tell(self, agent: "WorkspaceAgent") -> None:
        state = f"{agent.status}, {agent.lifecycle_state}"
        if state != self.state:
            self.state = state
            ui.note(f"    agent {agent.name}: {state}")


def _await_agents(client: Client, workspace: "Workspace") -> None:
    """Wait until each agent of the workspace is ready.

    Raises:
        Refused: one failed, or takes too long.
    """
    ui.note("\nWaiting for the workspace's agent")
    said: dict[str, _Said] = {}
    waited = 0.0
    while True:
        build = client.build(workspace.latest_build.id)
        agents = [agent for resource in build.resources for agent in resource.agents]
        for agent in agents:
            said.setdefault(agent.name, _Said()).tell(agent)
            if agent.lifecycle_state in _FAILED:
                raise Refused(
                    f"The agent {agent.name} is {agent.lifecycle_state}; see coder logs {WORKSPACE}"
                )
        if all(a.status == "connected" and a.lifecycle_state == "ready" for a in agents):
            _done("The agent is ready")
            return
        if waited > _AGENT_PATIENCE:
            raise Refused(
                f"The agent was not ready after {_AGENT_PATIENCE:.0f} seconds; see "
                f"coder logs {WORKSPACE}"
            )
        Event().wait(_LOOK_EVERY)
        waited += _LOOK_EVERY


def _done(text: str) -> None:
    ui.note(f"{ui.styled('✔', 'green')} {text}")
