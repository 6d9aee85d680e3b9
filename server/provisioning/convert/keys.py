"""Provisioner keys as the wire shows them."""

from datetime import datetime
from uuid import UUID

from coder_cli.sdk import provisioners as sdk
from server.provisioning.model import RESERVED, ProvisionerKey


def key_to_sdk(key: ProvisionerKey) -> sdk.ProvisionerKey:
    """Return a key as clients see it."""
    return sdk.ProvisionerKey(
        id=key.id,
        created_at=key.created_at,
        organization=key.organization_id,
        name=key.name,
        tags=key.tags,
    )


def reserved_key_to_sdk(key_id: UUID, organization_id: UUID, now: datetime) -> sdk.ProvisionerKey:
    """Return a key that nobody made, as if it had been there always."""
    return sdk.ProvisionerKey(
        id=key_id, created_at=now, organization=organization_id, name=RESERVED[key_id]
    )
