"""Limits, costs and the kill switch behind their routes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.model import Chat
from server.llm import Prices, ToolCall, Usage
from server.loop import Done, Parked
from tests.server.chats.world import Runner, World, called, said, spoken

CENT = 10_000
LIMITS = "/chats/usage-limits"
SWITCH = "/chats/kill-switch"
PRICES = Prices("admin")


def costing(cents: int | None, *, tokens: int = 10) -> Any:
    """Return a row of an answer that cost so much; None is unpriced."""
    return said(
        usage=Usage(input_tokens=tokens, output_tokens=2, cache_read_tokens=3, reasoning_tokens=1),
        cost_micros=None if cents is None else cents * CENT,
        runtime_ms=7,
        prices=None if cents is None else PRICES,
    )


async def spend(world: World, cents: int | None, chat: UUID | None = None) -> UUID:
    """Have a turn of Ann's cost so much."""
    if chat is None:
        chat = await world.chat()
    else:
        await world.send(chat, "more")
    runner = await world.run(chat)
    await runner.step(costing(cents), last=Done())
    return chat


async def limit(world: World, **body: Any) -> dict[str, Any]:
    answer = await world.owner.api.put(LIMITS, json={"period": "month", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_limit_refuses_messages_chats_and_edits_with_amounts(world: World) -> None:
    chat = await spend(world, 5)
    await limit(world, spend_limit_micros=5 * CENT)
    log = (await world.ann.api.get(f"/chats/{chat}/messages")).json()["messages"]
    asked = next(row["id"] for row in log if row["role"] == "user")
    body = {"content": [{"type": "text", "text": "again"}]}
    for answer in (
        await world.ann.api.post(f"/chats/{chat}/messages", json=body),
        await world.ann.api.post("/chats", json=world.order()),
        await world.ann.api.patch(f"/chats/{chat}/messages/{asked}", json=body),
    ):
        assert answer.status_code == 409
        told = answer.json()
        assert told["message"] == "Chat usage limit exceeded."
        assert (told["spent_micros"], told["limit_micros"]) == (5 * CENT, 5 * CENT)
        resets = datetime.fromisoformat(told["resets_at"])
        assert (resets.day, resets.tzinfo) == (1, UTC)
    await limit(world, spend_limit_micros=6 * CENT)
    await world.send(chat, "again")


async def test_limits_are_set_and_told(world: World) -> None:
    first = (await world.owner.api.get(LIMITS)).json()
    assert (first["spend_limit_micros"], first["deployment_limit_micros"]) == (None, None)
    assert (first["period"], first["overrides"], first["group_overrides"]) == ("month", [], [])
    # The two models of this test have no price.
    assert first["unpriced_model_count"] == 2
    told = await limit(world, spend_limit_micros=CENT, deployment_limit_micros=9 * CENT)
    assert (told["spend_limit_micros"], told["deployment_limit_micros"]) == (CENT, 9 * CENT)
    kept = await limit(world, spend_limit_micros=None, period="week")
    assert (kept["spend_limit_micros"], kept["deployment_limit_micros"]) == (None, 9 * CENT)
    assert kept["period"] == "week"
    gone = await limit(world, spend_limit_micros=None, deployment_limit_micros=None)
    assert gone["deployment_limit_micros"] is None
    own = await world.owner.api.put(f"{LIMITS}/overrides/ann", json={"spend_limit_micros": 5})
    assert own.json()["username"] == "ann"
    (row,) = (await world.owner.api.get(LIMITS)).json()["overrides"]
    assert row == own.json()
    path = f"{LIMITS}/overrides/{world.ann.id}"
    assert (await world.owner.api.delete(path)).status_code == 204
    assert (await world.owner.api.delete(path)).status_code == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"spend_limit_micros": 0}, "Spend limit must be greater than 0."),
        ({"spend_limit_micros": 1, "deployment_limit_micros": -1},
         "Spend limit must be greater than 0."),
        ({"spend_limit_micros": 1, "period": "year"},
         "Period must be one of: day, week, month."),
    ],
)  # fmt: skip
async def test_limits_that_make_no_sense(world: World, body: dict[str, Any], message: str) -> None:
    answer = await world.owner.api.put(LIMITS, json={"period": "day", **body})
    assert (answer.status_code, answer.json()["message"]) == (400, message)


async def test_groups_do_not_exist_and_that_is_said(world: World) -> None:
    for method in ("PUT", "DELETE"):
        path = f"{LIMITS}/group-overrides/{uuid4()}"
        answer = await world.owner.api.request(method, path, json={"spend_limit_micros": 1})
        assert answer.status_code == 404
        assert "Groups do not exist" in answer.json()["detail"]


