"""From terraform's JSON to resources, agents and what hangs on them."""

from typing import Any

import pytest

from server.terraform.convert import Graph, Refused, resources, state_instances
from server.terraform.convert.env import merge
from server.terraform.convert.instances import Instance, label, plan_instances, stored_instances
from server.terraform.model import Env

TOKEN = "6f2ad1d4-9e2f-4b37-8dd6-1c6f1f1f7a01"
DOT = """digraph G {
  subgraph "cluster_module.ide" {
    "module.ide.coder_app.ide" [label="coder_app.ide"];
  }
  "docker_container.ws" -> "coder_agent.main";
  "docker_container.ws" -> "docker_volume.home";
  "docker_network.z" -> "docker_container.ws";
  "coder_metadata.m" -> "docker_container.ws";
  "module.ide.coder_app.ide" -> "coder_agent.main";
  "coder_env.a" -> "coder_agent.main";
}"""


def obj(address: str, key: Any = None, mode: str = "managed", **values: Any) -> dict[str, Any]:
    *_, kind, name = label(address).split(".")
    return {
        "address": address,
        "mode": mode,
        "type": kind,
        "name": name,
        "index": key,
        "values": values,
    }


def state(*objects: dict[str, Any]) -> list[Instance]:
    inside = [o for o in objects if o["address"].startswith("module.ide.")]
    root = [o for o in objects if o not in inside]
    module = {"address": "module.ide", "resources": inside}
    return state_instances(
        {"values": {"root_module": {"resources": root, "child_modules": [module]}}}
    )


def agent(name: str = "main", **more: Any) -> dict[str, Any]:
    values = {"id": f"id-{name}", "token": TOKEN, "os": "linux", "arch": "amd64", "auth": "token"}
    return obj(f"coder_agent.{name}", **values | more)


def app(slug: str, agent_id: str = "id-main", name: str = "") -> dict[str, Any]:
    return obj(f"coder_app.{name or slug}", id=f"id-{slug}", agent_id=agent_id, slug=slug)


def test_an_agent_lives_in_the_nearest_resource_above_it() -> None:
    made = resources(
        state(
            agent(),
            obj("docker_container.ws", 0, id="c"),
            obj("docker_network.z", id="n"),
            obj("docker_volume.home", id="v"),
        ),
        Graph.parse(DOT),
    )
    homes = {r.address: [a.name for a in r.agents] for r in made.resources}
    assert homes == {
        "docker_container.ws": ["main"],
        "docker_network.z": [],
        "docker_volume.home": [],
    }


def test_ties_go_to_the_first_by_name() -> None:
    dot = 'digraph G {\n "b_x.b" -> "coder_agent.main";\n "a_x.a" -> "coder_agent.main";\n}'
    made = resources(state(agent(), obj("b_x.b"), obj("a_x.a")), Graph.parse(dot))
    assert [r.type for r in made.resources if r.agents] == ["a_x"]


def test_an_agent_without_a_resource_is_left_out_and_said_so() -> None:
    made = resources(state(agent(), obj("docker_volume.home")), Graph.parse(DOT))
    assert [r.agents for r in made.resources] == [()]
    assert made.warnings == ('agent "main" runs in no resource, so it is left out',)


def test_counted_agents_live_in_the_instance_of_their_number() -> None:
    dot = 'digraph G {\n "x_vm.vm" -> "coder_agent.a";\n}'
    made = resources(
        state(
            obj("coder_agent.a[0]", 0, id="0", os="linux", arch="amd64"),
            obj("x_vm.vm[0]", 0),
            obj("x_vm.vm[1]", 1),
        ),
        Graph.parse(dot),
    )
    assert [(r.address, len(r.agents)) for r in made.resources] == [
        ("x_vm.vm[0]", 1),
        ("x_vm.vm[1]", 0),
    ]


def test_open_tofus_graph_is_read_too() -> None:
    dot = '"[root] docker_container.ws (expand)" -> "[root] coder_agent.main (expand)"'
    made = resources(state(agent(), obj("docker_container.ws")), Graph.parse(dot))
    assert made.resources[0].agents


def test_apps_scripts_and_variables_hang_on_their_agent() -> None:
    made = resources(
        state(
            agent(env={"PATH": "/bin"}, startup_script="up", startup_script_behavior="blocking"),
            obj("docker_container.ws"),
            obj(
                "module.ide.coder_app.ide",
                agent_id="id-main",
                slug="ide",
                share="public",
                healthcheck=[{"url": "u", "interval": 5, "threshold": 6}],
            ),
            app("other", "id-nobody"),
            obj("coder_script.s", agent_id="id-main", display_name="S", script="x", timeout=9),
            obj("coder_env.a", agent_id="id-main", name="FOO", value="bar"),
        ),
        Graph.parse(DOT),
    )
    (found,) = made.resources[0].agents
    (shown,) = found.apps
    assert (shown.slug, shown.display_name, shown.sharing_level) == ("ide", "ide", "public")
    assert shown.healthcheck is not None
    assert shown.healthcheck.threshold == 6
    assert found.env == {"PATH": "/bin", "FOO": "bar"}
    start, script = found.scripts
    assert (start.display_name, start.icon, start.log_path) == (
        "Startup Script",
        "/emojis/25b6.png",
        "coder-startup-script.log",
    )
    assert (start.run_on_start, start.start_blocks_login) == (True, True)
    assert (script.display_name, script.timeout_seconds) == ("S", 9)


