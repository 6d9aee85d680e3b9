"""What happened to people, told at commit. Ids only: listeners read again."""

from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact

EVERYBODYS_ACCESS = "access"
"""The topic under which changes of anybody's rights are told."""


class AccessChanged(Fact):
    """A user's rights may have shrunk: roles, membership, suspension, deletion, a dead key.

    Whoever serves this user over a long connection should ask again.
    """

    user_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        """Return the topic of all users, and of this one."""
        return (EVERYBODYS_ACCESS, access_topic(self.user_id))


def access_topic(user_id: UUID) -> str:
    """Return the topic under which changes of one user's rights are told."""
    return f"access:{user_id}"
