"""The other commands of ``coder agents``: what they ask for, and what they show."""

import json
from pathlib import Path

import pytest

from coder_cli.sdk.chats.limits import (
    ChatCost,
    ChatCostChat,
    ChatCostModel,
    ChatCostSummary,
    ChatCostUser,
    ChatCostUsersResponse,
    ChatUsageLimitConfig,
    ChatUsageLimitOverride,
    ChatUsageLimitPeriod,
    ChatUsageLimitStatus,
)
from tests.coder_cli import shapes
from tests.coder_cli.agents.standin import (
    CONFIG,
    ID,
    MODEL_ID,
    PROVIDERS,
    FakeChat,
    call,
    chat,
    queued,
    result,
    said,
    text,
)
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Refuse

COST = ChatCostSummary(
    start_date=shapes.WHEN,
    end_date=shapes.WHEN,
    total_cost_micros=12_345,
    unpriced_message_count=2,
    total_input_tokens=100,
    by_model=[
        ChatCostModel(model_config_id=MODEL_ID, provider="p", model="m", total_cost_micros=12_345)
    ],
    by_chat=[ChatCostChat(root_chat_id=chat().id, chat_title="Fix", total_cost_micros=1_500_000)],
    usage_limit=ChatUsageLimitStatus(
        is_limited=True,
        period=ChatUsageLimitPeriod.WEEK,
        spend_limit_micros=2_000_000,
        current_spend=12_345,
    ),
)
LIMITS = ChatUsageLimitConfig(
    spend_limit_micros=5_000_000,
    updated_at=shapes.WHEN,
    unpriced_model_count=1,
    overrides=[
        ChatUsageLimitOverride(
            user_id=shapes.ALICE.id, username="alice", spend_limit_micros=9_000_000
        )
    ],
)


def test_chats_are_listed_and_pages_are_put_together(cli: Cli, fake: FakeChat) -> None:
    many = [chat(id=shapes.uid(n), title=f"chat {n}") for n in range(1, 71)]

    def page(call: Call) -> object:
        ids = [str(one.id) for one in many]
        begin = ids.index(call.query["after_id"]) + 1 if "after_id" in call.query else 0
        return many[begin : begin + int(call.query["limit"])]

    fake.deployment.on("GET /chats", page)
    ran = cli("agents", "list", "--limit", "60", "--label", "a=b", "--search", "status:error")
    assert len(ran.out.splitlines()) == 61
    first, second = fake.deployment.called("GET /chats")
    assert first.query["label"] == "a:b"
    assert (first.query["limit"], second.query["limit"]) == ("50", "10")
    assert first.query["q"] == "status:error"
    told = json.loads(cli("agents", "ls", "--archived", "-o", "json").out)
    assert told[0]["title"] == "chat 1"


def test_a_chat_is_shown_and_its_id_alone_shows_it(cli: Cli, fake: FakeChat) -> None:
    fake.end = chat(
        status="waiting", labels={"ci": "1"}, children=[chat(id=shapes.uid(5), title="child")]
    )
    shown = cli("agents", "show", "last")
    assert shown.out == cli("agents", ID).out == cli("agents", ID[:6]).out
    assert "Model:         scripted/scripted\n" in shown.out
    assert "Sub-agent:     child (running, 00000000)\n" in shown.out
    assert json.loads(cli("agents", ID, "-o", "json").out)["id"] == ID


def test_a_chat_that_is_none(cli: Cli, fake: FakeChat) -> None:
    for name in ("beef", "00000000-0000-0000-0000-00000000beef"):
        ran = cli("agents", "show", name)
        assert ran.code == 1
        assert "coder agents list" in ran.err


def test_messages_are_read_oldest_first(cli: Cli, fake: FakeChat) -> None:
    fake.log = [
        said(1, "user", text("do it")),
        said(2, "assistant", text("I do."), call("execute", {"command": "ls"})),
        said(3, "tool", result("execute", {"exit_code": 0, "output": "a\nb"})),
    ]
    fake.queue = [queued(7, "and then")]
    ran = cli("agents", "messages", "last")
    words = ["do it", "I do.", "→ execute  ls", "✔ execute  exit 0", "    a", "and then"]
    places = [ran.out.index(one) for one in words]
    assert places == sorted(places)
    assert "[7] in the queue" in ran.out
    told = json.loads(cli("agents", "messages", ID, "-o", "json").out)
    assert [one["id"] for one in told["messages"]] == [3, 2, 1]


