"""Calls about people: the first user, log-in, accounts, roles, git keys, tokens."""

from typing import TYPE_CHECKING

from coder_cli.sdk.errors import ApiError
from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.external_auth import ListUserExternalAuthResponse
    from coder_cli.sdk.tokens import APIKeyWithOwner, CreateTokenRequest, TokenConfig
    from coder_cli.sdk.users import (
        CreateFirstUserRequest,
        CreateFirstUserResponse,
        CreateUserRequest,
        GetUsersResponse,
        GitSSHKey,
        User,
        UserRoles,
    )


class UserCalls(Transport):
    """``/users`` and everything below it, apart from workspaces."""

    __slots__ = ()

    def has_first_user(self) -> bool:
        """Say whether the deployment was set up."""
        try:
            self.get("/users/first")
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def external_auth(self) -> "ListUserExternalAuthResponse":
        """Return the services that the deployment offers, and one's accounts there."""
        from coder_cli.sdk.external_auth import ListUserExternalAuthResponse

        return self.get("/external-auth").read(ListUserExternalAuthResponse)

    def weakness(self, password: str) -> str | None:
        """Return why the server would refuse a new password, or None."""
        from coder_cli.sdk.users import ValidateUserPasswordRequest, ValidateUserPasswordResponse

        request = ValidateUserPasswordRequest(password=password)
        answer = self.send("POST", "/users/validate-password", body=request)
        found = answer.read(ValidateUserPasswordResponse)
        return None if found.valid else found.details or "is not strong enough"

    def create_first_user(self, request: "CreateFirstUserRequest") -> "CreateFirstUserResponse":
        """Set the deployment up with its owner."""
        from coder_cli.sdk.users import CreateFirstUserResponse

        return self.send("POST", "/users/first", body=request).read(CreateFirstUserResponse)

    def log_in(self, email: str, password: str) -> str:
        """Return a session token."""
        from coder_cli.sdk.users import LoginWithPasswordRequest, LoginWithPasswordResponse

        body = LoginWithPasswordRequest(email=email, password=password)
        answer = self.send("POST", "/users/login", body=body)
        return answer.read(LoginWithPasswordResponse).session_token

    def log_out(self) -> None:
        """Revoke the session this client speaks with."""
        self.send("POST", "/users/logout")

    def user(self, user: str = "me") -> "User":
        """Return one user by id or name."""
        answer = self.get(f"/users/{user}")
        from coder_cli.sdk.users import User

        return answer.read(User)

    def users(self, q: str = "", *, limit: int = 0, offset: int = 0) -> "GetUsersResponse":
        """Return the users that match ``q``."""
        answer = self.get("/users", q=q, limit=limit or None, offset=offset or None)
        from coder_cli.sdk.users import GetUsersResponse

        return answer.read(GetUsersResponse)

    def create_user(self, request: "CreateUserRequest") -> "User":
        """Create an account."""
        from coder_cli.sdk.users import User

        return self.send("POST", "/users", body=request).read(User)

    def delete_user(self, user: str) -> None:
        """Delete an account; it must have no workspaces."""
        self.send("DELETE", f"/users/{user}")

    def suspend_user(self, user: str) -> "User":
        """Lock an account out."""
        answer = self.send("PUT", f"/users/{user}/status/suspend")
        from coder_cli.sdk.users import User

        return answer.read(User)

    def activate_user(self, user: str) -> "User":
        """Let an account in again."""
        answer = self.send("PUT", f"/users/{user}/status/activate")
        from coder_cli.sdk.users import User

        return answer.read(User)

    def user_roles(self, user: str) -> "UserRoles":
        """Return the names of a user's roles, by site and by organization."""
        answer = self.get(f"/users/{user}/roles")
        from coder_cli.sdk.users import UserRoles

        return answer.read(UserRoles)

    def set_user_roles(self, user: str, roles: list[str]) -> "User":
        """Give a user exactly these site roles."""
        from coder_cli.sdk.users import UpdateRoles, User

        return self.send("PUT", f"/users/{user}/roles", body=UpdateRoles(roles=roles)).read(User)

    def git_ssh_key(self, user: str = "me", *, regenerate: bool = False) -> "GitSSHKey":
        """Return a user's public key for git, after making a new pair if asked."""
        answer = self.send("PUT" if regenerate else "GET", f"/users/{user}/gitsshkey")
        from coder_cli.sdk.users import GitSSHKey

        return answer.read(GitSSHKey)

    def create_session_key(self, user: str = "me") -> str:
        """Return a fresh session token for a user."""
        answer = self.send("POST", f"/users/{user}/keys")
        from coder_cli.sdk.tokens import GenerateAPIKeyResponse

        return answer.read(GenerateAPIKeyResponse).key

    def create_token(self, request: "CreateTokenRequest", user: str = "me") -> str:
        """Return a new token, ``<id>-<secret>``."""
        from coder_cli.sdk.tokens import GenerateAPIKeyResponse

        answer = self.send("POST", f"/users/{user}/keys/tokens", body=request)
        return answer.read(GenerateAPIKeyResponse).key

    def tokens(self, user: str = "me", *, everyone: bool = False) -> "list[APIKeyWithOwner]":
        """Return a user's tokens, or everyone's."""
        answer = self.get(f"/users/{user}/keys/tokens", include_all=everyone or None)
        from coder_cli.sdk.tokens import APIKeyWithOwner

        return answer.read_list(APIKeyWithOwner)

    def token_by_name(self, name: str, user: str = "me") -> "APIKeyWithOwner":
        """Return the token of that name."""
        answer = self.get(f"/users/{user}/keys/tokens/{name}")
        from coder_cli.sdk.tokens import APIKeyWithOwner

        return answer.read(APIKeyWithOwner)

    def key(self, key_id: str, user: str = "me") -> "APIKeyWithOwner":
        """Return the session or token of that id."""
        answer = self.get(f"/users/{user}/keys/{key_id}")
        from coder_cli.sdk.tokens import APIKeyWithOwner

        return answer.read(APIKeyWithOwner)

    def delete_key(self, key_id: str, user: str = "me") -> None:
        """Delete a session or token."""
        self.send("DELETE", f"/users/{user}/keys/{key_id}")

    def expire_key(self, key_id: str, user: str = "me") -> None:
        """End a session or token now, but keep its record."""
        self.send("PUT", f"/users/{user}/keys/{key_id}/expire")

    def token_config(self, user: str = "me") -> "TokenConfig":
        """Return how long a token may live."""
        answer = self.get(f"/users/{user}/keys/tokens/tokenconfig")
        from coder_cli.sdk.tokens import TokenConfig

        return answer.read(TokenConfig)
