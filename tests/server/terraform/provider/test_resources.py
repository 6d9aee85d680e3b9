"""The managed resources: rules, defaults and computed values."""

from typing import Any
from uuid import UUID

import pytest

from server.terraform.provider.agent import digest
from server.terraform.provider.catalog import RESOURCES
from server.terraform.provider.schema import Call
from server.terraform.provider.values import UNKNOWN, Object
from tests.server.terraform.world import create, plan

AGENT = {"os": "linux", "arch": "amd64"}
APP = {"agent_id": "a", "slug": "ide"}
SCRIPT = {"agent_id": "a", "display_name": "s", "script": "true", "run_on_start": True}
ENV = {"agent_id": "a", "name": "FOO"}
TASK = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"arch": "mips"}, 'expected arch to be one of ["amd64" "armv7" "arm64"], got mips'),
        ({"os": "plan9"}, 'expected os to be one of ["linux" "darwin" "windows"], got plan9'),
        (
            {"auth": "password"},
            (
                'expected auth to be one of ["token" "google-instance-identity" '
                '"aws-instance-identity" "azure-instance-identity"], got password'
            ),
        ),
        (
            {"resources_monitoring": [{"memory": [{"enabled": True, "threshold": -1}]}]},
            (
                "expected resources_monitoring.0.memory.0.threshold to be in the range (0 - 100), "
                "got -1"
            ),
        ),
        (
            {"api_key_scope": "some"},
            'expected api_key_scope to be one of ["all" "no_user_data"], got some',
        ),
        (
            {"startup_script_behavior": "later"},
            'expected startup_script_behavior to be one of ["blocking" "non-blocking"], got later',
        ),
        (
            {"connection_timeout": -1},
            "expected connection_timeout to be at least (0), got -1",
        ),
        (
            {
                "metadata": [
                    {"key": "k", "script": "a", "interval": 1},
                    {"key": "k", "script": "b", "interval": 1},
                ]
            },
            'duplicate agent metadata key "k"',
        ),
        (
            {"resources_monitoring": [{"memory": None, "volume": None}]},
            "resources_monitoring must define at least one monitor",
        ),
        (
            {"resources_monitoring": [{"memory": [{"enabled": True, "threshold": 101}]}]},
            (
                "expected resources_monitoring.0.memory.0.threshold to be in the range (0 - 100), "
                "got 101"
            ),
        ),
        (
            {
                "resources_monitoring": [
                    {"volume": [{"path": "home", "enabled": True, "threshold": 1}]}
                ]
            },
            "volume path must be an absolute path",
        ),
        (
            {"resources_monitoring": [{"volume": [{"path": "", "enabled": True, "threshold": 1}]}]},
            "volume path must not be empty",
        ),
        (
            {
                "resources_monitoring": [
                    {
                        "volume": [
                            {"path": "/p", "enabled": True, "threshold": 1},
                            {"path": "/p", "enabled": False, "threshold": 2},
                        ]
                    }
                ]
            },
            'duplicate volume path "/p"',
        ),
        ({"order": 1.5}, "Attribute must be a whole number, got 1.5"),
        ({"order": 2**63}, f"Attribute must be a whole number, got {2**63}"),
        ({"connection_timeout": "1" * 40}, f"Attribute must be a whole number, got {'1' * 40}"),
    ],
)
def test_agent_refuses(config: dict[str, Any], error: str) -> None:
    assert plan("coder_agent", AGENT | config).errors == [error]


def test_agent_defaults() -> None:
    value = plan("coder_agent", dict(AGENT)).value
    assert value["auth"] == "token"
    assert value["api_key_scope"] == "all"
    assert value["startup_script_behavior"] == "non-blocking"
    assert value["connection_timeout"] == 120
    assert value["token"] is UNKNOWN
    assert value["display_apps"] == [
        {
            "vscode": True,
            "vscode_insiders": False,
            "web_terminal": True,
            "ssh_helper": True,
            "port_forwarding_helper": True,
        }
    ]


def test_agent_display_apps_default_one_by_one() -> None:
    shown = plan("coder_agent", AGENT | {"display_apps": [{"vscode": False}]}).value["display_apps"]
    assert shown[0]["vscode"] is False
    assert shown[0]["web_terminal"] is True
    assert shown[0]["vscode_insiders"] is False


@pytest.mark.parametrize("directory", ["", "~", "$HOME"])
def test_agent_directory_is_deprecated(directory: str) -> None:
    assert plan("coder_agent", AGENT | {"dir": directory}).warnings == ["Argument is deprecated"]


def test_agent_directory_outside_home_is_warned_of() -> None:
    assert plan("coder_agent", AGENT | {"dir": "/src"}).warnings == [
        "Argument is deprecated",
        'Setting "dir" to a value other than $HOME will break Coder Desktop file sync.',
    ]


