"""Calls about organizations and their members."""

from typing import TYPE_CHECKING

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.organizations import (
        Organization,
        OrganizationMember,
        OrganizationMemberWithUserData,
    )


class OrganizationCalls(Transport):
    """``/organizations``, apart from the templates in them."""

    __slots__ = ()

    def organization(self, organization: str) -> "Organization":
        """Return an organization by id or name."""
        answer = self.get(f"/organizations/{organization}")
        from coder_cli.sdk.organizations import Organization

        return answer.read(Organization)

    def organizations_of(self, user: str = "me") -> "list[Organization]":
        """Return the organizations a user belongs to."""
        answer = self.get(f"/users/{user}/organizations")
        from coder_cli.sdk.organizations import Organization

        return answer.read_list(Organization)

    def members(self, organization: str) -> "list[OrganizationMemberWithUserData]":
        """Return who belongs to an organization."""
        answer = self.get(f"/organizations/{organization}/members")
        from coder_cli.sdk.organizations import OrganizationMemberWithUserData

        return answer.read_list(OrganizationMemberWithUserData)

    def add_member(self, organization: str, user: str) -> "OrganizationMember":
        """Take a user into an organization."""
        answer = self.send("POST", f"/organizations/{organization}/members/{user}")
        from coder_cli.sdk.organizations import OrganizationMember

        return answer.read(OrganizationMember)

    def remove_member(self, organization: str, user: str) -> None:
        """Take a user out of an organization."""
        self.send("DELETE", f"/organizations/{organization}/members/{user}")

    def set_member_roles(
        self, organization: str, user: str, roles: list[str]
    ) -> "OrganizationMember":
        """Give a member exactly these roles in the organization."""
        from coder_cli.sdk.organizations import OrganizationMember
        from coder_cli.sdk.users import UpdateRoles

        path = f"/organizations/{organization}/members/{user}/roles"
        return self.send("PUT", path, body=UpdateRoles(roles=roles)).read(OrganizationMember)
