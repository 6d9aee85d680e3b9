"""Providers: set up by admins, with keys that nobody ever sees again."""

from typing import Any

import pytest
import structlog

from coder_cli.sdk.chats.models import ChatProvider
from server.kit.authz import as_system
from server.kit.sealing import Sealer
from server.models import choose, resolve
from server.models.errors import BadBaseUrl
from server.models.model.providers import check_base_url
from tests.support.people import People, Person

CANARY = "sk-canary-4711"
PROVIDERS = "/chats/providers"


async def add(person: Person, provider: str = "openai", **more: Any) -> dict[str, Any]:
    answer = await person.api.post(
        PROVIDERS, json={"provider": provider, "api_key": CANARY, **more}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refused(person: Person, provider: str = "openai", **more: Any) -> tuple[int, str]:
    body = {"provider": provider, "api_key": CANARY, **more}
    answer = await person.api.post(PROVIDERS, json=body)
    assert CANARY not in answer.text
    return answer.status_code, answer.json()["message"]


async def test_a_provider_is_set_up_changed_and_removed(ada: Person) -> None:
    made = await add(ada, display_name=" Our OpenAI ", base_url="https://llm.example.com/v1/")
    assert made["source"] == "database"
    assert made["has_api_key"] is True
    assert (made["display_name"], made["base_url"]) == ("Our OpenAI", "https://llm.example.com/v1")
    rows = (await ada.api.get(PROVIDERS)).json()
    assert rows[0] == made
    assert {row["source"] for row in rows[1:]} == {"supported"}
    assert sorted(row["provider"] for row in rows) == sorted(ChatProvider)
    changed = await ada.api.patch(f"{PROVIDERS}/{made['id']}", json={"enabled": False})
    assert changed.json() == {**made, "enabled": False, "updated_at": changed.json()["updated_at"]}
    assert (await ada.api.delete(f"{PROVIDERS}/{made['id']}")).status_code == 204
    assert (await ada.api.delete(f"{PROVIDERS}/{made['id']}")).status_code == 404
    assert {row["source"] for row in (await ada.api.get(PROVIDERS)).json()} == {"supported"}


async def test_there_is_one_entry_for_each_provider(ada: Person) -> None:
    await add(ada)
    assert await refused(ada) == (409, "Chat provider already exists.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"provider": "clippy"}, "Invalid provider."),
        ({"base_url": "ftp://models"}, "Invalid provider base URL."),
        ({"provider": "openai-compat"}, "Invalid provider base URL."),
        ({"central_api_key_enabled": False}, "Invalid credential policy."),
        ({"allow_central_api_key_fallback": True}, "Invalid credential policy."),
        ({"api_key": ""}, "API key is required when central API key is enabled."),
        ({"api_key": "x" * 10_241}, "API key is too long."),
        ({"api_key": "two\nlines"}, "API key must consist of printable ASCII characters."),
    ],
)
async def test_what_could_not_be_called_is_refused(
    ada: Person, body: dict[str, Any], message: str
) -> None:
    assert await refused(ada, **body) == (400, message)


async def test_a_key_can_be_replaced_and_taken_away(
    ada: Person, people: People, sealer: Sealer
) -> None:
    made = await add(ada)
    await ada.api.post(
        "/chats/model-configs", json={"provider": "openai", "model": "gpt", "context_limit": 1000}
    )
    path = f"{PROVIDERS}/{made['id']}"

    async def key() -> str:
        async with people.database.tx(as_system("test")) as tx:
            return (await resolve(tx, sealer, ada.id, None)).credentials.api_key

    await ada.api.patch(path, json={"display_name": "x"})
    assert await key() == CANARY
    await ada.api.patch(path, json={"api_key": "  second\n"})
    assert await key() == "second"
    gone = await ada.api.patch(path, json={"api_key": ""})
    assert gone.json()["message"] == "API key is required when central API key is enabled."
    assert await key() == "second"
    policy = {"api_key": "", "central_api_key_enabled": False, "allow_user_api_key": True}
    assert (await ada.api.patch(path, json=policy)).json()["has_api_key"] is False


