"""``coder exp chat context``: what is sent to the chat of a workspace."""

from pathlib import Path

import pytest

from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment

ID = "7a5e0000-0000-4000-8000-0000000000c1"
WIRE = "/workspaceagents/me/experimental/chat-context"
SKILL = "---\nname: {}\ndescription: |\n  Deploy the\n  thing.\n---\nDo it.\n"


@pytest.fixture
def inside(
    typed: Cli, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Cli:
    """A shell of a workspace, in a directory with instructions and skills."""
    monkeypatch.setenv("CODER_AGENT_URL", deployment.url)
    monkeypatch.setenv("CODER_AGENT_TOKEN", "the-agents-token")
    monkeypatch.setenv("CODER_CHAT_ID", ID)
    deployment.on(f"POST {WIRE}", {"chat_id": ID, "count": 2})
    deployment.on(f"DELETE {WIRE}", {"chat_id": ID, "count": 1})
    (tmp_path / "AGENTS.md").write_text("Be kind.\n")
    for place, name in ((".claude/skills", "deploy"), ("skills", "Bad_Name"), ("skills", "lies")):
        (tmp_path / place / name).mkdir(parents=True)
        told = "another" if name == "lies" else name
        (tmp_path / place / name / "SKILL.md").write_text(SKILL.format(told))
    return typed


def test_instructions_and_skills_are_added(
    inside: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    ran = inside("exp", "chat", "context", "add")
    assert ran.out == f"Added 1 files and 1 skills to chat {ID}.\n"
    (sent,) = deployment.called(f"POST {WIRE}")
    assert sent.headers["coder-session-token"] == "the-agents-token"
    assert sent.json["chat_id"] == ID
    file, skill = sent.json["parts"]
    assert file["context_file_content"] == "Be kind.\n"
    assert file["context_file_path"] == str(tmp_path / "AGENTS.md")
    assert skill["skill_name"] == "deploy"
    assert skill["skill_description"] == "Deploy the thing."


def test_a_link_that_leads_out_is_not_followed(
    inside: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("key")
    here = tmp_path / "here"
    here.mkdir()
    (here / "AGENTS.md").symlink_to(tmp_path / "secret")
    ran = inside("exp", "chat", "context", "add", "--dir", "here")
    assert ran.code == 1
    assert "There is nothing to add" in ran.err
    assert not deployment.called(f"POST {WIRE}")


def test_long_files_are_cut_and_say_so(inside: Cli, deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("é" * 40_000)
    assert inside("exp", "chat", "context", "add").code == 0
    file = deployment.called(f"POST {WIRE}")[0].json["parts"][0]
    assert file["context_file_truncated"] is True
    assert file["context_file_content"] == "é" * 32_768


def test_it_is_taken_back(inside: Cli, deployment: Deployment) -> None:
    other = ID.replace("c1", "c2")
    assert inside("exp", "chat", "context", "clear", "--chat", other).code == 0
    assert deployment.called(f"DELETE {WIRE}")[0].json == {"chat_id": other}


def test_which_chat_must_be_known(inside: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not the id" in inside("exp", "chat", "context", "clear", "--chat", "x").err
    monkeypatch.delenv("CODER_CHAT_ID")
    assert "CODER_CHAT_ID" in inside("exp", "chat", "context", "add").err
