"""The line to a deployment: what is sent, and what each kind of failure becomes."""

import httpx
import pytest

from coder_cli.sdk.client import Client
from coder_cli.sdk.common import NameValue
from coder_cli.sdk.direct import Direct
from coder_cli.sdk.errors import ApiError, BadAnswer, Unreachable
from coder_cli.sdk.transport import Answer
from coder_cli.sdk.users import User
from tests.coder_cli import shapes
from tests.coder_cli.deployment import Deployment


def answering(status: int, content: bytes = b"", **headers: str) -> Client:
    """Return a client of something that always answers the same."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=content, headers=headers)
    )
    return Client("http://coder.test", "token", transport=transport)


def test_every_request_carries_the_session_and_extra_headers() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=shapes.ALICE.model_dump_json())

    client = Client("http://coder.test", "token", {"X-Extra": "yes"})
    client.transport = httpx.MockTransport(answer)
    assert client.user("me") == shapes.ALICE
    (request,) = seen
    assert str(request.url) == "http://coder.test/api/v2/users/me"
    assert request.headers["Coder-Session-Token"] == "token"
    assert request.headers["X-Extra"] == "yes"


def test_empty_query_values_are_left_out() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url.query, "ascii"))
        return httpx.Response(200, content=b'{"workspaces": [], "count": 0}')

    client = Client("http://coder.test", transport=httpx.MockTransport(answer))
    client.workspaces()
    client.workspaces("owner:me", limit=5)
    assert seen == ["", "q=owner%3Ame&limit=5"]


def test_a_refusal_is_an_api_error() -> None:
    body = b'{"message": "No.", "detail": "why", "validations": [{"field": "f", "detail": "d"}]}'
    with pytest.raises(ApiError) as caught:
        answering(400, body).user("me")
    error = caught.value
    assert (error.status, error.message, error.detail) == (400, "No.", "why")
    assert error.validations == (("f", "d"),)


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (502, b"<html>Bad Gateway</html>", "unexpected answer 502 from the server: <html>"),
        (500, b"", "unexpected answer 500 from the server: nothing"),
        (500, b"[1]", "unexpected answer 500"),
        (200, b"<html>a login page", "does not understand"),
        (200, b'{"id": 1}', "does not understand"),
    ],
)
def test_what_is_no_deployment_is_named(status: int, content: bytes, words: str) -> None:
    with pytest.raises(BadAnswer, match=words):
        answering(status, content).user("me")


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with pytest.raises(BadAnswer, match="sends us on to https://elsewhere"):
        answering(302, location="https://elsewhere").user("me")


def test_nobody_there_for_a_command_of_the_fast_path() -> None:
    with pytest.raises(Unreachable, match=r"^could not reach http://127\.0\.0\.1:1: Connection"):
        Direct("http://127.0.0.1:1", "token").get("/users/me")


def test_nobody_there() -> None:
    with pytest.raises(Unreachable, match=r"could not reach http://127\.0\.0\.1:1: Connection ref"):
        Client("http://127.0.0.1:1").user("me")
    with (
        pytest.raises(Unreachable, match="Connection refused"),
        Client("http://127.0.0.1:1").follow("/x"),
    ):
        pass


def test_lists_may_be_null() -> None:
    assert Answer("u", 200, b"null").read_list(NameValue) == []
    with pytest.raises(BadAnswer):
        Answer("u", 200, b'[{"name": 1}]').read_list(NameValue)
    with pytest.raises(BadAnswer):
        Answer("u", 200, b"{").read_list(User)


def test_a_stream_is_followed_with_query_and_session(deployment: Deployment) -> None:
    deployment.streams["/logs"] = [[NameValue(name="a", value="b")]]
    with Client(deployment.url, "token").follow("/logs", follow=True, after=None) as stream:
        assert [NameValue.model_validate_json(frame) for frame in stream] == [
            NameValue(name="a", value="b")
        ]
    (call,) = deployment.calls
    assert call.query == {"follow": "true"}
    assert call.headers["coder-session-token"] == "token"
