"""The stored log-in: files for their owner only, the keyring, headers, URLs."""

import stat
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from typing_extensions import override

from coder_cli.config.access import LoggedOut, Session, extra_headers, normal_url
from coder_cli.config.options import Globals, Setting
from coder_cli.kit.refused import Refused


def options(directory: Path, **flags: str) -> Globals:
    """Return global options as flags would set them."""
    said = {name.replace("_", "-"): Setting((value,), "flag") for name, value in flags.items()}
    return Globals({"global-config": Setting((str(directory),), "flag"), **said})


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that forgets when the test ends."""

    priority = 1  # pyright: ignore[reportAssignmentType] - as keyring's own backends do

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    @override
    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    @override
    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    @override
    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    ring = MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", ring)
    return ring


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "config"
    Session(options(directory)).save("https://a.example.com", "token")
    assert (directory / "session").read_text() == "token"
    assert (directory / "url").read_text() == "https://a.example.com"
    assert stat.S_IMODE((directory / "session").stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "url").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) & 0o027 == 0
    assert sorted(path.name for path in directory.iterdir()) == ["session", "url"]


def test_a_flag_beats_the_file(tmp_path: Path) -> None:
    Session(options(tmp_path)).save("https://a.example.com", "kept")
    assert Session(options(tmp_path)).require() == ("https://a.example.com", "kept")
    said = Session(options(tmp_path, url="b.example.com", token="said"))
    assert said.require() == ("https://b.example.com", "said")


def test_without_a_log_in_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoggedOut, match="coder login <url>"):
        Session(options(tmp_path)).require()
    with pytest.raises(LoggedOut, match=r"coder login https://a\.example\.com"):
        Session(options(tmp_path, url="a.example.com")).require()


def test_the_keyring_instead_of_the_file(tmp_path: Path, ring: MemoryKeyring) -> None:
    session = Session(options(tmp_path, use_keyring="true"))
    session.save("https://a.example.com", "secret")
    assert not (tmp_path / "session").exists()
    assert list(ring.kept.values()) == ["secret"]
    assert session.token == "secret"
    session.forget()
    assert not ring.kept
    assert session.token == ""
    assert not list(tmp_path.iterdir())


def test_a_keyring_that_is_not_there_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr("keyring.core._keyring_backend", Keyring())
    with pytest.raises(Refused, match="Log in without --use-keyring"):
        Session(options(tmp_path, use_keyring="true")).save("https://a.example.com", "x")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="--global-config"):
        Session(options(tmp_path / "file")).save("https://a.example.com", "x")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("coder.example.com", "https://coder.example.com"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("http://coder.example.com/", "http://coder.example.com"),
        ("", ""),
    ],
)
def test_urls_get_a_scheme(given: str, url: str) -> None:
    assert normal_url(given) == url


@pytest.mark.parametrize("given", ["ftp://a", "https://", "http://a:port"])
def test_what_is_no_url_is_refused(given: str) -> None:
    with pytest.raises(Refused, match="not the URL of a deployment"):
        normal_url(given)


def test_headers_of_flag_and_command(tmp_path: Path) -> None:
    said = options(tmp_path, header="a=b=c", header_command="echo x=y; echo; echo z=")
    assert extra_headers(said) == {"a": "b=c", "x": "y", "z": ""}


def test_bad_headers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="write --header key=value"):
        extra_headers(options(tmp_path, header="nothing"))
    with pytest.raises(Refused, match="ended with 3: oops"):
        extra_headers(options(tmp_path, header_command="echo oops >&2; exit 3"))