async def test_members_see_how_they_stand_and_nothing_else(world: World) -> None:
    await spend(world, 4)
    status = (await world.ann.api.get(f"{LIMITS}/status")).json()
    assert (status["is_limited"], status["current_spend"]) == (False, 4 * CENT)
    await limit(world, spend_limit_micros=5 * CENT)
    status = (await world.ann.api.get(f"{LIMITS}/status")).json()
    assert status["is_limited"] is True
    assert status["spend_limit_micros"] == 5 * CENT
    assert status["warning"].startswith("$0.04 of $0.05 are spent this month: that is 80 %")
    for method, path in (
        ("GET", LIMITS),
        ("PUT", LIMITS),
        ("PUT", f"{LIMITS}/overrides/ann"),
        ("DELETE", f"{LIMITS}/overrides/ann"),
        ("GET", "/chats/cost/users"),
        ("GET", "/chats/cost/root/summary"),
        ("POST", SWITCH),
        ("DELETE", SWITCH),
    ):
        answer = await world.ann.api.request(method, path, json={})
        assert answer.status_code == 404, (method, path, answer.text)


async def test_costs_of_a_user_by_model_and_chat(world: World) -> None:
    one = await spend(world, 3)
    await spend(world, 2, one)
    two = await spend(world, None)
    await world.sql("UPDATE chats SET title = 'Two' WHERE id = %(id)s", id=two)
    # What is edited away was paid all the same.
    await world.sql("UPDATE chat_messages SET deleted = true WHERE chat_id = %(id)s", id=one)
    told = (await world.ann.api.get("/chats/cost/me/summary")).json()
    assert told["total_cost_micros"] == 5 * CENT
    counts = (told["message_count"], told["priced_message_count"], told["unpriced_message_count"])
    assert counts == (3, 2, 1)
    assert (told["total_input_tokens"], told["total_output_tokens"]) == (30, 6)
    assert (told["total_cache_read_tokens"], told["total_runtime_ms"]) == (9, 21)
    (model,) = told["by_model"]
    assert (model["model"], model["total_cost_micros"]) == ("one", 5 * CENT)
    costs = [(row["root_chat_id"], row["total_cost_micros"]) for row in told["by_chat"]]
    assert costs == [(str(one), 5 * CENT), (str(two), 0)]
    assert told["by_chat"][1]["chat_title"] == "Two"
    assert told["usage_limit"]["current_spend"] == 5 * CENT
    same = (await world.owner.api.get("/chats/cost/ann/summary")).json()
    assert same["total_cost_micros"] == 5 * CENT


async def test_costs_of_a_span_of_time(world: World) -> None:
    await spend(world, 3)
    await world.sql("UPDATE chat_messages SET created_at = created_at - interval '40 days'")
    await spend(world, 2)
    now = datetime.now(UTC)

    async def cost(**span: str) -> Any:
        answer = await world.ann.api.get("/chats/cost/me/summary", params=span)
        return answer.json()["total_cost_micros"] if answer.is_success else answer.json()["message"]

    assert await cost() == 2 * CENT
    assert await cost(start_date="", end_date="") == 2 * CENT
    start, end = (now - timedelta(days=60)).isoformat(), (now - timedelta(days=20)).isoformat()
    assert await cost(start_date=start) == 5 * CENT
    assert await cost(start_date=start, end_date=end) == 3 * CENT
    assert await cost(start_date=end, end_date=start) == "start_date must be before end_date."
    assert await cost(start_date="yesterday") == "Validation failed."
    assert await cost(start_date="0001-01-01T00:00:00Z") == (
        "At most 1830 days can be summed up at once."
    )


async def test_the_cost_of_a_chat_is_a_tree(world: World) -> None:
    root = await spend(world, 3)
    child = await spend(world, 2)
    await world.sql(
        "UPDATE chats SET parent_chat_id = %(root)s, root_chat_id = %(root)s WHERE id = %(id)s",
        root=root,
        id=child,
    )
    told = (await world.ann.api.get(f"/chats/{root}/cost")).json()
    assert (told["chat_id"], told["total_cost_micros"]) == (str(root), 5 * CENT)
    tree = [(row["chat_id"], row.get("parent_chat_id"), row["total_cost_micros"])
            for row in told["chats"]]  # fmt: skip
    assert tree == [(str(root), None, 3 * CENT), (str(child), str(root), 2 * CENT)]
    assert told["by_model"][0]["total_cost_micros"] == 5 * CENT
    alone = (await world.ann.api.get(f"/chats/{child}/cost")).json()
    assert alone["total_cost_micros"] == 2 * CENT
    (row,) = (await world.ann.api.get("/chats/cost/me/summary")).json()["by_chat"]
    assert (row["root_chat_id"], row["total_cost_micros"]) == (str(root), 5 * CENT)
    stranger = await world.people.add("eve")
    assert (await stranger.api.get(f"/chats/{root}/cost")).status_code == 404


