"""Built-in roles at site, organization and member level; denials and scopes win over grants."""

from dataclasses import replace
from typing import LiteralString
from uuid import UUID, uuid4

import pytest

from server.kit.authz import (
    ORGANIZATION_ROLES,
    SITE_ROLES,
    Action,
    Actor,
    Kind,
    Object,
    as_system,
    known_scope,
    shared,
)
from server.kit.db import Database, jsonb
from server.kit.errors import Forbidden, NotFound, Unauthorized

SHARED: LiteralString = f"""
    SELECT {shared("s")}
      FROM (SELECT %(org)s::uuid AS organization_id, %(users)s::jsonb AS user_acl,
                   %(groups)s::jsonb AS group_acl) s
"""
ORG, OTHER_ORG, ME, YOU = uuid4(), uuid4(), uuid4(), uuid4()


def actor(*roles: str, org: tuple[str, ...] | None = (), scopes: tuple[str, ...] = ()) -> Actor:
    organizations = {} if org is None else {ORG: frozenset(org)}
    return Actor(
        ME, "me", frozenset(roles), organizations, scopes=frozenset(scopes or ("coder:all",))
    )


def workspace(owner: UUID = ME, org: UUID = ORG) -> Object:
    return Object(Kind.WORKSPACE, owner_id=owner, organization_id=org)


@pytest.mark.parametrize(
    ("who", "action", "on", "allowed"),
    [
        (actor(), Action.SSH, workspace(), True),
        (actor(), Action.READ, workspace(YOU), False),
        (actor(org=None), Action.READ, workspace(), False),
        (actor(), Action.CREATE, workspace(org=OTHER_ORG), False),
        (actor("owner", org=None), Action.SSH, workspace(YOU, OTHER_ORG), True),
        (actor("owner-without-workspace-access"), Action.SSH, workspace(YOU), False),
        (actor("owner-without-workspace-access"), Action.SSH, workspace(), True),
        (actor("template-admin"), Action.READ, workspace(YOU, OTHER_ORG), True),
        (actor("template-admin"), Action.SSH, workspace(YOU), False),
        (actor(org=("organization-admin",)), Action.READ, workspace(YOU), True),
        (actor(org=("organization-admin",)), Action.SSH, workspace(YOU), False),
        (actor(org=("organization-admin",)), Action.READ, workspace(YOU, OTHER_ORG), False),
        (
            actor(org=("organization-workspace-creation-ban",)),
            Action.CREATE,
            workspace(),
            False,
        ),
        (actor(org=("organization-workspace-creation-ban",)), Action.SSH, workspace(), True),
        (actor(), Action.UPDATE_PERSONAL, Object(Kind.USER, owner_id=ME), True),
        (actor(), Action.READ, Object(Kind.USER, owner_id=YOU), False),
        (actor("user-admin"), Action.DELETE, Object(Kind.USER, owner_id=YOU), True),
        (actor("auditor"), Action.READ, Object(Kind.DEPLOYMENT_CONFIG), True),
        (actor("auditor"), Action.UPDATE, Object(Kind.USER, owner_id=YOU), False),
        (actor("owner"), Action.READ, Object(Kind.USER_SECRET, owner_id=YOU), False),
        (actor("owner", scopes=("workspace:read",)), Action.READ, workspace(YOU), True),
        (actor("owner", scopes=("workspace:read",)), Action.DELETE, workspace(), False),
        (actor(scopes=("coder:application_connect",)), Action.SSH, workspace(), False),
        (as_system("test"), Action.DELETE, workspace(YOU), True),
    ],
)
def test_who_may_do_what(who: Actor, action: Action, on: Object, *, allowed: bool) -> None:
    assert who.can(action, on) is allowed


