"""``coder agents chat``: what is printed where, and the code it leaves with."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from coder_cli.sdk.chats.chats import ChatError
from tests.coder_cli.agents.standin import (
    ID,
    MODEL_ID,
    FakeChat,
    call,
    chat,
    event,
    message,
    piece,
    queued,
    result,
    retry,
    said,
    status,
    text,
    wanted,
    words,
)
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment, Refuse

HELLO = [
    [status("running"), message(1, "user", text("hi"))],
    words("Hel", "lo."),
    [message(2, "assistant", text("Hello.")), status("waiting")],
]


def test_words_go_to_stdout_and_nothing_else(cli: Cli, fake: FakeChat) -> None:
    fake.streams(HELLO)
    ran = cli("agents", "chat", "hi", "--label", "ci=1", "--label", "run=2")
    assert ran.code == 0
    assert ran.out == "Hello.\n"
    assert f"Chat {ID}" in ran.err
    (made,) = fake.deployment.called("POST /chats")
    assert made.json["content"] == [{"type": "text", "text": "hi"}]
    assert made.json["labels"] == {"ci": "1", "run": "2"}
    assert made.json["organization_id"]


def test_what_tools_do_goes_to_stderr(cli: Cli, fake: FakeChat) -> None:
    ran_it = {"success": False, "exit_code": 1, "output": "FAIL test_one\n", "wall_duration_ms": 3}
    one, two = call("execute", {"command": "make test"}), call("read_file", {"path": "/no"}, "c2")
    failed = result("read_file", "no such file", "c2", error=True)
    fake.streams(
        [
            [status("running")],
            [piece(text("I look."), 0), piece(one, 1), piece(result("execute", ran_it), 2)],
            [message(2, "assistant", text("I look."), one, two)],
            [message(3, "tool", result("execute", ran_it)), message(4, "tool", failed)],
            [*words("Done.", version=2), message(5, "assistant", text("Done.")), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "test it")
    assert ran.out == "I look.\nDone.\n"
    assert ran.err.count("→ execute  make test") == 1
    assert ran.err.count("✔ execute  exit 1\n    FAIL test_one") == 1
    assert "→ read_file  /no" in ran.err
    assert "✘ read_file  no such file" in ran.err
    assert "\x1b" not in ran.err


def test_nothing_that_a_model_or_tool_says_acts_on_the_terminal(cli: Cli, fake: FakeChat) -> None:
    evil = "a\x1b]52;c;ZXZpbA==\x07b\x9b2Jc\r\n"
    told, ran = {"exit_code": 0, "output": evil}, call("execute", {"command": evil})
    fake.streams(
        [
            words("\x1b", "]0;owned\x07 line\r", "\nnext"),
            [message(2, "assistant", text("\x1b]0;owned\x07 line\r\nnext"), ran)],
            [message(3, "tool", result("execute", told)), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "hi")
    assert not {"\x1b", "\x07", "\x9b"} & set(ran.out + ran.err)
    assert "line\r\nnext" in ran.out


@pytest.mark.parametrize(
    ("word", "error", "code", "told"),
    [
        ("error", ChatError(message="A wrong key.", kind="auth"), 1, "error: A wrong key."),
        ("error", ChatError(message="Spent $2.", kind="usage_limit"), 4, "error: Spent $2."),
        ("requires_action", None, 3, "waits for the results of tools"),
    ],
)  # fmt: skip
def test_the_exit_code_tells_how_a_turn_ended(
    cli: Cli, fake: FakeChat, word: str, error: ChatError | None, code: int, told: str
) -> None:
    fake.ends(word, error)
    more = [event(type="error", error=error)] if error else [wanted("deploy")]
    fake.streams([[status("running")], [status(word), *more]])
    ran = cli("agents", "chat", "hi")
    assert (ran.code, told in ran.err) == (code, True), ran


def test_a_question_needs_input(cli: Cli, fake: FakeChat) -> None:
    asked = {
        "questions": [
            {
                "header": "Database",
                "question": "Which one?",
                "options": [
                    {"label": "PostgreSQL", "description": "the usual"},
                    {"label": "SQLite", "description": ""},
                ],
            }
        ]
    }
    fake.streams(
        [
            [message(2, "assistant", call("ask_user_question", asked))],
            [message(3, "tool", result("ask_user_question", asked)), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "--plan", "plan it")
    assert ran.code == 3
    assert "Database: Which one?\n  1. PostgreSQL: the usual\n  2. SQLite\n" in ran.err
    assert f'coder agents chat --chat {ID} "…"' in ran.err
    assert fake.deployment.called("POST /chats")[0].json["plan_mode"] == "plan"


def test_a_plan_that_waits_needs_input_and_one_that_failed_does_not(
    cli: Cli, fake: FakeChat
) -> None:
    proposed = message(2, "assistant", call("propose_plan", {"path": "/home/a/plan.md"}))
    fake.streams([[proposed, message(3, "tool", result("propose_plan", {"ok": True})),
                   status("waiting")]])  # fmt: skip
    assert cli("agents", "chat", "plan").code == 3
    refused = message(3, "tool", result("propose_plan", "the plan is empty", error=True))
    fake.streams([[proposed, refused, status("waiting")]])
    assert cli("agents", "chat", "plan").code == 0


@pytest.mark.parametrize(
    "line",
    [
        ["chat"],
        ["chat", "hi", "-o", "xml"],
        ["chat", "hi", "--nonsense"],
        ["chat", "hi", "--label", "nonsense"],
        ["chat", "hi", "--chat", "last", "--template", "t"],
        ["chat", "hi", "--workspace", "a", "--template", "t"],
        ["chat", "hi", "--detach", "--wait"],
        ["chat", "hi", "--file", "/no/such/file"],
        ["chat", "hi", "--chat", "?"],
        ["nonsense"],
        ["send", "last", " "],
        ["cost", "--from", "yesterday"],
        ["limits", "set", "--per-user", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_words_are_2(cli: Cli, fake: FakeChat, line: list[str]) -> None:
    ran = cli("agents", *line)
    assert ran.code == 2, ran
    assert not fake.deployment.called("POST /chats")


def test_no_money_left_is_4_before_anything_runs(cli: Cli, fake: FakeChat) -> None:
    def refuse(_: object) -> object:
        raise Refuse(409, "Chat usage limit exceeded.", detail="You have spent $5.00 of $5.00.")

    fake.deployment.on("POST /chats", refuse)
    ran = cli("agents", "chat", "hi")
    assert ran.code == 4
    assert "You have spent $5.00 of $5.00." in ran.err


def test_a_deployment_that_refuses_is_1(cli: Cli, deployment: Deployment) -> None:
    assert cli("agents", "chat", "hi").code == 1


def test_the_prompt_comes_from_stdin(cli: Cli, fake: FakeChat) -> None:
    fake.streams(HELLO)
    assert cli("agents", "chat", "-", answers="from\nstdin\n").code == 0
    assert fake.deployment.called("POST /chats")[0].json["content"][0]["text"] == "from\nstdin"


def test_a_prompt_that_is_no_text_is_wrong_usage(cli: Cli, deployment: Deployment) -> None:
    ran = cli("agents", "chat", "say \udcff")
    assert ran.code == 2
    assert "The prompt is no text in UTF-8." in ran.err


def test_json_is_one_object(cli: Cli, fake: FakeChat) -> None:
    fake.streams(HELLO)
    ran = cli("agents", "chat", "hi", "-o", "json")
    told = json.loads(ran.out)
    assert told["text"] == "Hello."
    assert told["status"] == "waiting"
    assert told["exit_code"] == 0
    assert told["chat"]["id"] == told["chat_id"] == ID
    assert [one["id"] for one in told["messages"]] == [1, 2]
    assert ran.err == ""


def test_stream_json_is_a_line_for_each_event(cli: Cli, fake: FakeChat) -> None:
    fake.streams(HELLO)
    lines = [
        json.loads(line)
        for line in cli("agents", "chat", "hi", "-o", "stream-json").out.splitlines()
    ]
    kinds = [line["type"] for line in lines]
    assert kinds == ["chat", "status", "message", "message_part", "message_part", "message",
                     "status", "result"]  # fmt: skip
    assert lines[-1]["text"] == "Hello."
    assert lines[-1]["exit_code"] == 0
    assert all(line["chat_id"] == ID for line in lines)


def test_wait_prints_the_answer_alone(cli: Cli, fake: FakeChat) -> None:
    fake.streams(
        [
            [message(2, "assistant", text("I look."), call("execute", {"command": "ls"}))],
            [message(3, "tool", result("execute", {"exit_code": 0}))],
            [message(4, "assistant", text("All is well.")), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "hi", "--wait")
    assert (ran.out, ran.err) == ("All is well.\n", "")


def test_detach_prints_the_id_alone(cli: Cli, fake: FakeChat) -> None:
    ran = cli("agents", "chat", "hi", "--detach")
    assert ran.out == f"{ID}\n"
    assert not fake.begins_after()


def test_what_the_stream_did_not_say_is_read_at_the_end(cli: Cli, fake: FakeChat) -> None:
    fake.log = [said(1, "user", text("hi")), said(2, "assistant", text("Hello."))]
    fake.streams([[status("waiting")]])
    assert cli("agents", "chat", "hi").out == "Hello.\n"


def test_a_lost_line_leaves_no_gap_and_says_nothing_twice(
    cli: Cli, fake: FakeChat, at_once: None
) -> None:
    fake.streams(
        [[status("running"), message(1, "user", text("hi"))], words("One, ", "two, ")],
        [[status("running")], words("One, ", "two, ", "three, ")],
        [
            [status("running")],
            words("One, ", "two, ", "three, ", "four."),
            [message(2, "assistant", text("One, two, three, four."))],
            [status("waiting")],
        ],
    )
    ran = cli("agents", "chat", "count")
    assert ran.out.replace("\n", "") == "One, two, three, four."
    assert ran.err.count("The connection was lost") == 2
    assert ran.err.count("Connected again.") == 2
    assert fake.begins_after() == [None, "1", "1"]


def test_pieces_without_numbers_are_not_repeated_either(
    cli: Cli, fake: FakeChat, at_once: None
) -> None:
    fake.streams(
        [[status("running"), piece(text("One, "), None), piece(text("two"), None)]],
        [
            [piece(text("One, "), None), piece(text("two, three."), None)],
            [message(2, "assistant", text("One, two, three.")), status("waiting")],
        ],
    )
    assert cli("agents", "chat", "count").out.replace("\n", "") == "One, two, three."


def test_a_hole_in_the_preview_is_filled_by_the_message(cli: Cli, fake: FakeChat) -> None:
    hole = [*words("One, "), *words("four.", first=3)]
    whole = message(2, "assistant", text("One, two, three, four."))
    fake.streams([hole, [whole, status("waiting")]])
    assert cli("agents", "chat", "count").out == "One, two, three, four.\n"


def test_a_retry_says_why_and_when_and_begins_anew(cli: Cli, fake: FakeChat) -> None:
    again = piece(text("Hello."), 0)
    assert again.message_part is not None
    again = again.model_copy(
        update={"message_part": again.message_part.model_copy(update={"generation_attempt": 2})}
    )
    fake.streams(
        [
            words("Hel"),
            [retry("The provider is overloaded.")],
            [again, message(2, "assistant", text("Hello.")), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "hi")
    assert ran.out.replace("\n", "") == "Hello."
    assert "The provider is overloaded. Trying again in 2s (attempt 1)." in ran.err


def test_another_runner_begins_the_step_anew(cli: Cli, fake: FakeChat, at_once: None) -> None:
    fake.streams(
        [words("One, ", "two, ")],
        [
            words("One, ", "two, ", "three.", version=2),
            [message(2, "assistant", text("One, two, three.")), status("waiting")],
        ],
    )
    assert cli("agents", "chat", "count").out == "One, two, three.\n"


def test_a_retry_that_says_something_else_says_it_whole(cli: Cli, fake: FakeChat) -> None:
    reset = event(type="preview_reset")
    fake.streams([words("Well"), [reset, message(2, "assistant", text("No.")), status("waiting")]])
    assert cli("agents", "chat", "hi").out == "Well\nNo.\n"


def test_a_turn_that_somebody_else_stops_is_130(cli: Cli, fake: FakeChat) -> None:
    stopped = [
        status("interrupting"),
        message(2, "assistant", text("Half")),
        status("waiting"),
    ]
    fake.streams([words("Half"), stopped])
    ran = cli("agents", "chat", "hi")
    assert (ran.code, ran.out) == (130, "Half\n")
    assert "Interrupted" in ran.err


def test_what_runs_after_an_interruption_finishes(cli: Cli, fake: FakeChat) -> None:
    fake.streams([[status("interrupting"), status("running")], *HELLO])
    assert cli("agents", "chat", "--chat", ID, "hi", "--interrupt").code == 0


def test_ctrl_c_interrupts_the_turn_and_keeps_what_was_written(cli: Cli, fake: FakeChat) -> None:
    pressed = Pressed(fake)
    fake.streams(
        [
            words("Half of "),
            pressed.ctrl_c,
            pressed.interrupted,
            [message(2, "assistant", text("Half of ")), status("waiting")],
        ]
    )
    ran = cli("agents", "chat", "hi")
    assert ran.code == 130
    assert ran.out == "Half of \n"
    assert len(fake.deployment.called(f"POST /chats/{ID}/interrupt")) == 1
    assert "what was written is kept" in ran.err


def test_the_second_ctrl_c_leaves(cli: Cli, fake: FakeChat) -> None:
    pressed = Pressed(fake)
    fake.streams([words("Half"), pressed.ctrl_c, pressed.interrupted, pressed.ctrl_c, pressed.end])
    ran = cli("agents", "chat", "hi")
    pressed.over.set()
    assert ran.code == 130
    assert "what was written is kept" not in ran.err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_chat_goes_on_from_where_it_is(cli: Cli, fake: FakeChat) -> None:
    fake.log = [said(5, "assistant", text("old"))]
    fake.streams([[message(9, "user", text("more"))], [message(10, "assistant", text("New."))],
                  [status("waiting")]])  # fmt: skip
    ran = cli("agents", "chat", "--chat", "7a5e", "more", "--model", "scripted/scripted",
              "--no-plan", "--workspace", "dev")  # fmt: skip
    assert ran.out == "New.\n"
    assert fake.begins_after() == ["5"]
    (sent,) = fake.deployment.called(f"POST /chats/{ID}/messages")
    assert sent.json == {
        "content": [{"type": "text", "text": "more"}],
        "model_config_id": str(MODEL_ID),
        "busy_behavior": "queue",
        "plan_mode": "",
    }
    (moved,) = fake.deployment.called(f"PATCH /chats/{ID}")
    assert list(moved.json) == ["workspace_id"]


def test_a_turn_that_runs_is_followed_from_its_begin(cli: Cli, fake: FakeChat) -> None:
    fake.log = [said(1, "user"), said(2, "assistant"), said(5, "user"), said(6, "assistant")]
    fake.streams([[message(6, "assistant", text("So far.")), status("waiting")]])
    assert cli("agents", "chat", "--chat", "last").out == "So far.\n"
    assert fake.begins_after() == ["5"]
    assert not fake.deployment.called(f"POST /chats/{ID}/messages")


def test_a_busy_agent_says_so(cli: Cli, fake: FakeChat) -> None:
    fake.deployment.on(
        f"POST /chats/{ID}/messages", {"queued": True, "queued_message": queued(3, "x")}
    )
    fake.streams(
        [[event(type="queue_update", queued_messages=[queued(3, "x")]), status("waiting")]]
    )
    ran = cli("agents", "chat", "--chat", ID, "x", "--interrupt")
    assert "The agent is busy" in ran.err
    assert "1 message in the queue" in ran.err
    (sent,) = fake.deployment.called(f"POST /chats/{ID}/messages")
    assert sent.json["busy_behavior"] == "interrupt"


def test_files_are_attached(cli: Cli, fake: FakeChat, tmp_path: Path) -> None:
    (tmp_path / "スクリーン.png").write_bytes(b"\x89PNG")
    file_id = "00000000-0000-0000-0000-0000000000f1"
    fake.deployment.on("POST /chats/files", {"id": file_id})
    fake.streams(HELLO)
    assert cli("agents", "chat", "look", "--file", "スクリーン.png").code == 0
    (sent,) = fake.deployment.called("POST /chats/files")
    assert sent.headers["content-type"] == "image/png"
    assert "filename*=UTF-8''%E3%82%B9" in sent.headers["content-disposition"]
    assert sent.query["organization"]
    made = fake.deployment.called("POST /chats")[0].json
    assert made["content"][1] == {"type": "file", "file_id": file_id}


def test_a_model_must_be_one_that_can_be_used(cli: Cli, fake: FakeChat) -> None:
    assert "missing api key" in cli("agents", "chat", "hi", "--model", "great").err
    assert "There is no model 'x'" in cli("agents", "chat", "hi", "--model", "x").err


def test_a_stream_of_nonsense_ends_the_command(cli: Cli, fake: FakeChat) -> None:
    fake.streams([["nonsense"]])
    ran = cli("agents", "chat", "hi")
    assert ran.code == 1
    assert "is not understood by this version" in ran.err


class Pressed:
    """Press ctrl-c while a stream is played."""

    def __init__(self, fake: FakeChat) -> None:
        self.fake = fake
        self.asked = threading.Event()
        self.over = threading.Event()
        fake.deployment.on(f"POST /chats/{ID}/interrupt", self._ask)

    async def ctrl_c(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    async def interrupted(self) -> None:
        await self._until(self.asked)

    async def end(self) -> None:
        await self._until(self.over)

    async def _until(self, event: threading.Event) -> None:
        import asyncio

        await asyncio.wait_for(asyncio.to_thread(event.wait, 10), 11)

    def _ask(self, _: object) -> object:
        self.asked.set()
        return chat(status="interrupting")
