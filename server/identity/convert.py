"""Between the wire and the model."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from coder_cli.sdk import external_auth as sdk_external
from coder_cli.sdk import organizations as sdk_organizations
from coder_cli.sdk import tokens as sdk_tokens
from coder_cli.sdk import users as sdk
from coder_cli.sdk.common import ZERO_TIME
from server.identity.model import roles, scopes
from server.identity.model.keys import ApiKey
from server.identity.model.linking import Account, DeviceCode, Link, Shown
from server.identity.model.organizations import Member, Organization
from server.identity.model.people import GitKey, NewUser, User, UserFilter
from server.kit.authz import ORGANIZATION_ROLES, SITE_ROLES, Grants, Role
from server.kit.query import Query, bad, parse
from server.settings import ExternalAuthProvider

_USER_KEYS = frozenset(
    {
        "search",
        "name",
        "status",
        "role",
        "login_type",
        "service_account",
        "last_seen_after",
        "last_seen_before",
        "created_after",
        "created_before",
        "github_com_user_id",
    }
)
_MEMBER_KEYS = frozenset({"user_id", "github_user_id", "include_system"})


def user(person: User) -> sdk.User:
    """Return a user's wire form."""
    return sdk.User(
        id=person.id,
        username=person.username,
        name=person.name,
        email=person.email,
        avatar_url=person.avatar_url,
        created_at=person.created_at,
        updated_at=person.updated_at,
        last_seen_at=person.last_seen_at,
        status=sdk.UserStatus(person.status),
        login_type=sdk.LoginType(person.login_type),
        organization_ids=person.organization_ids,
        roles=[_slim(SITE_ROLES, name) for name in person.roles],
        is_service_account=person.is_service_account,
    )


def user_page(page: tuple[list[User], int]) -> sdk.GetUsersResponse:
    """Return one page of users and how many there are in all."""
    people, count = page
    return sdk.GetUsersResponse(users=[user(person) for person in people], count=count)


def new_user(body: sdk.CreateUserRequest) -> NewUser:
    """Read a request for an account; it stays dormant until it is used."""
    kind = sdk.LoginType.NONE if body.service_account else body.login_type
    return NewUser(
        email=body.email,
        username=body.username,
        password=body.password,
        name=body.name,
        login_type=kind or sdk.LoginType.PASSWORD,
        status=body.user_status or sdk.UserStatus.DORMANT,
        organization_ids=tuple(body.organization_ids),
        is_service_account=body.service_account,
    )


def first_user(body: sdk.CreateFirstUserRequest) -> NewUser:
    """Read a request to set the deployment up."""
    return NewUser(email=body.email, username=body.username, password=body.password, name=body.name)


def user_filter(q: str) -> UserFilter:
    """Read a search for users.

    Raises:
        Invalid: an unknown key or value.
    """
    query = parse(q, _USER_KEYS, "search")
    if query.text("github_com_user_id"):
        raise bad("github_com_user_id", "Nobody here is linked to a GitHub account.")
    return UserFilter(
        search=query.text("search"),
        name=query.text("name"),
        status=_one_of(query, "status", sdk.UserStatus),
        roles=query.list("role"),
        login_types=_one_of(query, "login_type", sdk.LoginType),
        service_account=query.flag("service_account"),
        last_seen_after=query.time("last_seen_after"),
        last_seen_before=query.time("last_seen_before"),
        created_after=query.time("created_after"),
        created_before=query.time("created_before"),
    )


def member_filter(q: str) -> Query:
    """Read a search for members.

    Raises:
        Invalid: an unknown key.
    """
    return parse(q, _MEMBER_KEYS)


def git_key(pair: GitKey) -> sdk.GitSSHKey:
    """Return the public half of a key pair."""
    return sdk.GitSSHKey(
        user_id=pair.user_id,
        created_at=pair.created_at,
        updated_at=pair.updated_at,
        public_key=pair.public_key,
    )


def user_roles(held: tuple[list[str], Mapping[UUID, list[str]]]) -> sdk.UserRoles:
    """Return the names of the roles a user holds."""
    site, inside = held
    return sdk.UserRoles(roles=site, organization_roles=dict(inside))


def appearance(values: list[str]) -> sdk.UserAppearanceSettings:
    """Return how a user wants the pages to look."""
    theme, font = values
    return sdk.UserAppearanceSettings(theme_preference=theme, terminal_font=sdk.TerminalFont(font))


def key(found: ApiKey) -> sdk_tokens.APIKeyWithOwner:
    """Return a key's wire form, which never holds its secret."""
    return sdk_tokens.APIKeyWithOwner(
        id=found.id,
        user_id=found.user_id,
        username=found.username,
        last_used=found.last_used,
        expires_at=found.expires_at,
        created_at=found.created_at,
        updated_at=found.updated_at,
        login_type=sdk.LoginType(found.login_type),
        scope=scopes.legacy(found.scopes),
        scopes=found.scopes,
        token_name=found.token_name,
        lifetime_seconds=found.lifetime_seconds,
        allow_list=[_target(entry) for entry in found.allow_list],
    )


def lifetime(nanoseconds: int) -> timedelta:
    """Read a duration of the wire.

    Raises:
        Invalid: it is longer than any token could live.
    """
    try:
        return timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        raise bad("lifetime", "The lifetime is too long.") from None