@pytest.mark.parametrize("action", [Action.READ, Action.SSH, Action.CREATE, Action.DELETE])
@pytest.mark.parametrize("site", [*SITE_ROLES, None])
@pytest.mark.parametrize("held", [*ORGANIZATION_ROLES, None])
def test_the_sql_filter_and_the_check_agree(
    action: Action, site: str | None, held: str | None
) -> None:
    who = actor(*([site] if site else []), org=(held,) if held else ())
    for kind in (Kind.WORKSPACE, Kind.TEMPLATE, Kind.FILE):
        reach = who.reach(action, kind)
        for owner in (ME, YOU):
            for org in (ORG, OTHER_ORG):
                in_sql = (
                    reach.all
                    or org in reach.organizations
                    or (owner == reach.own and org in reach.own_organizations)
                )
                on = Object(kind, owner_id=owner, organization_id=org)
                if in_sql:
                    assert who.can(action, on) or held == "organization-workspace-creation-ban"
                else:
                    assert not who.can(action, on)


@pytest.mark.parametrize(
    ("who", "action", "user_acl", "group_acl", "allowed"),
    [
        (actor(), Action.READ, {str(ME): "use"}, {}, True),
        (actor(), Action.SSH, {str(ME): "use"}, {}, True),
        (actor(), Action.UPDATE, {str(ME): "use"}, {}, False),
        (actor(), Action.UPDATE, {str(ME): "admin"}, {}, True),
        (actor(), Action.READ, {str(YOU): "admin"}, {}, False),
        (actor(), Action.READ, {}, {str(ORG): "use"}, True),
        (actor(), Action.UPDATE, {str(ME): "use"}, {str(ORG): "admin"}, True),
        (actor(), Action.UPDATE, {str(YOU): "admin"}, {str(ORG): "use"}, False),
        (actor(org=None), Action.READ, {str(ME): "admin"}, {str(ORG): "use"}, False),
        (actor(), Action.READ, {str(ME): "unheard-of"}, {}, False),
        (actor(scopes=("template:read",)), Action.READ, {str(ME): "admin"}, {}, False),
    ],
)
async def test_lists_of_access_let_in_and_sql_agrees(
    database: Database,
    who: Actor,
    action: Action,
    user_acl: dict[str, str],
    group_acl: dict[str, str],
    *,
    allowed: bool,
) -> None:
    on = replace(workspace(YOU), user_acl=user_acl, group_acl=group_acl)
    assert who.can(action, on) is allowed
    lists = {"org": ORG, "users": jsonb(user_acl), "groups": jsonb(group_acl)}
    async with database.tx(who) as tx:
        reach = who.reach(action, Kind.WORKSPACE).shared_args()
        assert await tx.value(SHARED, {**lists, **reach}) is allowed


def test_whom_a_workspace_is_shared_with_may_use_but_not_delete_it() -> None:
    used = replace(workspace(YOU), user_acl={str(ME): "use"})
    admitted = replace(workspace(YOU), user_acl={str(ME): "admin"})
    assert actor().can(Action.SSH, used)
    assert not actor().can(Action.UPDATE, used)
    assert actor().can(Action.UPDATE, admitted)
    assert not actor().can(Action.DELETE, admitted)
    banned = actor(org=("organization-workspace-creation-ban",))
    assert not banned.can(Action.CREATE, admitted)


def test_a_hidden_thing_is_missing_and_a_known_one_forbidden() -> None:
    with pytest.raises(NotFound):
        actor().require(Action.READ, workspace(YOU), hidden=True)
    with pytest.raises(Forbidden):
        actor().require(Action.DELETE, workspace(YOU))


def test_the_system_is_no_user() -> None:
    with pytest.raises(Unauthorized):
        _ = as_system("test").user_id


@pytest.mark.parametrize(
    ("scope", "known"),
    [
        ("coder:all", True),
        ("workspace:read", True),
        ("workspace:*", True),
        ("workspace:fly", False),
        ("spaceship:read", False),
        ("", False),
    ],
)
def test_known_scopes(scope: str, *, known: bool) -> None:
    assert known_scope(scope) is known
