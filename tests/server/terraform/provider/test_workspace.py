"""The data sources that tell a template about its build."""

import platform
from uuid import UUID

import pytest

from tests.server.terraform.world import read

TASK = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("transition", "count"), [("", 1), ("start", 1), ("stop", 0), ("destroy", 0)]
)
def test_workspace_start_count(transition: str, count: int) -> None:
    value = read("coder_workspace", {}, {"CODER_WORKSPACE_TRANSITION": transition}).value
    assert value["start_count"] == count
    assert value["transition"] == (transition or "start")


def test_workspace_outside_of_a_build() -> None:
    value = read("coder_workspace", {}).value
    assert UUID(value["id"])
    assert value["name"] == "default"
    assert value["access_url"] == "https://coder.example.com"
    assert value["access_port"] == 443
    assert value["template_id"] == ""


def test_workspace_port_of_the_access_url() -> None:
    for url, port in (("http://x", 80), ("http://x:3000", 3000), ("https://x", 443)):
        assert read("coder_workspace", {}, {"CODER_AGENT_URL": url}).value["access_port"] == port


def test_workspace_port_that_is_none() -> None:
    (problem,) = read("coder_workspace", {}, {"CODER_AGENT_URL": "http://x:99999"}).errors
    assert problem.startswith('couldn\'t parse port of "http://x:99999": ')


def test_workspace_in_a_build_must_know_its_template() -> None:
    assert read("coder_workspace", {}, {"CODER_WORKSPACE_BUILD_ID": "b"}).errors == [
        "template ID is missing: CODER_WORKSPACE_TEMPLATE_ID is required",
        "template name is missing: CODER_WORKSPACE_TEMPLATE_NAME is required",
        "template version is missing: CODER_WORKSPACE_TEMPLATE_VERSION is required",
    ]


def test_prebuild_until_it_is_claimed() -> None:
    env = {"CODER_WORKSPACE_IS_PREBUILD": "TRUE"}
    value = read("coder_workspace", {}, env).value
    assert (value["is_prebuild"], value["prebuild_count"], value["is_prebuild_claim"]) == (
        True,
        1,
        False,
    )
    value = read("coder_workspace", {}, env | {"CODER_WORKSPACE_IS_PREBUILD_CLAIM": "true"}).value
    assert (value["is_prebuild"], value["prebuild_count"], value["is_prebuild_claim"]) == (
        False,
        0,
        True,
    )


def test_owner_defaults() -> None:
    value = read("coder_workspace_owner", {}, {"CODER_WORKSPACE_OWNER_NAME": ""}).value
    assert UUID(value["id"])
    assert (value["name"], value["full_name"], value["email"]) == (
        "default",
        "default",
        "default@example.com",
    )
    assert (value["groups"], value["rbac_roles"], value["login_type"]) == ([], [], None)


def test_owner_lists() -> None:
    env = {
        "CODER_WORKSPACE_OWNER_GROUPS": '["Everyone"]',
        "CODER_WORKSPACE_OWNER_RBAC_ROLES": '[{"name":"member","org_id":"o"}]',
    }
    value = read("coder_workspace_owner", {}, env).value
    assert value["groups"] == ["Everyone"]
    assert value["rbac_roles"] == [{"name": "member", "org_id": "o"}]


def test_owner_without_lists() -> None:
    env = {
        "CODER_WORKSPACE_OWNER_GROUPS": "null",
        "CODER_WORKSPACE_OWNER_RBAC_ROLES": "null",
    }
    value = read("coder_workspace_owner", {}, env).value
    assert (value["groups"], value["rbac_roles"]) == ([], [])


def test_owner_role_of_the_whole_site() -> None:
    env = {"CODER_WORKSPACE_OWNER_RBAC_ROLES": '[{"name":"owner"}]'}
    value = read("coder_workspace_owner", {}, env).value
    assert value["rbac_roles"] == [{"name": "owner", "org_id": ""}]


