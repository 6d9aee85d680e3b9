"""Who may serve as a provisioner daemon from elsewhere, and for which jobs."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from coder_cli.kit.build import version
from server import identity
from server.kit.authz import Action, Actor, Kind, Object
from server.kit.crypto import hash_secret
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound, Unauthorized
from server.provisioning.actions.leases import SYSTEM, Desk
from server.provisioning.errors import BadKey
from server.provisioning.model import PSK, USER_AUTH, Guest, check_line, check_tags, job_tags
from server.provisioning.model.guests import LONGEST_DAEMON_NAME
from server.provisioning.store import keys as store

WHEREVER = "default"
"""The organization that a daemon with a key names when it leaves that to its key."""


@dataclass(frozen=True, slots=True)
class Hall:
    """Where daemons of other machines come in."""

    desk: Desk
    replica_id: UUID
    psk: str = field(repr=False)
    force_cancel: timedelta


@dataclass(frozen=True, slots=True)
class Knock:
    """What a daemon says of itself before it is let in."""

    organization: str
    name: str
    tags: Mapping[str, str]
    line: str
    version: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a daemon shows: a key, the shared key, or a user's session."""

    key: str = field(repr=False)
    psk: str = field(repr=False)
    user: Actor | None


async def admit(hall: Hall, knock: Knock, shown: Credentials) -> Guest:
    """Return the daemon as it may serve here.

    Raises:
        Unauthorized: nobody we know.
        Forbidden: a user who may not make daemons there.
        NotFound: the organization is hidden.
        Invalid: a name, tags or a version that cannot be.
    """
    if not 1 <= len(knock.name) <= LONGEST_DAEMON_NAME or not knock.name.isprintable():
        raise Invalid(
            "A provisioner daemon needs a name.",
            fields=[FieldError("name", f"must be 1 to {LONGEST_DAEMON_NAME} printable characters")],
        )
    if why := check_tags(knock.tags):
        raise BadKey("tag", why)
    if shown.key and shown.psk:
        raise Invalid("provisioner key and psk provided, but only one is allowed")
    guest = await _let_in(hall, knock, shown)
    check_line(knock.line, knock.version, version())
    return guest


async def _let_in(hall: Hall, knock: Knock, shown: Credentials) -> Guest:
    if shown.key:
        return await _by_key(hall, knock, shown.key)
    if shown.psk:
        return await _by_psk(hall, knock, shown.psk)
    if shown.user is None:
        raise Unauthorized("A provisioner key, the pre-shared key or a session is required.")
    async with hall.desk.db.tx(shown.user) as tx:
        return await _by_session(tx, knock, shown.user)


async def _by_key(hall: Hall, knock: Knock, secret: str) -> Guest:
    async with hall.desk.db.tx(SYSTEM) as tx:
        key = await store.of_secret(tx, hash_secret(secret))
        if key is None:
            raise Unauthorized("provisioner daemon key invalid")
        where = key.organization_id
        if knock.organization != WHEREVER:
            where = (await identity.resolve_organization(tx, knock.organization)).id
    if where != key.organization_id:
        raise NotFound
    if knock.tags:
        raise BadKey("tag", "a provisioner key has its own tags; a daemon cannot bring others")
    # Whose a job is has nothing to do with a key: it serves the organization.
    tags = job_tags({**key.tags, "scope": "organization"}, key.id)
    return Guest(key.organization_id, knock.name, knock.version, tags, key.id)


async def _by_psk(hall: Hall, knock: Knock, psk: str) -> Guest:
    if not hall.psk:
        raise Unauthorized("External provisioner daemons not enabled")
    if not hmac.compare_digest(psk.encode(), hall.psk.encode()):
        raise Unauthorized("provisioner daemon psk invalid")
    async with hall.desk.db.tx(SYSTEM) as tx:
        organization_id = (await identity.resolve_organization(tx, knock.organization)).id
    tags = job_tags({**knock.tags, "scope": "organization"}, organization_id)
    return Guest(organization_id, knock.name, knock.version, tags, PSK)


async def _by_session(tx: Tx, knock: Knock, user: Actor) -> Guest:
    organization_id = (await identity.resolve_organization(tx, knock.organization)).id
    user.require(Action.CREATE, Object(Kind.PROVISIONER_DAEMON, organization_id=organization_id))
    # A daemon of a user's own takes that user's jobs, nobody else's.
    tags = job_tags({**knock.tags, "owner": ""}, user.user_id)
    return Guest(organization_id, knock.name, knock.version, tags, USER_AUTH)
