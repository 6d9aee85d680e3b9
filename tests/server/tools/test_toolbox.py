"""Who has which tool, and what every tool has in common."""

import json
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from syrupy.assertion import SnapshotAssertion

from server.llm import Json, ToolSpec
from server.loop import Call, Result
from server.tools import Extras, offers_web_search, toolbox
from server.tools.bench import Bench
from server.tools.capped import Capped, fitted
from server.tools.toolbox import OFFERS, WEB_SEARCH, Seat, seat
from tests.server.tools.scene import Scene


def picture() -> str:
    """Draw the table of ``OFFERS``."""
    bench = cast("Bench", None)
    lines = [" " * 26 + "  ".join(each.value for each in Seat)]
    rows = [(offer.make(bench).spec.name, offer.seats, offer.offered) for offer in OFFERS]
    for name, seats, offered in [*rows, ("web_search", WEB_SEARCH, True)]:
        marks = "  ".join(("y" if each in seats else "-").center(len(each.value)) for each in Seat)
        lines.append(f"{name if offered else f'({name})':<26}{marks}".rstrip())
    return "\n".join(lines)


def test_availability() -> None:
    """The matrix of section 4.1; in brackets what answers to an older name and is not offered."""
    assert picture() == snapshot("""\
                          root  child  explore  plan root  plan child
execute                    y      y       y         y          y
process_output             y      y       y         y          y
process_list               y      y       -         -          -
process_signal             y      y       -         -          -
read_file                  y      y       y         y          y
write_file                 y      y       -         y          -
edit_files                 y      y       -         y          -
list_templates             y      -       -         y          -
read_template              y      -       -         y          -
create_workspace           y      -       -         y          -
start_workspace            y      -       -         y          -
stop_workspace             y      -       -         -          -
propose_plan               -      -       -         y          -
ask_user_question          -      -       -         y          -
spawn_agent                y      -       -         y          -
wait_agent                 y      -       -         y          -
message_agent              y      -       -         -          -
close_agent                y      -       -         -          -
list_agents                y      -       -         -          -
read_skill                 y      y       y         y          y
read_skill_file            y      y       y         y          y
attach_file                y      y       -         -          -
(spawn_explore_agent)      y      -       -         y          -
(spawn_computer_use_agent) y      -       -         y          -
(interrupt_agent)          y      -       -         -          -
web_search                 y      y       y         y          y\
""")


async def test_each_seat_has_its_tools(scene: Scene) -> None:
    root = (scene.world.ann.id, scene.world.ann.id)
    seats = {
        Seat.ROOT: await scene.turn(),
        Seat.PLAN_ROOT: await scene.turn(planning=True),
        Seat.CHILD: await scene.turn(ancestors=root),
        Seat.EXPLORE: await scene.turn(ancestors=root, mode="explore", planning=True),
        Seat.PLAN_CHILD: await scene.turn(ancestors=root, planning=True),
    }
    for wanted, turn in seats.items():
        assert seat(turn.link.facts) is wanted
        names = [tool.spec.name for tool in turn.box.tools]
        offered = [
            offer.make(cast("Bench", None)).spec.name
            for offer in OFFERS
            if wanted in offer.seats and offer.offered
        ]
        assert names == offered, "in the order of the table"
        assert offers_web_search(turn.link.facts, enabled=True)
        assert not offers_web_search(turn.link.facts, enabled=False)
    assert [tool.spec.name for tool in seats[Seat.ROOT].box.also] == [
        "spawn_explore_agent",
        "spawn_computer_use_agent",
        "interrupt_agent",
    ]


async def test_people_see_which_commands_run(scene: Scene) -> None:
    parse = (await scene.turn()).box.commands["execute"]
    assert parse({"command": "git status && ls"}) == (("git", "status"), ("ls",))
    assert parse({}) == ()


async def test_dynamic_tools_are_for_roots_and_lose_a_clash(scene: Scene) -> None:
    turn = await scene.turn()
    extras = Extras((ToolSpec("execute", "", {}), ToolSpec("theirs", "", {})))
    link = turn.link
    box = toolbox(scene.means, link.facts, turn.port, link, extras)
    assert [spec.name for spec in box.dynamic] == ["theirs"]
    plan = await scene.turn(planning=True)
    assert toolbox(scene.means, plan.link.facts, plan.port, plan.link, extras).dynamic == ()


def test_what_models_are_told(snapshot: SnapshotAssertion) -> None:
    """A change here breaks every prompt cache: it shall be seen."""
    told = {
        offer.make(cast("Bench", None)).spec.name: {
            "description": offer.make(cast("Bench", None)).spec.description,
            "schema": offer.make(cast("Bench", None)).spec.schema,
        }
        for offer in OFFERS
    }
    assert json.dumps(told, indent=1, ensure_ascii=False) == snapshot


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5000),
    lambda inner: st.lists(inner, max_size=50) | st.dictionaries(st.text(), inner, max_size=50),
    max_leaves=100,
)


@given(json_values, st.integers(min_value=2_000, max_value=20_000))
def test_any_answer_fits(value: Json, limit: int) -> None:
    small = fitted(value, limit)
    assert len(json.dumps(small, ensure_ascii=False).encode()) <= limit
    assert fitted(small, limit) == small


def test_what_is_cut() -> None:
    whole: Json = {"a": "x" * 60_000, "b": [1, 2]}
    assert fitted(whole) == whole
    cut = fitted({"output": "a" + "x" * 100_000 + "z", "code": 1})
    assert isinstance(cut, dict)
    assert cut["code"] == 1
    text = cut["output"]
    assert isinstance(text, str)
    assert text.startswith("ax")
    assert text.endswith("xz")
    assert "characters omitted" in text
    assert fitted("half \ud800") == "half \N{REPLACEMENT CHARACTER}"


async def test_media_stays_whole() -> None:
    class Camera:
        @property
        def spec(self) -> ToolSpec:
            return ToolSpec("camera", "", {})

        async def __call__(self, call: Call) -> Result:
            return Result({"data": "x" * 100_000}, is_media=True, ends_turn=True)

    result = await Capped(Camera())(Call("1", {}))
    assert result == Result({"data": "x" * 100_000}, is_media=True, ends_turn=True)
