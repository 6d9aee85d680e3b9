"""Options of addresses, TLS, sessions and passwords. One entry here, and it exists everywhere."""

# ruff: noqa: RUF009, option() returns a dataclass field, as dataclasses.field does

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.settings.kinds import (
    ADDRESS,
    BOOL,
    DURATION,
    NETWORKS,
    PATH,
    TEXT,
    URL,
    WILDCARD,
    WORDS,
    Address,
    choice,
    integer,
)
from server.settings.option import Group, Names, option

_NETWORKING = Group("Networking", "networking", "How people and workspaces reach this server.")
_HTTP = Group("Networking / HTTP", "networking.http")
_TLS = Group("Networking / TLS", "networking.tls", "HTTPS served by this process itself.")
_SESSIONS = Group("Sessions and tokens", "networking.http", "How long a log-in lasts.")


@dataclass(frozen=True, slots=True)
class Networking:
    """Addresses, cookies and proxies."""

    http_address: Address | None = option(
        ADDRESS,
        Names(flag="http-address", yaml="httpAddress", json="http_address", name="HTTP Address"),
        _HTTP,
        "HTTP bind address of the server. Leave it empty to disable the HTTP endpoint; "
        "port 0 takes any free port.",
        default="127.0.0.1:3000",
    )
    access_url: str = option(
        URL,
        Names(flag="access-url", yaml="accessURL", json="access_url", name="Access URL"),
        _NETWORKING,
        "The URL that people and workspaces use to reach this server. "
        "Without it, the address of the listener is used.",
    )
    wildcard_access_url: str = option(
        WILDCARD,
        Names(
            flag="wildcard-access-url",
            yaml="wildcardAccessURL",
            json="wildcard_access_url",
            name="Wildcard Access URL",
        ),
        _NETWORKING,
        "The host name under which workspace applications get a name of their own, such as "
        '"*.example.com".',
    )
    redirect_to_access_url: bool = option(
        BOOL,
        Names(
            flag="redirect-to-access-url",
            yaml="redirectToAccessURL",
            json="redirect_to_access_url",
            name="Redirect to Access URL",
        ),
        _NETWORKING,
        "Redirect requests that came under another host name to the access URL.",
        default="false",
    )
    docs_url: str = option(
        URL,
        Names(flag="docs-url", yaml="docsURL", json="docs_url", name="Docs URL"),
        _NETWORKING,
        "Where links to the documentation lead.",
        default="https://coder.com/docs",
    )
    proxy_trusted_headers: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="proxy-trusted-headers",
            yaml="proxyTrustedHeaders",
            json="proxy_trusted_headers",
        ),
        _NETWORKING,
        "Headers that carry the caller's address, such as X-Forwarded-For. "
        "They are read only from callers inside --proxy-trusted-origins.",
    )
    proxy_trusted_origins: tuple[str, ...] = option(
        NETWORKS,
        Names(
            flag="proxy-trusted-origins",
            yaml="proxyTrustedOrigins",
            json="proxy_trusted_origins",
        ),
        _NETWORKING,
        "Networks whose proxies are believed, such as 192.168.1.0/24.",
    )
    secure_auth_cookie: bool = option(
        BOOL,
        Names(
            flag="secure-auth-cookie",
            yaml="secureAuthCookie",
            json="http_cookies.secure_auth_cookie",
        ),
        _NETWORKING,
        "Set the Secure attribute on session cookies. It is always set when the access URL is "
        "https.",
        default="false",
    )
    samesite_auth_cookie: str = option(
        choice("lax|none", "lax", "none"),
        Names(
            flag="samesite-auth-cookie",
            yaml="sameSiteAuthCookie",
            json="http_cookies.same_site",
            name="SameSite Auth Cookie",
        ),
        _NETWORKING,
        "The SameSite attribute of session cookies.",
        default="lax",
    )
    cluster_host: str = option(
        TEXT,
        Names(flag="cluster-host", yaml="clusterHost", json="cluster_host"),
        _NETWORKING,
        "Where other replicas of this deployment reach this one, to pass streams on. The default "
        "serves replicas of one machine.",
        default="127.0.0.1",
    )
    host_prefix_cookie: bool = option(
        BOOL,
        Names(flag="host-prefix-cookie", yaml="hostPrefixCookie", json="http_cookies.host_prefix"),
        _NETWORKING,
        "Name session cookies with the __Host- prefix, which ties them to this very host.",
        default="false",
    )
    additional_csp_policy: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="additional-csp-policy",
            yaml="additionalCSPPolicy",
            json="additional_csp_policy",
            name="Additional CSP Policy",
        ),
        _NETWORKING,
        'Sources to add to the Content-Security-Policy of pages, such as "script-src '
        'https://example.com".',
    )


