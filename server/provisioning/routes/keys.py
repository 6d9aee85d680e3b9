"""Keys with which provisioner daemons of other machines log in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from coder_cli.sdk import provisioners as sdk
from server.kit.authz import Actor
from server.kit.routing import Db, Me, limit_logins, public
from server.provisioning.actions import keys as actions

keys = APIRouter()
_NOBODY = Actor(id=None, label="provisioner key")


@keys.post("/organizations/{organization}/provisionerkeys", status_code=201)
async def post_key(
    db: Db, me: Me, organization: str, body: sdk.CreateProvisionerKeyRequest
) -> sdk.CreateProvisionerKeyResponse:
    """Make a provisioner key; this answer alone shows it."""
    async with db.tx(me) as tx:
        return await actions.create(tx, organization, body)


@keys.get("/organizations/{organization}/provisionerkeys")
async def get_keys(db: Db, me: Me, organization: str) -> list[sdk.ProvisionerKey]:
    """List an organization's provisioner keys."""
    async with db.tx(me) as tx:
        return await actions.find_all(tx, organization)


@keys.get("/organizations/{organization}/provisionerkeys/daemons")
async def get_keys_daemons(db: Db, me: Me, organization: str) -> list[sdk.ProvisionerKeyDaemons]:
    """List an organization's provisioner keys with the daemons that use them."""
    async with db.tx(me) as tx:
        return await actions.with_daemons(tx, organization)


@keys.delete("/organizations/{organization}/provisionerkeys/{name}", status_code=204)
async def delete_key(db: Db, me: Me, organization: str, name: str) -> Response:
    """Delete a provisioner key; its daemons are disconnected."""
    async with db.tx(me) as tx:
        await actions.delete(tx, organization, name)
    return Response(status_code=204)


@keys.get("/provisionerkeys/{key}", dependencies=[Depends(public), Depends(limit_logins)])
async def get_key(
    db: Db, key: str, header: Annotated[str, Header(alias=sdk.KEY_HEADER)] = ""
) -> sdk.ProvisionerKey:
    """Tell a daemon what its own key is for; the key is the credential.

    A secret is better sent as the header, with ``me`` in the path.
    """
    async with db.tx(_NOBODY) as tx:
        return await actions.of_secret(tx, header if key == "me" else key)
