"""Whose key is used, what it costs, what can be chosen, and the stand-in of a new deployment."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from server.kit.authz import as_system
from server.kit.errors import Forbidden
from server.kit.sealing import Sealer
from server.llm import ErrorKind, ModelError
from server.models import Resolved, effort_of, resolve
from server.models.actions import keys, resealing
from server.models.model.options import call_options, prices
from tests.server.models.conftest import KEY
from tests.support.people import People, Person

OWN = "/chats/user-provider-configs"


async def offer(
    admin: Person,
    provider: str = "anthropic",
    options: Mapping[str, Any] | None = None,
    **policy: Any,
) -> str:
    body = {"provider": provider, "api_key": "central", **policy}
    answer = await admin.api.post("/chats/providers", json=body)
    assert answer.status_code == 201, answer.text
    model = {"provider": provider, "model": "opus", "context_limit": 1000, "model_config": options}
    assert (await admin.api.post("/chats/model-configs", json=model)).status_code == 201
    return answer.json()["id"]


async def resolved(people: People, person: Person, sealer: Sealer) -> Resolved:
    async with people.database.tx(as_system("test")) as tx:
        return await resolve(tx, sealer, person.id, None)


async def key(people: People, person: Person, sealer: Sealer) -> str:
    return (await resolved(people, person, sealer)).credentials.api_key


async def reason(person: Person) -> str | None:
    (provider,) = (await person.api.get("/chats/models")).json()["providers"]
    assert provider["available"] is ("unavailable_reason" not in provider)
    return provider.get("unavailable_reason")


async def test_the_deployments_key_is_used_where_people_bring_none(
    people: People, ada: Person, bob: Person, sealer: Sealer
) -> None:
    await offer(ada, base_url="https://llm.example.com")
    found = await resolved(people, bob, sealer)
    assert (found.credentials.provider, found.credentials.api_key) == ("anthropic", "central")
    assert found.credentials.base_url == "https://llm.example.com"
    assert found.own_key is False
    assert "central" not in repr(found)
    assert await reason(bob) is None
    refused = await bob.api.put(f"{OWN}/anthropic", json={"api_key": "mine"})
    assert refused.json()["message"] == "Provider does not allow user API keys."


async def test_a_key_of_ones_own_comes_first_and_the_fallback_only_where_allowed(
    people: People, ada: Person, bob: Person, sealer: Sealer
) -> None:
    provider = await offer(ada, allow_user_api_key=True)
    assert await reason(bob) == "user_api_key_required"
    with pytest.raises(ModelError, match="Anthropic needs an API key of your own") as caught:
        await key(people, bob, sealer)
    assert caught.value.kind is ErrorKind.MISSING_KEY
    (row,) = (await bob.api.get(OWN)).json()
    assert (row["provider_id"], row["has_user_api_key"]) == (provider, False)

    made = await bob.api.put(f"{OWN}/{provider}", json={"api_key": " mine "})
    assert (made.status_code, made.json()["has_user_api_key"]) == (200, True)
    assert "mine" not in made.text
    assert await key(people, bob, sealer) == "mine"
    assert (await resolved(people, bob, sealer)).own_key
    assert await reason(bob) is None
    assert await reason(ada) == "user_api_key_required"

    for _ in range(2):
        assert (await bob.api.delete(f"{OWN}/anthropic")).status_code == 204
    fallback = {"allow_central_api_key_fallback": True}
    await ada.api.patch(f"/chats/providers/{provider}", json=fallback)
    assert await key(people, bob, sealer) == "central"
    assert (await bob.api.get(OWN)).json()[0].get("has_central_api_key_fallback") is True


async def test_keys_of_ones_own_are_checked(ada: Person, bob: Person) -> None:
    provider = await offer(ada, allow_user_api_key=True)

    async def message(which: str, api_key: str = "mine") -> str:
        answer = await bob.api.put(f"{OWN}/{which}", json={"api_key": api_key})
        return answer.json()["message"]

    assert await message("anthropic", " ") == "API key is required."
    assert "not found" in await message("google")
    await ada.api.patch(f"/chats/providers/{provider}", json={"enabled": False})
    assert await message("anthropic") == "Provider is disabled."
    assert (await bob.api.get(OWN)).json() == []


async def test_servers_of_ones_own_need_no_key(
    people: People, ada: Person, bob: Person, sealer: Sealer
) -> None:
    await offer(ada, "openai-compat", base_url="http://127.0.0.1:8080/v1", api_key="")
    assert await key(people, bob, sealer) == ""


async def test_a_key_that_does_not_open_is_said_and_not_shown(
    people: People, ada: Person, sealer: Sealer
) -> None:
    provider = await offer(ada)
    with pytest.raises(ModelError, match="which this server does not have") as caught:
        await key(people, ada, Sealer([b"x" * 32]))
    assert caught.value.kind is ErrorKind.MISSING_KEY
    # Copied into another row, it does not open either.
    async with people.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            UPDATE chat_providers SET api_key = NULL WHERE id = %(id)s
            """,
            {"id": UUID(provider)},
        )
    with pytest.raises(ModelError, match="has no API key: ask an administrator"):
        await key(people, ada, sealer)
    assert await reason(ada) == "missing_api_key"