def test_a_shutdown_script_runs_on_stop() -> None:
    made = resources(
        state(agent(shutdown_script="down"), obj("docker_container.ws")), Graph.parse(DOT)
    )
    (script,) = made.resources[0].agents[0].scripts
    assert (script.display_name, script.icon, script.log_path, script.run_on_stop) == (
        "Shutdown Script",
        "/emojis/25c0.png",
        "coder-shutdown-script.log",
        True,
    )


def test_in_a_plan_references_tell_what_hangs_on_whom() -> None:
    planned = plan_instances(
        {
            "planned_values": {
                "root_module": {
                    "resources": [
                        agent(id=None, token=None),
                        obj("docker_container.ws"),
                        app("ide", agent_id="", name="ide")
                        | {"address": "module.ide.coder_app.ide"},
                    ]
                }
            }
        }
    )
    made = resources(planned, Graph.parse(DOT))
    assert [a.slug for a in made.resources[0].agents[0].apps] == ["ide"]


def test_apps_of_a_dev_container() -> None:
    made = resources(
        state(
            agent(),
            obj("docker_container.ws"),
            obj(
                "coder_devcontainer.dev",
                id="d",
                agent_id="id-main",
                subagent_id="sub",
                workspace_folder="/w",
            ),
            app("inner", "sub"),
            obj("coder_env.a", agent_id="sub", name="PATH", value="/x", merge_strategy="append"),
        ),
        Graph.parse(DOT),
    )
    (found,) = made.resources[0].agents
    (dev,) = found.devcontainers
    assert found.apps == ()
    assert [a.slug for a in dev.apps] == ["inner"]
    assert dev.env == {"PATH": "/x"}


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (
            [agent("my_agent")],
            (
                'agent name "my_agent" contains underscores which are no longer supported, '
                'please use hyphens instead (regex: "(?i)^[a-z0-9](-?[a-z0-9])*$")'
            ),
        ),
        (
            [agent("my--agent")],
            'agent name "my--agent" does not match regex "(?i)^[a-z0-9](-?[a-z0-9])*$"',
        ),
        ([agent("dev"), agent("DEV")], "duplicate agent name: dev"),
        (
            [agent(), app("ide", name="a"), app("ide", name="b")],
            'duplicate app slug, they must be unique per template: "ide"',
        ),
        (
            [agent(), app("My")],
            'app slug "My" does not match regex "^[a-z0-9](-?[a-z0-9])*$"',
        ),
        ([agent(token="x")], 'invalid token of agent "main": it must be a uuid'),
        (
            [
                agent(env={"A": ""}),
                obj("coder_env.a", agent_id="id-main", name="A", value="1", merge_strategy="error"),
            ],
            ('duplicate env var "A": a coder_env with merge_strategy "error" finds it already set'),
        ),
        (
            [
                obj("docker_container.ws", id="c"),
                obj("coder_metadata.a", resource_id="c"),
                obj("coder_metadata.b", resource_id="c"),
            ],
            "duplicate metadata resource: docker_container.ws",
        ),
    ],
)
def test_what_is_refused(objects: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Refused) as refused:
        resources(state(*objects), Graph.parse(DOT))
    assert str(refused.value) == message


def test_metadata_describes_its_resource() -> None:
    item = {"key": "k", "value": None, "sensitive": True, "is_null": True}
    made = resources(
        state(
            obj("docker_container.ws", id="c", instance_type="big"),
            obj(
                "coder_metadata.m", resource_id="c", icon="/i", daily_cost=3, hide=True, item=[item]
            ),
        ),
        Graph.parse(DOT),
    )
    (found,) = made.resources
    assert (found.icon, found.daily_cost, found.hide, found.instance_type) == ("/i", 3, True, "big")
    assert found.metadata[0].is_null
    assert found.metadata[0].sensitive


def test_instance_identity() -> None:
    dot = 'digraph G {\n "aws_instance.vm" -> "coder_agent.main";\n}'
    auth = "aws-instance-identity"
    made = resources(state(agent(auth=auth), obj("aws_instance.vm", id="i-1")), Graph.parse(dot))
    found = made.resources[0].agents[0]
    assert (found.instance_id, found.token) == ("i-1", "")
    made = resources(
        state(
            agent(auth=auth),
            obj("aws_instance.vm", id="i-1"),
            obj("coder_agent_instance.x", agent_id="id-main", instance_id="i-2"),
        ),
        Graph.parse(dot),
    )
    assert made.resources[0].agents[0].instance_id == "i-2"


