"""The global flags: read from the command line and the environment before any command is known.

They may stand before or after the command's name, except for commands that pass words on (``ssh``,
``server``, ``agent``): there, what follows the name is the command's own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from pathlib import Path

TRUE = frozenset({"1", "t", "true", "yes", "on"})
FALSE = frozenset({"", "0", "f", "false", "no", "off"})


class Flag(NamedTuple):
    """A global flag. Without ``metavar`` it is a switch."""

    name: str
    env: str
    help: str
    metavar: str = ""
    short: str = ""
    repeat: bool = False
    hidden: bool = False


FLAGS = (
    Flag("url", "CODER_URL", "URL of the deployment", "<url>"),
    Flag("token", "CODER_SESSION_TOKEN", "Session token; the variable keeps it secret", "<token>"),
    Flag("global-config", "CODER_CONFIG_DIR", "Directory of the session and its URL", "<dir>"),
    Flag("header", "CODER_HEADER", "HTTP header for every request", "<key=value>", repeat=True),
    Flag("header-command", "CODER_HEADER_COMMAND", "Program that prints such headers", "<command>"),
    Flag("no-version-warning", "CODER_NO_VERSION_WARNING", "Do not compare versions"),
    Flag("no-feature-warning", "CODER_NO_FEATURE_WARNING", "Do not show the server's warnings"),
    Flag("force-tty", "CODER_FORCE_TTY", "Ask questions even if input is not a terminal"),
    Flag("verbose", "CODER_VERBOSE", "Show more, and tracebacks of unexpected errors", short="v"),
    Flag("debug-options", "", "Print every global option, its value and its source, then exit"),
    Flag("disable-direct-connections", "CODER_DISABLE_DIRECT_CONNECTIONS", "Use the relay only"),
    Flag("disable-network-telemetry", "CODER_DISABLE_NETWORK_TELEMETRY", "Send no telemetry"),
    Flag("use-keyring", "CODER_USE_KEYRING", "Keep the session token in the system's keyring"),
    Flag("no-open", "CODER_NO_OPEN", "Never open a browser", hidden=True),
    Flag("agent-token", "CODER_AGENT_TOKEN", "Token of the agent", "<token>", hidden=True),
    Flag("agent-url", "CODER_AGENT_URL", "Deployment of the agent", "<url>", hidden=True),
)

_BY_WORD = {f"--{flag.name}": flag for flag in FLAGS} | {
    f"-{flag.short}": flag for flag in FLAGS if flag.short
}


class Setting(NamedTuple):
    """The value of one option and where it came from: flag, env or default."""

    values: tuple[str, ...]
    source: str


class Globals(NamedTuple):
    """What the global flags and their variables said."""

    settings: Mapping[str, Setting]

    @property
    def config_dir(self) -> "Path":
        """Where the session is stored."""
        from pathlib import Path

        chosen = self.text("global-config")
        if chosen:
            return Path(chosen).expanduser()
        from platformdirs import user_config_path

        return user_config_path("coderv2", appauthor=False, roaming=True)

    def text(self, name: str) -> str:
        """Return the last value of a flag, or an empty string."""
        found = self.settings.get(name)
        return found.values[-1] if found else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a flag that may be repeated."""
        found = self.settings.get(name)
        return found.values if found else ()

    def on(self, name: str) -> bool:
        """Say whether a switch is on."""
        return self.text(name).lower() in TRUE

    def said(self, name: str) -> bool:
        """Say whether anybody spoke about a flag at all."""
        return name in self.settings


def parse(
    argv: Sequence[str], env: Mapping[str, str], passes_on: Callable[[str], bool]
) -> tuple[Globals, list[str]]:
    """Take the global flags out of ``argv``; return them and the words that are left.

    Raises:
        Refused: a flag lacks its value, or a switch has one that is neither true nor false.
    """
    flags: dict[str, list[str]] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        flag = _BY_WORD.get(name)
        if flag is not None:
            flags.setdefault(flag.name, []).append(
                _value(flag, name, value if equals else None, words)
            )
            continue
        rest.append(word)
        if word == "--" or (len(rest) == 1 and passes_on(word)):
            rest.extend(words)
    settings = {
        flag.name: setting for flag in FLAGS if (setting := _setting(flag, flags, env)) is not None
    }
    return Globals(settings), rest


def _value(flag: Flag, word: str, given: str | None, words: Iterator[str]) -> str:
    if flag.metavar:
        value = given if given is not None else next(words, None)
        if value is None:
            raise Refused(f"{word} needs a value: {word} {flag.metavar}.")
        return value
    value = "true" if given is None else given
    _switch(word, value)
    return value


def _setting(flag: Flag, flags: Mapping[str, list[str]], env: Mapping[str, str]) -> Setting | None:
    if flag.name in flags:
        return Setting(tuple(flags[flag.name]), "flag")
    value = env.get(flag.env, "") if flag.env else ""
    if not value:
        return None
    if not flag.metavar:
        _switch(flag.env, value)
    return Setting(tuple(value.split(",")) if flag.repeat else (value,), "env")


def _switch(name: str, value: str) -> None:
    if value.lower() not in TRUE | FALSE:
        raise Refused(f"{name} is a switch: {value!r} is neither true nor false.")
