"""Provisioner keys: made once, shown once, and taken back."""

from collections.abc import Iterable
from uuid import UUID

from coder_cli.sdk import provisioners as sdk
from coder_cli.sdk.jobs import ProvisionerDaemon
from server import identity
from server.kit.authz import Action, Kind, Object
from server.kit.crypto import hash_secret, random_text
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.provisioning import convert
from server.provisioning.actions import search
from server.provisioning.errors import BadKey, ReservedKey
from server.provisioning.events import KeyDeleted
from server.provisioning.model import RESERVED, check_key_name, check_tags
from server.provisioning.store import keys as store

SECRET_LENGTH = 43


async def create(
    tx: Tx, organization: str, request: sdk.CreateProvisionerKeyRequest
) -> sdk.CreateProvisionerKeyResponse:
    """Make a key and return it; it is never shown again.

    Raises:
        Forbidden: the actor may not make daemons there.
        BadKey: a name or tags that cannot be.
        KeyNameTaken: there is one of that name.
    """
    organization_id = await _allowed(tx, organization, Action.CREATE)
    tags = request.tags or {}
    if why := check_key_name(request.name):
        raise BadKey("name", why)
    if why := check_tags(tags):
        raise BadKey("tags", why)
    secret = random_text(SECRET_LENGTH)
    await store.insert(tx, organization_id, request.name, hash_secret(secret), tags)
    return sdk.CreateProvisionerKeyResponse(key=secret)


async def find_all(tx: Tx, organization: str) -> list[sdk.ProvisionerKey]:
    """Return an organization's keys, without the reserved ones.

    Raises:
        Forbidden: the actor may not see them.
    """
    organization_id = await _allowed(tx, organization, Action.READ)
    return [convert.key_to_sdk(key) for key in await store.search(tx, organization_id)]


async def with_daemons(tx: Tx, organization: str) -> list[sdk.ProvisionerKeyDaemons]:
    """Return an organization's keys, the reserved ones too, each with its daemons."""
    organization_id = await _allowed(tx, organization, Action.READ)
    keys = [convert.reserved_key_to_sdk(key_id, organization_id, tx.now) for key_id in RESERVED]
    keys += [convert.key_to_sdk(key) for key in await store.search(tx, organization_id)]
    daemons = await search.daemons(tx, organization, search.Wanted(limit=0))
    return [sdk.ProvisionerKeyDaemons(key=key, daemons=_of(key.id, daemons)) for key in keys]


def _of(key_id: UUID, daemons: Iterable[ProvisionerDaemon]) -> list[ProvisionerDaemon]:
    return [daemon for daemon in daemons if daemon.key_id == key_id]


async def delete(tx: Tx, organization: str, name: str) -> None:
    """Delete a key; daemons that are logged in with it are shown out.

    Raises:
        ReservedKey: nobody made it, nobody deletes it.
    """
    organization_id = await _allowed(tx, organization, Action.DELETE)
    if name.lower() in RESERVED.values():
        raise ReservedKey(name)
    key = await store.named(tx, organization_id, name)
    if key is None:
        raise NotFound
    await store.delete(tx, key.id)
    await tx.announce(KeyDeleted(key_id=key.id))


async def of_secret(tx: Tx, secret: str) -> sdk.ProvisionerKey:
    """Return the key that this secret is, for whoever holds it.

    Raises:
        NotFound: it is none.
    """
    key = await store.of_secret(tx, hash_secret(secret))
    if key is None:
        raise NotFound
    return convert.key_to_sdk(key)


async def _allowed(tx: Tx, organization: str, action: Action) -> UUID:
    organization_id = (await identity.resolve_organization(tx, organization)).id
    tx.actor.require(action, Object(Kind.PROVISIONER_DAEMON, organization_id=organization_id))
    return organization_id
