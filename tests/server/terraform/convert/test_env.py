"""``coder_env`` and its merge strategies, for agents and for the agents of dev containers."""

from typing import Any

import pytest

from server.terraform.convert import Graph, Refused, resources, state_instances
from server.terraform.convert.env import merge
from server.terraform.convert.instances import label
from server.terraform.model import Env

GRAPH = Graph.parse('digraph G {\n "x_vm.vm" -> "coder_agent.dev";\n}')


def env(value: str, strategy: str = "", name: str = "PATH") -> Env:
    return Env(name, value, strategy)


def path(base: str | None, *extra: Env) -> str:
    return merge({} if base is None else {"PATH": base}, extra)["PATH"]


def obj(address: str, **values: Any) -> dict[str, Any]:
    *_, kind, name = label(address).split(".")
    module = address.split(".coder_", maxsplit=1)[0] if address.startswith("module.") else ""
    found = {"address": address, "mode": "managed", "type": kind, "name": name, "values": values}
    return found | {"module": module}


def environment(*hanging: dict[str, Any], owner: str = "agent", **own: str) -> dict[str, str]:
    """Return what a state's ``coder_env`` make of the variables of an agent or a dev container."""
    agent = obj("coder_agent.dev", id="a", os="linux", arch="amd64", env=own)
    container = obj("coder_devcontainer.box", id="d", agent_id="a", subagent_id="sub")
    root = [agent, container, obj("x_vm.vm"), *hanging]
    made = resources(state_instances({"values": {"root_module": {"resources": root}}}), GRAPH)
    (found,) = made.resources[0].agents
    return dict(found.env if owner == "agent" else found.devcontainers[0].env)


def hang(address: str, value: str, strategy: str, on: str = "a") -> dict[str, Any]:
    return obj(address, agent_id=on, name="PATH", value=value, merge_strategy=strategy)


def test_replace_is_the_default_and_the_last_value_wins() -> None:
    assert path("/bin", env("/a"), env("/b", "replace")) == "/b"


def test_an_empty_strategy_replaces_as_older_templates_expect() -> None:
    assert path("/bin", env("/a", "")) == "/a"


def test_a_strategy_of_another_version_replaces() -> None:
    assert path("/bin", env("/a", "from-the-future")) == "/a"


def test_append_joins_values_with_a_colon() -> None:
    assert path("/bin", env("/home/coder/tools/bin", "append")) == "/bin:/home/coder/tools/bin"


def test_prepend_puts_the_value_and_a_colon_in_front() -> None:
    assert path("/bin", env("/a", "prepend")) == "/a:/bin"


@pytest.mark.parametrize("strategy", ["", "replace", "append", "prepend", "error"])
def test_without_a_value_before_every_strategy_sets_it(strategy: str) -> None:
    assert path(None, env("/a", strategy)) == "/a"


@pytest.mark.parametrize("strategy", ["append", "prepend"])
def test_an_empty_value_before_leaves_no_colon(strategy: str) -> None:
    assert path("", env("/a", strategy)) == "/a"


def test_an_empty_value_is_joined_as_any_other() -> None:
    assert path("/bin", env("", "append")) == "/bin:"
    assert path("/bin", env("", "prepend")) == ":/bin"


def test_replacing_by_nothing_empties_a_variable() -> None:
    assert path("/bin", env("", "replace")) == ""


def test_multiple_appends_keep_their_order() -> None:
    assert path("/bin", env("/a", "append"), env("/b", "append")) == "/bin:/a:/b"


def test_of_multiple_prepends_the_last_processed_is_first() -> None:
    assert path("/bin", env("/a", "prepend"), env("/b", "prepend")) == "/b:/a:/bin"


def test_mixed_strategies_fold_from_the_left() -> None:
    folded = path("/bin", env("/a", "append"), env("/r", "replace"), env("/p", "prepend"))
    assert folded == "/p:/r"


def test_error_fails_the_build_if_the_variable_is_already_defined() -> None:
    for base, before in (("/bin", []), (None, [env("/a")]), ("", [])):
        with pytest.raises(Refused, match='duplicate env var "PATH"'):
            path(base, *before, env("/b", "error"))


def test_error_names_the_block_that_finds_it_taken() -> None:
    with pytest.raises(Refused) as refused:
        environment(hang("coder_env.second", "/b", "error"), hang("coder_env.a", "/a", "replace"))
    assert refused.value.about == "coder_env.second"


def test_other_names_are_left_alone() -> None:
    merged = merge({"A": "1"}, [env("2", "append", "B"), env("3", "prepend", "C")])
    assert merged == {"A": "1", "B": "2", "C": "3"}


def test_the_agents_own_variables_are_the_base() -> None:
    assert environment(hang("coder_env.a", "/a", "append"), PATH="/own") == {"PATH": "/own:/a"}


def test_they_are_processed_in_alphabetical_order_of_address() -> None:
    hanging = [
        hang("module.b.coder_env.x", "/m", "append"),
        hang("coder_env.z", "/z", "append"),
        hang("coder_env.a[10]", "/a10", "append"),
        hang("coder_env.a[2]", "/a2", "append"),
        hang("coder_env.B", "/B", "append"),
    ]
    assert environment(*hanging) == {"PATH": "/B:/a10:/a2:/z:/m"}
    assert environment(*reversed(hanging)) == {"PATH": "/B:/a10:/a2:/z:/m"}


def test_the_agent_of_a_dev_container_merges_for_itself() -> None:
    hanging = [
        hang("coder_env.b", "/b", "prepend", on="sub"),
        hang("coder_env.a", "/a", "append", on="sub"),
        hang("coder_env.c", "/agent", "append"),
    ]
    assert environment(*hanging, owner="container", PATH="/own") == {"PATH": "/b:/a"}
    assert environment(*hanging, PATH="/own") == {"PATH": "/own:/agent"}


def test_error_counts_for_the_agent_of_a_dev_container_too() -> None:
    hanging = [
        hang("coder_env.a", "/a", "replace", on="sub"),
        hang("coder_env.b", "/b", "error", on="sub"),
    ]
    with pytest.raises(Refused, match='duplicate env var "PATH"'):
        environment(*hanging, owner="container")
