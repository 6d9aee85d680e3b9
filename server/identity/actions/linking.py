"""Accounts of other services: linked by their owner, and used for them by builds, git and chats."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from server.identity.actions.services import Services
from server.identity.errors import ServiceFailed, UnknownService
from server.identity.model.linking import DeviceCode, Grant, Link, Linked, Shown
from server.identity.store import links as store
from server.identity.store.links import Sealed
from server.kit.authz import Actor, as_system
from server.kit.db import Database, Tx
from server.kit.errors import Invalid, NotFound
from server.kit.sealing import CannotUnseal, Sealer
from server.settings import ExternalAuthProvider

log = structlog.get_logger()

BELIEVED: Final = 60.0
"""Seconds for which a service's word that a token is good is believed."""
_REMEMBERED: Final = 10_000
RENEWAL_TRIES: Final = 60
"""Looks, half a second apart, at a renewal that another replica makes."""
SYSTEM: Final = "external auth"


@dataclass(frozen=True, slots=True)
class Removed:
    """An account that is linked no more; ``revocation_error`` says why its token still works."""

    revoked: bool
    revocation_error: str = ""


class Linker:
    """Link accounts, and hand out tokens that work. One for the server."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        services: Services,
        providers: Sequence[ExternalAuthProvider] = (),
    ) -> None:
        self.database = database
        self.services = services
        self.providers = tuple(providers)
        self._sealer = sealer
        self._good: OrderedDict[bytes, float] = OrderedDict()
        self._renewals: set[asyncio.Future[bool]] = set()

    def provider(self, provider_id: str) -> ExternalAuthProvider:
        """Return a service of the settings.

        Raises:
            UnknownService: there is none of this id.
        """
        for one in self.providers:
            if one.id == provider_id:
                return one
        raise UnknownService(provider_id[:100])

    def serving(self, url: str) -> ExternalAuthProvider | None:
        """Return the service that a git URL belongs to."""
        return next((one for one in self.providers if one.serves(url)), None)

    def page(self, provider: ExternalAuthProvider) -> str:
        """Return where a person links their account."""
        return f"{self.services.access_url}/external-auth/{provider.id}"

    async def links(self, actor: Actor) -> list[tuple[Link, bool, str]]:
        """Return the actor's accounts, whether each works, and why not."""
        async with self.database.tx(actor) as tx:
            found = await store.of_user(tx, _me(actor))
        known = {one.id for one in self.providers}
        return [
            (link, *await self._checked(link)) if link.provider_id in known else (link, False, "")
            for link in found
        ]

    async def show(self, actor: Actor, provider_id: str) -> Shown:
        """Return a service and who the actor is there."""
        provider = self.provider(provider_id)
        linked = await self.token(_me(actor), provider)
        if linked is None:
            return Shown(provider)
        try:
            account = await self.services.account(provider, linked.access_token)
            installed = await self.services.installations(provider, linked.access_token)
        except ServiceFailed:
            # The token is good; who it belongs to is only for the eye.
            return Shown(provider, authenticated=True)
        return Shown(provider, authenticated=True, account=account, installations=installed)

    async def finish(self, actor: Actor, provider_id: str, code: str, verifier: str) -> None:
        """Link the account that the actor came back from.

        Raises:
            ServiceFailed: the service takes the code no more.
        """
        provider = self.provider(provider_id)
        await self._keep(actor, provider, await self.services.exchange(provider, code, verifier))

    async def device(self, provider_id: str) -> DeviceCode:
        """Return a code for the actor to type at the service.

        Raises:
            Invalid: the service has no such way.
        """
        return await self.services.device(self._by_device(provider_id))

    async def finish_device(self, actor: Actor, provider_id: str, device_code: str) -> None:
        """Link the account of whoever typed the code.

        Raises:
            Invalid: not yet, or no more; ``detail`` is the service's own word.
        """
        provider = self._by_device(provider_id)
        try:
            grant = await self.services.device_grant(provider, device_code)
        except ServiceFailed as failed:
            # The original's clients go by the detail: authorization_pending, slow_down ….
            raise Invalid("The device is not authorized yet.", detail=failed.code) from None
        await self._keep(actor, provider, grant)

    async def unlink(self, actor: Actor, provider_id: str) -> Removed:
        """Forget the actor's account, and have the service forget its token where it can.

        Raises:
            NotFound: none is linked.
        """
        provider = self.provider(provider_id)
        async with self.database.tx(actor) as tx:
            link = await store.get(tx, provider.id, _me(actor))
            token = await self._opened(tx, link) if link else None
            if not await store.delete(tx, provider.id, _me(actor)):
                raise NotFound("You have no account linked there.")
        if not provider.revoke_url or not token:
            return Removed(revoked=False)
        error = await self.services.revoke(provider, token)
        return Removed(revoked=not error, revocation_error=error)

    async def tokens(self, user_id: UUID, provider_ids: Sequence[str]) -> dict[str, str]:
        """Return the tokens that work of some services, for a build of the user's."""
        known = [one for one in self.providers if one.id in provider_ids]
        found = {one.id: await self._quiet(user_id, one) for one in known}
        return {name: linked.access_token for name, linked in found.items() if linked}

    async def token(self, user_id: UUID, provider: ExternalAuthProvider) -> Linked | None:
        """Return the user's token of a service, renewed when needed; None when they must link.

        No transaction is open while the service is asked.

        Raises:
            ServiceFailed: the service does not answer, or a renewal takes too long.
        """
        renewed = False
        for _ in range(RENEWAL_TRIES):
            async with self.database.tx(as_system(SYSTEM)) as tx:
                link = await store.get(tx, provider.id, user_id)
                if link is None:
                    return None
                # One that was renewed right now gets no better: some services give only seconds.
                fresh = renewed or link.fresh(tx.now)
                token = await self._opened(tx, link)
                mine = not fresh and link.refresh_token is not None and await store.claim(tx, link)
            if token is None or (not fresh and link.refresh_token is None):
                return None
            if fresh:
                good = await self._good_token(provider, token)
                return Linked(provider.type, token, link.extra) if good else None
            if mine:
                renewed = await self._to_its_end(self._renew(provider, link))
            else:
                await self.database.clock.sleep(0.5)
        raise ServiceFailed(provider.id, "a renewal of the token takes too long; try again")

    async def _quiet(self, user_id: UUID, provider: ExternalAuthProvider) -> Linked | None:
        try:
            return await self.token(user_id, provider)
        except ServiceFailed as failed:
            log.warning("no token of a service", provider=provider.id, reason=failed.reason)
            return None

    async def _checked(self, link: Link) -> tuple[bool, str]:
        try:
            return await self.token(link.user_id, self.provider(link.provider_id)) is not None, ""
        except ServiceFailed as failed:
            return False, failed.message

    async def _to_its_end(self, renewal: Coroutine[Any, Any, bool]) -> bool:
        """Return what ``renewal`` returns; it goes on when whoever asked is gone.

        The old token is used up by then: a new one that nobody keeps would cost the link.
        """
        task = asyncio.ensure_future(renewal)
        self._renewals.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Future[bool]) -> None:
        self._renewals.discard(task)
        if not task.cancelled():
            task.exception()  # There may be nobody left to hear it.

    async def _renew(self, provider: ExternalAuthProvider, link: Link) -> bool:
        """Renew a token; return False when it never will be.

        Raises:
            ServiceFailed: not now.
        """
        async with self.database.tx(as_system(SYSTEM)) as tx:
            old = await self._opened(tx, link, refresh=True)
        try:
            grant = await self.services.refresh(provider, old or "")
        except ServiceFailed as failed:
            async with self.database.tx(as_system(SYSTEM)) as tx:
                await store.fail(tx, link, failed.reason, lost=failed.lost)
            if failed.lost:
                return False
            raise
        async with self.database.tx(as_system(SYSTEM)) as tx:
            await store.renew(tx, link, await self._sealed(tx, _place(link), grant))
        return True

    async def _keep(self, actor: Actor, provider: ExternalAuthProvider, grant: Grant) -> None:
        async with self.database.tx(actor) as tx:
            place = f"external_auth_links/{provider.id}/{_me(actor)}"
            await store.put(tx, provider.id, _me(actor), await self._sealed(tx, place, grant))

    async def _sealed(self, tx: Tx, place: str, grant: Grant) -> Sealed:
        refresh = grant.refresh_token
        return Sealed(
            access_token=await self._sealer.seal(tx, grant.access_token, place),
            refresh_token=await self._sealer.seal(tx, refresh, place) if refresh else None,
            expires_at=tx.now + grant.lifetime if grant.lifetime else None,
            extra=grant.extra,
        )

    async def _opened(self, tx: Tx, link: Link, *, refresh: bool = False) -> str | None:
        blob = link.refresh_token if refresh else link.access_token
        try:
            return await self._sealer.open(tx, bytes(blob), _place(link)) if blob else None
        except CannotUnseal as error:
            log.warning(
                "a linked account cannot be read", provider=link.provider_id, why=str(error)
            )
            return None

    async def _good_token(self, provider: ExternalAuthProvider, token: str) -> bool:
        """Ask the service whether it takes the token, unless it said so a moment ago."""
        name = hashlib.sha256(f"{provider.id}\0{token}".encode()).digest()
        now = self.database.clock.monotonic()
        if self._good.get(name, 0.0) > now:
            return True
        if not await self.services.valid(provider, token):
            self._good.pop(name, None)
            return False
        self._good[name] = now + BELIEVED
        while len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return True

    def _by_device(self, provider_id: str) -> ExternalAuthProvider:
        provider = self.provider(provider_id)
        if not provider.device_flow:
            raise Invalid("External auth provider does not support device flow.")
        return provider


def _place(link: Link) -> str:
    return f"external_auth_links/{link.provider_id}/{link.user_id}"


def _me(actor: Actor) -> UUID:
    if actor.id is None:
        raise NotFound
    return actor.id
