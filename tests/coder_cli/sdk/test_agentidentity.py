"""One factory for whoever acts as the agent: given tokens, files of them, and clouds."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from coder_cli.commands import gitaskpass
from coder_cli.kit.refused import Refused
from coder_cli.sdk.agentidentity import (
    NO_TOKEN,
    NO_URL,
    Auth,
    Credentials,
    InstanceIdentity,
    StaticToken,
    agent_client,
    provider,
)
from coder_cli.sdk.errors import ApiError

URL = "http://coder.test"


class _Server(BaseHTTPRequestHandler):
    asked: list[tuple[str, Any]] = []  # noqa: RUF012 - set anew by the fixture
    token = "t-1"
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        answer = {"session_token": self.token, "message": "Invalid AWS identity."}
        self._say(answer)

    def do_GET(self) -> None:
        said = self.headers["Coder-Session-Token"]
        if "X-Way" in self.headers:
            said += f" by {self.headers['X-Way']}"
        self.asked.append((self.path, said))
        self._say({"username": "alice", "password": "secret"})

    def _say(self, body: Any) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A deployment that takes every proof."""
    monkeypatch.setattr(_Server, "asked", [])
    monkeypatch.setattr(_Server, "status", 200)
    monkeypatch.setattr(_Server, "token", "t-1")
    http = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


class Cloud:
    """A metadata service that signs everything."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []

    def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> str:
        self.asked.append((method, url, headers))
        if "attested" in url:
            return json.dumps({"signature": "sig", "encoding": "pkcs7"})
        return url.rpartition("/")[2].partition("?")[0]


def test_a_given_token_comes_before_a_file_of_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  from-file\n")
    given = Credentials(token="given", token_file=str(tmp_path / "token"), url=URL)
    assert provider(given).token() == "given"
    assert provider(Credentials(token_file=str(tmp_path / "token"), url=URL)).token() == "from-file"


def test_what_is_missing_is_said() -> None:
    with pytest.raises(Refused, match=NO_TOKEN):
        provider(Credentials(url=URL))
    with pytest.raises(Refused, match=NO_URL):
        provider(Credentials(token="t"))
    with pytest.raises(Refused, match="'by-name' is no way"):
        provider(Credentials("by-name", url=URL))
    with pytest.raises(Refused, match="cannot be read"):
        provider(Credentials(token_file="/nowhere/at/all", url=URL))


@pytest.mark.parametrize(
    ("auth", "proof", "places"),
    [
        (
            Auth.AWS,
            {"signature": "signature", "document": "document"},
            ["/latest/api/token", "/latest/dynamic/instance-identity/signature"],
        ),
        (Auth.AZURE, {"signature": "sig", "encoding": "pkcs7"}, ["/metadata/attested/document"]),
        (Auth.GOOGLE, {"json_web_token": "identity"}, ["audience=coder&format=full"]),
    ],
)
def test_a_machine_exchanges_what_its_cloud_signs(
    server: str, auth: Auth, proof: dict[str, str], places: list[str]
) -> None:
    cloud = Cloud()
    tokens = InstanceIdentity(auth, server, fetch=cloud)
    assert tokens.token() == tokens.token() == "t-1"
    assert _Server.asked == [(f"/api/v2/workspaceagents/{auth.value}", proof)]
    for place in places:
        assert any(place in url for _, url, _ in cloud.asked)
    assert tokens.environment() == {"CODER_AGENT_AUTH": auth.value}
    assert "t-1" not in repr(tokens)


def test_who_acts_as_the_agent_goes_the_same_way(server: str) -> None:
    env = {
        "CODER_AGENT_URL": server,
        "CODER_AGENT_TOKEN": "t",
        "CODER_AGENT_HEADER": "X-Way=tunnel=7, X-Other=,odd",
    }
    client = agent_client(env)
    client.get("/here")
    client.close()
    assert _Server.asked == [("/api/v2/here", "t by tunnel=7")]


def test_a_token_that_was_refused_is_exchanged_anew(server: str) -> None:
    tokens = InstanceIdentity(Auth.AWS, server, fetch=Cloud())
    assert tokens.token() == "t-1"
    _Server.token = "t-2"
    assert tokens.token() == "t-1"
    tokens.forget()
    assert tokens.token() == "t-2"


def test_a_refused_machine_hears_the_servers_words(server: str) -> None:
    _Server.status = 401
    with pytest.raises(ApiError, match="Invalid AWS identity"):
        InstanceIdentity(Auth.AWS, server, fetch=Cloud()).token()


def test_commands_besides_the_agent_log_in_by_the_machine_too(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("coder_cli.sdk.agentidentity._fetch", Cloud())
    monkeypatch.delenv("CODER_AGENT_TOKEN", raising=False)
    monkeypatch.setenv("CODER_AGENT_AUTH", "aws-instance-identity")
    monkeypatch.setenv("CODER_AGENT_URL", server)
    assert gitaskpass.main(["Password for 'https://github.com': "]) == 0
    assert capsys.readouterr().out == "secret\n"
    exchange, asked = _Server.asked
    assert exchange[0] == "/api/v2/workspaceagents/aws-instance-identity"
    assert asked[1] == "t-1"


def test_a_workspaces_environment_makes_a_client(server: str) -> None:
    client = agent_client({"CODER_AGENT_URL": f"{server}/", "CODER_AGENT_TOKEN": "given"})
    client.get("/workspaceagents/me/gitsshkey")
    client.close()
    assert _Server.asked == [("/api/v2/workspaceagents/me/gitsshkey", "given")]
    assert StaticToken("given").environment() == {"CODER_AGENT_TOKEN": "given"}
    assert "given" not in repr(StaticToken("given"))
