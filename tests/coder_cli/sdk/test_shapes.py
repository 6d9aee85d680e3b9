"""Wire shapes: zero values, names as upstream spells them, refusals as sentences."""

import pytest
from pydantic import ValidationError

from coder_cli.sdk.common import ZERO_TIME, Response
from coder_cli.sdk.templates import CreateTemplateRequest, Preset, TransitionStats
from coder_cli.sdk.tokens import CreateTokenRequest
from coder_cli.sdk.users import AuthMethods, CreateFirstUserRequest
from tests.coder_cli import shapes


def test_zero_time_as_upstream_writes_it() -> None:
    user = shapes.ALICE.model_copy(update={"last_seen_at": ZERO_TIME})
    assert '"last_seen_at":"0001-01-01T00:00:00Z"' in user.model_dump_json()


@pytest.mark.parametrize(
    "shape",
    [shapes.ALICE, shapes.ORGANIZATION, shapes.template(), shapes.version(), shapes.workspace()],
    ids=lambda shape: type(shape).__name__,
)
def test_shapes_survive_the_wire(shape: Response) -> None:
    assert type(shape).model_validate_json(shape.model_dump_json()) == shape


def test_lists_are_empty_never_null() -> None:
    sent = shapes.workspace().model_dump(mode="json")
    assert sent["shared_with"] == []
    assert sent["health"] == {"healthy": True, "failing_agents": []}
    assert sent["latest_build"]["job"]["available_workers"] == []


def test_names_that_python_would_not_choose() -> None:
    assert TransitionStats(P50=1).model_dump() == {"P50": 1, "P95": None}
    assert AuthMethods().model_dump()["oidc"] == {"enabled": False, "signInText": "", "iconUrl": ""}
    preset = Preset.model_validate_json(f'{{"ID": "{shapes.uid(1)}", "Name": "n"}}')
    assert preset.model_dump(mode="json")["DesiredPrebuildInstances"] is None


def test_strangers_are_ignored_in_both_directions() -> None:
    body = {"message": "m", "new_field": 1}
    assert Response.model_validate(body) == Response(message="m")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"email": "x", "username": "a", "password": "p"}, "email", "must be an email address"),
        ({"email": "a@b.c", "username": "a b", "password": "p"}, "username", "single hyphens"),
        ({"email": "a@b.c", "username": "new", "password": "p"}, "username", "is reserved"),
        ({"email": "a@b.c", "username": "a", "password": ""}, "password", "at least 1 character"),
    ],
)
def test_refusals_are_sentences(body: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CreateFirstUserRequest.model_validate(body)
    (error,) = caught.value.errors()
    assert error["loc"] == (field,)
    assert words in error["msg"]


def test_durations_cannot_be_negative() -> None:
    with pytest.raises(ValidationError):
        CreateTokenRequest(lifetime=-1)
    with pytest.raises(ValidationError):
        CreateTemplateRequest(name="a", template_version_id=shapes.uid(1), default_ttl_ms=-1)


def test_allow_lists_come_as_text_too() -> None:
    request = CreateTokenRequest.model_validate({"allow_list": ["workspace:*"]})
    assert request.model_dump()["allow_list"] == [{"type": "workspace", "id": "*"}]