def test_external_agents_and_tasks_are_noticed() -> None:
    dot = 'digraph G {\n "coder_external_agent.x" -> "coder_agent.main";\n}'
    made = resources(
        state(
            agent(),
            obj("coder_external_agent.x", agent_id="id-main"),
            obj("coder_ai_task.t", id="t", app_id="a", prompt=None),
        ),
        Graph.parse(dot),
    )
    assert made.has_external_agent
    assert made.resources[0].agents[0].name == "main"
    assert [(t.id, t.app_id, t.prompt) for t in made.ai_tasks] == [("t", "a", "")]


@pytest.mark.parametrize(
    ("base", "extra", "merged"),
    [
        ({}, [("A", "1", "append")], {"A": "1"}),
        ({"A": "0"}, [("A", "1", "replace")], {"A": "1"}),
        ({"A": "0"}, [("A", "1", "")], {"A": "1"}),
        ({"A": "0"}, [("A", "1", "append"), ("A", "2", "append")], {"A": "0:1:2"}),
        ({"A": "0"}, [("A", "1", "prepend"), ("A", "2", "prepend")], {"A": "2:1:0"}),
        ({"A": ""}, [("A", "1", "append")], {"A": "1"}),
        ({"A": ""}, [("A", "1", "prepend")], {"A": "1"}),
        ({"A": "0"}, [("A", "1", "append"), ("A", "2", "prepend")], {"A": "2:0:1"}),
        ({}, [("A", "1", "error")], {"A": "1"}),
    ],
)
def test_merge_strategies(
    base: dict[str, str], extra: list[tuple[str, str, str]], merged: dict[str, str]
) -> None:
    assert merge(base, [Env(*entry) for entry in extra]) == merged


def test_variables_merge_in_the_order_of_their_addresses() -> None:
    made = resources(
        state(
            agent(),
            obj("docker_container.ws"),
            obj("coder_env.z", agent_id="id-main", name="P", value="z", merge_strategy="append"),
            obj("coder_env.a", agent_id="id-main", name="P", value="a", merge_strategy="append"),
        ),
        Graph.parse(DOT),
    )
    assert made.resources[0].agents[0].env == {"P": "a:z"}


def test_a_label_has_no_keys() -> None:
    assert label('module.a["x.y[0]"].docker_image.b[3]') == "module.a.docker_image.b"


@pytest.mark.parametrize(
    "state", [{}, {"version": 5, "resources": []}, {"serial": 1, "encrypted_data": "x"}]
)
def test_a_state_of_another_format_is_left_to_terraform(state: dict[str, Any]) -> None:
    assert stored_instances(state) is None


def test_what_is_on_its_way_out_does_not_count() -> None:
    instances = [{"attributes": {"id": "new"}}, {"attributes": {"id": "old"}, "deposed": "1a"}]
    stored = {"mode": "managed", "type": "x_vm", "name": "vm", "instances": instances}
    found = stored_instances({"version": 4, "resources": [stored]})
    assert found is not None
    assert [i.text("id") for i in found] == ["new"]
    shown = state(obj("x_vm.vm", id="new"), obj("x_vm.vm", id="old") | {"deposed_key": "1a"})
    assert [i.text("id") for i in shown] == ["new"]


def test_in_a_plan_apps_of_a_dev_container_are_found_by_reference() -> None:
    dot = """digraph G {
      "docker_container.ws" -> "coder_agent.main";
      "coder_devcontainer.dev" -> "coder_agent.main";
      "coder_app.inner" -> "coder_devcontainer.dev";
      "coder_app.outer" -> "coder_agent.main";
    }"""
    planned = [
        agent(id=None, token=None),
        obj("docker_container.ws"),
        obj("coder_devcontainer.dev", workspace_folder="/w"),
        app("inner", agent_id=""),
        app("outer", agent_id=""),
    ]
    made = resources(
        plan_instances({"planned_values": {"root_module": {"resources": planned}}}),
        Graph.parse(dot),
    )
    (found,) = made.resources[0].agents
    assert [a.slug for a in found.apps] == ["outer"]
    assert [a.slug for a in found.devcontainers[0].apps] == ["inner"]


def test_what_clashes_is_named_with_what_it_clashes_with() -> None:
    with pytest.raises(Refused) as refused:
        resources(state(agent(), app("ide", name="b"), app("ide", name="a")), Graph.parse(DOT))
    assert (refused.value.about, refused.value.other) == ("coder_app.b", "coder_app.a")


def test_a_script_that_never_runs_is_refused_before_anything_is_made() -> None:
    never: dict[str, Any] = {"run_on_start": False, "run_on_stop": False, "cron": None}
    script = obj("coder_script.s", agent_id="id-main", display_name="S", script="x", **never)
    with pytest.raises(Refused, match='at least one of "run_on_start", "run_on_stop", or "cron"'):
        resources(state(agent(), script), Graph.parse(DOT))
    unknown = script | {"values": script["values"] | {"run_on_start": None}}
    del unknown["values"]["run_on_start"]
    assert resources(state(agent(), unknown), Graph.parse(DOT)).warnings
