"""Options of the original's server that ours does not have, each with its reason.

Source: reference, API and CLI, section 4. An option moves from here to ``server/settings`` together
with what it is about; a test fails when one is in both places or in neither.
"""

from collections.abc import Mapping

_DIRECT = "there are no direct connections: the server relays everything"
_DERP = "there is no DERP relay: streams go through the server itself"
_GITHUB = "log-in by GitHub does not exist yet"
_OIDC = "log-in by OpenID Connect does not exist yet"
_EXTERNAL = "the original's default is an application of its own makers at GitHub"
_PURGE = "nothing is purged by age yet"
_TRACE = "traces are not collected"
_APPS = "applications are not served to browsers yet"
_QUIET = "quiet hours do not exist yet"
_CHATS = "chats cannot be shared, nor their tools restricted, yet"
_GATEWAY = "the AI gateway does not exist yet"
_MAIL = "notifications and mail do not exist yet"
_GO = "it looks into the Go runtime"

LEFT_OUT: Mapping[str, str] = {
    # networking
    "browser-only": _APPS,
    "tls-client-cert-file": "the server calls nobody who asks for a certificate",
    "tls-client-key-file": "the server calls nobody who asks for a certificate",
    "derp-server-enable": _DERP,
    "derp-server-region-name": _DERP,
    "derp-server-stun-addresses": _DERP,
    "derp-server-relay-url": _DERP,
    "derp-config-url": _DERP,
    "derp-config-path": _DERP,
    "derp-force-websockets": _DERP,
    "block-direct-connections": _DIRECT,
    "proxy-health-interval": "there are no workspace proxies yet",
    # auth and sessions
    "default-oauth-refresh-lifetime": "the server is no OAuth2 provider yet",
    "oauth2-github-client-id": _GITHUB,
    "oauth2-github-client-secret": _GITHUB,
    "oauth2-github-allow-signups": _GITHUB,
    "oauth2-github-allow-everyone": _GITHUB,
    "oauth2-github-allowed-orgs": _GITHUB,
    "oauth2-github-allowed-teams": _GITHUB,
    "oauth2-github-enterprise-base-url": _GITHUB,
    "oauth2-github-device-flow": _GITHUB,
    "oauth2-github-default-provider-enable": _GITHUB,
    "oidc-issuer-url": _OIDC,
    "oidc-client-id": _OIDC,
    "oidc-client-secret": _OIDC,
    "oidc-client-key-file": _OIDC,
    "oidc-client-cert-file": _OIDC,
    "oidc-scopes": _OIDC,
    "oidc-allow-signups": _OIDC,
    "oidc-email-domain": _OIDC,
    "oidc-email-field": _OIDC,
    "oidc-username-field": _OIDC,
    "oidc-name-field": _OIDC,
    "oidc-ignore-email-verified": _OIDC,
    "oidc-ignore-userinfo": _OIDC,
    "oidc-auth-url-params": _OIDC,
    "oidc-group-field": _OIDC,
    "oidc-group-mapping": _OIDC,
    "oidc-group-auto-create": _OIDC,
    "oidc-group-regex-filter": _OIDC,
    "oidc-allowed-groups": _OIDC,
    "oidc-user-role-field": _OIDC,
    "oidc-user-role-mapping": _OIDC,
    "oidc-user-role-default": _OIDC,
    "oidc-sign-in-text": _OIDC,
    "oidc-icon-url": _OIDC,
    "oidc-signups-disabled-text": _OIDC,
    "oidc-redirect-url": _OIDC,
    "dangerous-oidc-skip-issuer-checks": _OIDC,
    "scim-auth-header": "SCIM does not exist yet",
    "scim-use-legacy": "SCIM does not exist yet",
    "external-auth-github-default-provider-enable": _EXTERNAL,
    # database, provisioning
    "postgres-auth": "log-in to PostgreSQL by AWS IAM does not exist; passwords and TLS keys do",
    "provisioner-disable-module-cache": "modules are kept by the provisioner, not in the database",
    "workspace-prebuilds-reconciliation-interval": "prebuilt workspaces do not exist yet",
    "audit-logs-retention": _PURGE,
    "connection-logs-retention": _PURGE,
    "boundary-log-retention": _PURGE,
    "api-keys-retention": _PURGE,
    "workspace-agent-logs-retention": _PURGE,
    "autobuild-poll-interval": "nothing starts and stops workspaces by the clock yet",
    # observability, limits, client
    "prometheus-collect-agent-stats": "the statistics of agents are not among the metrics yet",
    "prometheus-aggregate-agent-stats-by": "likewise",
    "prometheus-collect-db-metrics": "the pool's numbers are always among the metrics",
    "pprof-enable": _GO,
    "pprof-address": _GO,
    "trace": _TRACE,
    "trace-logs": _TRACE,
    "trace-honeycomb-api-key": _TRACE,
    "telemetry": "nothing is ever reported to anybody",
    "update-check": "the server asks nobody for newer releases",
    "stats-collection-usage-stats-enable": "insights do not exist yet",
    "web-terminal-renderer": "there is no terminal in the browser yet",
    "disable-path-apps": _APPS,
    "disable-workspace-sharing": "it comes with the roles that sharing needs in full",
    "disable-chat-sharing": _CHATS,
    "disable-user-secret-file-path": "secrets of users do not exist yet",
    "disable-workspace-agent-context-sync": _CHATS,
    "disable-chat-caller-supplied-tools": _CHATS,
    "dangerous-allow-path-app-sharing": _APPS,
    "dangerous-allow-path-app-site-owner-access": _APPS,
    "dangerous-allow-cors-requests": _APPS,
    "default-quiet-hours-schedule": _QUIET,
    "allow-custom-quiet-hours": _QUIET,
    "disable-template-builder": "there is no template builder",
    "template-builder-registry-url": "there is no template builder",
    "hide-ai-tasks": "there are no pages of tasks to hide",
    "ai-gateway-enabled": _GATEWAY,
    "ai-gateway-retention": _GATEWAY,
    "ai-gateway-max-concurrency": _GATEWAY,
    "ai-gateway-rate-limit": _GATEWAY,
    "ai-gateway-allow-byok": _GATEWAY,
    "ai-budget-policy": _GATEWAY,
    "ai-budget-period": _GATEWAY,
    # email and notifications
    "email-from": _MAIL,
    "email-smarthost": _MAIL,
    "email-hello": _MAIL,
    "email-force-tls": _MAIL,
    "email-auth-identity": _MAIL,
    "email-auth-username": _MAIL,
    "email-auth-password": _MAIL,
    "email-auth-password-file": _MAIL,
    "email-tls-starttls": _MAIL,
    "email-tls-server-name": _MAIL,
    "email-tls-skip-verify": _MAIL,
    "email-tls-ca-cert-file": _MAIL,
    "email-tls-cert-file": _MAIL,
    "email-tls-cert-key-file": _MAIL,
    "notifications-method": _MAIL,
    "notifications-webhook-endpoint": _MAIL,
    "notifications-dispatch-timeout": _MAIL,
    "notifications-max-send-attempts": _MAIL,
    "notifications-inbox-enabled": _MAIL,
}

