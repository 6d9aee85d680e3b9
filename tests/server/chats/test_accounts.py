"""Pull requests are looked up with the accounts that people linked, and no others."""

from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI

from server.chats.actions.accounts import LinkedAccounts
from server.chats.actions.gitsync import GitSync
from server.chats.store import diff
from server.identity import Linker, Services
from server.identity.store import links
from server.kit.sealing import Sealer
from server.settings import ExternalAuthProvider
from tests.server.chats.bureau import Bureau
from tests.server.chats.rows import SYSTEM
from tests.server.chats.test_gitsync import BRANCH, reported
from tests.support.git_service import GitService
from tests.support.github import GitHub, Pull
from tests.support.people import Person
from tests.support.serving import served

KEY = bytes(range(32))


@pytest.fixture
async def hub() -> AsyncGenerator[tuple[GitHub, ExternalAuthProvider, str]]:
    """A GitHub of one's own whose accounts are linked: its API, the setting, and a good token."""
    service, hub = GitService(), GitHub()
    app = FastAPI()
    app.include_router(hub.routes())
    app.mount("/api/v2", service.app())
    async with served(app) as address:
        hub.address = address
        provider = service.provider(address, regex=r"^https://github\.com/acme/.*$")
        yield hub, provider, service.token()["access_token"]


async def link(bureau: Bureau, sealer: Sealer, who: Person, token: str) -> None:
    """Link a person's account."""
    async with bureau.database.tx(SYSTEM) as tx:
        place = f"external_auth_links/github/{who.id}"
        sealed = links.Sealed(await sealer.seal(tx, token, place), None, None, {})
        await links.put(tx, "github", who.id, sealed)


async def test_a_pull_request_is_found_in_the_owners_name(
    bureau: Bureau,
    hub: tuple[GitHub, ExternalAuthProvider, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there, provider, token = hub
    monkeypatch.setattr("tests.support.github.TOKEN", token)
    there.repo("acme/site", Pull(7, f"acme:{BRANCH}"))
    sealer = Sealer([KEY])
    linker = Linker(bureau.database, sealer, Services("http://coder.test"), [provider])
    accounts = LinkedAccounts(linker)
    syncing = GitSync(bureau.database, accounts, bureau.client)
    chat, _ = await reported(bureau, None)

    # Somebody else's account is not the owner's.
    await link(bureau, sealer, bureau.root, token)
    assert await syncing.tick() == 1
    assert not there.asked

    await link(bureau, sealer, bureau.ann, token)
    await bureau.run("UPDATE chat_diff_statuses SET stale_at = now()")
    assert await syncing.tick() == 1
    async with bureau.database.tx(SYSTEM) as tx:
        found = await diff.get(tx, chat)
    assert found is not None
    assert found.url == "https://github.com/acme/site/pull/7"

    account = await accounts(bureau.ann.id, "https://github.com/acme/site")
    assert account is not None
    assert token not in repr(account)
    assert await accounts(bureau.ann.id, "https://github.com/other/site") is None
