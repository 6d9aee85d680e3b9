"""Builds whose parameters depend on one another: what exists for the values is what is stored."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.routing import provide
from server.templates import FormDesk
from server.templates.store import forms as slices
from server.terraform import Form, FormBusy, FormNote, FormQuestion, FormSlice, Parameter
from tests.server.workspaces.world import ACCESS_URL, SYSTEM, Made, World
from tests.support.forms import ScriptedEvaluator, conditional, shown


class Asking:
    """A world with a template whose form a script evaluates."""

    def __init__(self, world: World, template: Made, evaluator: ScriptedEvaluator) -> None:
        self.world = world
        self.template = template
        self.evaluator = evaluator

    async def create(self, name: str = "dev", **values: str) -> Any:
        body = {"name": name, "template_id": str(self.template.id)}
        return await self.world.ann.api.post(
            "/users/me/workspaces", json={**body, "rich_parameter_values": listed(values)}
        )

    async def running(self, **values: str) -> Any:
        answer = await self.create(**values)
        assert answer.status_code == 201, answer.text
        await self.world.work()
        return answer.json()

    async def build(self, workspace: Any, transition: str = "start", **values: str) -> Any:
        path = f"/workspaces/{workspace['id']}/builds"
        body = {"transition": transition, "rich_parameter_values": listed(values)}
        return await self.world.ann.api.post(path, json=body)

    async def stored(self, build: Any) -> dict[str, str]:
        path = f"/workspacebuilds/{build['id']}/parameters"
        return {one["name"]: one["value"] for one in await self.world.get(self.world.ann, path)}

    async def add_slice(self, version: UUID) -> None:
        async with self.world.database.tx(SYSTEM) as tx:
            await slices.save(tx, version, FormSlice(b"the slice"))


def listed(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def refused(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"] == "Unable to validate parameters"
    return {one["field"]: one["detail"] for one in answer.json().get("validations", [])}


@pytest.fixture
async def asking(world: World) -> Asking:
    # The import saw one parameter only: the other one did not exist by default.
    gpu = Parameter("gpu", type="bool", default_value="false", mutable=True)
    template = await world.add_template("live", gpu)
    evaluator = ScriptedEvaluator(conditional)
    desk = FormDesk(world.database, evaluator, ACCESS_URL)
    provide(world.people.app, FormDesk, desk)
    made = Asking(world, template, evaluator)
    await made.add_slice(template.version)
    return made


async def test_what_exists_for_the_values_is_stored_with_its_defaults(asking: Asking) -> None:
    plain = await asking.running()
    assert await asking.stored(plain["latest_build"]) == {"gpu": "false"}
    answer = await asking.create("other", gpu="true", model="l")
    stored = await asking.stored(answer.json()["latest_build"])
    assert stored == {"gpu": "true", "model": "l"}


async def test_what_does_not_exist_is_neither_required_nor_stored(asking: Asking) -> None:
    made = await asking.running(model="l", nonsense="x")
    assert await asking.stored(made["latest_build"]) == {"gpu": "false"}


async def test_what_appears_is_required(asking: Asking) -> None:
    assert refused(await asking.create(gpu="true")) == {
        "model": 'Required parameter not provided: Parameter "model" has no value.'
    }
    assert await asking.world.get(asking.world.ann, "/workspaces") == {"workspaces": [], "count": 0}


async def test_what_appears_on_an_update_is_required_and_may_then_not_change(
    asking: Asking,
) -> None:
    made = await asking.running()
    assert set(refused(await asking.build(made, gpu="true"))) == {"model"}
    assert (await asking.build(made, gpu="true", model="s")).status_code == 201
    await asking.world.work()
    assert refused(await asking.build(made, model="l")) == {
        "model": 'Immutable parameter changed: Parameter "model" is not mutable, '
        "so it can't be updated after creating a workspace."
    }
    again = await asking.build(made)
    assert await asking.stored(again.json()) == {"gpu": "true", "model": "s"}


async def test_the_form_is_asked_with_the_values_before_and_then_with_the_new_ones(
    asking: Asking,
) -> None:
    made = await asking.running()
    asking.evaluator.questions.clear()
    await asking.build(made, gpu="true", model="s")
    first, second = asking.evaluator.questions
    assert (dict(first.inputs), dict(first.previous)) == ({"gpu": "false"}, {})
    assert dict(second.inputs) == {"gpu": "true", "model": "s"}
    assert dict(second.previous) == {"gpu": "false"}
    assert second.owner.name == "ann"


async def test_no_transaction_is_open_while_a_form_is_evaluated(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = 0
    transactions = Database.tx

    @asynccontextmanager
    async def counted(database: Database, actor: Actor) -> AsyncGenerator[Tx]:
        nonlocal opened
        async with transactions(database, actor) as tx:
            opened += 1
            try:
                yield tx
            finally:
                opened -= 1

    seen: list[int] = []

    def script(question: FormQuestion) -> Form:
        seen.append(opened)
        return conditional(question)

    monkeypatch.setattr(Database, "tx", counted)
    asking.evaluator.script = script
    made = await asking.running()
    await asking.build(made, gpu="true", model="s")
    assert seen == [0, 0, 0]


async def test_values_for_one_build_do_not_count_for_the_next(asking: Asking) -> None:
    asking.evaluator.script = lambda q: Form(
        (shown("debug", q.inputs, "no", ephemeral=True, mutable=True),)
    )
    made = await asking.running(debug="yes")
    assert await asking.stored(made["latest_build"]) == {"debug": "yes"}
    again = await asking.build(made)
    assert await asking.stored(again.json()) == {"debug": "no"}


async def test_stopping_and_deleting_ask_nothing(asking: Asking) -> None:
    made = await asking.running(gpu="true", model="s")
    asking.evaluator.script = None
    asking.evaluator.questions.clear()
    for transition in ("stop", "delete"):
        answer = await asking.build(made, transition)
        assert answer.status_code == 201, answer.text
        assert await asking.stored(answer.json()) == {"gpu": "true", "model": "s"}
        await asking.world.work()
    assert asking.evaluator.questions == []


async def test_without_an_evaluation_the_stored_parameters_are_the_rule(asking: Asking) -> None:
    asking.evaluator.script = None
    made = await asking.running(gpu="true")
    assert await asking.stored(made["latest_build"]) == {"gpu": "true"}
    detail = 'Parameter "model" is not present in the template.'
    assert refused(await asking.create("other", model="l")) == {"model": detail}


async def test_an_overloaded_server_builds_nothing_it_has_not_asked_for(asking: Asking) -> None:
    def script(question: FormQuestion) -> Form:
        raise FormBusy(f"{len(question.inputs)} is too much")

    asking.evaluator.script = script
    answer = await asking.create(gpu="true")
    assert (answer.status_code, "Try again" in answer.json()["message"]) == (503, True)


async def test_the_classic_flow_asks_nothing(asking: Asking) -> None:
    await asking.world.set_template(asking.template, use_classic_parameter_flow=True)
    made = await asking.running(gpu="true")
    assert await asking.stored(made["latest_build"]) == {"gpu": "true"}
    assert asking.evaluator.questions == []


async def test_a_form_that_fails_for_the_values_builds_nothing(asking: Asking) -> None:
    note = FormNote("error", "Invalid index", "no mars")
    asking.evaluator.script = lambda q: Form((shown("gpu", q.inputs, "false"),), (note,))
    answer = await asking.create()
    assert refused(answer) == {}
    assert answer.json()["detail"] == "Invalid index: no mars"


async def test_tags_that_follow_the_values_choose_the_provisioner(asking: Asking) -> None:
    asking.evaluator.script = lambda q: Form(workspace_tags={"zone": q.inputs.get("gpu", "none")})
    answer = await asking.create(gpu="true")
    assert answer.json()["latest_build"]["job"]["tags"]["zone"] == "true"


@pytest.mark.parametrize(("default", "mismatch"), [(None, True), ("x", False)])
async def test_an_automatic_start_that_would_lack_a_value_is_foreseen(
    asking: Asking, default: str | None, mismatch: bool
) -> None:
    made = await asking.running()
    body = {"automatic_updates": "always"}
    await asking.world.ann.api.put(f"/workspaces/{made['id']}/autoupdates", json=body)
    version = await asking.world.add_version(asking.template)
    await asking.add_slice(version)
    await asking.world.set_template(asking.template, active_version_id=version)
    asking.evaluator.script = lambda q: Form((shown("new", q.inputs, default),))
    path = f"/workspaces/{made['id']}/resolve-autostart"
    assert (await asking.world.get(asking.world.ann, path))["parameter_mismatch"] is mismatch


async def test_whoever_may_not_build_is_told_so_and_evaluates_nothing(asking: Asking) -> None:
    made = await asking.running()
    asking.evaluator.questions.clear()
    bob = await asking.world.people.add("bob")
    path = f"/workspaces/{made['id']}/builds"
    answer = await bob.api.post(path, json={"transition": "start"})
    assert answer.status_code == 404
    body = {"name": "x", "template_id": str(asking.template.id)}
    answer = await bob.api.post("/users/ann/workspaces", json=body)
    assert answer.status_code in {403, 404}
    assert asking.evaluator.questions == []
