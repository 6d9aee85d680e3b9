"""The sockets that a server listens on, bound by ourselves so that the refusals are ours."""

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from coder_cli.kit.refused import Refused
from server.settings import Address, Settings

_BACKLOG = 2048
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104, compared with, not bound to
_VERSIONS = {"tls12": ssl.TLSVersion.TLSv1_2, "tls13": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket that listens already; who calls early waits in its queue."""

    socket: socket.socket
    secure: bool

    @property
    def url(self) -> str:
        """The URL by which this machine reaches it."""
        host, port = self.socket.getsockname()[:2]
        if host in _EVERYWHERE:
            host = "127.0.0.1" if self.socket.family == socket.AF_INET else "::1"
        return f"{'https' if self.secure else 'http'}://{Address(host, port)}"


def open_listeners(settings: Settings) -> list[Listener]:
    """Bind what the settings ask for, HTTPS first.

    Raises:
        Refused: an address is taken or is not ours.
    """
    listeners: list[Listener] = []
    try:
        if settings.tls.enable and settings.tls.address:
            listeners.append(Listener(bind(settings.tls.address), secure=True))
        if settings.networking.http_address:
            listeners.append(Listener(bind(settings.networking.http_address), secure=False))
    except Refused:
        for listener in listeners:
            listener.socket.close()
        raise
    return listeners


def bind(address: Address) -> socket.socket:
    """Return a socket that listens at ``address``.

    Raises:
        Refused: the address is taken, not ours, or forbidden.
    """
    try:
        found = socket.getaddrinfo(
            address.host or "0.0.0.0",  # noqa: S104, an empty host means every interface
            address.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        family, kind, protocol, _, where = found[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refusal(address, error) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(_BACKLOG)
        bound.settimeout(0)
    except OSError as error:
        bound.close()
        raise _refusal(address, error) from None
    return bound


def _refusal(address: Address, error: OSError) -> Refused:
    code = error.errno or 0
    why = os.strerror(code).lower() if code in errno.errorcode else str(error.strerror)
    advice = {
        errno.EADDRINUSE: "another process listens there; stop it or choose another address",
        errno.EACCES: "ports below 1024 need privileges",
    }.get(code, "choose an address of this machine")
    return Refused(f"configure http(s): listen tcp {address}: bind: {why} ({advice})")


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return what the HTTPS listener needs.

    Raises:
        Refused: a file is missing or is not what it should be.
    """
    tls = settings.tls
    made = [
        _one_context(settings, certificate, key)
        for certificate, key in zip(tls.cert_files, tls.key_files, strict=True)
    ]
    first = made[0]
    if len(made) > 1:
        by_name = {
            name: context
            for context, certificate in zip(made, tls.cert_files, strict=True)
            for name in _names(certificate)
        }

        def choose(line: ssl.SSLObject, asked: str | None, _: ssl.SSLContext) -> None:
            name = (asked or "").lower()
            wildcard = f"*.{name.partition('.')[2]}"
            line.context = by_name.get(name) or by_name.get(wildcard) or first

        first.sni_callback = choose
    return first


def _one_context(settings: Settings, certificate: str, key: str) -> ssl.SSLContext:
    tls = settings.tls
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.set_alpn_protocols(["http/1.1"])
    for flag, path in (("--tls-cert-file", certificate), ("--tls-key-file", key)):
        _require_readable(flag, Path(path))
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise Refused(
            f"load tls certificate: {certificate} and {key} do not hold a certificate and its "
            f"key: {_reason(error)}"
        ) from None
    _choose_ciphers(context, settings)
    if tls.client_auth != "none":
        _ask_clients(context, settings)
    return context


def _choose_ciphers(context: ssl.SSLContext, settings: Settings) -> None:
    wanted = settings.tls.ciphers
    if not wanted:
        return
    secure = {str(cipher["name"]) for cipher in context.get_ciphers()}
    if settings.tls.allow_insecure_ciphers:
        wanted = (*wanted, "@SECLEVEL=0")
    elif insecure := [name for name in wanted if name not in secure]:
        raise Refused(
            f"--tls-ciphers: {insecure[0]} is unknown or not secure; secure ones are "
            f"{', '.join(sorted(secure))}; --tls-allow-insecure-ciphers lets others in"
        )
    try:
        context.set_ciphers(":".join(wanted))
    except ssl.SSLError:
        names = ", ".join(settings.tls.ciphers)
        raise Refused(f"--tls-ciphers: OpenSSL knows none of {names}") from None


def _ask_clients(context: ssl.SSLContext, settings: Settings) -> None:
    path = settings.tls.client_ca_file
    if path is None:
        raise Refused("--tls-client-ca-file: must be set when --tls-client-auth is")
    _require_readable("--tls-client-ca-file", path)
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, OSError) as error:
        raise Refused(
            f"--tls-client-ca-file: {path} holds no certificate: {_reason(error)}"
        ) from None
    required = settings.tls.client_auth == "require-and-verify"
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL


def _require_readable(flag: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise Refused(f"{flag}: {path} cannot be read: {error.strerror}") from None


def _reason(error: OSError) -> str:
    """Return OpenSSL's reason without its file and line."""
    return getattr(error, "reason", None) or error.strerror or "it is not PEM"


def _names(certificate: str) -> list[str]:
    """Return the host names that a certificate is for."""
    from cryptography import x509

    loaded = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    try:
        extension = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]
