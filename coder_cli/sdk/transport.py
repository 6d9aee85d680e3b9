"""One connection to a deployment: requests, refusals as exceptions, followed streams.

Models are imported by the calls *after* their request left (see ``calls``): pydantic and the shapes
cost as much CPU as the rest of a command, and the server can work meanwhile.
"""

import ssl
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Self, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from coder_cli.kit.build import version
from coder_cli.sdk.direct import trusting
from coder_cli.sdk.errors import BadAnswer, refusal, unreachable

_SPARED = ("httpx._main", "h2")
"""httpx loads its own command line (click, rich, pygments) and HTTP/2 wherever they are installed:
half of its start-up, for what nobody here calls. That they miss is a case it provides for."""

_modules = cast("dict[str, object]", sys.modules)
_absent = [name for name in _SPARED if name not in _modules]
_modules.update(dict.fromkeys(_absent))

import httpx  # noqa: E402

# It would be loaded with the first client, when HTTP/2 is no longer hidden from it.
import_module("httpcore")
for _name in _absent:
    # Others in this process may want them: the server speaks HTTP/2 to Terraform.
    del _modules[_name]

if TYPE_CHECKING:
    from pydantic import BaseModel
    from websockets.sync.client import ClientConnection

    Model = TypeVar("Model", bound=BaseModel)

SESSION_HEADER = "Coder-Session-Token"
API = "/api/v2"
NOT_MODIFIED = 304

Query = str | int | bool | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response that was not read into a shape yet."""

    url: str
    status: int
    content: bytes

    def read(self, model: "type[Model]") -> "Model":
        """Return the body as ``model``."""
        from pydantic import ValidationError

        try:
            return model.model_validate_json(self.content)
        except ValidationError as error:
            raise self._unreadable(error) from error

    def read_list(self, model: "type[Model]") -> "list[Model]":
        """Return the body, a JSON array, as a list of ``model``; null counts as empty."""
        from pydantic import ValidationError
        from pydantic_core import from_json

        try:
            rows = cast("list[object] | None", from_json(self.content))
            return [model.model_validate(row) for row in rows or []]
        except (ValidationError, ValueError, TypeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> BadAnswer:
        return BadAnswer(
            f"{self.url} answered in a form that this version ({version()}) does not understand:"
            f" {error}"
        )


@dataclass(slots=True)
class Transport:
    """Speak HTTP and WebSocket to one deployment."""

    url: str
    """The deployment's base URL, without a path."""
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Sent with every request, after the session token."""
    timeout: float = 60.0
    hear: Callable[[Mapping[str, str]], None] | None = None
    """Called with the headers of each response, so that a command can warn about versions."""
    transport: httpx.BaseTransport | None = None
    """For tests: answers instead of the network."""
    _http: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of open connections; the client may be used again afterwards."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def all_headers(self) -> dict[str, str]:
        """Return what every request carries, the session token included."""
        token = {SESSION_HEADER: self.token} if self.token else {}
        return {"User-Agent": f"coder/{version()}", **token, **self.headers}

    def get(self, path: str, **query: Query) -> Answer:
        """GET ``/api/v2`` + ``path``; empty and null query values are left out."""
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: "BaseModel | None" = None,
        content: tuple[str, bytes] | tuple[str, bytes, str] | None = None,
        query: Mapping[str, Query] | None = None,
    ) -> Answer:
        """Send one request and return its answer.

        ``body`` is sent as JSON; ``content`` instead is a content type, raw bytes, and the name of
        the file they are from, if that matters.

        Raises:
            ApiError: the server refused.
            Unreachable: nothing answered.
        """
        kind, data, *name = content or ("application/json", b"")
        headers = {"Content-Type": kind} if content or body is not None else {}
        if name:
            headers["Content-Disposition"] = _attached(name[0])
        if body is not None:
            data = body.model_dump_json(exclude_none=True).encode()
        try:
            response = self._client().request(
                method,
                f"{API}{path}",
                params=_params(query or {}),
                content=data or None,
                headers=headers,
            )
        except httpx.HTTPError as error:
            raise unreachable(self.url, error) from error
        return self._judge(response)

    @contextmanager
    def follow(self, path: str, **query: Query) -> Generator["ClientConnection"]:
        """Open a WebSocket at ``/api/v2`` + ``path``.

        Raises:
            ApiError: the server refused the upgrade.
            Unreachable: nothing answered.
        """
        from websockets.exceptions import InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        address = urlsplit(self.url)
        secure = address.scheme == "https"
        target = f"{'wss' if secure else 'ws'}://{address.netloc}{API}{path}"
        params = urlencode(_params(query), doseq=True)
        try:
            connection = connect(
                f"{target}?{params}" if params else target,
                additional_headers=self.all_headers(),
                user_agent_header=None,
                ssl=_tls(secure=True) if secure else None,
                max_size=16 * 2**20,
                compression=None,
            )
        except InvalidStatus as error:
            raise refusal(error.response.status_code, bytes(error.response.body or b"")) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise unreachable(self.url, error) from error
        with connection:
            yield connection

    def _client(self) -> httpx.Client:
        if self._http is None:
            self._http = httpx.Client(
                base_url=self.url,
                headers=self.all_headers(),
                timeout=httpx.Timeout(self.timeout, connect=15.0),
                verify=_tls(secure=self.url.startswith("https:")),
                transport=self.transport,
            )
        return self._http

    def _judge(self, response: httpx.Response) -> Answer:
        if self.hear is not None:
            self.hear(response.headers)
        if response.is_success or response.status_code == NOT_MODIFIED:
            return Answer(str(response.url), response.status_code, response.content)
        if response.is_redirect:
            raise BadAnswer(
                f"{self.url} sends us on to {response.headers.get('location', 'nowhere')}."
                " Use that URL if it is your deployment."
            )
        raise refusal(response.status_code, response.content)


def _params(query: Mapping[str, Query]) -> dict[str, str | list[str]]:
    return {
        key: _spelled(value)
        for key, value in query.items()
        if value is not None and value not in ("", ())
    }


def _spelled(value: str | int | Sequence[str]) -> str | list[str]:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
        case _:
            return list(value)


def _attached(name: str) -> str:
    """Return the header that names a file, so that names of all languages arrive (RFC 6266)."""
    plain = "".join(
        one if one.isascii() and one.isprintable() and one not in '"\\' else "_" for one in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _tls(*, secure: bool) -> ssl.SSLContext:
    """Return whom to trust. Plain HTTP gets a context that trusts nobody: it is free to make."""
    return trusting() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
