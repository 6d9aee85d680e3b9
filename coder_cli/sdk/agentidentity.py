"""Who acts as the workspace's agent, and by what: the one place that makes its clients.

``coder agent`` and the commands that run beside it in a workspace (``gitssh``, ``gitaskpass``, …)
show a session token. It is given, stands in a file, or is exchanged for what the cloud signs about
the machine. The standard library only: git runs these commands once for each of its questions.

Source: reference, agent and provisioner, section 1.1.
"""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, assert_never
from urllib.parse import urlsplit

from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct

NO_TOKEN: Final = "CODER_AGENT_TOKEN or CODER_AGENT_TOKEN_FILE must be set for token auth"  # noqa: S105 — words
NO_URL: Final = "CODER_AGENT_URL must be set"
LARGEST_PROOF: Final = 64 * 1024
PATIENCE: Final = 5.0
"""Seconds for an answer of the cloud's own metadata service, which is on the same machine."""
_LINK_LOCAL: Final = "http://169.254.169.254"
_GOOGLE: Final = "http://metadata.google.internal"
_AUDIENCE: Final = "coder"


class Auth(StrEnum):
    """How an agent proves who it is."""

    TOKEN = "token"  # noqa: S105 — the name of a way
    GOOGLE = "google-instance-identity"
    AWS = "aws-instance-identity"
    AZURE = "azure-instance-identity"


class TokenProvider(Protocol):
    """Where session tokens of one agent come from."""

    def token(self) -> str:
        """Return the token; may ask the network, so call it in a thread.

        Raises:
            Refused: there is none, and trying again does not help.
            SdkError: the server refused, or nobody answered.
        """
        ...

    def forget(self) -> None:
        """Say that the server refused the token: the next one may be another."""
        ...

    def environment(self) -> dict[str, str]:
        """Return the variables by which a child process is the same agent."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that was given, or read from a file; it never changes."""

    value: str = field(repr=False)

    def token(self) -> str:
        """Return it."""
        return self.value

    def forget(self) -> None:
        """Keep it: there is no other, and the server may know it later."""

    def environment(self) -> dict[str, str]:
        """Return it under its name."""
        return {"CODER_AGENT_TOKEN": self.value}


Fetch = Callable[[str, str, Mapping[str, str]], str]
"""Method, URL and headers to the text of the answer."""


@dataclass(slots=True)
class InstanceIdentity:
    """Tokens in exchange for what the cloud says about the machine that we run on."""

    auth: Auth
    url: str
    """The deployment's."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    fetch: Fetch | None = None
    """Asks the cloud's metadata service; for tests."""
    _known: str = field(default="", init=False, repr=False)
    _asking: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def token(self) -> str:
        """Return the token of the last exchange, or make one."""
        with self._asking:  # Two threads need no two exchanges.
            if not self._known:
                self._known = self._exchange()
            return self._known

    def forget(self) -> None:
        """Exchange anew the next time: a new build gives the machine a new token."""
        self._known = ""

    def environment(self) -> dict[str, str]:
        """Return the way, not the token: children make the exchange themselves."""
        return {"CODER_AGENT_AUTH": self.auth.value}

    def _exchange(self) -> str:
        proof = self._proof(self.fetch or _fetch)
        server = Direct(self.url.rstrip("/"), "", self.headers)
        try:
            answer = server.post(f"/workspaceagents/{self.auth.value}", proof)
        finally:
            server.close()
        return str(answer["session_token"])

    def _proof(self, fetch: Fetch) -> dict[str, str]:
        match self.auth:
            case Auth.AWS:
                return _aws(fetch)
            case Auth.AZURE:
                return _azure(fetch)
            case Auth.GOOGLE:
                return _google(fetch)
            case Auth.TOKEN:
                raise Refused(NO_TOKEN)
            case _:
                assert_never(self.auth)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What flags and environment say about who an agent is."""

    auth: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Credentials":
        """Read them from the environment of a process in a workspace."""
        return cls(
            env.get("CODER_AGENT_AUTH", ""),
            env.get("CODER_AGENT_TOKEN", ""),
            env.get("CODER_AGENT_TOKEN_FILE", ""),
            env.get("CODER_AGENT_URL", ""),
            _headers(env.get("CODER_AGENT_HEADER", "")),
        )


def provider(given: Credentials) -> TokenProvider:
    """Return where the agent's session tokens come from.

    Raises:
        Refused: something is missing or wrong; the message is a sentence.
    """
    try:
        auth = Auth(given.auth or Auth.TOKEN)
    except ValueError:
        ways = ", ".join(Auth)
        raise Refused(
            f"{given.auth!r} is no way of an agent to log in; there are {ways}."
        ) from None
    token = given.token if auth is Auth.TOKEN else ""
    if auth is Auth.TOKEN and not token:
        token = _read(given.token_file)
        if not token:
            raise Refused(NO_TOKEN)
    if not given.url:
        raise Refused(NO_URL)
    return StaticToken(token) if token else InstanceIdentity(auth, given.url, given.headers)


def agent_client(env: Mapping[str, str]) -> Direct:
    """Return a client that acts as the agent of the workspace that the process runs in.

    Raises:
        Refused: the process runs in no workspace.
        SdkError: the server did not take the machine's identity.
    """
    given = Credentials.of(env)
    return Direct(given.url.rstrip("/"), provider(given).token(), given.headers)


def _headers(pairs: str) -> dict[str, str]:
    """Return what the way to the deployment asks for; the agent itself complains of wrong pairs."""
    split = [pair.partition("=") for pair in pairs.split(",")]
    return {name.strip(): value.strip() for name, _, value in split if name.strip() and value}


def _read(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text().strip()
    except (OSError, ValueError) as error:
        raise Refused(f"The token file {path} cannot be read: {error}") from None


def _aws(fetch: Fetch) -> dict[str, str]:
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
    key = fetch("PUT", f"{_LINK_LOCAL}/latest/api/token", lifetime)
    headers = {"X-aws-ec2-metadata-token": key}
    about = f"{_LINK_LOCAL}/latest/dynamic/instance-identity"
    return {
        "signature": fetch("GET", f"{about}/signature", headers),
        "document": fetch("GET", f"{about}/document", headers),
    }


def _azure(fetch: Fetch) -> dict[str, str]:
    place = f"{_LINK_LOCAL}/metadata/attested/document?api-version=2020-09-01"
    text = fetch("GET", place, {"Metadata": "true"})
    try:
        attested = json.loads(text)
        return {"signature": str(attested["signature"]), "encoding": str(attested["encoding"])}
    except (ValueError, KeyError, TypeError):
        raise Refused("Azure's metadata service did not answer with a signed document.") from None


def _google(fetch: Fetch) -> dict[str, str]:
    account = "/computeMetadata/v1/instance/service-accounts/default/identity"
    place = f"{_GOOGLE}{account}?audience={_AUDIENCE}&format=full"
    return {"json_web_token": fetch("GET", place, {"Metadata-Flavor": "Google"}).strip()}


def _fetch(method: str, url: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    # Straight to it: a proxy would answer for another machine.
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(LARGEST_PROOF + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"The cloud's metadata service did not answer: {error}.") from None
    finally:
        connection.close()
    if response.status != 200 or len(content) > LARGEST_PROOF:
        raise Refused(f"The cloud's metadata service refused {url}: {response.status}.")
    return content.decode(errors="replace")
