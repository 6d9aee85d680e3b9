"""Live forms over HTTP and WebSocket: who may ask, for whom, and what comes back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.kit.routing import TOKEN_HEADER, provide
from server.templates import FormDesk
from server.templates.actions import forms as actions
from server.terraform import Form, FormNote, FormQuestion, FormSlice, Imported, Parameter
from tests.server.templates.conftest import ORG, Workshop
from tests.support.forms import ScriptedEvaluator, conditional, shown
from tests.support.people import Person
from tests.support.serving import served

LIVE = Imported(
    parameters=(Parameter("gpu", type="bool", default_value="false"),),
    form=FormSlice(b"the slice"),
)


@dataclass
class Forms:
    """A template with a form that a script evaluates."""

    shop: Workshop
    evaluator: ScriptedEvaluator
    desk: FormDesk
    version: str
    template: str

    async def ask(self, by: Person, **body: Any) -> Any:
        path = f"/templateversions/{self.version}/dynamic-parameters/evaluate"
        answer = await by.api.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @asynccontextmanager
    async def open(self, by: Person, query: str = "") -> AsyncGenerator[ClientConnection]:
        path = f"/templateversions/{self.version}/dynamic-parameters{query}"
        async with (
            served(self.shop.people.app) as address,
            connect(
                f"ws://{address}{path}", additional_headers={TOKEN_HEADER: by.token}, proxy=None
            ) as socket,
            asyncio.timeout(20),
        ):
            yield socket


@pytest.fixture
async def forms(shop: Workshop, admin: Person) -> Forms:
    evaluator = ScriptedEvaluator(conditional)
    desk = FormDesk(shop.people.database, evaluator, "http://coder.test")
    provide(shop.people.app, FormDesk, desk)
    template = await shop.template(admin, imported=LIVE)
    return Forms(shop, evaluator, desk, template["active_version_id"], template["id"])


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await socket.recv())


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer["parameters"]]


async def test_an_answer_has_the_wire_form_that_clients_know(forms: Forms, member: Person) -> None:
    answer = await forms.ask(member, id=7, inputs={"gpu": "true"})
    assert answer["id"] == 7
    assert answer["diagnostics"] == []
    model = answer["parameters"][1]
    assert model["value"] == {"value": "", "valid": False}
    assert model["options"][0] == {
        "name": "Small",
        "description": "",
        "value": {"value": "s", "valid": True},
        "icon": "",
    }
    assert model["diagnostics"] == [
        {
            "severity": "error",
            "summary": "Required parameter not provided",
            "detail": "parameter value is null",
            "extra": {"code": "required"},
        }
    ]
    assert model["validations"] == []
    assert set(model["styling"]) == {"placeholder", "disabled", "label", "mask_input"}


async def test_the_question_knows_the_owner_but_none_of_their_secrets(
    forms: Forms, member: Person
) -> None:
    await forms.ask(member, inputs={"gpu": "true"})
    (question,) = forms.evaluator.questions
    assert question.slice == b"the slice"
    assert question.owner.name == "bob"
    secrets = (question.owner.ssh_private_key, question.owner.session_token)
    assert secrets == ("", "")
    assert question.owner.oidc_access_token == ""


async def test_a_form_for_somebody_else_is_for_those_who_may_make_workspaces_for_them(
    forms: Forms, admin: Person, member: Person
) -> None:
    root = await forms.shop.people.add("root", "owner")
    await forms.ask(root, owner_id=str(member.id))
    assert forms.evaluator.questions[-1].owner.name == "bob"
    for by, whom in ((member, str(admin.id)), (root, "00000000-0000-0000-0000-000000000001")):
        answer = await forms.ask(by, owner_id=whom)
        assert answer["parameters"] == []
        (note,) = answer["diagnostics"]
        assert note["summary"] == "Failed to fetch workspace owner"
        assert note["extra"] == {"code": "owner_not_found"}
    assert len(forms.evaluator.questions) == 1


async def test_a_form_that_cannot_be_evaluated_opens_as_it_was_imported(
    forms: Forms, member: Person
) -> None:
    forms.evaluator.script = None
    answer = await forms.ask(member, inputs={"gpu": "true"})
    assert names(answer) == ["gpu"]
    (note,) = answer["diagnostics"]
    assert note["severity"] == "warning"
    assert "the script has no form" in note["detail"]


@pytest.mark.parametrize("problem", ["main.tf.json is written in JSON"])
async def test_a_template_without_a_slice_says_why(
    forms: Forms, admin: Person, problem: str
) -> None:
    imported = replace(LIVE, form=FormSlice(problem=problem))
    forms.version = (await forms.shop.push(admin, imported))["id"]
    (note,) = (await forms.ask(admin))["diagnostics"]
    assert problem in note["detail"]
    assert forms.evaluator.questions == []


async def test_a_server_without_terraform_shows_what_the_import_saw(
    forms: Forms, member: Person
) -> None:
    forms.desk.evaluator = None
    answer = await forms.ask(member)
    assert (names(answer), len(answer["diagnostics"])) == (["gpu"], 1)


async def test_the_classic_flow_evaluates_nothing(
    forms: Forms, admin: Person, member: Person
) -> None:
    change = {"use_classic_parameter_flow": True}
    assert (await admin.api.patch(f"/templates/{forms.template}", json=change)).status_code == 200
    answer = await forms.ask(member, inputs={"gpu": "true"})
    assert (names(answer), answer["diagnostics"]) == (["gpu"], [])
    assert forms.evaluator.questions == []


async def test_an_import_that_goes_on_has_no_form_yet(forms: Forms, admin: Person) -> None:
    body = {"storage_method": "file", "file_id": await forms.shop.upload(admin)}
    body["provisioner"] = "terraform"
    pushed = (await admin.api.post(f"{ORG}/templateversions", json=body)).json()
    path = f"/templateversions/{pushed['id']}/dynamic-parameters/evaluate"
    answer = await admin.api.post(path, json={})
    assert (answer.status_code, answer.json()["message"]) == (
        425,
        "Template version job has not finished",
    )
    forms.version = pushed["id"]
    with pytest.raises(InvalidStatus) as refused:
        async with forms.open(admin):
            pass
    assert refused.value.response.status_code == 425


@pytest.mark.parametrize(
    "inputs",
    [
        {f"n{i}": "" for i in range(501)},
        {"big": "x" * (256 << 10)},
        {"nul": "a\0b"},
        {"half": "\ud800"},
    ],
)
async def test_answers_are_bounded(forms: Forms, member: Person, inputs: dict[str, str]) -> None:
    path = f"/templateversions/{forms.version}/dynamic-parameters/evaluate"
    answer = await member.api.post(
        path, content=json.dumps({"inputs": inputs}), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert forms.evaluator.questions == []


# ------------------------------------------------------------ WebSocket


async def test_the_first_answer_comes_unasked(forms: Forms, member: Person) -> None:
    async with forms.open(member) as socket:
        first = await heard(socket)
        assert (first["id"], names(first)) == (-1, ["gpu"])
        await socket.send(json.dumps({"id": 1, "inputs": {"gpu": "true"}}))
        second = await heard(socket)
        assert (second["id"], names(second)) == (1, ["gpu", "model"])


async def test_a_request_that_is_there_at_once_does_not_overtake_the_first_answer(
    forms: Forms, member: Person
) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    for message in (
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps({"id": 1, "inputs": {"gpu": "true"}})},
    ):
        heard.put_nowait(message)
    answers: asyncio.Queue[Any] = asyncio.Queue()

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            answers.put_nowait(json.loads(message["text"]))

    path = f"/api/v2/templateversions/{forms.version}/dynamic-parameters"
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"test"), (TOKEN_HEADER.lower().encode(), member.token.encode())],
        "subprotocols": [],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    async with asyncio.timeout(20):
        serving = asyncio.ensure_future(forms.shop.people.app(scope, heard.get, send))
        first, second = await answers.get(), await answers.get()
        heard.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await serving
    assert [(a["id"], names(a)) for a in (first, second)] == [(-1, ["gpu"]), (1, ["gpu", "model"])]


async def test_the_owner_may_change_while_the_form_is_open(forms: Forms, member: Person) -> None:
    root = await forms.shop.people.add("root", "owner")
    async with forms.open(root, f"?user_id={member.id}") as socket:
        await heard(socket)
        await socket.send(json.dumps({"id": 1, "inputs": {}, "owner_id": str(root.id)}))
        await heard(socket)
        await socket.send(json.dumps({"id": 2, "inputs": {}}))
        await heard(socket)
    assert [one.owner.name for one in forms.evaluator.questions] == ["bob", "root", "bob"]


async def test_an_owner_who_is_nobody_is_a_diagnostic(forms: Forms, member: Person) -> None:
    async with forms.open(member, "?user_id=00000000-0000-0000-0000-000000000001") as socket:
        first = await heard(socket)
        assert first["diagnostics"][0]["extra"]["code"] == "owner_not_found"
        await socket.send(json.dumps({"id": 1, "inputs": {}, "owner_id": str(member.id)}))
        assert names(await heard(socket)) == ["gpu"]


class Slow(ScriptedEvaluator):
    """An evaluator that waits for a word before it answers."""

    def __init__(self) -> None:
        super().__init__(conditional)
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()

    @override
    async def evaluate(self, question: FormQuestion, known: Any = None) -> Form:
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return await super().evaluate(question, known)


async def test_only_the_newest_of_several_answers_is_evaluated(
    forms: Forms, member: Person
) -> None:
    forms.desk.evaluator = slow = Slow()
    async with forms.open(member) as socket:
        await slow.begun.wait()
        for number in range(1, 6):
            await socket.send(json.dumps({"id": number, "inputs": {"n": str(number)}}))
        # The server has read them all when it answers a ping that was sent after them.
        await (await socket.ping())
        slow.go_on.set()
        assert [(await heard(socket))["id"], (await heard(socket))["id"]] == [-1, 5]


async def test_a_client_that_leaves_ends_what_runs_for_it(forms: Forms, member: Person) -> None:
    forms.desk.evaluator = slow = Slow()
    async with forms.open(member) as socket:
        await slow.begun.wait()
        await socket.close()
        await slow.cancelled.wait()
    assert slow.questions == []


@pytest.mark.parametrize("message", ["no json", "{}x", '{"id": "x"}', '{"inputs": {"a": 1}}'])
async def test_what_is_no_answer_closes_the_form(
    forms: Forms, member: Person, message: str
) -> None:
    async with forms.open(member) as socket:
        await heard(socket)
        await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


async def test_forms_of_one_user_are_bounded(
    forms: Forms, member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_OPEN", 1)
    async with forms.open(member) as socket:
        await heard(socket)
        with pytest.raises(InvalidStatus) as refused:
            async with forms.open(member):
                pass
        assert refused.value.response.status_code == 429
        path = f"/templateversions/{forms.version}/dynamic-parameters/evaluate"
        assert (await member.api.post(path, json={})).status_code == 429


async def test_a_form_closes_when_its_right_is_gone(
    forms: Forms, admin: Person, member: Person
) -> None:
    async with forms.open(member) as socket:
        await heard(socket)
        root = await forms.shop.people.add("root", "owner")
        answer = await root.api.put(f"/users/{member.id}/status/suspend")
        assert answer.status_code == 200, answer.text
        await socket.send(json.dumps({"id": 1, "inputs": {}}))
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_complaints_about_the_form_as_a_whole_are_shown(forms: Forms, member: Person) -> None:
    note = FormNote("error", "Invalid index", "no mars")
    forms.evaluator.script = lambda q: Form((shown("a", q.inputs, "1"),), (note,))
    answer = await forms.ask(member)
    assert names(answer) == ["a"]
    assert answer["diagnostics"][0]["summary"] == "Invalid index"
