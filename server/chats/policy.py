"""May this actor do that to a chat? Reads are filtered in SQL; these are the writes."""

from uuid import UUID

from server.chats.errors import ChatArchived
from server.chats.model import Chat
from server.kit.authz import Action, Actor, Kind, Object
from server.kit.errors import Forbidden


def may_create(actor: Actor, organization_id: UUID) -> None:
    """Refuse unless the actor may have chats in the organization.

    Raises:
        Forbidden: it is no member of it.
    """
    wanted = Object(Kind.CHAT, owner_id=actor.user_id, organization_id=organization_id)
    if organization_id not in actor.organizations or not actor.can(Action.CREATE, wanted):
        raise Forbidden("You are not a member of the specified organization.")


def may_update(actor: Actor, chat: Chat) -> None:
    """Refuse unless the actor may change the chat: send, edit, interrupt, promote, archive."""
    actor.require(Action.UPDATE, chat.object)


def may_speak(actor: Actor, chat: Chat) -> None:
    """Refuse unless the actor may have the chat work: say something, answer its tools, move it.

    It works with its owner's rights. Who administers chats, but may not log in to the workspaces
    of others, must not come in by their agents either.
    """
    may_update(actor, chat)
    if actor.id != chat.owner_id:
        theirs = Object(
            Kind.WORKSPACE, owner_id=chat.owner_id, organization_id=chat.organization_id
        )
        actor.require(Action.SSH, theirs)


def may_watch(actor: Actor) -> None:
    """Refuse whose token may not read chats: events hold them."""
    actor.require(Action.READ, Object(Kind.CHAT, owner_id=actor.user_id))


def may_set_own(actor: Actor) -> None:
    """Refuse whose token may not change what the actor set for themselves."""
    user_id = actor.user_id
    actor.require(Action.UPDATE_PERSONAL, Object(Kind.USER, id=user_id, owner_id=user_id))


def takes_messages(chat: Chat) -> None:
    """Refuse what an archived chat cannot take.

    Raises:
        ChatArchived: it is.
    """
    if chat.archived:
        raise ChatArchived


def may_configure(actor: Actor, *, hidden: bool = True) -> None:
    """Refuse unless the actor may change the deployment's settings of chats.

    Raises:
        NotFound: it may not, and the setting is nothing for users.
        Forbidden: it may not, but everybody knows the setting.
    """
    actor.require(Action.UPDATE, Object(Kind.DEPLOYMENT_CONFIG), hidden=hidden)


def configures(actor: Actor) -> bool:
    """Tell whether the actor may change the deployment's settings of chats."""
    return actor.can(Action.UPDATE, Object(Kind.DEPLOYMENT_CONFIG))


def may_see_costs(actor: Actor, user_id: UUID | None = None) -> None:
    """Refuse unless the actor may see what this user's chats cost; None is everybody's.

    Raises:
        NotFound: it may not: the costs of others are nothing for users.
    """
    if user_id is None or user_id != actor.id:
        actor.require(Action.READ, Object(Kind.DEPLOYMENT_CONFIG), hidden=True)
