"""``coder sharing``: let others into a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import Output, WorkspaceName, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.client import Client
    from coder_cli.sdk.workspaces import WorkspaceRole

app = new_app("Let others into a workspace.")


@dataclass(frozen=True, slots=True)
class _Row:
    user: str
    group: str
    role: str


SHARERS: Listing[_Row] = Listing(
    [
        Column("user", lambda row: row.user or "-"),
        Column("group", lambda row: row.group or "-"),
        Column("role", lambda row: row.role),
    ],
    ["user", "group", "role"],
    "It is shared with nobody. Share it with: coder sharing add <workspace> --user <name>",
)
Columns = Annotated[str, columns_of(SHARERS)]
Users = Annotated[
    list[str],
    typer.Option(
        "--user", help="A username, with a role or without", metavar="<name[:role]>",
        show_default=False,
    ),
]  # fmt: skip
Groups = Annotated[
    list[str],
    typer.Option(
        "--group",
        help="A group, with a role or without; everyone is the organization",
        metavar="<name[:role]>",
        show_default=False,
    ),
]


@app.callback()
def group_() -> None:
    """Let others into a workspace."""


@app.command()
def status(workspace: WorkspaceName, columns: Columns = "", output: Output = "table") -> None:
    """Show whom a workspace is shared with."""
    client = config.connect()
    _show(client, find_workspace(client, workspace).id, columns, output)


@app.command()
def add(
    workspace: WorkspaceName,
    user: Users = [],  # noqa: B006 - Typer copies it
    group: Groups = [],  # noqa: B006 - Typer copies it
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Share a workspace: with the role use, or with admin, which may change it, too."""
    users, groups = _roles(user), _roles(group)
    _change(workspace, users, groups, columns, output)


@app.command()
def remove(
    workspace: WorkspaceName,
    user: Users = [],  # noqa: B006 - Typer copies it
    group: Groups = [],  # noqa: B006 - Typer copies it
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Share a workspace with some users or groups no longer."""
    from coder_cli.sdk.workspaces import WorkspaceRole

    users = dict.fromkeys((name.partition(":")[0] for name in user), WorkspaceRole.REMOVED)
    groups = dict.fromkeys((name.partition(":")[0] for name in group), WorkspaceRole.REMOVED)
    _change(workspace, users, groups, columns, output)


def _change(
    workspace: str,
    users: "dict[str, WorkspaceRole]",
    groups: "dict[str, WorkspaceRole]",
    columns: str,
    output: str,
) -> None:
    if not users and not groups:
        raise Refused("With whom? Pass --user <name> or --group <name>.")
    client = config.connect()
    found = find_workspace(client, workspace)
    shared = client.workspace_acl(found.id)
    # Who left the organization is known by id only.
    ids = {one.username: str(one.id) for one in shared.users}
    client.update_workspace_acl(
        found.id, {ids.get(name, name): role for name, role in users.items()}, groups
    )
    _show(client, found.id, columns, output)


def _roles(given: Sequence[str]) -> "dict[str, WorkspaceRole]":
    from coder_cli.sdk.workspaces import WorkspaceRole

    roles: dict[str, WorkspaceRole] = {}
    for one in given:
        name, _, role = one.partition(":")
        if not name or (role or "use") not in {"use", "admin"}:
            raise Refused(f"{one!r} is neither <name> nor <name>:use nor <name>:admin.")
        roles[name] = WorkspaceRole(role or "use")
    return roles


def _show(client: "Client", workspace_id: "UUID", columns: str, output: str) -> None:
    shared = client.workspace_acl(workspace_id)
    rows = [_Row(one.username, "", one.role.value) for one in shared.users]
    rows += [_Row("", one.name, one.role.value) for one in shared.groups]
    if output == "json":
        ui.result_json(shared)
        return
    SHARERS.show(rows, output=output, columns=columns)