def test_agent_token_and_init_script() -> None:
    script = "curl ${ACCESS_URL}bin; export AUTH=${AUTH_TYPE}"
    answer = create("coder_agent", dict(AGENT), {"CODER_AGENT_SCRIPT_linux_amd64": script})
    assert UUID(answer.value["token"])
    assert answer.value["init_script"] == "curl https://coder.example.com/bin; export AUTH=token"
    other = create("coder_agent", dict(AGENT), {"CODER_AGENT_SCRIPT_darwin_amd64": script})
    assert other.value["init_script"] == ""
    assert other.value["token"] != answer.value["token"]


def test_agent_files_are_at_the_root_of_the_access_url() -> None:
    call = Call({"CODER_AGENT_SCRIPT_linux_arm64": "${ACCESS_URL}"}, "https://x:8443/coder?a=b")
    value: Object = {"os": "linux", "arch": "arm64", "auth": None, "display_apps": []}
    read = RESOURCES["coder_agent"].read
    assert read is not None
    read(value, call)
    assert value["init_script"] == "https://x:8443/"


def test_agent_of_a_claimed_prebuild_keeps_its_token() -> None:
    env = {f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{digest('')}": TASK}
    assert create("coder_agent", dict(AGENT), env).value["token"] == TASK


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (
            {"slug": "My_App"},
            (
                'invalid "coder_app" slug, must be a valid hostname ("^[a-z0-9](-?[a-z0-9])*$", '
                'cannot contain two consecutive hyphens or start/end with a hyphen): "My_App"'
            ),
        ),
        ({"display_name": "x" * 65}, "display name is too long (max 64 characters)"),
        ({"group": "x" * 65}, "group name is too long (max 64 characters)"),
        ({"tooltip": "x" * 2049}, "tooltip is too long (max 2048 characters)"),
        (
            {"share": "world"},
            'invalid app share "world", must be one of "owner", "authenticated", "public"',
        ),
        (
            {"open_in": "window"},
            'invalid "coder_app" open_in value, must be one of "tab", "slim-window": "window"',
        ),
    ],
)
def test_app_refuses(config: dict[str, Any], error: str) -> None:
    assert plan("coder_app", APP | config).errors == [error]


@pytest.mark.parametrize(
    "config",
    [
        {"slug": "a"},
        {"slug": "a-1-b"},
        {"display_name": "x" * 64},
        {"group": "x" * 64},
        {"tooltip": "x" * 2048},
        {"share": "authenticated"},
        {"share": "public"},
        {"open_in": "tab"},
        {"external": True, "url": "vscode://x"},
        {"external": False, "url": "http://x"},
        {"url": "not a url: %zz"},
        {"icon": "/an icon.svg"},
    ],
)
def test_app_accepts(config: dict[str, Any]) -> None:
    assert plan("coder_app", APP | config).found == []


@pytest.mark.parametrize("slug", ["", "-a", "a-", "a--b", "A", "a_b", "a.b", "ä", "a\n"])
def test_app_slugs_that_are_no_host_names(slug: str) -> None:
    (problem,) = plan("coder_app", APP | {"slug": slug}).errors
    assert problem.startswith('invalid "coder_app" slug, must be a valid hostname (')


def test_app_lengths_are_counted_in_bytes() -> None:
    assert plan("coder_app", APP | {"display_name": "ä" * 33}).errors == [
        "display name is too long (max 64 characters)"
    ]


@pytest.mark.parametrize(
    ("config", "details"),
    [
        (
            {"url": "http://x", "command": "x"},
            ['"command": conflicts with url', '"url": conflicts with command'],
        ),
        ({"subdomain": True, "command": "x"}, ['"command": conflicts with subdomain']),
        (
            {"command": "x", "healthcheck": [{"url": "u", "interval": 1, "threshold": 1}]},
            ['"healthcheck": conflicts with command'],
        ),
        ({"external": True, "share": "owner"}, ['"external": conflicts with share']),
        ({"external": False, "share": "owner"}, ['"external": conflicts with share']),
        ({"external": True, "subdomain": False}, ['"external": conflicts with subdomain']),
        ({"external": True, "command": "x"}, ['"external": conflicts with command']),
        (
            {"external": True, "healthcheck": [{"url": "u", "interval": 1, "threshold": 1}]},
            ['"external": conflicts with healthcheck'],
        ),
    ],
)
def test_app_conflicts(config: dict[str, Any], details: list[str]) -> None:
    answer = plan("coder_app", APP | config)
    assert set(answer.errors) == {"Conflicting configuration arguments"}
    assert sorted(answer.details) == details


def test_app_without_a_target_is_legal_and_an_unknown_one_does_not_conflict() -> None:
    assert plan("coder_app", dict(APP)).errors == []
    assert plan("coder_app", APP | {"url": UNKNOWN, "command": "x"}).errors == []


