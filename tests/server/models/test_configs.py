"""Models: exactly one default, options that exist, thresholds, and who sees what."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from server.kit.authz import as_system
from server.kit.errors import Invalid
from server.models import NoDefaultModel, NoSuchModelConfig, choose
from tests.support.clock import FakeClock
from tests.support.people import People, Person

MODELS = "/chats/model-configs"


@pytest.fixture
async def admin(ada: Person) -> Person:
    """An owner who has set up a provider."""
    await ada.api.post("/chats/providers", json={"provider": "openai", "api_key": "k"})
    return ada


async def add(person: Person, model: str = "gpt", **more: Any) -> dict[str, Any]:
    body = {"provider": "openai", "model": model, "context_limit": 100_000, **more}
    answer = await person.api.post(MODELS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def defaults(person: Person) -> list[str]:
    rows = (await person.api.get(MODELS)).json()
    return [row["model"] for row in rows if row["is_default"]]


async def test_the_first_model_is_the_default_and_there_is_always_one(
    admin: Person, clock: FakeClock
) -> None:
    one = await add(admin, "one")
    await clock.advance(1)
    two = await add(admin, "two")
    await clock.advance(1)
    three = await add(admin, "three")
    assert await defaults(admin) == ["one"]
    await admin.api.patch(f"{MODELS}/{two['id']}", json={"is_default": True})
    assert await defaults(admin) == ["two"]
    await admin.api.patch(f"{MODELS}/{two['id']}", json={"is_default": False})
    assert await defaults(admin) == ["one"]
    await admin.api.patch(f"{MODELS}/{one['id']}", json={"enabled": False})
    assert await defaults(admin) == ["two"]
    await admin.api.delete(f"{MODELS}/{two['id']}")
    assert await defaults(admin) == ["three"]
    # The only one that is offered cannot be demoted.
    await admin.api.patch(f"{MODELS}/{three['id']}", json={"is_default": False})
    assert await defaults(admin) == ["three"]
    await add(admin, "four", is_default=True)
    assert await defaults(admin) == ["four"]


async def test_a_deleted_model_is_gone_for_everybody(admin: Person) -> None:
    made = await add(admin)
    assert (await admin.api.delete(f"{MODELS}/{made['id']}")).status_code == 204
    assert (await admin.api.get(MODELS)).json() == []
    assert (await admin.api.delete(f"{MODELS}/{made['id']}")).status_code == 404
    assert (await admin.api.patch(f"{MODELS}/{made['id']}", json={})).status_code == 404


@pytest.mark.parametrize(("limit", "percent"), [(100_000, 70), (499_999, 70), (500_000, 30)])
async def test_large_contexts_are_compacted_early(admin: Person, limit: int, percent: int) -> None:
    assert (await add(admin, context_limit=limit))["compression_threshold"] == percent
    assert (await add(admin, context_limit=limit, compression_threshold=5))[
        "compression_threshold"
    ] == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"context_limit": 0}, "context_limit"),
        ({"context_limit": None}, "context_limit"),
        ({"compression_threshold": 101}, "compression_threshold"),
        ({"compression_threshold": -1}, "compression_threshold"),
        ({"model": " "}, "model"),
    ],
)
async def test_a_model_that_makes_no_sense_is_refused(
    admin: Person, body: dict[str, Any], field: str
) -> None:
    whole = {"provider": "openai", "model": "gpt", "context_limit": 1000, **body}
    answer = await admin.api.post(MODELS, json=whole)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["validations"]] == [field]


async def test_the_provider_must_be_set_up(admin: Person) -> None:
    body = {"provider": "google", "model": "gemini", "context_limit": 1000}
    answer = await admin.api.post(MODELS, json=body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid provider.")
    assert answer.json()["detail"] == "Set up the provider google first."


WHOLE = {
    "max_output_tokens": 4096,
    "temperature": 0.5,
    "cost": {"input_price_per_million_tokens": "1.25", "output_price_per_million_tokens": "10"},
    "reasoning_effort": {"default": "low", "max": "high"},
    "openai_config": {"use_responses_api": True},
    "provider_options": {
        "openai": {"store": True, "service_tier": "flex"},
        "google": {"safety_settings": [{"category": "c", "threshold": "t"}]},
        "vercel": {"providerOptions": {"order": ["a"]}},
    },
}


async def test_options_come_back_as_they_were_given(admin: Person) -> None:
    made = await add(admin, model_config=WHOLE)
    assert made["model_config"] == WHOLE
    path = f"{MODELS}/{made['id']}"
    kept = await admin.api.patch(path, json={"display_name": "GPT"})
    assert kept.json()["model_config"] == WHOLE
    replaced = await admin.api.patch(path, json={"model_config": {"top_k": 5}})
    assert replaced.json()["model_config"] == {"top_k": 5}


def block(provider: str, **options: Any) -> dict[str, Any]:
    return {"provider_options": {provider: options}}


INPUT = "input_price_per_million_tokens"
SETTING = {"category": "c", "threshold": "t", "x": 1}
THINKING = {"thinking_budget": 1, "thinking_level": "low"}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"temprature": 1}, "temprature"),
        ({"cost": {"input": 1}}, "cost.input"),
        ({"cost": {INPUT: -1}}, f"cost.{INPUT}"),
        ({"cost": {INPUT: "NaN"}}, f"cost.{INPUT}"),
        ({"temperature": 2.5}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"reasoning_effort": {"default": "max", "max": "low"}}, "reasoning_effort.default"),
        (block("openai", reasoning=1), "provider_options.openai.reasoning"),
        (block("openai", service_tier="free"), "provider_options.openai.service_tier"),
        (block("grok"), "provider_options.grok"),
        (
            block("google", safety_settings=[SETTING]),
            "provider_options.google.safety_settings.x",
        ),
        (
            block("anthropic", allowed_domains=["a"], blocked_domains=["b"]),
            "provider_options.anthropic.blocked_domains",
        ),
        (
            block("google", thinking_config=THINKING),
            "provider_options.google.thinking_config.thinking_level",
        ),
    ],
)
async def test_options_that_do_not_exist_are_refused_by_name(
    admin: Person, options: dict[str, Any], field: str
) -> None:
    body = {"provider": "openai", "model": "m", "context_limit": 1000, "model_config": options}
    answer = await admin.api.post(MODELS, json=body)
    assert answer.status_code == 400, answer.text
    fields = [each["field"] for each in answer.json()["validations"]]
    assert fields == [f"model_config.{field}"]


async def test_members_see_what_is_offered_and_change_nothing(admin: Person, bob: Person) -> None:
    await add(admin, "one")
    off = await add(admin, "two", enabled=False)
    assert [row["model"] for row in (await bob.api.get(MODELS)).json()] == ["one"]
    assert [row["model"] for row in (await admin.api.get(MODELS)).json()] == ["one", "two"]
    body = {"provider": "openai", "model": "m", "context_limit": 1}
    assert (await bob.api.post(MODELS, json=body)).status_code == 403
    assert (await bob.api.patch(f"{MODELS}/{off['id']}", json={})).status_code == 403
    assert (await bob.api.delete(f"{MODELS}/{off['id']}")).status_code == 403


async def test_the_model_that_is_asked_for_the_last_one_or_the_default(
    admin: Person, people: People
) -> None:
    one, two = await add(admin, "one"), await add(admin, "two")
    off = await add(admin, "off", enabled=False)

    async def model(config: dict[str, Any] | None, last: dict[str, Any] | None = None) -> str:
        async with people.database.tx(as_system("test")) as tx:
            ids = [UUID(str(each["id"])) if each else None for each in (config, last)]
            return (await choose(tx, *ids)).model

    assert await model(None) == "one"
    assert await model(two) == "two"
    assert await model(None, two) == "two"
    assert await model(one, two) == "one"
    assert await model(None, off) == "one"
    for wrong in (off, {"id": uuid4()}):
        with pytest.raises(NoSuchModelConfig, match=r"Invalid model config ID\."):
            await model(wrong)
    for each in (one, two):
        await admin.api.delete(f"{MODELS}/{each['id']}")
    with pytest.raises(Invalid, match=r"No default chat model config is configured\.") as caught:
        await model(None)
    assert isinstance(caught.value, NoDefaultModel)
