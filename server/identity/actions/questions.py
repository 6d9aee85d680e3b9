"""Questions about rights: may I? asked in bulk by pages and clients."""

from uuid import UUID

from coder_cli.sdk.deployment import AuthorizationCheck, AuthorizationObject
from server.identity.actions.find import ME
from server.identity.store import organizations
from server.kit.authz import Action, Actor, Kind, Object
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid


async def answer(tx: Tx, checks: dict[str, AuthorizationCheck]) -> dict[str, bool]:
    """Return for each question whether the actor may do it.

    Raises:
        Invalid: a kind, an action or an id that does not exist in the language of rights.
    """
    return {key: await _answer(tx, key, check) for key, check in checks.items()}


async def _answer(tx: Tx, key: str, check: AuthorizationCheck) -> bool:
    asked = check.object
    if asked.resource_type not in set(Kind):
        raise _bad(key, f'"resource_type" has an unknown value: {asked.resource_type!r}.')
    if check.action not in set(Action):
        raise _bad(key, f'"action" has an unknown value: {check.action!r}.')
    kind, action = Kind(asked.resource_type), Action(check.action)
    subject = await _subject(tx, key, kind, asked)
    if asked.any_org and subject.organization_id is None:
        return _anywhere(tx.actor, action, subject)
    return tx.actor.can(action, subject)


async def _subject(tx: Tx, key: str, kind: Kind, asked: AuthorizationObject) -> Object:
    """Return what is asked about; of a thing with an id, the truth comes from the database."""
    subject_id = _id(key, asked.resource_id)
    owner = tx.actor.id if asked.owner_id == ME else _id(key, asked.owner_id)
    if subject_id is not None:
        if kind is Kind.USER:
            return Object(kind, subject_id, owner_id=subject_id)
        if kind is Kind.ORGANIZATION:
            return Object(kind, subject_id, organization_id=subject_id)
        if kind in (Kind.WORKSPACE, Kind.TEMPLATE):
            return await organizations.belonging(tx, kind, subject_id)
    return Object(kind, subject_id, owner, _id(key, asked.organization_id))


def _anywhere(actor: Actor, action: Action, subject: Object) -> bool:
    places = [
        Object(subject.kind, subject.id, subject.owner_id, organization)
        for organization in actor.organizations
    ]
    return any(actor.can(action, each) for each in (subject, *places))


def _id(key: str, text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise _bad(key, f"{text!r} is not a valid uuid.") from None


def _bad(key: str, why: str) -> Invalid:
    return Invalid(f"Check {key!r} makes no sense.", fields=[FieldError(f"checks.{key}", why)])
