"""Addresses of apps come from templates: some are shown, and never opened."""

import webbrowser

import pytest

from coder_cli.ui import browser


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def note(address: str) -> bool:
        found.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", note)
    monkeypatch.setenv("DISPLAY", ":0")
    return found


@pytest.mark.parametrize("address", ["https://coder.test/@a/w/apps/x/", "vscode://coder.remote/o"])
def test_addresses_are_opened(opened: list[str], address: str) -> None:
    assert browser.opened(address)
    assert opened == [address]


@pytest.mark.parametrize(
    "address",
    [
        "--new-window=x",
        "-private-toggle https://coder.test",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>",
        "/etc/passwd",
        "calc.exe",
        "https://coder.test/\x1b]0;x\x07",
        "https://coder.test/ --flag",
        "",
    ],
)
def test_what_is_no_address_or_runs_something_is_not(opened: list[str], address: str) -> None:
    assert not browser.opened(address)
    assert opened == []