def test_something_is_said_without_watching(cli: Cli, fake: FakeChat) -> None:
    assert "is at work" in cli("agents", "send", "last", "more", "--model", "scripted").out
    answer = {"queued": True, "queued_message": queued(3, "x")}
    fake.deployment.on(f"POST /chats/{ID}/messages", answer)
    assert "message 3 waits in the queue" in cli("agents", "send", "last", "-", answers="x").out


def test_something_is_said_otherwise(cli: Cli, fake: FakeChat) -> None:
    fake.deployment.on(f"PATCH /chats/{ID}/messages/5", {"message": said(9, "user", text("b"))})
    ran = cli("agents", "edit", "last", "5", "b", "--model", "scripted")
    assert "begins anew at message 9" in ran.out
    (sent,) = fake.deployment.called(f"PATCH /chats/{ID}/messages/5")
    assert sent.json == {
        "content": [{"type": "text", "text": "b"}],
        "model_config_id": str(MODEL_ID),
    }


def test_chats_are_stopped_put_away_and_brought_back(cli: Cli, fake: FakeChat) -> None:
    assert "is interrupting." in cli("agents", "interrupt", "last").out
    assert "is archived." in cli("agents", "archive", "last").out
    assert "is back" in cli("agents", "unarchive", ID).out
    sent = [one.json for one in fake.deployment.called(f"PATCH /chats/{ID}")]
    assert sent == [{"archived": True}, {"archived": False}]


def test_a_long_chat_is_summed_up_or_forgotten(cli: Cli, fake: FakeChat) -> None:
    fake.deployment.on(f"POST /chats/{ID}/compact", b"")
    fake.deployment.on(f"POST /chats/{ID}/clear", b"")
    assert "sums up" in cli("agents", "compact", "last").out
    assert "has forgotten" in cli("agents", "clear", "last").out


def test_the_queue_can_be_changed(cli: Cli, fake: FakeChat) -> None:
    fake.queue = [queued(7, "and\nthen")]
    fake.deployment.on(f"POST /chats/{ID}/queue/7/promote", b"")
    fake.deployment.on(f"DELETE /chats/{ID}/queue/7", b"")
    assert "7   and then" in cli("agents", "queue", "list", "last").out
    assert cli("agents", "queue", "promote", "last", "7").code == 0
    assert cli("agents", "queue", "delete", "last", "7").code == 0


def test_models_are_listed_with_and_without_a_word(cli: Cli, fake: FakeChat) -> None:
    ran = cli("agents", "models")
    assert ran.out == cli("agents", "models", "list").out
    assert "scripted/scripted" in ran.out
    assert "missing_api_key" in ran.out
    assert json.loads(cli("agents", "models", "-o", "json").out)["providers"]
    assert "70%" in cli("agents", "models", "--all").out


def test_models_are_offered_changed_and_taken_away(
    cli: Cli, fake: FakeChat, tmp_path: Path
) -> None:
    on = fake.deployment.on
    on("POST /chats/model-configs", CONFIG)
    on(f"PATCH /chats/model-configs/{MODEL_ID}", CONFIG)
    on(f"DELETE /chats/model-configs/{MODEL_ID}", b"")
    (tmp_path / "o.json").write_text('{"temperature": 0.5, "cost": {}}')
    ran = cli("agents", "models", "add", "openai/gpt/x", "--context-limit", "1000", "--default",
              "--config-file", "o.json", "--input-price", "0.25")  # fmt: skip
    assert ran.code == 0, ran
    (made,) = fake.deployment.called("POST /chats/model-configs")
    assert made.json["model"] == "gpt/x"
    assert made.json["is_default"] is True
    assert made.json["model_config"] == {
        "temperature": 0.5,
        "cost": {"input_price_per_million_tokens": "0.25"},
    }
    assert cli("agents", "models", "set", "scripted", "--disabled").code == 0
    assert cli("agents", "models", "default", "scripted/scripted").code == 0
    changes = [one.json for one in fake.deployment.called(f"PATCH /chats/model-configs/{MODEL_ID}")]
    assert changes == [{"enabled": False}, {"is_default": True}]
    assert cli("agents", "models", "remove", "scripted", "--yes").code == 0
    assert cli("agents", "models", "set", "scripted").code == 2
    assert cli("agents", "models", "add", "openai", "--context-limit", "1").code == 2
    bad = cli("agents", "models", "set", "scripted", "--input-price", "cheap")
    assert bad.code == 2
    assert "input_price_per_million_tokens" in bad.err


