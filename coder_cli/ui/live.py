"""Words that come bit by bit: stdout gets them as they are, stderr what goes on beside them.

Where stderr is a terminal, its last line may move (``thinking 12s``); whatever is printed next
takes its place. Elsewhere there are plain lines only.
"""

import sys

from coder_cli.ui.printer import harmless, note, styled

_ERASE = "\r\x1b[K"


class Live:
    """Print text as it comes, and lines between it."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._open = False
        self._held = ""
        self._moving = False

    def say(self, text: str) -> None:
        """Print more of the result; nothing in it acts on the terminal."""
        text = self._held + text
        # A carriage return may be the first half of a line's end.
        self._held = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r") if self._held else text
        if not text:
            return
        self.still()
        encoding = sys.stdout.encoding or "utf-8"
        shown = harmless(text).encode(encoding, "replace").decode(encoding)
        print(shown, end="", flush=True)
        self._open = not text.endswith("\n")

    def end_line(self) -> None:
        """Finish the line that the result stands in, if it does."""
        self._held = ""
        if self._open:
            self.still()
            print(flush=True)
            self._open = False

    def line(self, text: str) -> None:
        """Tell one thing beside the result, which a pipe gets unbroken."""
        if sys.stdout.isatty():
            self.end_line()
        self.still()
        encoding = sys.stderr.encoding or "ascii"
        note(text.encode(encoding, "replace").decode(encoding))

    def move(self, text: str) -> None:
        """Show what goes on now, where it can be taken back."""
        if self._open or not sys.stderr.isatty():
            return
        print(f"{_ERASE}{styled(harmless(text), 'dim')}", end="", file=sys.stderr, flush=True)
        self._moving = True

    def still(self) -> None:
        """Take the moving line away."""
        if self._moving:
            print(_ERASE, end="", file=sys.stderr, flush=True)
            self._moving = False