def organization(found: Organization) -> sdk_organizations.Organization:
    """Return an organization's wire form."""
    return sdk_organizations.Organization(
        id=found.id,
        name=found.name,
        display_name=found.display_name,
        description=found.description,
        icon=found.icon,
        is_default=found.is_default,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def member(found: Member) -> sdk_organizations.OrganizationMember:
    """Return a membership's wire form."""
    return sdk_organizations.OrganizationMember(
        user_id=found.user_id,
        organization_id=found.organization_id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        roles=_held_inside(found),
    )


def member_with_user(found: Member) -> sdk_organizations.OrganizationMemberWithUserData:
    """Return a membership with what is known of the user."""
    return sdk_organizations.OrganizationMemberWithUserData(
        user_id=found.user_id,
        organization_id=found.organization_id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        roles=_held_inside(found),
        username=found.username,
        name=found.name,
        avatar_url=found.avatar_url,
        email=found.email,
        global_roles=[_slim(SITE_ROLES, name) for name in found.global_roles],
    )


def member_page(page: tuple[list[Member], int]) -> sdk_organizations.PaginatedMembersResponse:
    """Return one page of members and how many there are in all."""
    found, count = page
    return sdk_organizations.PaginatedMembersResponse(
        members=[member_with_user(each) for each in found], count=count
    )


def site_roles(held: frozenset[str]) -> list[sdk.AssignableRole]:
    """Return the site roles that exist, and which of them the holder may assign."""
    return [_assignable(SITE_ROLES[name], held, "") for name in roles.SITE]


def organization_roles(held: frozenset[str], organization_id: UUID) -> list[sdk.AssignableRole]:
    """Return an organization's roles, and which of them the holder may assign."""
    inside = str(organization_id)
    return [_assignable(ORGANIZATION_ROLES[name], held, inside) for name in roles.ORGANIZATION]


def _assignable(role: Role, held: frozenset[str], organization_id: str) -> sdk.AssignableRole:
    denied = _permissions(role.denied, negate=True)
    return sdk.AssignableRole(
        name=role.name,
        display_name=role.display_name,
        organization_id=organization_id,
        site_permissions=_permissions(role.site),
        user_permissions=_permissions(role.user),
        organization_permissions=[*_permissions(role.organization), *denied],
        organization_member_permissions=_permissions(role.member),
        assignable=roles.may_give(held, role.name),
        built_in=True,
    )


def _permissions(grants: Grants, *, negate: bool = False) -> list[sdk.Permission]:
    return [
        sdk.Permission(negate=negate, resource_type=kind, action=action)
        for kind, actions in grants.items()
        for action in sorted(actions)
    ]


def _held_inside(found: Member) -> list[sdk.SlimRole]:
    inside = str(found.organization_id)
    return [_slim(ORGANIZATION_ROLES, name, inside) for name in found.roles]


def _slim(known: Mapping[str, Role], name: str, organization_id: str = "") -> sdk.SlimRole:
    display = known[name].display_name if name in known else ""
    return sdk.SlimRole(name=name, display_name=display, organization_id=organization_id)


def _target(entry: str) -> sdk_tokens.APIAllowListTarget:
    kind, _, target = entry.partition(":")
    return sdk_tokens.APIAllowListTarget(type=kind, id=target)


def _one_of(query: Query, name: str, values: Iterable[str]) -> list[str]:
    known, given = list(values), query.list(name)
    for value in given:
        if value not in known:
            raise bad(name, f"Query param {name!r} has invalid value {value!r}.")
    return given


def external_auth_list(
    providers: Iterable[ExternalAuthProvider], links: Iterable[tuple[Link, bool, str]]
) -> sdk_external.ListUserExternalAuthResponse:
    """Return the services offered, and somebody's accounts there."""
    return sdk_external.ListUserExternalAuthResponse(
        providers=[_external_provider(one) for one in providers],
        links=[
            sdk_external.ExternalAuthLink(
                provider_id=link.provider_id,
                created_at=link.created_at,
                updated_at=link.updated_at,
                has_refresh_token=link.refresh_token is not None,
                expires=link.expires_at or ZERO_TIME,
                authenticated=works,
                validate_error=error or link.refresh_failure,
            )
            for link, works, error in links
        ],
    )


def _external_provider(one: ExternalAuthProvider) -> sdk_external.ExternalAuthProvider:
    return sdk_external.ExternalAuthProvider(
        id=one.id,
        type=one.type,
        device=one.device_flow,
        display_name=one.display_name,
        display_icon=one.display_icon,
        allow_refresh=not one.no_refresh,
        allow_validate=bool(one.validate_url),
        supports_revocation=bool(one.revoke_url),
    )


def external_auth(shown: Shown) -> sdk_external.ExternalAuth:
    """Return a service and somebody's account there."""
    provider, known = shown.provider, shown.account.login or shown.account.id
    return sdk_external.ExternalAuth(
        authenticated=shown.authenticated,
        device=provider.device_flow,
        display_name=provider.display_name,
        user=_account(shown.account) if known else None,
        app_installable=bool(provider.app_install_url),
        installations=[
            sdk_external.ExternalAuthAppInstallation.model_validate(
                {"id": one.id, "account": _account(one.account), "configure_url": one.url}
            )
            for one in shown.installations
        ],
        app_install_url=provider.app_install_url,
        supports_revocation=bool(provider.revoke_url),
    )


def _account(account: Account) -> sdk_external.ExternalAuthUser:
    return sdk_external.ExternalAuthUser(
        id=account.id,
        login=account.login,
        avatar_url=account.avatar_url,
        profile_url=account.profile_url,
        name=account.name,
    )


def device_code(code: DeviceCode) -> sdk_external.ExternalAuthDevice:
    """Return the code that a person types at a service."""
    return sdk_external.ExternalAuthDevice(
        device_code=code.device_code,
        user_code=code.user_code,
        verification_uri=code.verification_uri,
        expires_in=code.expires_in,
        interval=code.interval,
    )