OURS = frozenset(
    {
        "workers",
        "quickstart",
        "terraform-binary",
        "coder-provider",
        "terraform-modules-dir",
        "instance-identity-dir",
        "chat-concurrent-turns",
    }
)
"""Options that the original does not have."""

_THEIRS = """
    http-address access-url wildcard-access-url redirect-to-access-url docs-url
    external-auth-providers external-token-encryption-keys
    proxy-trusted-headers proxy-trusted-origins secure-auth-cookie samesite-auth-cookie
    host-prefix-cookie browser-only cluster-host tls-enable tls-address tls-cert-file
    tls-key-file tls-client-ca-file tls-client-auth tls-client-cert-file tls-client-key-file
    tls-min-version tls-ciphers tls-allow-insecure-ciphers strict-transport-security
    strict-transport-security-options additional-csp-policy session-duration
    disable-session-expiry-refresh max-token-lifetime max-admin-token-lifetime
    default-token-lifetime disable-password-auth terms-of-service-url postgres-url
    postgres-conn-max-open postgres-conn-max-idle ephemeral cache-dir provisioner-daemons
    provisioner-daemon-psk provisioner-force-cancel-interval enable-terraform-debug-mode
    ssh-keygen-algorithm job-hang-detector-interval agent-stats-refresh-interval log-human
    log-json log-stackdriver log-filter verbose prometheus-enable prometheus-address
    health-check-refresh health-check-threshold-database api-rate-limit
    dangerous-disable-rate-limits swagger-enable experiments support-links ssh-hostname-prefix
    workspace-hostname-suffix ssh-config-options cli-upgrade-message allow-workspace-renames
    disable-owner-workspace-access chat-acquire-batch-size chat-max-steps-per-turn
    chat-max-generation-retries chat-max-queued-messages-per-chat chat-max-attachments-per-chat
    chat-max-prompt-bytes chat-stream-silence-timeout
"""

THEIRS = frozenset(_THEIRS.split())
"""Options of the original that we have; with ``LEFT_OUT`` it is all that it has."""
