"""Accounts of other services that people linked (reference: API and CLI, section 2.10)."""

from typing import Any

from coder_cli.sdk.common import ZERO_TIME, Request, Shape, Time


class ExternalAuthProvider(Shape):
    """A service that the deployment offers."""

    id: str
    type: str
    device: bool = False
    display_name: str = ""
    display_icon: str = ""
    allow_refresh: bool = True
    allow_validate: bool = True
    supports_revocation: bool = False


class ExternalAuthLink(Shape):
    """One's account at a service."""

    provider_id: str
    created_at: Time
    updated_at: Time
    has_refresh_token: bool = False
    expires: Time = ZERO_TIME
    """The year 1 where it does not end."""
    authenticated: bool = False
    validate_error: str = ""


class ListUserExternalAuthResponse(Shape):
    providers: list[ExternalAuthProvider] = []
    links: list[ExternalAuthLink] = []


class ExternalAuthUser(Shape):
    id: int = 0
    login: str = ""
    avatar_url: str = ""
    profile_url: str = ""
    name: str = ""


class ExternalAuthAppInstallation(Shape):
    id: int = 0
    account: ExternalAuthUser = ExternalAuthUser()
    configure_url: str = ""


class ExternalAuth(Shape):
    """A service, and who one is there."""

    authenticated: bool
    device: bool = False
    display_name: str = ""
    user: ExternalAuthUser | None = None
    app_installable: bool = False
    installations: list[ExternalAuthAppInstallation] = []
    app_install_url: str = ""
    supports_revocation: bool = False


class DeleteExternalAuthByIDResponse(Shape):
    token_revoked: bool
    token_revocation_error: str = ""


class ExternalAuthDevice(Shape):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


class ExternalAuthDeviceExchange(Request):
    device_code: str


class AgentExternalAuth(Shape):
    """What an agent gets for its owner: a token, or the page to link an account at."""

    access_token: str = ""
    token_extra: dict[str, Any] = {}
    url: str = ""
    type: str = ""
    username: str = ""
    password: str = ""
