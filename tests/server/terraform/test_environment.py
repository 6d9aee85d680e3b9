"""What templates may know, and what terraform runs in."""

import json
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from server.terraform import environment
from server.terraform.model import (
    BuildRequest,
    ImportRequest,
    Owner,
    OwnerRole,
    TaskFacts,
    TemplateFacts,
    Transition,
    WorkspaceFacts,
)

REQUEST = BuildRequest(
    work_dir=Path("/nowhere"),
    archive=b"",
    transition=Transition.DELETE,
    build_id=UUID(int=1),
    workspace=WorkspaceFacts(UUID(int=2), "dev", True, True, "tok"),
    owner=Owner(UUID(int=3), "ann", groups=("Everyone",), roles=(OwnerRole("member", "o"),)),
    template=TemplateFacts(UUID(int=4), "tiny", "v1"),
    access_url="https://coder.example.com",
    parameters={"cpu": ""},
    previous_parameters={"cpu": "2"},
    agent_scripts={"linux_amd64": "#!/bin/sh"},
    external_auth={"github": "gh"},
    secret_env={"A": "1"},
    secret_files={"~/k": "2"},
    task=TaskFacts(UUID(int=5), "do"),
)


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def test_a_build_tells_everything_the_provider_reads() -> None:
    values = environment.build_values(REQUEST)
    expected = {
        "CODER_AGENT_URL": "https://coder.example.com",
        "CODER_WORKSPACE_TRANSITION": "destroy",
        "CODER_WORKSPACE_BUILD_ID": str(UUID(int=1)),
        "CODER_WORKSPACE_ID": str(UUID(int=2)),
        "CODER_WORKSPACE_NAME": "dev",
        "CODER_WORKSPACE_OWNER": "ann",
        "CODER_WORKSPACE_OWNER_ID": str(UUID(int=3)),
        "CODER_WORKSPACE_TEMPLATE_ID": str(UUID(int=4)),
        "CODER_WORKSPACE_TEMPLATE_NAME": "tiny",
        "CODER_WORKSPACE_TEMPLATE_VERSION": "v1",
        "CODER_WORKSPACE_IS_PREBUILD": "true",
        "CODER_WORKSPACE_IS_PREBUILD_CLAIM": "true",
        f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{digest('')}": "tok",
        f"CODER_PARAMETER_{digest('cpu')}": "",
        f"CODER_PARAMETER_PREVIOUS_{digest('cpu')}": "2",
        "CODER_AGENT_SCRIPT_linux_amd64": "#!/bin/sh",
        "CODER_EXTERNAL_AUTH_ACCESS_TOKEN_github": "gh",
        "CODER_GIT_AUTH_ACCESS_TOKEN_github": "gh",
        "CODER_SECRET_ENV_A": "1",
        f"CODER_SECRET_FILE_{b'~/k'.hex()}": "2",
        "CODER_TASK_ID": str(UUID(int=5)),
        "CODER_TASK_PROMPT": "do",
    }
    assert expected.items() <= values.items()
    assert json.loads(values["CODER_WORKSPACE_OWNER_GROUPS"]) == ["Everyone"]
    assert json.loads(values["CODER_WORKSPACE_OWNER_RBAC_ROLES"]) == [
        {"name": "member", "org_id": "o"}
    ]


def test_an_import_is_not_a_build() -> None:
    values = environment.import_values(ImportRequest(Path("/nowhere"), b""), Transition.STOP)
    assert "CODER_WORKSPACE_BUILD_ID" not in values
    assert values["CODER_WORKSPACE_TRANSITION"] == "stop"


def test_terraform_gets_the_host_without_us_and_without_its_own_knobs() -> None:
    host = {"PATH": "/bin", "DOCKER_HOST": "x", "CODER_PG_CONNECTION_URL": "s", "TF_LOG": "TRACE"}
    assert environment.clean(host) == {"PATH": "/bin", "DOCKER_HOST": "x"}


def test_ignored_knobs_are_named_without_their_secrets() -> None:
    host = {"TF_LOG": "TRACE", "TF_TOKEN_example_com": "s", "TF_VAR_x": "s", "HOME": "/"}
    assert environment.ignored(host) == [
        "TF_LOG=TRACE",
        "TF_TOKEN_example_com=<value redacted>",
        "TF_VAR_x=<value redacted>",
    ]


def test_secrets_do_not_show_in_a_request() -> None:
    assert "'gh'" not in repr(REQUEST)
    assert "tok" not in repr(REQUEST.workspace)