async def test_prices_of_an_admin_lie_over_the_public_ones(
    people: People, ada: Person, sealer: Sealer
) -> None:
    cost = {"input_price_per_million_tokens": 1.5, "output_price_per_million_tokens": "7"}
    await offer(ada, "openai-compat", {"cost": cost}, base_url="http://models:80")
    found = (await resolved(people, ada, sealer)).prices
    assert found is not None
    assert (found.source, found.input, found.output) == ("admin", Decimal("1.5"), Decimal(7))


async def test_without_prices_a_cost_is_unknown(
    people: People, ada: Person, sealer: Sealer
) -> None:
    await offer(ada, "openai-compat", base_url="http://models:80")
    assert (await resolved(people, ada, sealer)).prices is None


def test_free_is_a_price() -> None:
    found = prices({"cost": {"input_price_per_million_tokens": "0"}})
    assert found is not None
    assert found.input == 0
    assert prices({"cost": {}}) is None


@pytest.mark.parametrize(
    ("effort", "wanted", "taken"),
    [
        ({"default": "medium", "max": "high"}, "", "medium"),
        ({"default": "medium", "max": "high"}, "low", "low"),
        ({"default": "medium", "max": "high"}, "max", "high"),
        ({"max": "high"}, "", ""),
        ({"default": "low"}, "xhigh", "xhigh"),
        ({"default": "low"}, "very", "low"),
        (None, "high", ""),
    ],
)
def test_effort_is_held_to_the_models_most(effort: Any, wanted: str, taken: str) -> None:
    options: dict[str, Any] = {"temperature": 1, "max_output_tokens": 5, "cost": {}}
    if effort is not None:
        options["reasoning_effort"] = effort
    call = call_options(options, wanted)
    assert call.reasoning_effort == taken
    assert (call.max_output_tokens, call.values) == (5, {"temperature": 1})
    assert call_options({}).max_output_tokens == 32_000


async def test_a_new_deployment_offers_the_stand_in(
    people: People, ada: Person, bob: Person, sealer: Sealer
) -> None:
    answers = await asyncio.gather(*(bob.api.get("/chats/models") for _ in range(5)))
    for answer in answers:
        (provider,) = answer.json()["providers"]
        (model,) = provider["models"]
        assert (provider["provider"], provider["available"]) == ("scripted", True)
        assert model["display_name"] == "Scripted (offline stand-in)"
        assert model["is_default"] is True
    found = await resolved(people, bob, sealer)
    assert found.credentials.provider == "scripted"
    assert found.prices is not None
    assert found.prices.output == 0
    assert effort_of(found.config, "high") == ""


async def test_the_stand_in_makes_way_for_a_model_and_stays_away_once_removed(
    people: People, ada: Person, sealer: Sealer
) -> None:
    (stand_in,) = (await ada.api.get("/chats/model-configs")).json()
    await offer(ada)
    assert (await resolved(people, ada, sealer)).credentials.provider == "anthropic"
    # Whoever wants it as the default says so, and nothing takes it away.
    path = f"/chats/model-configs/{stand_in['id']}"
    await ada.api.patch(path, json={"is_default": True})
    assert (await resolved(people, ada, sealer)).credentials.provider == "scripted"
    for row in (await ada.api.get("/chats/providers")).json():
        if row["source"] == "database":
            assert (await ada.api.delete(f"/chats/providers/{row['id']}")).status_code == 204
    for path in ("/chats/models", "/chats/model-configs"):
        assert "scripted" not in (await ada.api.get(path)).text


async def test_where_a_provider_was_set_up_first_there_is_no_stand_in(ada: Person) -> None:
    provider = await offer(ada)
    await ada.api.delete(f"/chats/providers/{provider}")
    assert (await ada.api.get("/chats/models")).json() == {"providers": []}


async def test_keys_are_sealed_anew_with_the_first_key(
    people: People, ada: Person, bob: Person, sealer: Sealer
) -> None:
    await offer(ada, allow_user_api_key=True)
    await bob.api.put(f"{OWN}/anthropic", json={"api_key": "mine"})
    fresh = b"f" * 32
    async with people.database.tx(as_system("test")) as tx:
        assert await resealing.reseal_keys(tx, sealer, Sealer([fresh])) == 2
    assert await key(people, bob, Sealer([fresh])) == "mine"
    with pytest.raises(ModelError):
        await key(people, bob, sealer)


async def test_a_token_for_something_else_brings_no_key(people: People, bob: Person) -> None:
    actor = replace(await people.actor(bob), scopes=frozenset({"chat:*", "workspace:read"}))
    async with people.database.tx(actor) as tx:
        with pytest.raises(Forbidden):
            await keys.put(tx, Sealer([KEY]), "openai", "sk-mine")
        with pytest.raises(Forbidden):
            await keys.delete(tx, "openai")
