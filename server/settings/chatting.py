"""Options of chats: how many turns run, and what one of them may take."""

# ruff: noqa: RUF009, option() returns a dataclass field, as dataclasses.field does

from dataclasses import dataclass
from datetime import timedelta

from server.settings.kinds import DURATION, clamped, integer
from server.settings.option import Group, Names, option

_CHATS = Group("Chats", "chat", "How conversations with models run.")


@dataclass(frozen=True, slots=True)
class Chats:
    """The limits of chats."""

    acquire_batch_size: int = option(
        clamped(1, 2**31 - 1),
        Names(
            flag="chat-acquire-batch-size",
            yaml="acquireBatchSize",
            json="chat.acquire_batch_size",
            name="Chat Acquire Batch Size",
        ),
        _CHATS,
        "How many chats that wait for their turn a replica takes at once.",
        default="10",
        hidden=True,
    )
    concurrent_turns: int = option(
        integer(1, 100_000),
        Names(
            flag="chat-concurrent-turns",
            yaml="concurrentTurns",
            json="chat.concurrent_turns",
        ),
        _CHATS,
        "How many turns of chats one replica runs at a time; sub-agents may take as many twice "
        "over. More of them wait.",
        default="100",
    )
    max_steps_per_turn: int = option(
        integer(1, 1_000_000),
        Names(
            flag="chat-max-steps-per-turn",
            yaml="maxStepsPerTurn",
            json="chat.max_steps_per_turn",
        ),
        _CHATS,
        "How often a model is called in one turn, at most.",
        default="1200",
    )
    max_generation_retries: int = option(
        integer(0, 1000),
        Names(
            flag="chat-max-generation-retries",
            yaml="maxGenerationRetries",
            json="chat.max_generation_retries",
        ),
        _CHATS,
        "How often a model is called for one step, at most, where its calls fail.",
        default="25",
    )
    max_queued_messages: int = option(
        integer(1, 10_000),
        Names(
            flag="chat-max-queued-messages-per-chat",
            yaml="maxQueuedMessagesPerChat",
            json="chat.max_queued_messages_per_chat",
        ),
        _CHATS,
        "How many messages wait at most while a chat is busy.",
        default="20",
    )
    max_attachments: int = option(
        integer(1, 10_000),
        Names(
            flag="chat-max-attachments-per-chat",
            yaml="maxAttachmentsPerChat",
            json="chat.max_attachments_per_chat",
        ),
        _CHATS,
        "How many files one chat may hold.",
        default="50",
    )
    max_prompt_bytes: int = option(
        integer(1, 16 << 20),
        Names(
            flag="chat-max-prompt-bytes",
            yaml="maxPromptBytes",
            json="chat.max_prompt_bytes",
        ),
        _CHATS,
        "How long the deployment's prompt, and each person's own, may be, in bytes.",
        default="131072",
    )
    stream_silence_timeout: timedelta = option(
        DURATION,
        Names(
            flag="chat-stream-silence-timeout",
            yaml="streamSilenceTimeout",
            json="chat.stream_silence_timeout",
        ),
        _CHATS,
        "How long a model may be silent in the middle of an answer before the call counts as "
        "failed.",
        default="10m",
    )
