"""Who may use a template, and who may change it: its list of access."""

from enum import StrEnum

from coder_cli.sdk.common import Request, Shape
from coder_cli.sdk.groups import Group, ReducedUser
from coder_cli.sdk.users import User


class TemplateRole(StrEnum):
    """What somebody may do with a template; an empty role takes them off the list."""

    ADMIN = "admin"
    USE = "use"
    NONE = ""


class TemplateUser(User):
    role: TemplateRole


class TemplateGroup(Group):
    role: TemplateRole


class TemplateACL(Shape):
    users: list[TemplateUser] = []
    group: list[TemplateGroup] = []


class ACLAvailable(Shape):
    """Whom a template could be shared with."""

    users: list[ReducedUser] = []
    groups: list[Group] = []


class UpdateTemplateACL(Request):
    """Roles to give by id; who is not named keeps theirs."""

    user_perms: dict[str, TemplateRole] = {}
    group_perms: dict[str, TemplateRole] = {}
