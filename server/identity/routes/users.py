"""Accounts under ``/users``."""

from fastapi import APIRouter, Depends

from coder_cli.sdk import users as sdk
from coder_cli.sdk.common import Response as Message
from coder_cli.sdk.organizations import Organization
from server.identity import convert
from server.identity.actions import accounts, find, git_keys, membership
from server.identity.routes.sessions import Options
from server.kit.routing import Db, Me, Paged, limit_logins

routes = APIRouter(tags=["Users"])

_DISMISSED = "task_notification_alert_dismissed"


@routes.get("/users")
async def get_users(me: Me, db: Db, page: Paged, q: str = "") -> sdk.GetUsersResponse:
    """Return the users that match ``q``."""
    wanted = convert.user_filter(q)
    async with db.tx(me) as tx:
        found = await accounts.listed(tx, wanted, page)
    return convert.user_page(found)


@routes.post("/users", status_code=201)
async def post_user(body: sdk.CreateUserRequest, me: Me, db: Db, options: Options) -> sdk.User:
    """Create an account."""
    made = await accounts.create(db, me, convert.new_user(body), options)
    return convert.user(made)


@routes.get("/users/{user}")
async def get_user(user: str, me: Me, db: Db) -> sdk.User:
    """Return one account."""
    async with db.tx(me) as tx:
        found = await find.visible_user(tx, user)
    return convert.user(found)


@routes.delete("/users/{user}")
async def delete_user(user: str, me: Me, db: Db) -> Message:
    """Delete an account that owns no workspaces."""
    async with db.tx(me) as tx:
        await accounts.delete(tx, user)
    return Message(message="User has been deleted!")


@routes.put("/users/{user}/profile")
async def put_profile(user: str, body: sdk.UpdateUserProfileRequest, me: Me, db: Db) -> sdk.User:
    """Rename an account."""
    async with db.tx(me) as tx:
        changed = await accounts.rename(tx, user, body.username, body.name)
    return convert.user(changed)


@routes.put("/users/{user}/status/suspend")
async def put_suspended(user: str, me: Me, db: Db) -> sdk.User:
    """Lock an account out."""
    async with db.tx(me) as tx:
        changed = await accounts.suspend(tx, user)
    return convert.user(changed)


@routes.put("/users/{user}/status/activate")
async def put_active(user: str, me: Me, db: Db) -> sdk.User:
    """Let an account in again."""
    async with db.tx(me) as tx:
        changed = await accounts.activate(tx, user)
    return convert.user(changed)


@routes.put("/users/{user}/password", status_code=204, dependencies=[Depends(limit_logins)])
async def put_password(
    user: str, body: sdk.UpdateUserPasswordRequest, me: Me, db: Db, options: Options
) -> None:
    """Set a new password; every other session of the account ends."""
    change = (body.password, body.old_password)
    await accounts.change_password(db, me, user, change, options)


@routes.get("/users/{user}/roles")
async def get_roles(user: str, me: Me, db: Db) -> sdk.UserRoles:
    """Return which roles an account holds."""
    async with db.tx(me) as tx:
        held = await membership.roles_of(tx, user)
    return convert.user_roles(held)


@routes.put("/users/{user}/roles")
async def put_roles(user: str, body: sdk.UpdateRoles, me: Me, db: Db) -> sdk.User:
    """Give an account exactly these site roles."""
    async with db.tx(me) as tx:
        changed = await membership.set_roles(tx, user, body.roles)
    return convert.user(changed)


@routes.get("/users/{user}/appearance")
async def get_appearance(user: str, me: Me, db: Db) -> sdk.UserAppearanceSettings:
    """Return how an account wants the pages to look."""
    async with db.tx(me) as tx:
        values = await accounts.preference(tx, user, "theme_preference", "terminal_font")
    return convert.appearance(values)


@routes.put("/users/{user}/appearance")
async def put_appearance(
    user: str, body: sdk.UpdateUserAppearanceSettingsRequest, me: Me, db: Db
) -> sdk.UserAppearanceSettings:
    """Change how an account wants the pages to look."""
    async with db.tx(me) as tx:
        await accounts.set_preferences(tx, user, body.model_dump(mode="json"))
    return convert.appearance([body.theme_preference, body.terminal_font])


@routes.get("/users/{user}/preferences")
async def get_preferences(user: str, me: Me, db: Db) -> sdk.UserPreferenceSettings:
    """Return an account's other preferences."""
    async with db.tx(me) as tx:
        values = await accounts.preference(tx, user, _DISMISSED)
    return sdk.UserPreferenceSettings(task_notification_alert_dismissed=values == ["true"])


@routes.put("/users/{user}/preferences")
async def put_preferences(
    user: str, body: sdk.UpdateUserPreferenceSettingsRequest, me: Me, db: Db
) -> sdk.UserPreferenceSettings:
    """Change an account's other preferences."""
    dismissed = body.task_notification_alert_dismissed
    async with db.tx(me) as tx:
        await accounts.set_preferences(tx, user, {_DISMISSED: str(dismissed).lower()})
    return sdk.UserPreferenceSettings(task_notification_alert_dismissed=dismissed)


@routes.get("/users/{user}/login-type")
async def get_login_type(user: str, me: Me, db: Db) -> sdk.UserLoginType:
    """Return how an account logs in."""
    async with db.tx(me) as tx:
        found = await accounts.login_type(tx, user)
    return sdk.UserLoginType(login_type=sdk.LoginType(found))


@routes.get("/users/{user}/organizations")
async def get_organizations(user: str, me: Me, db: Db) -> list[Organization]:
    """Return the organizations an account belongs to."""
    async with db.tx(me) as tx:
        found = await membership.organizations_of(tx, user)
    return [convert.organization(each) for each in found]


@routes.get("/users/{user}/organizations/{organization}")
async def get_organization(user: str, organization: str, me: Me, db: Db) -> Organization:
    """Return one organization an account belongs to."""
    async with db.tx(me) as tx:
        found = await membership.organization_of(tx, user, organization)
    return convert.organization(found)


@routes.get("/users/{user}/gitsshkey")
async def get_git_key(user: str, me: Me, db: Db) -> sdk.GitSSHKey:
    """Return an account's public key for git."""
    async with db.tx(me) as tx:
        found = await git_keys.own(tx, user)
    return convert.git_key(found)


@routes.put("/users/{user}/gitsshkey")
async def put_git_key(user: str, me: Me, db: Db, options: Options) -> sdk.GitSSHKey:
    """Make an account a new key pair for git."""
    made = await git_keys.regenerate(db, me, user, options)
    return convert.git_key(made)
