"""The real drivers against executables that speak their interfaces; and no executable at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from agent.containers.cli import Cli
from agent.containers.docker import Docker, inspected
from agent.containers.subagents import SubAgents
from agent.containers.tools import ToolFailed, Tools
from agent.kit.child import Children
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi import Empty, Method
from coder_cli.sdk.agentapi.subagents import (
    AppCreationError,
    CreatedSubAgent,
    CreateSubAgent,
    SubAgent,
    SubAgentApp,
)
from tests.agent.containers.fakes import container

INSPECTED = [
    {
        "Id": "abc",
        "Name": "/web",
        "Created": "2026-03-01T12:00:00.123456789Z",
        "State": {"Running": True},
        "Config": {"Image": "alpine", "Labels": {"devcontainer.local_folder": "/work"}},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None}
        },
        "Mounts": [{"Source": "/work", "Destination": "/workspaces/work"}],
    }
]
READ = {
    "configuration": {
        "customizations": {
            "coder": {
                "name": "web",
                "ignore": False,
                "autoStart": True,
                "displayApps": {"vscode": False, "vscode_insiders": True},
                "apps": [
                    {"slug": "docs", "displayName": "Docs", "url": "http://localhost:9"},
                    {"slug": 7},
                    "none",
                ],
            }
        }
    },
    "workspace": {"workspaceFolder": "/workspaces/work"},
}

Install = Callable[[str, str], None]


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    clock = SystemClock()
    env = {"PATH": f"{tmp_path}/bin", "HOME": str(tmp_path)}
    return Tools(lambda: env, Children(clock), clock)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def install(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        head = (
            f'#!/bin/sh\nPATH={os.defpath}\nfor w; do printf "%s " "$w"; done >>{tmp_path}/said\n'
        )
        path.write_text(f"{head}echo >>{tmp_path}/said\n{script}\n")
        path.chmod(0o755)

    return install


def said(tmp_path: Path) -> list[str]:
    return [line.strip() for line in (tmp_path / "said").read_text().splitlines()]


async def test_without_docker_there_are_no_containers_and_no_trouble(tools: Tools) -> None:
    assert await Docker(tools).containers() == []


async def test_docker_tells_of_containers(tools: Tools, install: Install, tmp_path: Path) -> None:
    (tmp_path / "inspected").write_text(json.dumps(INSPECTED))
    install("docker", f"case $1 in ps) echo abc;; inspect) cat {tmp_path}/inspected;; esac")
    (one,) = await Docker(tools).containers()
    assert (one.id, one.name, one.image, one.running) == ("abc", "web", "alpine", True)
    assert one.created_at.isoformat() == "2026-03-01T12:00:00+00:00"
    assert [(port.port, port.host_port) for port in one.ports] == [(80, 8080)]
    assert one.volumes == {"/work": "/workspaces/work"}


async def test_a_daemon_that_is_not_there_is_told_in_its_words(
    tools: Tools, install: Install
) -> None:
    install("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(ToolFailed, match="Cannot connect to the Docker daemon"):
        await Docker(tools).containers()


@pytest.mark.parametrize("text", ["{", '[{"Id": 1}]', "[1]", "7"])
def test_what_docker_never_says_is_no_crash(text: str) -> None:
    with pytest.raises(ToolFailed):
        inspected(text)


async def test_a_missing_cli_is_an_error_that_says_what_to_install(
    tools: Tools, tmp_path: Path
) -> None:
    with pytest.raises(ToolFailed, match="npm install -g @devcontainers/cli"):
        await Cli(tools).up(str(tmp_path), "", anew=False)


async def test_a_configuration_is_read_without_any_container_runtime(
    tools: Tools, install: Install, tmp_path: Path
) -> None:
    install("devcontainer", f"echo '{json.dumps(READ)}'")
    custom = await Cli(tools).read(str(tmp_path), "/c.json")
    assert custom.name == "web"
    assert custom.auto_start
    assert custom.folder == "/workspaces/work"
    assert custom.display_apps == ("vscode_insiders", "web_terminal", "ssh_helper")
    assert [(app.slug, app.display_name) for app in custom.apps] == [("docs", "Docs")]
    (line,) = said(tmp_path)
    assert line == (
        "read-configuration --docker-path true --log-format json"
        f" --workspace-folder {tmp_path} --config /c.json"
    )


async def test_up_returns_the_container_and_says_why_not(
    tools: Tools, install: Install, tmp_path: Path
) -> None:
    install("devcontainer", """echo '{"outcome": "success", "containerId": "abc"}'""")
    assert await Cli(tools).up(str(tmp_path), "", anew=True) == "abc"
    assert said(tmp_path)[0].startswith("up --remove-existing-container --log-format json")
    install("devcontainer", """echo '{"outcome": "error", "description": "no space"}'; exit 1""")
    with pytest.raises(ToolFailed, match="devcontainer up: no space"):
        await Cli(tools).up(str(tmp_path), "", anew=False)


async def test_an_agent_is_put_in_with_its_token_out_of_every_command_line(
    tools: Tools, install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        "docker",
        f'[ "$4" = -m ] && echo x86_64; [ -n "$CODER_AGENT_TOKEN" ] && env >{tmp_path}/env; true',
    )
    asked: list[tuple[Method, object]] = []
    made = CreatedSubAgent(
        SubAgent(uuid4(), "web", "s3cret-token"), (AppCreationError(0, "bad slug", "slug"),)
    )

    async def call(method: Method, params: object, _: type) -> object:
        asked.append((method, params))
        return made if method is Method.CREATE_SUB_AGENT else Empty()

    install("devcontainer", f"echo '{json.dumps(READ)}'")
    custom = await Cli(tools).read(str(tmp_path), "")
    inside = SubAgents(tools, call, "/opt/coder", "http://coder.test")
    agent = await inside.put_in(container("/work"), "web", custom, UUID(int=7))
    assert agent.directory == "/workspaces/work"
    ((_, wanted),) = asked
    assert isinstance(wanted, CreateSubAgent)
    assert (wanted.id, wanted.architecture) == (UUID(int=7), "amd64")
    assert wanted.apps == (SubAgentApp("docs", url="http://localhost:9", display_name="Docs"),)
    lines = said(tmp_path)
    assert "cp /opt/coder c1:/.coder-agent/coder" in lines
    assert any(line.startswith("exec --detach --env CODER_AGENT_TOKEN") for line in lines)
    assert not any("s3cret" in line for line in lines)
    assert "CODER_AGENT_TOKEN=s3cret-token" in (tmp_path / "env").read_text()
    # Warnings of apps that could not be made are logged.
    assert "bad slug" in caplog.text


async def test_an_agent_that_cannot_be_started_is_forgotten(tools: Tools, install: Install) -> None:
    install("docker", '[ "$1" = cp ] && { echo "read-only" >&2; exit 1; }; echo aarch64')
    asked: list[Method] = []

    async def call(method: Method, params: object, _: type) -> object:
        asked.append(method)
        return CreatedSubAgent(SubAgent(uuid4(), "web", "t"))

    from agent.containers.cli import Customization

    inside = SubAgents(tools, call, "/opt/coder", "http://coder.test")
    with pytest.raises(ToolFailed, match="docker cp: read-only"):
        await inside.put_in(container("/work"), "web", Customization(), None)
    assert asked == [Method.CREATE_SUB_AGENT, Method.DELETE_SUB_AGENT]


@pytest.mark.skipif("DEVCONTAINER_CLI" not in os.environ, reason="set DEVCONTAINER_CLI to run it")
async def test_the_real_cli_reads_a_configuration(tmp_path: Path) -> None:
    """Opt-in: DEVCONTAINER_CLI names the directory of a real ``devcontainer``."""
    clock = SystemClock()
    env = {**os.environ, "PATH": f"{os.environ['DEVCONTAINER_CLI']}:{os.environ['PATH']}"}
    (tmp_path / ".devcontainer.json").write_text(
        '{"image": "alpine:3", /* comment */ "customizations": {"coder": {"name": "web",'
        ' "autoStart": true, "apps": [{"slug": "docs"}]}}}'
    )
    custom = await Cli(Tools(lambda: env, Children(clock), clock)).read(str(tmp_path), "")
    assert (custom.name, custom.auto_start) == ("web", True)
    assert [app.slug for app in custom.apps] == ["docs"]
    assert custom.folder == f"/workspaces/{tmp_path.name}"
