"""Every command that can be typed, and where it lives. ``coder --help`` imports nothing else.

Two kinds of entries, see ``coder_cli/README.md``:

- typed: the module has ``app``, a ``typer.Typer``; for what people type.
- boot: the module has ``main(argv: list[str]) -> int``, parsed without Typer; for what scripts,
  editors and ssh call at boot or per connection.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: the module that has it, its line in the help, its other names."""

    module: str
    help: str
    aliases: tuple[str, ...] = ()
    boot: bool = False
    passes_on: bool = False
    """What follows the name belongs to the command: global flags stand before the name only."""
    hidden: bool = False
    group: bool = False
    """A boot command with commands of its own; ``path(argv)`` of the module names the one meant."""
    usage_code: int = 1
    """The exit code for wrong words; scripts of some commands tell these from failures."""


SECTIONS: dict[str, dict[str, Entry]] = {
    "Account": {
        "login": Entry("coder_cli.commands.login", "Log in to a deployment"),
        "logout": Entry("coder_cli.commands.logout", "End the session"),
        "whoami": Entry("coder_cli.commands.whoami", "Show who is logged in, and where"),
        "tokens": Entry("coder_cli.commands.tokens", "Manage tokens for scripts", ("token",)),
        "dotfiles": Entry(
            "coder_cli.commands.dotfiles", "Set yourself up from a repository of dotfiles"
        ),
        "external-auth": Entry(
            "coder_cli.commands.external_auth", "Use accounts of other services that you linked"
        ),
        "publickey": Entry("coder_cli.commands.publickey", "Show your public SSH key for git"),
    },
    "Workspaces": {
        "create": Entry("coder_cli.commands.create", "Create a workspace"),
        "list": Entry("coder_cli.commands.list", "List workspaces", ("ls",)),
        "show": Entry("coder_cli.commands.show", "Show a workspace's resources and agents"),
        "start": Entry("coder_cli.commands.start", "Start a workspace"),
        "stop": Entry("coder_cli.commands.stop", "Stop a workspace"),
        "restart": Entry("coder_cli.commands.restart", "Stop a workspace and start it again"),
        "update": Entry(
            "coder_cli.commands.update", "Move a workspace to its template's active version"
        ),
        "delete": Entry("coder_cli.commands.delete", "Delete a workspace", ("rm",)),
        "schedule": Entry(
            "coder_cli.commands.schedule", "Say when workspaces start and stop by themselves"
        ),
        "autoupdate": Entry(
            "coder_cli.commands.autoupdate", "Say whether starts move to new template versions"
        ),
        "sharing": Entry("coder_cli.commands.sharing", "Let others into a workspace"),
        "external-workspaces": Entry(
            "coder_cli.commands.external_workspaces",
            "Manage workspaces whose machines you bring yourself",
        ),
        "rename": Entry("coder_cli.commands.rename", "Rename a workspace"),
        "favorite": Entry(
            "coder_cli.commands.favorite", "List a workspace first", ("fav", "favourite")
        ),
        "unfavorite": Entry(
            "coder_cli.commands.unfavorite",
            "List a workspace in its turn again",
            ("unfav", "unfavourite"),
        ),
        "builds": Entry("coder_cli.commands.history", "See and cancel builds of a workspace"),
        "logs": Entry("coder_cli.commands.logs", "Show the logs of a build and its agents"),
        "state": Entry(
            "coder_cli.commands.state", "Get and repair the Terraform state of a workspace"
        ),
    },
    "Agents": {
        "agents": Entry(
            "coder_cli.commands.agents",
            "Let an agent work for you, in your workspace or one that it makes",
            usage_code=2,
        ),
    },
    "Connections": {
        "ssh": Entry(
            "coder_cli.commands.ssh",
            "Open a shell in a workspace, or run a command in it",
            boot=True,
            passes_on=True,
        ),
        "config-ssh": Entry(
            "coder_cli.commands.config_ssh", "Let plain ssh reach workspaces: ssh <name>.coder"
        ),
        "port-forward": Entry(
            "coder_cli.commands.port_forward", "Forward ports of a workspace", ("tunnel",)
        ),
        "open": Entry("coder_cli.commands.opening", "Open a workspace in an editor or browser"),
        "ping": Entry(
            "coder_cli.commands.ping", "Measure the way to a workspace", boot=True, passes_on=True
        ),
    },
    "Administration": {
        "templates": Entry(
            "coder_cli.commands.templates", "Manage templates of workspaces", ("template",)
        ),
        "users": Entry("coder_cli.commands.users", "Manage users", ("user",)),
        "organizations": Entry(
            "coder_cli.commands.organizations",
            "Show organizations and their members",
            ("organization", "org", "orgs"),
        ),
        "provisioner": Entry(
            "coder_cli.commands.provisioner",
            "Manage provisioner daemons, which run Terraform, and their jobs",
            ("provisioners",),
        ),
        "server": Entry(
            "coder_cli.commands.server", "Start a Coder server", boot=True, passes_on=True
        ),
        "reset-password": Entry(
            "coder_cli.commands.reset_password",
            "Set a user's password straight in the database",
            boot=True,
            passes_on=True,
        ),
    },
    "Other": {
        "version": Entry("coder_cli.commands.version", "Show the version", boot=True),
        "stat": Entry(
            "coder_cli.commands.stat",
            "Show how busy a workspace is: processor, memory, disk",
            boot=True,
            passes_on=True,
            group=True,
        ),
        "exp": Entry(
            "coder_cli.commands.exp",
            "Commands whose words may change: exp sync orders a workspace's scripts",
            boot=True,
            passes_on=True,
            group=True,
        ),
        "completion": Entry("coder_cli.commands.completion", "Complete commands in your shell"),
        "agent": Entry(
            "agent.cli", "Run the workspace agent", boot=True, passes_on=True, hidden=True
        ),
        "gitaskpass": Entry(
            "coder_cli.commands.gitaskpass",
            "Answer git's question for a password in a workspace",
            boot=True,
            passes_on=True,
            hidden=True,
        ),
        "gitssh": Entry(
            "coder_cli.commands.gitssh",
            "Run ssh with the SSH key of the workspace's owner",
            boot=True,
            passes_on=True,
            hidden=True,
        ),
    },
}

COMMANDS: dict[str, Entry] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}
ALIASES: dict[str, str] = {
    alias: name for name, entry in COMMANDS.items() for alias in entry.aliases
}


def find(word: str) -> tuple[str, Entry] | None:
    """Return the command that ``word`` names, by its name or an alias."""
    name = ALIASES.get(word, word)
    entry = COMMANDS.get(name)
    return (name, entry) if entry else None


def passes_on(word: str) -> bool:
    """Say whether the words after this command belong to it, global flags included."""
    found = find(word)
    return found is not None and found[1].passes_on
