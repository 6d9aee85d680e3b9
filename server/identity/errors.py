"""Refusals of this room; see the tree in ``server/kit/errors.py``.

ApiError
+ Unauthorized
| + SignedOut           no key, an unknown or expired one, a suspended user
| + WrongCredentials    the same words for an unknown email and a wrong password
+ Invalid
| + WeakPassword
| + WrongOldPassword
| + UnknownRole
+ Forbidden
| + RoleNotYours        nobody gives or takes what they may not assign
+ NotFound
| + NoFirstUser         the deployment was not set up
+ Conflict
| + Taken               a username, an email or the name of a token
| + FirstUserExists
| + UnknownService      a provider of external accounts that is not configured
+ HasWorkspaces    417  a user who still owns something
+ ServiceFailed    502  another service gave no token
"""

from typing import ClassVar

from server.kit.errors import (
    ApiError,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)

UNIQUE = "This value is already in use and should be unique."


class SignedOut(Unauthorized):
    """No valid session; ``detail`` says what is wrong with the key."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "You are signed out or your session has expired. Please sign in again to continue.",
            detail=detail,
        )


class NotActive(Unauthorized):
    """The session is good, but its user was suspended."""

    def __init__(self, status: str) -> None:
        super().__init__(
            f'User is not active (status = "{status}"). '
            "Contact an admin to reactivate your account."
        )


class WrongCredentials(Unauthorized):
    """Log-in failed. Which half was wrong is nobody's business."""

    def __init__(self) -> None:
        super().__init__("Incorrect email or password.")


class AccountSuspended(Unauthorized):
    """The password is right, but the account is locked."""

    def __init__(self) -> None:
        super().__init__("Your account is suspended. Contact an admin to reactivate your account.")


class WeakPassword(Invalid):
    """A password that can be guessed, or is too long."""

    def __init__(self, why: str) -> None:
        super().__init__("Password not strong enough!", fields=[FieldError("password", why)])


class WrongOldPassword(Invalid):
    """Whoever changes their password must know the one they have."""

    def __init__(self) -> None:
        wrong = FieldError("old_password", "Old password is incorrect.")
        super().__init__("Old password is incorrect.", fields=[wrong])


class UnknownRole(Invalid):
    """A role that does not exist, or can only be implied."""

    def __init__(self, role: str) -> None:
        unknown = FieldError("roles", f"{role!r} is not a role that can be given.")
        super().__init__("One or more roles are invalid.", fields=[unknown])


class RoleNotYours(Forbidden):
    """The actor may not give or take this role."""

    def __init__(self, role: str) -> None:
        super().__init__(
            "You don't have permission to do this.",
            detail=f"You may not act on whoever holds, or is to hold, the role {role!r}.",
        )


class NoFirstUser(NotFound):
    """The deployment was not set up."""

    def __init__(self) -> None:
        super().__init__("The initial user has not been created!")


class FirstUserExists(Conflict):
    """The deployment was set up before."""

    def __init__(self) -> None:
        super().__init__("The initial user has already been created.")


class Taken(Conflict):
    """Somebody has this name."""

    def __init__(self, message: str, *fields: str) -> None:
        super().__init__(message, fields=[FieldError(field, UNIQUE) for field in fields])


class HasWorkspaces(ApiError):
    """A user cannot go while workspaces belong to them."""

    status: ClassVar[int] = 417

    def __init__(self) -> None:
        super().__init__(
            "You cannot delete a user that has workspaces. Delete their workspaces and try again!"
        )


class ServiceFailed(ApiError):
    """Another service gave no token or no answer; ``lost`` when asking again is of no use."""

    status = 502

    def __init__(self, provider_id: str, reason: str, *, code: str = "") -> None:
        super().__init__(f"The service {provider_id!r} refused: {reason}.", detail=code)
        self.reason = reason
        self.code = code

    @property
    def lost(self) -> bool:
        """Tell whether the same question will never be answered otherwise."""
        return self.code in ("invalid_grant", "bad_refresh_token", "unauthorized_client")


class UnknownService(NotFound):
    """No such provider in the settings."""

    def __init__(self, provider_id: str) -> None:
        super().__init__(f"External auth provider {provider_id!r} is not configured.")
