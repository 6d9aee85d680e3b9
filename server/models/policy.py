"""May this actor do that to providers and models? Both are settings of the deployment."""

from server.kit.authz import Action, Actor, Kind, Object

_SETTINGS = Object(Kind.DEPLOYMENT_CONFIG)


def may_read(actor: Actor) -> None:
    """Refuse unless the actor may see how providers are set up."""
    actor.require(Action.READ, _SETTINGS)


def may_update(actor: Actor) -> None:
    """Refuse unless the actor may change what is offered."""
    actor.require(Action.UPDATE, _SETTINGS)


def may_set_own(actor: Actor) -> None:
    """Refuse whose token may not change what the actor set for themselves."""
    user_id = actor.user_id
    actor.require(Action.UPDATE_PERSONAL, Object(Kind.USER, id=user_id, owner_id=user_id))


def reads_all(actor: Actor) -> bool:
    """Tell whether the actor sees models that are not offered, too."""
    return actor.can(Action.READ, _SETTINGS)
