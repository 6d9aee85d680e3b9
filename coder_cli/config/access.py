"""Which deployment we speak to, and as whom: flag, then environment, then what log-in stored."""

import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from coder_cli.config.directory import ConfigDirectory
from coder_cli.config.options import Globals
from coder_cli.kit.refused import Refused

URL = "url"
SESSION = "session"
ORGANIZATION = "organization"
_SERVICE = "coder-v2-credentials"


class LoggedOut(Refused):
    """There is no deployment or no session to use."""

    def __init__(self, url: str = "") -> None:
        super().__init__(
            f"You are logged out. Log in with: coder login {url or '<url>'}",
        )


class Session:
    """The stored log-in of this configuration directory, seen through the global flags."""

    def __init__(self, options: Globals) -> None:
        self._options = options
        self._directory = ConfigDirectory(options.config_dir)

    @property
    def stored_url(self) -> str:
        """The URL that the last log-in wrote."""
        return self._directory.read(URL)

    @property
    def url(self) -> str:
        """The deployment to speak to, or an empty string."""
        return normal_url(self._options.text("url") or self.stored_url)

    @property
    def given_token(self) -> str:
        """The token of the flag or the environment, or an empty string."""
        return self._options.text("token")

    @property
    def token(self) -> str:
        """The token to speak with, or an empty string."""
        return self.given_token or self._stored_token()

    def save(self, url: str, token: str) -> None:
        """Remember a log-in."""
        self._directory.write(URL, url)
        if self._wants_keyring() and self._keep_in_keyring(url, token):
            self._directory.remove(SESSION)
            return
        self._directory.write(SESSION, token)

    def forget(self) -> None:
        """Drop the stored log-in: token, URL, selected organization."""
        self._drop_from_keyring(self.stored_url)
        for name in (SESSION, URL, ORGANIZATION):
            self._directory.remove(name)

    def require(self) -> tuple[str, str]:
        """Return URL and token.

        Raises:
            LoggedOut: one of them is missing.
        """
        url = self.url
        if not url:
            raise LoggedOut
        token = self.token
        if not token:
            raise LoggedOut(url)
        return url, token

    def _stored_token(self) -> str:
        kept = self._directory.read(SESSION)
        if kept or not self._wants_keyring():
            return kept
        import keyring
        from keyring.errors import KeyringError

        try:
            return keyring.get_password(_SERVICE, _account(self.url)) or ""
        except KeyringError as error:
            raise Refused(
                f"The keyring cannot be read: {error}. Unlock it, or log in again with"
                " --use-keyring=false."
            ) from error

    def _wants_keyring(self) -> bool:
        if self._options.said("use-keyring"):
            return self._options.on("use-keyring")
        return sys.platform in {"darwin", "win32"}

    def _keep_in_keyring(self, url: str, token: str) -> bool:
        """Return False where no keyring exists and nobody insisted on one."""
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, _account(url), token)
        except KeyringError as error:
            if not self._options.said("use-keyring"):
                return False
            raise Refused(
                f"The token cannot be kept in a keyring: {error}. Log in without --use-keyring to"
                f" keep it in {self._options.config_dir / SESSION}, readable by you only."
            ) from error
        return True

    def _drop_from_keyring(self, url: str) -> None:
        if not url or not self._wants_keyring():
            return
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            keyring.delete_password(_SERVICE, _account(url))
        except PasswordDeleteError:
            return
        except KeyringError as error:
            raise Refused(f"The token cannot be taken out of the keyring: {error}.") from error


def normal_url(text: str) -> str:
    """Return a deployment's URL as requests need it: with a scheme, without a slash at the end.

    Raises:
        Refused: this is not the URL of a web server.
    """
    text = text.strip()
    if not text:
        return ""
    if "://" not in text:
        local = text.startswith(("localhost", "127.0.0.1", "[::1]"))
        text = f"{'http' if local else 'https'}://{text}"
    text = text.rstrip("/")
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        well_formed = False
    if not well_formed:
        raise Refused(f"{text!r} is not the URL of a deployment; write https://coder.example.com.")
    return text


def extra_headers(options: Globals) -> Mapping[str, str]:
    """Return the headers of ``--header`` and ``--header-command``.

    Raises:
        Refused: a header is not ``key=value``, or the command failed.
    """
    lines = list(options.texts("header"))
    command = options.text("header-command")
    if command:
        import subprocess

        # A shell, as upstream does: people write pipes here, and they own this command line.
        ran = subprocess.run(  # noqa: S602
            command, shell=True, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise Refused(
                f"The header command ended with {ran.returncode}: {ran.stderr.strip() or command}"
            )
        lines += [line for line in ran.stdout.splitlines() if line.strip()]
    headers: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise Refused(f"{line!r} is not a header; write --header key=value.")
        headers[key.strip()] = value.strip()
    return headers


def _account(url: str) -> str:
    return urlsplit(normal_url(url)).netloc
