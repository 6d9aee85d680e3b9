"""Questions to the person. Where nobody can answer, the refusal names the flag that would."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.ui.printer import harmless, note, styled

Check = Callable[[str], str | None]
"""Return what is wrong with a value, or None."""


def can_ask(*, force: bool = False) -> bool:
    """Say whether a person is there to answer."""
    return force or sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Asker:
    """Ask on stderr, read from stdin."""

    force_tty: bool = False

    def confirm(self, question: str, *, yes: bool, default: bool = False) -> None:
        """Go on only if the person agrees, here or with ``--yes``.

        Raises:
            Refused: they do not, or nobody can be asked.
        """
        if yes or environ().get("CODER_SKIP_PROMPT", "").lower() in {"1", "true"}:
            return
        self._require(f"{question} Nobody can answer here: pass --yes to agree.")
        hint = "(yes/no, default yes)" if default else "(yes/no)"
        while True:
            answer = self._read(f"{styled('>', 'bold')} {question} {hint} ").lower()
            if answer in {"y", "yes"} or (not answer and default):
                return
            if answer in {"n", "no"} or not answer:
                raise Refused("Canceled: nothing was changed.")
            note("Please type yes or no.")

    def text(
        self,
        question: str,
        *,
        flag: str,
        given: str = "",
        default: str = "",
        check: Check | None = None,
    ) -> str:
        """Return a line that passes ``check``; what was ``given`` by ``flag`` is not asked for.

        Raises:
            Refused: what was given is wrong, or nobody can be asked; the sentence names ``flag``.
        """
        if given:
            if complaint := check(given) if check else None:
                raise Refused(f"{flag}: {given!r} {complaint}.")
            return given
        self._require(f"{question} Nobody can answer here: pass {flag}.")
        hint = f" [{default}]" if default else ""
        while True:
            answer = self._read(f"{styled('>', 'bold')} {question}{hint} ") or default
            complaint = check(answer) if check else None
            if complaint is None:
                return answer
            note(f"  {styled(complaint, 'red')}")

    def secret(self, question: str, *, flag: str, check: Check | None = None) -> str:
        """Return a line that is not shown while it is typed.

        Raises:
            Refused: nobody can be asked; the sentence names ``flag``.
        """
        self._require(f"{question} Nobody can answer here: pass {flag}.")
        while True:
            answer = self._read_hidden(f"{styled('>', 'bold')} {question} ")
            complaint = check(answer) if check else None
            if complaint is None:
                return answer
            note(f"  {styled(complaint, 'red')}")

    def select(
        self, question: str, options: Sequence[tuple[str, str]], *, flag: str, default: str = ""
    ) -> str:
        """Return the value of one option; ``options`` are values and what they are called.

        Raises:
            Refused: nobody can be asked; the sentence names ``flag``.
        """
        self._require(f"{question} Nobody can answer here: pass {flag}.")
        note(f"{styled('>', 'bold')} {question}")
        for number, (_, label) in enumerate(options, 1):
            note(f"  {number}. {label}")
        values = {value: value for value, _ in options}
        values |= {str(number): value for number, (value, _) in enumerate(options, 1)}
        hint = f" [{default}]" if default else ""
        while True:
            answer = self._read(f"  Number or name{hint}: ") or default
            if answer in values:
                return values[answer]
            note(f"  {styled(f'Please type a number from 1 to {len(options)}, or a name.', 'red')}")

    def _require(self, refusal: str) -> None:
        if not can_ask(force=self.force_tty):
            raise Refused(refusal)

    def _read(self, prompt: str) -> str:
        sys.stderr.write(harmless(prompt))
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            note()  # What comes next, the shell's prompt, begins on a line of its own.
            raise
        if not line:
            note()
            raise Refused("Canceled: the input ended before the question was answered.")
        return line.strip()

    def _read_hidden(self, prompt: str) -> str:
        if not sys.stdin.isatty():
            return self._read(prompt)
        from getpass import getpass

        try:
            return getpass(harmless(prompt), stream=sys.stderr).strip()
        except KeyboardInterrupt:
            note()
            raise
        except EOFError:
            note()
            raise Refused("Canceled: the input ended before the question was answered.") from None
