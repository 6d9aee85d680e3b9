"""The queue and its workers, as lists of an organization."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from coder_cli.sdk.jobs import ProvisionerDaemon, ProvisionerJob
from server.kit.routing import Db, Me
from server.provisioning.actions import search

lists = APIRouter()


def _wanted(
    limit: Annotated[int, Query(ge=0, le=1000)] = 50,
    ids: str = "",
    status: str = "",
    tags: str = "",
    initiator: str = "",
) -> search.Wanted:
    return search.Wanted(limit, ids, status, tags, initiator)


Wanted = Annotated[search.Wanted, Depends(_wanted)]


@lists.get("/organizations/{organization}/provisionerjobs")
async def get_jobs(db: Db, me: Me, organization: str, wanted: Wanted) -> list[ProvisionerJob]:
    """List an organization's provisioner jobs."""
    async with db.tx(me) as tx:
        return await search.jobs(tx, organization, wanted)


@lists.get("/organizations/{organization}/provisionerjobs/{job}")
async def get_job(db: Db, me: Me, organization: str, job: UUID) -> ProvisionerJob:
    """Show one provisioner job."""
    async with db.tx(me) as tx:
        return await search.job(tx, organization, job)


@lists.get("/organizations/{organization}/provisionerdaemons")
async def get_daemons(db: Db, me: Me, organization: str, wanted: Wanted) -> list[ProvisionerDaemon]:
    """List an organization's provisioner daemons."""
    async with db.tx(me) as tx:
        return await search.daemons(tx, organization, wanted)