def test_providers_are_set_up_with_keys_that_no_process_list_shows(
    cli: Cli, fake: FakeChat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.deployment.on("POST /chats/providers", PROVIDERS[0])
    (tmp_path / "key").write_text("sk-file\n")
    assert cli("agents", "providers", "add", "openai", "--api-key-file", "key").code == 0
    ran = cli("agents", "providers", "add", "openai", "--api-key-file", "-", answers="sk-stdin\n")
    assert ran.code == 0
    monkeypatch.setenv("CODER_AGENTS_API_KEY", "sk-env")
    assert cli("agents", "providers", "add", "openai", "--user-keys").code == 0
    sent = [one.json for one in fake.deployment.called("POST /chats/providers")]
    assert [one["api_key"] for one in sent] == ["sk-file", "sk-stdin", "sk-env"]
    assert sent[2]["allow_user_api_key"] is True
    assert "sk-" not in ran.out + ran.err
    assert cli("agents", "providers", "add", "openai", "--api-key", "sk-argv").code == 2


def test_providers_are_changed_and_forgotten(cli: Cli, fake: FakeChat) -> None:
    number = PROVIDERS[0].id
    fake.deployment.on(f"PATCH /chats/providers/{number}", PROVIDERS[0])
    fake.deployment.on(f"DELETE /chats/providers/{number}", b"")
    fake.deployment.on("PUT /chats/user-provider-configs/anthropic", b"")
    fake.deployment.on("DELETE /chats/user-provider-configs/anthropic", b"")
    assert cli("agents", "providers").out.split() == [
        "PROVIDER", "NAME", "STATE", "KEYS", "BASE", "URL",
        "anthropic", "Anthropic", "ready", "central", "openai", "not", "set", "up", "none",
    ]  # fmt: skip
    assert cli("agents", "providers", "set", "anthropic", "--disabled").code == 0
    (sent,) = fake.deployment.called(f"PATCH /chats/providers/{number}")
    assert sent.json == {"enabled": False}
    assert cli("agents", "providers", "set", "anthropic").code == 2
    assert cli("agents", "providers", "set", "openai", "--disabled").code == 1
    assert cli("agents", "providers", "remove", "anthropic", "-y").code == 0
    ran = cli("agents", "providers", "key", "anthropic", answers="sk-mine\n")
    assert ran.code == 0
    (mine,) = fake.deployment.called("PUT /chats/user-provider-configs/anthropic")
    assert mine.json == {"api_key": "sk-mine"}
    assert cli("agents", "providers", "key", "anthropic", "--forget").code == 0


def test_what_agents_cost(cli: Cli, fake: FakeChat) -> None:
    on = fake.deployment.on
    on("GET /chats/cost/me/summary", COST)
    on(f"GET /chats/cost/{shapes.ALICE.id}/summary", COST)
    on(f"GET /chats/{ID}/cost", ChatCost(chat_id=chat().id, total_cost_micros=5))
    users = [ChatCostUser(user_id=shapes.ALICE.id, username="alice", chat_count=3)]
    on("GET /chats/cost/users", ChatCostUsersResponse(
        start_date=shapes.WHEN, end_date=shapes.WHEN, count=1, users=users))  # fmt: skip
    ran = cli("agents", "cost", "--from", "2026-11-01", "--to", "2026-11-30")
    assert "Cost:          $0.012345\n" in ran.out
    assert "2 messages of models without prices" in ran.out
    assert "$0.012345 of $2.00 spent this week" in ran.out
    assert "7a5e0000  Fix" in ran.out
    (asked,) = fake.deployment.called("GET /chats/cost/me/summary")
    assert asked.query == {
        "start_date": "2026-11-01T00:00:00Z",
        "end_date": "2026-12-01T00:00:00Z",
    }
    assert cli("agents", "cost", "--user", "alice").code == 0
    assert "$0.000005" in cli("agents", "cost", "--chat", "last").out
    assert "alice" in cli("agents", "cost", "--all").out
    assert json.loads(cli("agents", "cost", "-o", "json").out)["total_cost_micros"] == 12_345
    assert cli("agents", "cost", "--all", "--user", "alice").code == 2


def test_limits_are_shown_and_set(cli: Cli, fake: FakeChat) -> None:
    on = fake.deployment.on
    on("GET /chats/usage-limits/status", ChatUsageLimitStatus(current_spend=5))
    on("GET /chats/usage-limits", LIMITS)
    on("PUT /chats/usage-limits", LIMITS)
    on(f"PUT /chats/usage-limits/overrides/{shapes.ALICE.id}", LIMITS.overrides[0])
    on(f"DELETE /chats/usage-limits/overrides/{shapes.ALICE.id}", b"")
    ran = cli("agents", "limits")
    assert "nothing limits you" in ran.out
    assert "Each user:     $5.00 a month\nAll together:  none\n" in ran.out
    assert "alice  $9.00" in ran.out
    assert "1 model has no price" in ran.err
    assert cli("agents", "limits", "set", "--per-user", "none", "--deployment", "$20").code == 0
    (sent,) = fake.deployment.called("PUT /chats/usage-limits")
    assert sent.json == {
        "spend_limit_micros": None,
        "deployment_limit_micros": 20_000_000,
        "period": "month",
    }
    assert cli("agents", "limits", "set", "--user", "alice", "--per-user", "0.5").code == 0
    (mine,) = fake.deployment.called(f"PUT /chats/usage-limits/overrides/{shapes.ALICE.id}")
    assert mine.json == {"spend_limit_micros": 500_000}
    assert cli("agents", "limits", "set", "--user", "alice", "--per-user", "none").code == 0
    assert cli("agents", "limits", "set").code == 2


def test_a_member_sees_their_own_limit_only(cli: Cli, fake: FakeChat) -> None:
    def refuse(_: Call) -> object:
        raise Refuse(403, "Forbidden.")

    status = ChatUsageLimitStatus(
        is_limited=True, current_spend=1, spend_limit_micros=2_000_000, period_end=shapes.WHEN
    )
    fake.deployment.on("GET /chats/usage-limits/status", status)
    fake.deployment.on("GET /chats/usage-limits", refuse)
    ran = cli("agents", "limits", "show")
    assert ran.out == "You have spent $0.000001 of $2.00 until 2026-11-21T12:00:00Z.\n"
    assert set(json.loads(cli("agents", "limits", "-o", "json").out)) == {"status"}


def test_everything_can_be_stopped_and_let_go_on(cli: Cli, fake: FakeChat) -> None:
    on = fake.deployment.on
    on("POST /chats/kill-switch", {"stopped": 3, "paused": True})
    on("DELETE /chats/kill-switch", b"")
    pause = {"reason": "too dear", "created_at": shapes.WHEN}
    on("GET /chats/kill-switch", {"paused": True, "pauses": [pause]})
    ran = cli("agents", "stop", "--all", "--reason", "too dear", "-y")
    assert ran.out == "Stopped 3 chats that had work.\n"
    assert "coder agents resume --all" in ran.err
    assert cli("agents", "stop", "--user", "me", "--once", "-y").code == 0
    assert cli("agents", "stop", "last").out == f"Chat {ID} is interrupting.\n"
    first, second = (one.json for one in fake.deployment.called("POST /chats/kill-switch"))
    assert first == {"user": "", "reason": "too dear", "pause": True}
    assert second == {"user": "me", "reason": "", "pause": False}
    assert "(everybody)  too dear" in cli("agents", "stop", "--show").out
    assert cli("agents", "resume", "--user", "bob").code == 0
    assert fake.deployment.called("DELETE /chats/kill-switch")[0].query == {"user": "bob"}
    assert cli("agents", "stop").code == 2
    assert cli("agents", "stop", "last", "--all").code == 2
    assert cli("agents", "stop", "--all").code == 1
