"""Workspaces in every form that people, ssh and editors write them."""

import pytest

from coder_cli.commands.connections.forwards import LocalForward, parse_local
from coder_cli.commands.connections.remote import RemoteForward, parse_remote
from coder_cli.commands.connections.target import Name, parse_host, parse_name, pick_agent
from coder_cli.kit.refused import Refused


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dev", Name("me", "dev")),
        ("dev.main", Name("me", "dev", "main")),
        ("alice/dev", Name("alice", "dev")),
        ("alice/dev.main", Name("alice", "dev", "main")),
    ],
)
def test_what_people_type(text: str, name: Name) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize("text", ["", "a/b/c", "/dev", "alice/", ".main"])
def test_what_is_no_workspace(text: str) -> None:
    with pytest.raises(Refused, match="is not a workspace"):
        parse_name(text)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("coder.dev", Name("me", "dev")),
        ("coder.dev.main", Name("me", "dev", "main")),
        ("coder.alice--dev", Name("alice", "dev")),
        ("coder.alice--dev--main", Name("alice", "dev", "main")),
        ("dev.coder", Name("me", "dev")),
        ("main.dev.coder", Name("me", "dev", "main")),
        ("main.dev.alice.coder", Name("alice", "dev", "main")),
        ("plain", Name("me", "plain")),
    ],
)
def test_what_ssh_calls_a_host(host: str, name: Name) -> None:
    assert parse_host(host, "coder.", "coder") == name


def agent(name: str) -> dict[str, object]:
    return {"name": name}


def workspace(*names: str) -> dict[str, object]:
    return {
        "name": "dev",
        "latest_build": {"resources": [{"agents": [agent(name) for name in names]}]},
    }


def test_the_only_agent_needs_no_name() -> None:
    assert pick_agent(workspace("main"), "") == agent("main")
    assert pick_agent(workspace("a", "b"), "b") == agent("b")


@pytest.mark.parametrize(
    ("agents", "wanted", "reason"),
    [
        ([], "", "has no agents"),
        (["a", "b"], "", "Choose one: dev.a, dev.b"),
        (["a"], "z", "no agent 'z'; it has a"),
    ],
)
def test_an_open_choice_is_listed(agents: list[str], wanted: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        pick_agent(workspace(*agents), wanted)


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("8080", [LocalForward("127.0.0.1", 8080, 8080)]),
        ("8000:3000", [LocalForward("127.0.0.1", 8000, 3000)]),
        ("0.0.0.0:80:81", [LocalForward("0.0.0.0", 80, 81)]),
        ("[::1]:80:81", [LocalForward("::1", 80, 81)]),
        (
            "9000-9001:9100-9101,7",
            [
                LocalForward("127.0.0.1", 9000, 9100),
                LocalForward("127.0.0.1", 9001, 9101),
                LocalForward("127.0.0.1", 7, 7),
            ],
        ),
    ],
)
def test_port_specs(spec: str, found: list[LocalForward]) -> None:
    assert parse_local(spec) == found


@pytest.mark.parametrize("spec", ["", "x", "1-3:1-2", "3-1", "70000", "1:2:3:4", "1-5000"])
def test_bad_port_specs_are_refused(spec: str) -> None:
    with pytest.raises(Refused):
        parse_local(spec)


def test_remote_forwards() -> None:
    assert parse_remote("5000:localhost:80") == RemoteForward(5000, "localhost", 80)
    for bad in ("5000", "5000:80", "x:localhost:80"):
        with pytest.raises(Refused):
            parse_remote(bad)
