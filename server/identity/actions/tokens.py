"""Keys: sessions for clients, tokens that people make for scripts, and those builds carry."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from coder_cli.kit.durations import format_duration
from coder_cli.kit.names import NAME
from coder_cli.sdk.users import LoginType
from server.identity import policy
from server.identity.actions import find
from server.identity.events import AccessChanged
from server.identity.model import roles, scopes
from server.identity.model.keys import ApiKey, NewKey
from server.identity.model.options import IdentityOptions
from server.identity.store import keys as store
from server.identity.store.keys import TokenFilter
from server.kit.authz import Action, Actor
from server.kit.crypto import random_text
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound

EVERYTHING = ("*:*",)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token that somebody asks for; zero and empty take the deployment's defaults."""

    lifetime: timedelta = timedelta(0)
    name: str = ""
    scope: str = ""
    scopes: tuple[str, ...] = ()
    allow_list: tuple[str, ...] = ()


async def create_session(tx: Tx, who: str, ip: str, options: IdentityOptions) -> str:
    """Return a fresh session token for a user, as ``coder login`` keeps it.

    It may do what the key may do that asks for it.
    """
    user = await find.visible_user(tx, who)
    tx.actor.require(Action.CREATE, policy.key(user.id))
    new = NewKey(
        user.id,
        options.default_token_lifetime,
        LoginType.PASSWORD,
        scopes=scopes.wanted("", (), tx.actor.scopes),
        ip_address=ip,
    )
    return await store.insert(tx, new)


async def create_token(
    tx: Tx, who: str, wanted: TokenRequest, ip: str, options: IdentityOptions
) -> str:
    """Return a new token of a user; nobody can read it a second time.

    Raises:
        Invalid: a bad name or scope, or a lifetime over the limit.
        Taken: the user has a token of this name.
    """
    user = await find.visible_user(tx, who)
    tx.actor.require(Action.CREATE, policy.key(user.id))
    _check_name(wanted.name)
    _check_allow_list(wanted.allow_list)
    new = NewKey(
        user.id,
        _lifetime(wanted.lifetime, max_lifetime(tx.actor, options), options),
        LoginType.TOKEN,
        name=wanted.name or f"token-{random_text(8).lower()}",
        scopes=scopes.wanted(wanted.scope, wanted.scopes, tx.actor.scopes),
        ip_address=ip,
    )
    return await store.insert(tx, new)


async def tokens(tx: Tx, who: str, *, include_all: bool, include_expired: bool) -> list[ApiKey]:
    """Return a user's tokens, or everybody's that the actor may see."""
    user = await find.visible_user(tx, who)
    wanted = TokenFilter(None if include_all else user.id, include_expired)
    return await store.tokens(tx, wanted)


async def token_named(tx: Tx, who: str, name: str) -> ApiKey:
    """Return a user's token by its name.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    user = await find.visible_user(tx, who)
    return _found(await store.by_name(tx, user.id, name))


async def key(tx: Tx, who: str, key_id: str) -> ApiKey:
    """Return a user's key by its id.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    user = await find.visible_user(tx, who)
    return _found(await store.by_id(tx, user.id, key_id))


async def delete(tx: Tx, who: str, key_id: str) -> None:
    """Forget a key; whoever uses it is signed out."""
    found = await key(tx, who, key_id)
    tx.actor.require(Action.DELETE, policy.key(found.user_id))
    await store.delete(tx, found.id)
    await tx.announce(AccessChanged(user_id=found.user_id))


async def expire(tx: Tx, who: str, key_id: str) -> None:
    """End a key now, and keep its record."""
    found = await key(tx, who, key_id)
    tx.actor.require(Action.UPDATE, policy.key(found.user_id))
    await store.expire(tx, found.id)
    await tx.announce(AccessChanged(user_id=found.user_id))


async def longest_lifetime(tx: Tx, who: str, options: IdentityOptions) -> timedelta:
    """Return how long a token that the actor makes for a user may live."""
    await find.visible_user(tx, who)
    return max_lifetime(tx.actor, options)


async def mint_key(tx: Tx, user_id: UUID, lifetime: timedelta, name: str) -> str:
    """Return a session token for a user's workspace; it replaces the one of the same name."""
    await store.delete_named(tx, user_id, name)
    return await store.insert(tx, NewKey(user_id, lifetime, LoginType.PASSWORD, name=name))


async def revoke_key(tx: Tx, user_id: UUID, name: str) -> None:
    """Forget the session token that ``mint_key`` made under this name, if there is one."""
    await store.delete_named(tx, user_id, name)


def max_lifetime(actor: Actor, options: IdentityOptions) -> timedelta:
    """Return the longest lifetime that the actor may give: owners have a limit of their own."""
    owner = actor.roles & {roles.OWNER, roles.OWNER_WITHOUT_WORKSPACES}
    return options.max_admin_token_lifetime if owner else options.max_token_lifetime


def _lifetime(wanted: timedelta, limit: timedelta, options: IdentityOptions) -> timedelta:
    if wanted > limit:
        long = FieldError("lifetime", f"lifetime must be less than {format_duration(limit)}")
        raise Invalid("Failed to validate create API key request.", fields=[long])
    return wanted or min(options.default_token_lifetime, limit)


def _check_name(name: str) -> None:
    if name and not (len(name) <= 64 and NAME.fullmatch(name)):
        bad = FieldError(
            "token_name", "must be letters and digits, with single hyphens between them"
        )
        raise Invalid("Validation failed.", fields=[bad])


def _check_allow_list(allow_list: tuple[str, ...]) -> None:
    """Refuse what we would not enforce: better no token than one that may do more than it says."""
    if any(entry not in EVERYTHING for entry in allow_list):
        only = FieldError(
            "allow_list", "This server only accepts *:*; limit a token by its scopes."
        )
        raise Invalid("Failed to validate create API key request.", fields=[only])


def _found(found: ApiKey | None) -> ApiKey:
    if found is None:
        raise NotFound
    return found