@dataclass(frozen=True, slots=True)
class Tls:
    """The HTTPS listener."""

    enable: bool = option(
        BOOL,
        Names(flag="tls-enable", yaml="enable", json="tls.enable", name="TLS Enable"),
        _TLS,
        "Whether to serve HTTPS.",
        default="false",
    )
    address: Address | None = option(
        ADDRESS,
        Names(flag="tls-address", yaml="address", json="tls.address", name="TLS Address"),
        _TLS,
        "HTTPS bind address of the server.",
        default="127.0.0.1:3443",
    )
    cert_files: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="tls-cert-file",
            yaml="certFiles",
            json="tls.cert_file",
            name="TLS Certificate Files",
        ),
        _TLS,
        "PEM files with the certificate and the chain to its authority. Several are chosen from "
        "by host name; each needs its --tls-key-file, in the same order.",
    )
    key_files: tuple[str, ...] = option(
        WORDS,
        Names(flag="tls-key-file", yaml="keyFiles", json="tls.key_file", name="TLS Key Files"),
        _TLS,
        "PEM files with the private keys, one for each --tls-cert-file.",
    )
    client_ca_file: Path | None = option(
        PATH,
        Names(
            flag="tls-client-ca-file",
            yaml="clientCAFile",
            json="tls.client_ca_file",
            name="TLS Client CA File",
        ),
        _TLS,
        "PEM file of the authorities that client certificates are checked against.",
    )
    client_auth: str = option(
        choice("mode", "none", "verify-if-given", "require-and-verify"),
        Names(
            flag="tls-client-auth",
            yaml="clientAuth",
            json="tls.client_auth",
            name="TLS Client Auth",
        ),
        _TLS,
        "Whether clients are asked for a certificate: none, verify-if-given or require-and-verify.",
        default="none",
    )
    min_version: str = option(
        choice("version", "tls12", "tls13"),
        Names(
            flag="tls-min-version",
            yaml="minVersion",
            json="tls.min_version",
            name="TLS Minimum Version",
        ),
        _TLS,
        "The oldest version of TLS that is spoken: tls12 or tls13.",
        default="tls12",
    )
    ciphers: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="tls-ciphers", yaml="tlsCiphers", json="tls.supported_ciphers", name="TLS Ciphers"
        ),
        _TLS,
        "The ciphers of TLS 1.2 that may be used, by their OpenSSL names. Empty takes the secure "
        "ones.",
    )
    allow_insecure_ciphers: bool = option(
        BOOL,
        Names(
            flag="tls-allow-insecure-ciphers",
            yaml="tlsAllowInsecureCiphers",
            json="tls.allow_insecure_ciphers",
            name="TLS Allow Insecure Ciphers",
        ),
        _TLS,
        "Let --tls-ciphers name ciphers that are not considered secure any more.",
        default="false",
    )
    strict_transport_security: int = option(
        integer(0, 10**9),
        Names(
            flag="strict-transport-security",
            yaml="strictTransportSecurity",
            json="strict_transport_security",
        ),
        _TLS,
        "For how many seconds browsers are told to use only HTTPS (HSTS); 0 sends no header.",
        default="0",
    )
    strict_transport_security_options: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="strict-transport-security-options",
            yaml="strictTransportSecurityOptions",
            json="strict_transport_security_options",
        ),
        _TLS,
        "Fields to add to that header: includeSubDomains, preload.",
    )


@dataclass(frozen=True, slots=True)
class Sessions:
    """Log-ins, tokens and passwords."""

    duration: timedelta = option(
        DURATION,
        Names(
            flag="session-duration",
            yaml="sessionDuration",
            json="session_lifetime.default_duration",
        ),
        _SESSIONS,
        "How long a browser session lasts. It is extended while it is used.",
        default="24h",
    )
    disable_expiry_refresh: bool = option(
        BOOL,
        Names(
            flag="disable-session-expiry-refresh",
            yaml="disableSessionExpiryRefresh",
            json="session_lifetime.disable_expiry_refresh",
        ),
        _SESSIONS,
        "Let sessions end when their time is over, even while they are used.",
        default="false",
    )
    max_token_lifetime: timedelta = option(
        DURATION,
        Names(
            flag="max-token-lifetime",
            yaml="maxTokenLifetime",
            json="session_lifetime.max_token_lifetime",
        ),
        _SESSIONS,
        "The longest lifetime a user may give to a token.",
        default="876600h",
    )
    max_admin_token_lifetime: timedelta = option(
        DURATION,
        Names(
            flag="max-admin-token-lifetime",
            yaml="maxAdminTokenLifetime",
            json="session_lifetime.max_admin_token_lifetime",
        ),
        _SESSIONS,
        "The longest lifetime an administrator may give to a token.",
        default="168h",
    )
    default_token_lifetime: timedelta = option(
        DURATION,
        Names(
            flag="default-token-lifetime",
            yaml="defaultTokenLifetime",
            json="session_lifetime.default_token_lifetime",
        ),
        _SESSIONS,
        "The lifetime of a token for which none was asked.",
        default="168h",
    )
    disable_password_auth: bool = option(
        BOOL,
        Names(
            flag="disable-password-auth",
            yaml="disablePasswordAuth",
            json="disable_password_auth",
        ),
        _SESSIONS,
        "Refuse log-in by password, except for owners.",
        default="false",
    )
    terms_of_service_url: str = option(
        URL,
        Names(
            flag="terms-of-service-url",
            yaml="termsOfServiceURL",
            json="terms_of_service_url",
            name="Terms of Service URL",
        ),
        _SESSIONS,
        "Terms that people accept by logging in.",
    )
