"""The two environments of a build: what templates may know of it, and what terraform runs in."""

import json
from collections.abc import Mapping
from hashlib import sha256

from server.terraform.model import (
    BuildRequest,
    FormQuestion,
    ImportRequest,
    Owner,
    TemplateFacts,
    Transition,
)

_OURS = ("CODER_", "TF_")
_PASSED_ON = frozenset({"TF_CLI_CONFIG_FILE"})
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "KEY")


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def import_values(request: ImportRequest, transition: Transition) -> dict[str, str]:
    """Return what the provider knows while a template is imported. There is no build id."""
    return {
        "CODER_AGENT_URL": request.access_url,
        "CODER_WORKSPACE_TRANSITION": transition.word,
        **_template(request.template),
        **_owner(request.owner),
        **_external_auth(request.external_auth),
    }


def question_values(question: FormQuestion) -> dict[str, str]:
    """Return what the provider knows while a form is evaluated: no workspace, and no secret."""
    return {
        "CODER_AGENT_URL": question.access_url,
        "CODER_WORKSPACE_TRANSITION": Transition.START.word,
        **_template(question.template),
        **_owner(question.owner),
        **_parameters(question.inputs, question.previous),
    }


def build_values(request: BuildRequest) -> dict[str, str]:
    """Return what the provider knows of a build."""
    workspace = request.workspace
    values = {
        "CODER_AGENT_URL": request.access_url,
        "CODER_WORKSPACE_TRANSITION": request.transition.word,
        "CODER_WORKSPACE_NAME": workspace.name,
        "CODER_WORKSPACE_ID": str(workspace.id),
        "CODER_WORKSPACE_BUILD_ID": str(request.build_id),
        **_template(request.template),
        **_owner(request.owner),
        **_external_auth(request.external_auth),
    }
    if workspace.is_prebuild:
        values["CODER_WORKSPACE_IS_PREBUILD"] = "true"
    if workspace.is_prebuild_claim:
        values["CODER_WORKSPACE_IS_PREBUILD_CLAIM"] = "true"
    if workspace.running_agent_token:
        # The published provider looks up the digest of nothing, so one agent is all it can claim.
        name = f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{_digest('')}"
        values[name] = workspace.running_agent_token
    if request.task is not None:
        values["CODER_TASK_ID"] = str(request.task.id)
        values["CODER_TASK_PROMPT"] = request.task.prompt
    for platform, script in request.agent_scripts.items():
        values[f"CODER_AGENT_SCRIPT_{platform}"] = script
    values |= _parameters(request.parameters, request.previous_parameters)
    for name, value in request.secret_env.items():
        values[f"CODER_SECRET_ENV_{name}"] = value
    for path, value in request.secret_files.items():
        values[f"CODER_SECRET_FILE_{path.encode().hex()}"] = value
    return values


def _parameters(given: Mapping[str, str], previous: Mapping[str, str]) -> dict[str, str]:
    return {
        **{f"CODER_PARAMETER_{_digest(name)}": value for name, value in given.items()},
        **{f"CODER_PARAMETER_PREVIOUS_{_digest(name)}": value for name, value in previous.items()},
    }


def _template(template: TemplateFacts) -> dict[str, str]:
    return {
        "CODER_WORKSPACE_TEMPLATE_ID": str(template.id),
        "CODER_WORKSPACE_TEMPLATE_NAME": template.name,
        "CODER_WORKSPACE_TEMPLATE_VERSION": template.version,
    }


def _owner(owner: Owner) -> dict[str, str]:
    roles = [{"name": role.name, "org_id": role.org_id} for role in owner.roles]
    return {
        "CODER_WORKSPACE_OWNER": owner.name,
        "CODER_WORKSPACE_OWNER_ID": str(owner.id),
        "CODER_WORKSPACE_OWNER_NAME": owner.full_name,
        "CODER_WORKSPACE_OWNER_EMAIL": owner.email,
        "CODER_WORKSPACE_OWNER_GROUPS": json.dumps(owner.groups),
        "CODER_WORKSPACE_OWNER_RBAC_ROLES": json.dumps(roles),
        "CODER_WORKSPACE_OWNER_LOGIN_TYPE": owner.login_type,
        "CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY": owner.ssh_public_key,
        "CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY": owner.ssh_private_key,
        "CODER_WORKSPACE_OWNER_SESSION_TOKEN": owner.session_token,
        "CODER_WORKSPACE_OWNER_OIDC_ACCESS_TOKEN": owner.oidc_access_token,
    }


def _external_auth(tokens: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, token in tokens.items():
        values[f"CODER_EXTERNAL_AUTH_ACCESS_TOKEN_{name}"] = token
        values[f"CODER_GIT_AUTH_ACCESS_TOKEN_{name}"] = token
    return values


def clean(host: Mapping[str, str]) -> dict[str, str]:
    """Return the host's environment without the server's secrets and without terraform's knobs.

    The rest stays: credentials of clouds, ``DOCKER_HOST``, proxies are what templates live on.
    """
    return {name: value for name, value in host.items() if not name.startswith(_OURS)}


def ignored(host: Mapping[str, str]) -> list[str]:
    """Return the ``TF_*`` variables of the host, for a warning; dangerous values stay unsaid."""
    said: list[str] = []
    for name, value in sorted(host.items()):
        if name.startswith("TF_") and name not in _PASSED_ON:
            secret = name.startswith("TF_VAR_") or any(w in name.upper() for w in _SECRET_WORDS)
            said.append(f"{name}={'<value redacted>' if secret else value}")
    return said