def test_app_hidden_warns_of_what_nobody_sees() -> None:
    config = APP | {"hidden": True, "display_name": "x", "icon": "/i", "order": 1}
    assert create("coder_app", config).warnings == [
        "`display_name` set when app is hidden",
        "`icon` set when app is hidden",
        "`order` set when app is hidden",
    ]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (
            {"run_on_start": False},
            'at least one of "run_on_start", "run_on_stop", or "cron" must be set',
        ),
        (
            {"run_on_start": False, "run_on_stop": True, "start_blocks_login": True},
            '"start_blocks_login" can only be set if "run_on_start" is "true"',
        ),
        ({"timeout": 0}, "expected timeout to be at least (1), got 0"),
        (
            {"cron": "every day"},
            (
                "every day is not a valid cron expression: "
                "expected 5 to 6 fields, found 2: [every day]"
            ),
        ),
    ],
)
def test_script_refuses(config: dict[str, Any], error: str) -> None:
    assert create("coder_script", SCRIPT | config).errors == [error]


def test_script_rules_that_wait_for_the_apply() -> None:
    assert plan("coder_script", SCRIPT | {"run_on_start": False}).errors == []


def test_script_five_fields_are_warned_of() -> None:
    answer = plan("coder_script", SCRIPT | {"cron": "0 8 * * 1-5"})
    assert answer.errors == []
    assert '"0 0 8 * * 1-5"' in answer.details[0]


def test_script_icon_is_not_judged() -> None:
    assert plan("coder_script", SCRIPT | {"icon": "%zz"}).errors == []


def test_env_rules() -> None:
    assert plan("coder_env", ENV | {"name": "1A"}).errors == [
        "invalid value for name (must be a valid environment variable name)"
    ]
    assert plan("coder_env", ENV | {"merge_strategy": "x"}).errors == [
        'expected merge_strategy to be one of ["replace" "append" "prepend" "error"], got x'
    ]
    value = plan("coder_env", dict(ENV)).value
    assert (value["value"], value["merge_strategy"]) == ("", "replace")


def test_metadata_marks_nulls_and_refuses_duplicates() -> None:
    items = [{"key": "a", "value": None}, {"key": "b", "value": ""}, {"key": "c", "value": UNKNOWN}]
    answer = plan("coder_metadata", {"resource_id": "r", "item": items})
    assert [item["is_null"] for item in answer.value["item"]] == [True, False, UNKNOWN]
    twice = {"resource_id": "r", "item": [{"key": "a"}, {"key": "a"}]}
    assert plan("coder_metadata", twice).errors == ['duplicate resource metadata key "a"']
    assert plan("coder_metadata", {"resource_id": "r", "icon": ":"}).errors == [
        'parse ":": missing protocol scheme'
    ]


def test_devcontainer_needs_a_folder_and_gets_a_subagent() -> None:
    config = {"agent_id": "a", "workspace_folder": ""}
    assert plan("coder_devcontainer", config).errors == [
        'expected "workspace_folder" to not be an empty string, got '
    ]
    made = create("coder_devcontainer", config | {"workspace_folder": "/w"})
    assert UUID(made.value["subagent_id"])


def test_ai_task_takes_its_app_from_either_place() -> None:
    env = {"CODER_TASK_ID": TASK, "CODER_TASK_PROMPT": "do it"}
    value = create("coder_ai_task", {"sidebar_app": [{"id": TASK}]}, env).value
    assert (value["app_id"], value["id"], value["enabled"]) == (TASK, TASK, True)
    assert value["prompt"] == "do it"
    value = create("coder_ai_task", {"app_id": TASK}).value
    assert (value["id"], value["enabled"], value["prompt"]) == ("an-id", False, None)


def test_ai_task_by_the_old_block_is_deprecated() -> None:
    assert plan("coder_ai_task", {"sidebar_app": [{"id": TASK}]}).warnings == [
        "Argument is deprecated"
    ]


@pytest.mark.parametrize("said", ["no id", "", str(UUID(int=0))])
def test_ai_task_of_no_task_has_an_id_of_its_own(said: str) -> None:
    value = create("coder_ai_task", {"app_id": TASK}, {"CODER_TASK_ID": said}).value
    assert (value["id"], value["enabled"]) == ("an-id", False)


def test_ai_task_refuses() -> None:
    assert create("coder_ai_task", {}).errors == ["'app_id' must be set"]
    for wrong in ("x", "{" + TASK + "}", TASK.replace("-", "")):
        assert plan("coder_ai_task", {"app_id": wrong}).errors == [
            f'expected "app_id" to be a valid UUID, got {wrong}'
        ]
    both = {"app_id": TASK, "sidebar_app": [{"id": TASK}]}
    assert set(plan("coder_ai_task", both).errors) == {"Conflicting configuration arguments"}
    nil = create("coder_ai_task", {"app_id": TASK}, {"CODER_TASK_ID": str(UUID(int=0))})
    assert nil.value["enabled"] is False
