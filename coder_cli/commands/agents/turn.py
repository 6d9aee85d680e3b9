"""See a turn through: follow the chat to its end, through lost lines and ctrl-c."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coder_cli import ui
from coder_cli.commands.agents.ctrlc import CtrlC
from coder_cli.commands.agents.outcome import Outcome, ending_of, is_over
from coder_cli.sdk.chats.chats import ChatStatus
from coder_cli.sdk.chats.events import ChatStreamEvent, ChatStreamEventType
from coder_cli.sdk.chats.following import Follower, Found, Happening, Lost
from coder_cli.sdk.errors import ApiError, SdkError

if TYPE_CHECKING:
    from coder_cli.commands.agents.telling import Teller
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.messages import ChatMessage
    from coder_cli.sdk.client import Client


@dataclass(slots=True)
class Turn:
    """One turn of a chat under observation."""

    client: "Client"
    chat: "Chat"
    teller: "Teller"
    ctrl_c: CtrlC
    after_id: int = 0
    """The last message before the turn."""
    _messages: "dict[int, ChatMessage]" = field(default_factory=dict[int, "ChatMessage"])
    _interrupting: bool = False
    _stopped: bool = False
    """Somebody, here or elsewhere, has stopped what runs, and nothing began after it."""

    def run(self) -> Outcome:
        """Return how the turn ended, when it has.

        Raises:
            SdkError: the server refused, or stayed away.
            KeyboardInterrupt: the person wants to wait no longer.
        """
        self.teller.begun(self.chat)
        try:
            self._follow()
            return self._close()
        except KeyboardInterrupt:
            self._leave()
            raise

    def _follow(self) -> None:
        for happening in Follower(self.client, self.chat.id, self.after_id).happenings():
            if self.ctrl_c.count and not self._interrupting:
                self._interrupt()
            if self._take(happening):
                return

    def _leave(self) -> None:
        """Go without waiting; two presses in one breath interrupt the turn all the same."""
        if not self._interrupting:
            self._interrupt()
        self.teller.aside(
            f"Left. See what comes of it with: coder agents chat --chat {self.chat.id}"
        )

    def _take(self, happening: Happening) -> bool:
        """Pass on what happened; say whether the turn is over."""
        match happening:
            case None:
                self.teller.moment()
            case Lost(why, seconds):
                self.teller.aside(
                    f"The connection was lost ({why}). Trying again in {seconds:.0f}s …"
                )
            case Found():
                self.teller.aside("Connected again.")
            case ChatStreamEvent():
                if happening.message is not None:
                    self._messages[happening.message.id] = happening.message
                elif happening.type == ChatStreamEventType.HISTORY_RESET:
                    self._messages.clear()
                self.teller.event(happening)
                return happening.status is not None and self._ends(happening.status.status)
        return False

    def _ends(self, status: str) -> bool:
        if is_over(status):
            return True
        self._stopped = status == ChatStatus.INTERRUPTING
        return False

    def _interrupt(self) -> None:
        self.teller.aside("Interrupting … Press ctrl+c again to leave.")
        try:
            self.client.interrupt_chat(self.chat.id)
        except ApiError as error:
            self.teller.aside(f"It goes on: {ui.explain(error)}")
        except SdkError:
            return  # The server is away. It is told when it is back.
        self._interrupting = True

    def _close(self) -> Outcome:
        """Read what the stream's end may have left out, and judge."""
        chat = self.client.chat(self.chat.id)
        after = max(self._messages, default=self.after_id)
        while True:
            page = self.client.chat_messages(chat.id, after_id=after, limit=200)
            for message in page.messages:
                after = max(after, message.id)
                self._messages[message.id] = message
                self.teller.event(
                    ChatStreamEvent(
                        type=ChatStreamEventType.MESSAGE, chat_id=chat.id, message=message
                    )
                )
            if not page.has_more or not page.messages:
                break
        messages = [self._messages[number] for number in sorted(self._messages)]
        interrupted = self.ctrl_c.count > 0 or self._stopped
        outcome = Outcome(ending_of(chat, messages, interrupted=interrupted), chat, messages)
        self.teller.ended(outcome)
        return outcome
