"""What the scripted model reads out of a message."""

import pytest

from server.llm import ErrorKind
from server.llm.scripted.script import (
    HELP,
    Create,
    Fail,
    Instruction,
    Pause,
    Say,
    Think,
    Use,
    parse,
)


def run(command: str) -> Use:
    return Use("execute", {"command": command})


@pytest.mark.parametrize(
    ("line", "instruction"),
    [
        ("$ make test && ls", Use("execute", {"command": "make test && ls"})),
        ("read /a/b.py", Use("read_file", {"path": "/a/b.py"})),
        ("write /a hi there", Use("write_file", {"path": "/a", "content": "hi there\n"})),
        (
            "edit /a x = 1 => x = 2",
            Use(
                "edit_files",
                {"files": [{"path": "/a", "edits": [{"old_text": "x = 1", "new_text": "x = 2"}]}]},
            ),
        ),
        ("diff", run("git add --intent-to-add . && git --no-pager diff")),
        ("diff /a", run("git -C '/a' add --intent-to-add . && git -C '/a' --no-pager diff")),
        ("diff ~/a", run("git -C ~/'a' add --intent-to-add . && git -C ~/'a' --no-pager diff")),
        ("diff ~", run("git -C ~ add --intent-to-add . && git -C ~ --no-pager diff")),
        ("create workspace", Create()),
        ("create workspace from docker named dev", Create("docker", "dev")),
        ("start workspace", Use("start_workspace")),
        ("stop workspace", Use("stop_workspace")),
        ("spawn count lines", Use("spawn_agent", {"type": "general", "prompt": "count lines"})),
        ("explore the code", Use("spawn_agent", {"type": "explore", "prompt": "the code"})),
        ("wait 5", Use("wait_agent", {"timeout_seconds": 5}, child=True)),
        ('call process_output {"process_id": "p"}', Use("process_output", {"process_id": "p"})),
        ("call process_list", Use("process_list")),
        ("think hard", Think("hard")),
        ("say hello", Say("hello")),
        ("words 2 every 0.5", Say("word1 word2", 0.5)),
        ("sleep 3", Pause(3)),
        ("fail rate_limit 2 times", Fail(ErrorKind.RATE_LIMIT, 2)),
        ("fail auth", Fail(ErrorKind.AUTH)),
    ],
)
def test_an_instruction_is_read(line: str, instruction: Instruction) -> None:
    assert parse(line).steps == ((instruction,),)


@pytest.mark.parametrize(
    "prose",
    [
        "Hello!",
        "read the docs please",
        "create a file",
        "fail nicely",
        "wait for me",
        "edit /a nothing",
        "call x {bad json}",
        "$",
        "write",
        "",
        "sleep well",
    ],
)
def test_prose_is_no_instruction(prose: str) -> None:
    assert parse(prose).steps == ()


def test_a_file_may_stand_below_in_a_fence() -> None:
    script = parse("write /a.md\n````\n```py\nx\n```\n````\n$ cat /a.md")
    assert script.steps == (
        (Use("write_file", {"path": "/a.md", "content": "```py\nx\n```\n"}),),
        (Use("execute", {"command": "cat /a.md"}),),
    )


def test_a_file_may_stand_below_indented() -> None:
    script = parse("write /a.py\n    def f():\n\n        return 1\n\nsay done")
    assert script.steps == (
        (Use("write_file", {"path": "/a.py", "content": "def f():\n\n    return 1\n"}),),
        (Say("done"),),
    )


def test_a_fence_that_never_ends_takes_the_rest() -> None:
    script = parse("write /a\n```\nx\ny")
    assert script.steps == ((Use("write_file", {"path": "/a", "content": "x\ny\n"}),),)


def test_lines_with_an_ampersand_run_at_the_same_time() -> None:
    script = parse("$ one\n& $ two\nsay x\n& $ three")
    assert [len(step) for step in script.steps] == [2, 1, 1]


def test_the_help_names_what_is_read() -> None:
    for verb in ("$ ", "read ", "write ", "edit ", "diff ", "spawn ", "words ", "fail "):
        assert f"\n{verb}" in f"\n{HELP}"
