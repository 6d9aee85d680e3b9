"""Keys of secrets in the database: changed, given up, or forgotten with what they sealed."""

import asyncio
import base64
from collections.abc import Sequence
from uuid import uuid4

import pytest

from coder_cli import config
from coder_cli.commands.server_dbcrypt import dbcrypt
from coder_cli.kit.refused import Refused
from server.cli.prepare import prepare
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.sealing import CannotUnseal, Sealer

OLD, NEW = b"o" * 32, b"n" * 32
PROVIDER, USER = uuid4(), uuid4()
PLACES = {
    "central": f"chat_providers.api_key/{PROVIDER}",
    "own": f"user_chat_provider_keys.api_key/{USER}/openai",
    "access": f"external_auth_links/github/{USER}",
    "refresh": f"external_auth_links/github/{USER}",
}
STATEMENTS = (
    """
    INSERT INTO users (id, username, email, name, status, login_type, created_at, updated_at)
    VALUES (%(user)s, 'ann', 'ann@example.com', '', 'active', 'password', now(), now())
    """,
    """
    INSERT INTO chat_providers (id, provider, api_key, created_at, updated_at)
    VALUES (%(provider)s, 'openai', %(central)s, now(), now())
    """,
    """
    INSERT INTO user_chat_provider_keys (user_id, provider, api_key, created_at, updated_at)
    VALUES (%(user)s, 'openai', %(own)s, now(), now())
    """,
    """
    INSERT INTO external_auth_links (provider_id, user_id, access_token, refresh_token, created_at,
                                     updated_at)
    VALUES ('github', %(user)s, %(access)s, %(refresh)s, now(), now())
    """,
)
READ = """
    SELECT (SELECT api_key FROM chat_providers) AS central,
           (SELECT api_key FROM user_chat_provider_keys) AS own,
           (SELECT access_token FROM external_auth_links) AS access,
           (SELECT refresh_token FROM external_auth_links) AS refresh
"""


@pytest.fixture(autouse=True)
def options() -> None:
    """No global flags were given."""
    config.use(config.Globals({}))


def spelled(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


async def fill(dsn: str, sealer: Sealer) -> None:
    await prepare(dsn, None)
    database = Database(dsn)
    await database.open()
    async with database.tx(as_system("test")) as tx:
        sealed = {name: await sealer.seal(tx, name, place) for name, place in PLACES.items()}
        for statement in STATEMENTS:
            await tx.run(statement, {"user": USER, "provider": PROVIDER, **sealed})
    await database.close()


async def secrets(dsn: str, keys: Sequence[bytes]) -> dict[str, str]:
    """Return what opens with these keys."""
    database = Database(dsn)
    await database.open()
    found: dict[str, str] = {}
    async with database.tx(as_system("test")) as tx:
        (row,) = await tx.rows(READ)
        for name, blob in row.items():
            try:
                if blob is not None:
                    found[name] = await Sealer(keys).open(tx, bytes(blob), PLACES[name])
            except CannotUnseal:
                continue
    await database.close()
    return found


EVERYTHING = {name: name for name in PLACES}


def test_every_secret_is_sealed_with_the_new_key(url: str) -> None:
    asyncio.run(fill(url, Sealer([OLD])))
    database = ["--postgres-url", url, "-y"]
    keys = ["--new-key", spelled(NEW), "--old-keys", spelled(b"x" * 32, OLD)]
    assert dbcrypt(["rotate", *database, *keys]) == 0
    assert asyncio.run(secrets(url, [NEW])) == EVERYTHING
    assert asyncio.run(secrets(url, [OLD])) == {}
    # Once more without the key in use: nothing is changed.
    with pytest.raises(Refused, match=r"Nothing was changed: .*which this server does not have"):
        dbcrypt(["rotate", *database, "--new-key", spelled(b"y" * 32), "--old-keys", spelled(OLD)])
    assert asyncio.run(secrets(url, [NEW])) == EVERYTHING


def test_the_deployments_own_key_gives_way_and_comes_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(url, Sealer()))
    database = ["--postgres-url", url, "-y"]
    monkeypatch.setenv("CODER_EXTERNAL_TOKEN_ENCRYPTION_ENCRYPT_NEW_KEY", spelled(NEW))
    assert dbcrypt(["rotate", *database]) == 0
    assert asyncio.run(secrets(url, [])) == {}
    assert asyncio.run(secrets(url, [NEW])) == EVERYTHING
    assert dbcrypt(["decrypt", *database, "--keys", spelled(NEW)]) == 0
    assert asyncio.run(secrets(url, [])) == EVERYTHING


def test_every_secret_is_forgotten(url: str) -> None:
    asyncio.run(fill(url, Sealer([OLD])))
    assert dbcrypt(["delete", "--postgres-url", url, "-y"]) == 0
    assert asyncio.run(secrets(url, [OLD])) == {}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "required"),
        (["rotate", "-y"], "--new-key: give one key"),
        (["rotate", "-y", "--new-key", "short"], "--new-key: key 1"),
        (["rotate", "-y", "--new-key", spelled(OLD, NEW)], "give one key"),
        (["decrypt", "-y", "--keys", "c2hvcnQ="], "key 1 has 5 bytes; it must have 32"),
        (["encrypt"], "invalid choice"),
    ],
)
def test_words_that_make_no_sense(words: list[str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        dbcrypt(words)
