"""Identity: people, their sessions and keys, organizations and roles. See README.md."""

from server.identity.actions.acting import actor_of
from server.identity.actions.colleagues import (
    anybody_in,
    available_users,
    everyone_group,
)
from server.identity.actions.find import resolve_organization, resolve_user, user
from server.identity.actions.git_keys import git_ssh_key
from server.identity.actions.linking import Linker
from server.identity.actions.membership import owner_facts
from server.identity.actions.resealing import forget_links, reseal_links
from server.identity.actions.services import Services
from server.identity.actions.setup import (
    create_admin,
    create_first_user,
    default_organization,
    reset_password,
)
from server.identity.actions.tokens import mint_key, revoke_key
from server.identity.convert import user as user_to_sdk
from server.identity.errors import ServiceFailed
from server.identity.events import EVERYBODYS_ACCESS, AccessChanged, access_topic
from server.identity.model.linking import Link, Linked
from server.identity.model.options import IdentityOptions, KeygenAlgorithm, PasswordHashing
from server.identity.model.organizations import Organization
from server.identity.model.people import NewUser, OwnerFacts, User
from server.identity.routes import routes
from server.identity.routes.authenticator import SessionAuthenticator

__all__ = [
    "EVERYBODYS_ACCESS",
    "AccessChanged",
    "IdentityOptions",
    "KeygenAlgorithm",
    "Link",
    "Linked",
    "Linker",
    "NewUser",
    "Organization",
    "OwnerFacts",
    "PasswordHashing",
    "ServiceFailed",
    "Services",
    "SessionAuthenticator",
    "User",
    "access_topic",
    "actor_of",
    "anybody_in",
    "available_users",
    "create_admin",
    "create_first_user",
    "default_organization",
    "everyone_group",
    "forget_links",
    "git_ssh_key",
    "mint_key",
    "owner_facts",
    "reseal_links",
    "reset_password",
    "resolve_organization",
    "resolve_user",
    "revoke_key",
    "routes",
    "user",
    "user_to_sdk",
]
