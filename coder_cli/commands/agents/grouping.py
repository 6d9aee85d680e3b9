"""A group whose first word may be a chat: ``coder agents <chat>`` shows it."""

from typing import Any

from typer.core import TyperGroup
from typing_extensions import override

from coder_cli.commands.agents.finding import looks_like_chat


class ChatGroup(TyperGroup):
    """Read a word that is no command as a chat's name."""

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words begin with."""
        if args and args[0] not in self.commands and looks_like_chat(args[0]):
            args = ["show", *args]
        return super().resolve_command(ctx, args)