async def test_a_provider_stays_while_chats_name_its_models(ada: Person, people: People) -> None:
    made = await add(ada)
    model = {"provider": "openai", "model": "gpt", "context_limit": 1000}
    config = (await ada.api.post("/chats/model-configs", json=model)).json()
    async with people.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            INSERT INTO chats (id, organization_id, owner_id, last_model_config_id, title, status,
                               created_at, updated_at)
            VALUES (gen_random_uuid(), %(org)s, %(owner)s, %(config)s, 't', 'waiting',
                    now(), now())
            """,
            {"org": await people.home(), "owner": ada.id, "config": config["id"]},
        )
    answer = await ada.api.delete(f"{PROVIDERS}/{made['id']}")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Provider models are still referenced by existing chats."
    # Nothing of it was done.
    assert len((await ada.api.get("/chats/model-configs")).json()) == 1


async def test_members_neither_see_nor_change_providers(bob: Person, ada: Person) -> None:
    made = await add(ada)
    path = f"{PROVIDERS}/{made['id']}"
    assert (await bob.api.get(PROVIDERS)).status_code == 403
    assert (await bob.api.post(PROVIDERS, json={"provider": "google"})).status_code == 403
    assert (await bob.api.patch(path, json={"enabled": False})).status_code == 403
    assert (await bob.api.delete(path)).status_code == 403


async def test_a_key_is_never_told(people: People, ada: Person) -> None:
    """A canary: not in an answer, not in the log, not readable in the database."""
    with structlog.testing.capture_logs() as logs:
        made = await add(ada)
        path = f"{PROVIDERS}/{made['id']}"
        answers = [
            await ada.api.get(PROVIDERS),
            await ada.api.patch(path, json={"api_key": CANARY, "base_url": "http://u:p@x"}),
            await ada.api.patch(path, json={"api_key": CANARY}),
            await ada.api.post(PROVIDERS, json={"provider": "openai", "api_key": CANARY}),
            await ada.api.post(PROVIDERS, json={"provider": "google", "api_key": [CANARY]}),
        ]
    assert not [answer.text for answer in answers if CANARY in answer.text]
    assert CANARY not in str(logs)
    async with people.database.tx(as_system("test")) as tx:
        rows = await tx.values("SELECT to_jsonb(p)::text || p.api_key::text FROM chat_providers p")
        raw = await tx.values("SELECT api_key FROM chat_providers")
    assert CANARY not in str(rows)
    assert CANARY.encode() not in bytes(raw[0])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://api.example.com",
        "http://localhost:8080/v1",
        "http://10.0.0.7:11434",
        "http://[::1]:8080",
        "https://192.168.1.5/openai/v1",
    ],
)
def test_addresses_of_ones_own_network_are_fine(url: str) -> None:
    check_base_url("openai", url)


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "file:///etc/passwd",
        "http://",
        "https://user:secret@example.com",
        "https://example.com/v1?key=1",
        "https://example.com/#x",
        "http://exa mple.com",
        "http://169.254.169.254/latest",
        "http://169.254.170.2/v2",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/x",
        "http://METADATA.google.internal./x",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://169.254.43518/",
        "http://0.0.0.0/",
        "http://[::]:80/",
        "http://224.0.0.1/",
        "http://example.com:99999/",
        "http://[::1/",
        "https://" + "a" * 3000,
    ],
)
def test_addresses_that_hand_out_credentials_or_are_none_are_refused(url: str) -> None:
    with pytest.raises(BadBaseUrl):
        check_base_url("openai", url)


async def test_a_disabled_provider_is_offered_no_more(ada: Person, people: People) -> None:
    first, second = await add(ada), await add(ada, "google")
    for provider in ("openai", "google"):
        body = {"provider": provider, "model": "m", "context_limit": 1000}
        await ada.api.post("/chats/model-configs", json=body)

    async def default() -> str:
        async with people.database.tx(as_system("test")) as tx:
            return (await choose(tx, None)).provider

    assert await default() == "openai"
    await ada.api.patch(f"{PROVIDERS}/{first['id']}", json={"enabled": False})
    assert await default() == "google"
    assert second["provider"] == "google"