async def test_the_costs_of_everybody(world: World) -> None:
    await spend(world, 3)
    told = (await world.owner.api.get("/chats/cost/users")).json()
    (row,) = told["users"]
    assert (told["count"], row["username"], row["chat_count"]) == (1, "ann", 1)
    assert row["total_cost_micros"] == 3 * CENT
    for params, names in (({"username": "AN"}, ["ann"]), ({"username": "bob"}, [])):
        found = (await world.owner.api.get("/chats/cost/users", params=params)).json()
        assert [each["username"] for each in found["users"]] == names
    beyond = (await world.owner.api.get("/chats/cost/users", params={"offset": 5})).json()
    assert (beyond["count"], beyond["users"]) == (1, [])


def lease(chat: Chat) -> UUID:
    assert chat.runner_id
    return chat.runner_id


async def states(world: World) -> dict[str, str]:
    async with world.database.tx(await world.people.actor(world.owner)) as tx:
        return {str(r["id"]): r["status"] for r in await tx.rows("SELECT id, status FROM chats")}


async def test_the_kill_switch_stops_everybody_and_nothing_begins(world: World) -> None:
    idle, parked, running = await world.idle(), await world.chat(), await world.chat()
    taken = {chat.id: chat for chat in await world.acquire()}
    asking, runner = (Runner(world, taken[id_], lease(taken[id_])) for id_ in (parked, running))
    await asking.step(called("c1"), last=Parked((ToolCall("c1", "ask", "{}"),)))
    await world.send(running, "queued")
    fresh = await world.chat()
    answer = await world.owner.api.post(SWITCH, json={"reason": "the bill"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"stopped": 3, "paused": True}

    # The runner hears of it, and what it had said is kept.
    await runner.step(said("half a wor"), interrupted=True, last=Done())
    assert await states(world) == {
        str(running): "running",
        str(fresh): "waiting",
        str(idle): "waiting",
        str(parked): "waiting",
    }
    log = (await world.ann.api.get(f"/chats/{running}/messages")).json()
    assert "assistant: half a wor" in [spoken(row) for row in log["messages"]]
    assert await world.acquire() == []

    body = {"content": [{"type": "text", "text": "hello?"}]}
    for path, what in ((f"/chats/{idle}/messages", body), ("/chats", world.order())):
        refused = await world.ann.api.post(path, json=what)
        assert refused.status_code == 409
        assert refused.json()["message"] == "Chats are stopped by an administrator."
        assert "the bill" in refused.json()["detail"]
    told = (await world.ann.api.get(SWITCH)).json()
    assert (told["paused"], told["pauses"][0]["paused_by_username"]) == (True, "root")

    assert (await world.owner.api.delete(SWITCH)).status_code == 204
    assert [chat.id for chat in await world.acquire()] == [running]
    assert (await world.ann.api.get(SWITCH)).json() == {"paused": False, "pauses": []}
    await world.send(idle, "hello?")


async def test_the_kill_switch_stops_one_user(world: World) -> None:
    bob = await world.people.add("bob")
    mine = await world.chat()
    made = await bob.api.post("/chats", json=world.order())
    answer = await world.owner.api.post(SWITCH, json={"user": "bob"})
    assert answer.json() == {"stopped": 1, "paused": True}
    assert [chat.id for chat in await world.acquire()] == [mine]
    refused = await bob.api.post("/chats", json=world.order())
    assert refused.json()["message"] == "Your chats are stopped by an administrator."
    assert (await world.ann.api.get(SWITCH)).json() == {"paused": False, "pauses": []}
    assert (await bob.api.get(SWITCH)).json()["paused"] is True
    assert (await world.owner.api.get(SWITCH)).json()["paused"] is False
    assert (await world.owner.api.delete(SWITCH, params={"user": "bob"})).status_code == 204
    assert (await bob.api.get(f"/chats/{made.json()['id']}")).json()["status"] == "waiting"
    assert (await bob.api.post("/chats", json=world.order())).status_code == 201


async def test_users_may_stop_their_own_chats_but_pause_nobody(world: World) -> None:
    chat = await world.chat()
    assert (await world.ann.api.post(SWITCH, json={"user": "me"})).status_code == 404
    assert (await world.ann.api.post(SWITCH, json={"pause": False})).status_code == 404
    assert (
        await world.ann.api.post(SWITCH, json={"user": "root", "pause": False})
    ).status_code == 404
    answer = await world.ann.api.post(SWITCH, json={"user": "me", "pause": False})
    assert answer.json() == {"stopped": 1, "paused": False}
    assert (await states(world))[str(chat)] == "waiting"
    await world.send(chat, "go on")


async def test_many_chats_are_stopped_in_several_transactions(world: World) -> None:
    for _ in range(60):
        await world.chat()
    answer = await world.owner.api.post(SWITCH, json={})
    assert answer.json()["stopped"] == 60
    assert set((await states(world)).values()) == {"waiting"}
    again = await world.owner.api.post(SWITCH, json={"reason": "still"})
    assert again.json()["stopped"] == 0