@pytest.mark.parametrize("groups", ["Everyone", "[1]", "{}", "[" * 100_000])
@pytest.mark.parametrize("roles", ['["member"]', "{", "1", "[" * 100_000])
def test_owner_lists_that_are_none(groups: str, roles: str) -> None:
    env = {
        "CODER_WORKSPACE_OWNER_GROUPS": groups,
        "CODER_WORKSPACE_OWNER_RBAC_ROLES": roles,
    }
    bad_groups, bad_roles = read("coder_workspace_owner", {}, env).errors
    assert bad_groups.startswith("invalid user groups: ")
    assert bad_roles.startswith("invalid user rbac roles: ")


def test_provisioner_speaks_of_this_host() -> None:
    value = read("coder_provisioner", {}).value
    assert value["os"] in {"linux", "darwin", "windows"}
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armv7"}
    assert value["arch"] == names.get(platform.machine(), platform.machine())


def test_external_auth_token() -> None:
    env = {"CODER_EXTERNAL_AUTH_ACCESS_TOKEN_github": "t"}
    assert read("coder_external_auth", {"id": "github"}, env).value["access_token"] == "t"
    assert read("coder_external_auth", {"id": "gitlab"}, env).value["access_token"] == ""
    assert read("coder_external_auth", {"id": ""}).errors == ["id is required"]


def test_task_of_the_build() -> None:
    env = {"CODER_TASK_ID": TASK, "CODER_TASK_PROMPT": "p"}
    value = read("coder_task", {}, env).value
    assert (value["id"], value["enabled"], value["prompt"]) == (TASK, True, "p")
    for nothing in ("", str(UUID(int=0))):
        value = read("coder_task", {}, {"CODER_TASK_ID": nothing}).value
        assert value["enabled"] is False
        assert UUID(value["id"]).int
    assert read("coder_task", {}, {"CODER_TASK_ID": "x"}).errors == [
        'invalid task ID: "x" is not a UUID'
    ]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({}, "exactly one of `env` or `file` must be set"),
        ({"env": "", "file": ""}, "exactly one of `env` or `file` must be set"),
        ({"env": "A", "file": "/a"}, "exactly one of `env` or `file` must be set"),
        (
            {"env": "A-B"},
            (
                "`env` must be a POSIX-compliant identifier matching "
                '"^[a-zA-Z_][a-zA-Z0-9_]*$"; got "A-B"'
            ),
        ),
        ({"file": "a"}, '`file` must start with `/` or `~/`; got "a"'),
    ],
)
def test_secret_refuses(config: dict[str, str], error: str) -> None:
    assert read("coder_secret", {"help_message": "h", **config}).errors == [error]


def test_secret_value_and_id() -> None:
    env = {"CODER_SECRET_ENV_A": "one", f"CODER_SECRET_FILE_{b'~/k'.hex()}": "two"}
    by_env = read("coder_secret", {"help_message": "h", "env": "A"}, env).value
    assert (by_env["id"], by_env["value"]) == ("env:A", "one")
    by_file = read("coder_secret", {"help_message": "h", "file": "~/k"}, env).value
    assert (by_file["id"], by_file["value"]) == ("file:~/k", "two")


def test_secret_that_is_missing_says_what_to_do() -> None:
    build = {"CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TRANSITION": "start"}
    answer = read("coder_secret", {"help_message": "", "file": "~/k"}, build)
    assert answer.errors == ['Missing required secret: file "~/k"']
    assert answer.details[0].splitlines() == [
        'Required: file "~/k"',
        "",
        'To resolve: ensure a secret exposes the file "~/k".',
    ]


def test_secret_missing_blocks_a_start_only() -> None:
    config = {"help_message": "Ask Ann.", "env": "A"}
    build = {"CODER_WORKSPACE_BUILD_ID": "b", "CODER_SECRET_ENV_A": ""}
    started = read("coder_secret", config, build | {"CODER_WORKSPACE_TRANSITION": "start"})
    assert started.errors == ['Missing required secret: environment variable "A"']
    assert "Help message: Ask Ann." in started.details[0]
    for env in (
        build | {"CODER_WORKSPACE_TRANSITION": "stop"},
        build | {"CODER_WORKSPACE_TRANSITION": "destroy"},
        {"CODER_WORKSPACE_TRANSITION": "start"},
    ):
        answer = read("coder_secret", config, env)
        assert (answer.errors, answer.value["value"]) == ([], "")
