"""The process API as it is on the wire."""

import asyncio
from uuid import UUID, uuid4

import pytest

from tests.agent.processes.conftest import Build, House
from tests.support.clock import FakeClock

PROCESSES = "/api/v0/processes"


async def test_start_list_and_output(house: House) -> None:
    api = house.asking()
    status, started = await api.post(f"{PROCESSES}/start", {"command": "echo hi; exit 3"})
    assert (status, started) == (200, {"id": started["id"], "started": True})
    assert UUID(started["id"])
    output = await api.get(f"{PROCESSES}/{started['id']}/output?wait=true")
    assert output == (200, {"output": "hi\n", "running": False, "exit_code": 3})
    status, listed = await api.get(f"{PROCESSES}/list")
    (process,) = listed["processes"]
    assert process == {
        "id": started["id"],
        "command": "echo hi; exit 3",
        "workdir": str(house.home),
        "background": False,
        "running": False,
        "exit_code": 3,
        "started_at_unix": process["started_at_unix"],
        "exited_at_unix": process["exited_at_unix"],
    }


async def test_what_runs_has_no_exit_code_and_can_be_ended(house: House) -> None:
    api = house.asking()
    wanted = {"command": "echo hi; sleep 1000", "background": True}
    _, started = await api.post(f"{PROCESSES}/start", wanted)
    at = f"{PROCESSES}/{started['id']}"
    _, output = await api.get(f"{at}/output")
    assert output["running"]
    assert "exit_code" not in output
    (process,) = (await api.get(f"{PROCESSES}/list"))[1]["processes"]
    assert process["background"]
    assert not {"exit_code", "exited_at_unix"} & set(process)
    assert await api.post(f"{at}/signal", {"signal": "terminate"}) == (
        200,
        {"message": f'Signal "terminate" sent to process "{started["id"]}".'},
    )
    _, output = await api.get(f"{at}/output?wait=true")
    assert (output["running"], output["exit_code"]) == (False, -1)
    assert await api.post(f"{at}/signal", {"signal": "kill"}) == (
        409,
        {"message": f'Process "{started["id"]}" is not running.'},
    )


async def test_truncation_is_told(house: House) -> None:
    api = house.asking()
    _, started = await api.post(f"{PROCESSES}/start", {"command": "seq 100000"})
    _, output = await api.get(f"{PROCESSES}/{started['id']}/output?wait=true")
    assert output["truncated"] == {
        "original_bytes": 588895,
        "retained_bytes": 32768,
        "omitted_bytes": 588895 - 32768,
        "strategy": "head_tail",
    }
    assert f"\n\n... [omitted {588895 - 32768} bytes] ...\n\n" in output["output"]


async def test_a_wait_is_answered_after_five_minutes(build: Build) -> None:
    clock = FakeClock()
    house = build(clock)
    await asyncio.sleep(0)
    process = house.start("sleep 1000")
    asked = asyncio.ensure_future(house.asking().get(f"{PROCESSES}/{process.id}/output?wait=true"))
    await clock.wake_within(300)
    async with asyncio.timeout(20):
        assert await asked == (200, {"output": "", "running": True})


@pytest.mark.parametrize(
    ("target", "body", "status", "answer"),
    [
        ("start", {"command": ""}, 400, {"message": "Command is required."}),
        (
            "start",
            {},
            400,
            {"message": "Request body must be valid.", "detail": "StartProcess.command is missing"},
        ),
        ("nobody/signal", {"signal": "kill"}, 404, {"message": 'Process "nobody" not found.'}),
    ],
)
async def test_refusals(
    house: House, target: str, body: object, status: int, answer: object
) -> None:
    assert await house.asking().post(f"{PROCESSES}/{target}", body) == (status, answer)


async def test_what_is_no_json_is_refused(house: House) -> None:
    status, answer = await house.asking().post(f"{PROCESSES}/start", b"{")
    assert (status, answer["message"]) == (400, "Request body must be valid JSON.")


async def test_signals_that_are_none_are_refused(house: House) -> None:
    api = house.asking()
    process = house.start("sleep 1000")
    at = f"{PROCESSES}/{process.id}/signal"
    words = 'Unsupported signal "hup". Use "kill" or "terminate".'
    assert await api.post(at, {"signal": "hup"}) == (400, {"message": words})
    assert await api.post(at, {"signal": ""}) == (400, {"message": "Signal is required."})


async def test_another_chat_finds_nothing(house: House) -> None:
    mine, other = house.asking(uuid4()), house.asking(uuid4())
    _, started = await mine.post(f"{PROCESSES}/start", {"command": "sleep 1000"})
    at = f"{PROCESSES}/{started['id']}"
    no = (404, {"message": f'Process "{started["id"]}" not found.'})
    assert await other.get(f"{at}/output") == no
    assert await other.post(f"{at}/signal", {"signal": "kill"}) == no
    assert (await other.get(f"{PROCESSES}/list"))[1] == {"processes": []}
    assert (await mine.get(f"{at}/output"))[0] == 200
    assert (await house.asking().get(f"{at}/output"))[0] == 200


async def test_a_chat_that_is_closed_takes_its_processes_along(house: House) -> None:
    api = house.asking(uuid4())
    await api.post(f"{PROCESSES}/start", {"command": "sleep 1000"})
    words = {"message": "1 running processes were ended."}
    assert await api.ask("DELETE", PROCESSES) == (200, words)
    assert (await api.get(f"{PROCESSES}/list"))[1] == {"processes": []}
    status, _ = await house.asking().ask("DELETE", PROCESSES)
    assert status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"coder-chat-id": "x"},
        {"coder-chat-id": str(uuid4()), "coder-ancestor-chat-ids": "x"},
        {"coder-chat-id": str(uuid4()), "coder-ancestor-chat-ids": "5"},
        {"coder-chat-id": str(uuid4()), "coder-ancestor-chat-ids": "[5]"},
    ],
)
async def test_headers_that_name_no_chat_are_refused(house: House, headers: dict[str, str]) -> None:
    api = house.asking()
    api.headers = headers
    status, answer = await api.get(f"{PROCESSES}/list")
    assert status == 400
    assert "Coder-Chat-Id" in answer["message"]


async def test_the_same_client_token_with_other_input_is_a_conflict(house: House) -> None:
    api = house.asking(uuid4())
    wanted = {"command": "true", "client_token": "a"}
    first = await api.post(f"{PROCESSES}/start", wanted)
    assert await api.post(f"{PROCESSES}/start", wanted) == first
    status, _ = await api.post(f"{PROCESSES}/start", {**wanted, "command": "false"})
    assert status == 409
