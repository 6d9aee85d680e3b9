"""Lists of jobs and daemons of an organization, for those who watch the queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from coder_cli.sdk import jobs as sdk
from server import identity
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound
from server.provisioning import convert
from server.provisioning.store import daemons as daemon_store
from server.provisioning.store import jobs as store


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to, as the query string has it."""

    limit: int = 50
    ids: str = ""
    status: str = ""
    tags: str = ""
    initiator: str = ""


async def jobs(tx: Tx, organization: str, wanted: Wanted) -> list[sdk.ProvisionerJob]:
    """Return an organization's jobs that the actor may see, newest first.

    Raises:
        NotFound: the organization is hidden.
        Invalid: a filter that cannot be read.
    """
    organization_id = (await identity.resolve_organization(tx, organization)).id
    initiator = await identity.resolve_user(tx, wanted.initiator) if wanted.initiator else None
    states = _words(wanted.status, sdk.JobStatus)
    args = {
        "organization_id": organization_id,
        "ids": _ids(wanted.ids),
        "states": states or None,
        "initiator_id": initiator and initiator.id,
        "tags": _tags(wanted.tags),
        "limit": wanted.limit or None,
    }
    return [convert.job_to_sdk(view) for view in await store.search(tx, args)]


async def job(tx: Tx, organization: str, job_id: UUID) -> sdk.ProvisionerJob:
    """Return one job of an organization.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    found = await jobs(tx, organization, Wanted(ids=str(job_id)))
    if not found:
        raise NotFound
    return found[0]


async def daemons(tx: Tx, organization: str, wanted: Wanted) -> list[sdk.ProvisionerDaemon]:
    """Return an organization's provisioner daemons that the actor may see.

    Raises:
        NotFound: the organization is hidden.
        Invalid: a filter that cannot be read.
    """
    organization_id = (await identity.resolve_organization(tx, organization)).id
    states = _words(wanted.status, sdk.ProvisionerDaemonStatus)
    args = {
        "organization_id": organization_id,
        "ids": _ids(wanted.ids),
        "tags": _tags(wanted.tags),
        "limit": wanted.limit or None,
    }
    found = [convert.daemon_to_sdk(row, tx.now) for row in await daemon_store.search(tx, args)]
    return [daemon for daemon in found if not states or daemon.status in states]


async def matched_provisioners(
    tx: Tx, organization_id: UUID, tags: Mapping[str, str]
) -> sdk.MatchedProvisioners:
    """Return how many daemons could take a job with these tags, and how many live."""
    row = await daemon_store.matched(tx, organization_id, tags)
    return sdk.MatchedProvisioners.model_validate(row, from_attributes=True)


def _ids(text: str) -> list[UUID] | None:
    if not text:
        return None
    try:
        return [UUID(part.strip()) for part in text.split(",")]
    except ValueError:
        raise _bad("ids", "must be UUIDs, with commas between them") from None


def _words(text: str, allowed: type[sdk.JobStatus | sdk.ProvisionerDaemonStatus]) -> list[str]:
    words = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [word for word in words if word not in set(allowed)]
    if unknown:
        raise _bad("status", f"{unknown[0]!r} is not one of {', '.join(allowed)}")
    return words


def _tags(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        tags: object = json.loads(text)
    except ValueError:
        tags = None
    if not isinstance(tags, dict):
        raise _bad("tags", "must be a JSON object of strings")
    return {str(key): str(value) for key, value in cast("dict[Any, Any]", tags).items()}


def _bad(field: str, detail: str) -> Invalid:
    return Invalid("Query parameters have invalid values.", fields=[FieldError(field, detail)])
