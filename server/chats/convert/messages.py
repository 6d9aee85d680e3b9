"""What was said, as clients see it."""

from collections.abc import Sequence

from coder_cli.sdk.chats import messages as sdk
from server.chats.model.shown import Prompt


def prompts(found: Sequence[Prompt]) -> sdk.ChatPromptsResponse:
    """Return what somebody said before."""
    return sdk.ChatPromptsResponse(
        prompts=[
            sdk.ChatPrompt(id=one.id, text=one.text, created_at=one.created_at) for one in found
        ]
    )
