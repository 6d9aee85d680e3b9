"""A terminal of alice, and a chat of hers."""

import pytest

from tests.coder_cli.agents.standin import FakeChat
from tests.coder_cli.deployment import Deployment


@pytest.fixture
def fake(deployment: Deployment) -> FakeChat:
    """A chat that can be begun, followed and asked for."""
    return FakeChat(deployment)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a server that went away without a pause."""
    monkeypatch.setattr("coder_cli.sdk.chats.following.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("coder_cli.sdk.chats.following.PAUSE", 0.0)
