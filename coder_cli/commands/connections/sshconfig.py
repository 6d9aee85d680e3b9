"""The marked block that ``config-ssh`` keeps in an SSH configuration: pure text in, text out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coder_cli.kit.refused import Refused

START = "# ------------START-CODER-----------"
END = "# ------------END-CODER------------"
_ABOUT = """\
# This section is managed by coder. DO NOT EDIT.
#
# Change it with: coder config-ssh
#"""
_REMEMBERED = "# :ssh-option="
_OPTION = re.compile(r"^\s*([A-Za-z][A-Za-z0-9]*)\s*[= ]\s*(.+?)\s*$")
_DEFAULTS = {
    "ConnectTimeout": "0",
    # The relay is reached over an authenticated line, and agents are new with every rebuild:
    # `coder ssh` checks their keys against the server, ssh has nothing lasting to compare with.
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
    "LogLevel": "ERROR",
}
_FORBIDDEN = {"host", "match", "include", "proxycommand", "proxyjump", "localcommand", "permitlocalcommand", "remotecommand", "knownhostscommand", "pkcs11provider", "securitykeyprovider", "smartcarddevice", "xauthlocation"}  # fmt: skip  # noqa: E501
_NOT_FROM_SERVERS = _FORBIDDEN | {"userknownhostsfile", "hostkeyalias", "controlpath"}
"""Besides what runs programs: what has ssh write a server's words into a file of its choice."""
_HOST_PART = re.compile(r"[A-Za-z0-9._-]{0,128}")


class Broken(Exception):
    """The markers in a file do not fit together."""


@dataclass(frozen=True, slots=True)
class Block:
    """What the block says."""

    binary: str
    config_dir: str
    prefix: str
    suffix: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    chosen: Mapping[str, str] = field(default_factory=dict[str, str])
    """The part of ``options`` that a person gave; remembered in comments."""
    wait: str = "auto"
    disable_autostart: bool = False

    def text(self) -> str:
        """Return the block, markers included."""
        lines = [START, *_ABOUT.splitlines()]
        lines += [f"{_REMEMBERED}{key}={value}" for key, value in self.chosen.items()]
        if self.prefix:
            lines += ["", f"Host {self.prefix}*", *self._body(f"--ssh-host-prefix {self.prefix}")]
        if self.suffix:
            lines += ["", f"Host *.{self.suffix}", *self._body(f"--hostname-suffix {self.suffix}")]
        return "\n".join([*lines, END]) + "\n"

    def _body(self, names: str) -> list[str]:
        merged = dict(_DEFAULTS)
        for key, value in self.options.items():
            same = next((known for known in merged if known.lower() == key.lower()), key)
            merged[same] = value
        flags = [names, f"--wait={self.wait}"] if self.wait != "auto" else [names]
        if self.disable_autostart:
            flags.append("--disable-autostart")
        command = (
            f"{_quoted(self.binary)} --global-config {_quoted(self.config_dir)} ssh --stdio"
            f" {' '.join(flags)} %h"
        )
        body = [f"\t{key} {value}" for key, value in merged.items()]
        return [*body, f"\tProxyCommand {command}"]


def parse_options(texts: Sequence[str]) -> dict[str, str]:
    """Read ``Key=value`` or ``Key value`` options.

    Raises:
        Refused: one has another form, or could run programs of its own.
    """
    options: dict[str, str] = {}
    for text in texts:
        match = _OPTION.match(text)
        if match is None or "\n" in text or "\0" in text:
            raise Refused(f"--ssh-option {text!r} is not Key=value.")
        if match[1].lower() in _FORBIDDEN:
            raise Refused(f"--ssh-option {match[1]} cannot be set for workspaces.")
        options[match[1]] = match[2]
    return options


def deployment_options(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the options that a deployment wants for everyone, if ssh may be told them.

    Raises:
        Refused: one would run programs here, or is more than one line. Whoever can make somebody
            log in to a deployment must not thereby own their machine.
    """
    for key, value in sent.items():
        one_line = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key) and value.isprintable()
        if not one_line or key.lower() in _NOT_FROM_SERVERS:
            raise Refused(
                f"The deployment wants the ssh option {key!r}, which is not its to set."
                " Ask its administrator to remove it from --ssh-config-options."
            )
    return dict(sent)


def host_part(text: str) -> str:
    """Return a prefix or suffix of host names that is safe in a pattern and in a command.

    Raises:
        Refused: it has other characters than those of host names.
    """
    if _HOST_PART.fullmatch(text) is None or text.startswith("-"):
        raise Refused(f"{text!r} cannot be a part of host names.")
    return text


def previous_options(text: str) -> dict[str, str]:
    """Return the options that the last run remembered in the block of ``text``.

    Raises:
        Broken: the markers do not fit together.
    """
    found = _find(text)
    if found is None:
        return {}
    lines = text[found[0] : found[1]].splitlines()
    return parse_options(
        [line.removeprefix(_REMEMBERED) for line in lines if line.startswith(_REMEMBERED)]
    )


def with_block(text: str, block: str) -> str:
    """Return ``text`` with ``block`` in the place of the old one, or at its end.

    Raises:
        Broken: the markers do not fit together.
    """
    found = _find(text)
    if found is not None:
        return text[: found[0]] + block + text[found[1] :]
    if text and not text.endswith("\n"):
        text += "\n"
    return f"{text}\n{block}" if text else block


def _find(text: str) -> tuple[int, int] | None:
    """Return where the block begins and ends, its last newline included."""
    starts = [match.start() for match in re.finditer(f"^{re.escape(START)}$", text, re.MULTILINE)]
    ends = [match.end() for match in re.finditer(f"^{re.escape(END)}$\n?", text, re.MULTILINE)]
    if not starts and not ends:
        return None
    if len(starts) != 1 or len(ends) != 1 or ends[0] < starts[0]:
        raise Broken(
            f"the markers {START!r} and {END!r} do not form one section."
            " Remove them by hand, then run coder config-ssh again."
        )
    return starts[0], ends[0]


def _quoted(path: str) -> str:
    """Quote a path for ProxyCommand, where ``%`` begins a token and the shell reads the rest."""
    escaped = path.replace("%", "%%")
    if re.fullmatch(r"[A-Za-z0-9_./+:@%-]+", escaped):
        return escaped
    return '"' + re.sub(r'(["\\$`])', r"\\\1", escaped) + '"'
