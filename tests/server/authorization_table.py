"""Who gets in at which route. One line for each route; the test fails when one is missing.

Each word is one target: the actor's **own** thing, **bob**'s (organization ``coder``), and
**eve**'s (organization ``elsewhere``). Where there is no target, one word is enough. Each letter
is one actor, in the order of ``ACTORS``:

    anonymous, member, auditor, template-admin, user-admin, owner, organization-admin, stranger

All of them belong to ``coder``; the stranger is organization-admin of ``elsewhere``.

    +  served (also a WebSocket that opens)     .  404: missing, or hidden
    !  401: nobody we know                      ~  refused for another reason than rights
    -  403: known, but not allowed

``~`` is what is left when the actor may, but the request makes no sense here (409, 412, 417, 400).
Paths are below ``/api/v2``; a ``^`` stands for paths outside of it.
"""
# ruff: noqa: E501 - one line for each route

import tarfile
from io import BytesIO
from typing import Any

ACTORS = (
    "anonymous",
    "member",
    "auditor",
    "template-admin",
    "user-admin",
    "owner",
    "organization-admin",
    "stranger",
)

TABLE = """
# deployment
GET    /                                                                         ++++++++
GET    /appearance                                                               !+++++++
GET    /applications/host                                                        !+++++++
GET    /auth/scopes                                                              ++++++++
POST   /authcheck                                                                !+++++++
GET    /buildinfo                                                                ++++++++
POST   /csp/reports                                                              ++++++++
GET    /debug/health                                                             !----+--
GET    /debug/health/settings                                                    !-+--+--
PUT    /debug/health/settings                                                    !----+--
WS     /debug/ws                                                                 !----+--
GET    /deployment/config                                                        !-+--+--
GET    /deployment/ssh                                                           !+++++++
GET    /deployment/stats                                                         !-+--+--
GET    /experiments                                                              !+++++++
GET    /experiments/available                                                    !+++++++
GET    /init-script/{os}/{arch}                                                  ++++++++ ++++++++ ++++++++
GET    /provisionerkeys/{key}                                                    ........ ........ ........
GET    /regions                                                                  !+++++++
GET    /updatecheck                                                              ++++++++

# users
GET    /users                                                                    !+++++++
POST   /users                                                                    !---++--
GET    /users/authmethods                                                        ++++++++
GET    /users/first                                                              ++++++++
POST   /users/first                                                              ~~~~~~~~
POST   /users/login                                                              ++++++++
POST   /users/logout                                                             !+++++++
GET    /users/roles                                                              !+++++++
POST   /users/validate-password                                                  ++++++++
DELETE /users/{user}                                                             !------- !.--~~.. !.--~~..
GET    /users/{user}                                                             !+++++++ !.++++.. !.++++..
GET    /users/{user}/appearance                                                  !+++++++ !.--++.. !.--++..
PUT    /users/{user}/appearance                                                  !+++++++ !.--++.. !.--++..
GET    /users/{user}/autofill-parameters                                         !+++++++ !.--++-. !.--.+.-
GET    /users/{user}/gitsshkey                                                   !+++++++ !.--++.. !.--++..
PUT    /users/{user}/gitsshkey                                                   !+++++++ !.--++.. !.--++..
POST   /users/{user}/keys                                                        !+++++++ !.---+.. !.---+..
GET    /users/{user}/keys/tokens                                                 !+++++++ !.++++.. !.++++..
POST   /users/{user}/keys/tokens                                                 !+++++++ !.---+.. !.---+..
GET    /users/{user}/keys/tokens/tokenconfig                                     !+++++++ !.++++.. !.++++..
GET    /users/{user}/keys/tokens/{name}                                          !+++++++ !....+.. !....+..
DELETE /users/{user}/keys/{key}                                                  !+++++++ !....+.. !....+..
GET    /users/{user}/keys/{key}                                                  !+++++++ !....+.. !....+..
PUT    /users/{user}/keys/{key}/expire                                           !+++++++ !....+.. !....+..
GET    /users/{user}/login-type                                                  !+++++++ !.--++.. !.--++..
GET    /users/{user}/organizations                                               !+++++++ !.++++.. !.++++..
GET    /users/{user}/organizations/{organization}                                !+++++++ !.++++.. !.++++..
PUT    /users/{user}/password                                                    !+++++++ !.--++.. !.--++..
GET    /users/{user}/preferences                                                 !+++++++ !.--++.. !.--++..
PUT    /users/{user}/preferences                                                 !+++++++ !.--++.. !.--++..
PUT    /users/{user}/profile                                                     !+++++++ !.--++.. !.--++..
GET    /users/{user}/roles                                                       !+++++++ !.++++.. !.++++..
PUT    /users/{user}/roles                                                       !----~-- !.---+.. !.---+..
PUT    /users/{user}/status/activate                                             !---++-- !.--++.. !.--++..
PUT    /users/{user}/status/suspend                                              !---~~-- !.--++.. !.--++..
GET    /users/{user}/workspace/{name}                                            !+++++++ !..+.++. !..+.+.+
GET    /users/{user}/workspace/{name}/builds/{number}                            !+++++++ !..+.++. !..+.+.+
POST   /users/{user}/workspaces                                                  !+++++++ !.---++. !.--~+.+

# accounts of other services
GET    /external-auth                                                            !+++++++
DELETE /external-auth/{provider}                                                 !~~~~~~~ !~~~~~~~ !~~~~~~~
GET    /external-auth/{provider}                                                 !~~~~~~~ !~~~~~~~ !~~~~~~~
GET    /external-auth/{provider}/device                                          !~~~~~~~ !~~~~~~~ !~~~~~~~
POST   /external-auth/{provider}/device                                          !~~~~~~~ !~~~~~~~ !~~~~~~~

# organizations
GET    /organizations                                                            !+++++++
GET    /organizations/{organization}                                             !+++++++ !++++++. !.++++.+
GET    /organizations/{organization}/members                                     !+++++++ !++++++. !.++++.+
GET    /organizations/{organization}/members/roles                               !+++++++ !++++++. !.--++.+
DELETE /organizations/{organization}/members/{user}                              !---~~~~ !.--+++. !.--++.+
GET    /organizations/{organization}/members/{user}                              !+++++++ !.+++++. !.++++.+
POST   /organizations/{organization}/members/{user}                              !---~~~~ !---~~~. !.--~~.~
PUT    /organizations/{organization}/members/{user}/roles                        !----~~~ !.---++. !.---+.+
POST   /organizations/{organization}/members/{user}/workspaces                   !+++++++ !.---++. !.--~+.+
GET    /organizations/{organization}/paginated-members                           !+++++++ !++++++. !.++++.+
GET    /organizations/{organization}/provisionerdaemons                          !+++++++ !++++++. !.++++.+
WS     /organizations/{organization}/provisionerdaemons/serve                    !--+-+++ !--+-++. !.-+-+.+
GET    /organizations/{organization}/provisionerkeys                             !--+-+++ !--+-++. !.-+-+.+
POST   /organizations/{organization}/provisionerkeys                             !--+-+++ !--+-++. !.-+-+.+
GET    /organizations/{organization}/provisionerkeys/daemons                     !--+-+++ !--+-++. !.-+-+.+
DELETE /organizations/{organization}/provisionerkeys/{name}                      !--.-... !--.-... !.-.-...
GET    /organizations/{organization}/provisionerjobs                             !+++++++ !++++++. !.++++.+
GET    /organizations/{organization}/provisionerjobs/{job}                       !+++++++ !..+.++. !..+.+.+
GET    /organizations/{organization}/templates                                   !+++++++ !++++++. !.++++.+
POST   /organizations/{organization}/templates                                   !--+-+++ !--+-++. !.-+-+.+
GET    /organizations/{organization}/templates/examples                          !+++++++ !+++++++ !+++++++
GET    /organizations/{organization}/templates/{name}                            !+++++++ !++++++. !.++.+.+
GET    /organizations/{organization}/templates/{template}/versions/{name}        !+++++++ !++++++. !.++.+.+
GET    /organizations/{organization}/templates/{template}/versions/{name}/previous !+++++++ !++++++. !.++.+.+
POST   /organizations/{organization}/templateversions                            !--+-+++ !--+-++. !.-+-+.+

# templates
POST   /files                                                                    !+++++++
GET    /files/{file_id}                                                          !+++++++ !..+.++. !..+.+.+
GET    /templates                                                                !+++++++
GET    /templates/examples                                                       !+++++++
DELETE /templates/{template}                                                     !--~-~~~ !--~-~~. !.-~.~.~
GET    /templates/{template}                                                     !+++++++ !++++++. !.++.+.+
PATCH  /templates/{template}                                                     !--+-+++ !--+-++. !.-+.+.+
GET    /templates/{template}/acl                                                 !--+-+++ !--+-++. !.-+.+.+
PATCH  /templates/{template}/acl                                                 !--+-+++ !--+-++. !.-+.+.+
GET    /templates/{template}/acl/available                                       !--+-+++ !--+-++. !.-+.+.+
GET    /templates/{template}/daus                                                !-++-+++ !-++-++. !.++.+.+
POST   /templates/{template}/prebuilds/invalidate                                !--+-+++ !--+-++. !.-+.+.+
GET    /templates/{template}/versions                                            !+++++++ !++++++. !.++.+.+
PATCH  /templates/{template}/versions                                            !--+-+++ !--+-++. !.-+.+.+
POST   /templates/{template}/versions/archive                                    !--+-+++ !--+-++. !.-+.+.+
GET    /templates/{template}/versions/{name}                                     !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}                                               !+++++++ !++++++. !.++.+.+
PATCH  /templateversions/{version}                                               !--+-+++ !--+-++. !.-+.+.+
POST   /templateversions/{version}/archive                                       !--~-~~~ !--~-~~. !.-~.~.~
PATCH  /templateversions/{version}/cancel                                        !--~-~~~ !--~-~~. !.-~.~.~
POST   /templateversions/{version}/dry-run                                       !+++++++ !++++++. !.--.+.+
GET    /templateversions/{version}/dry-run/{job}                                 !....... !....... !.......
PATCH  /templateversions/{version}/dry-run/{job}/cancel                          !....... !....... !.......
GET    /templateversions/{version}/dry-run/{job}/logs                            !....... !....... !.......
WS     /templateversions/{version}/dry-run/{job}/logs                            !....... !....... !.......
GET    /templateversions/{version}/dry-run/{job}/matched-provisioners            !....... !....... !.......
GET    /templateversions/{version}/dry-run/{job}/resources                       !....... !....... !.......
WS     /templateversions/{version}/dynamic-parameters                            !+++++++ !++++++. !.++.+.+
POST   /templateversions/{version}/dynamic-parameters/evaluate                   !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/external-auth                                 !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/logs                                          !+++++++ !++++++. !.++.+.+
WS     /templateversions/{version}/logs                                          !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/parameters                                    !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/presets                                       !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/resources                                     !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/rich-parameters                               !+++++++ !++++++. !.++.+.+
GET    /templateversions/{version}/schema                                        !+++++++ !++++++. !.++.+.+
POST   /templateversions/{version}/unarchive                                     !--~-~~~ !--~-~~. !.-~.~.~
GET    /templateversions/{version}/variables                                     !+++++++ !++++++. !.++.+.+

# workspaces
GET    /workspacebuilds/{build}                                                  !+++++++ !..+.++. !..+.+.+
PATCH  /workspacebuilds/{build}/cancel                                           !~~~~~~~ !..-.~~. !..-.~.~
GET    /workspacebuilds/{build}/logs                                             !+++++++ !..+.++. !..+.+.+
WS     /workspacebuilds/{build}/logs                                             !+++++++ !..+.++. !..+.+.+
GET    /workspacebuilds/{build}/parameters                                       !+++++++ !..+.++. !..+.+.+
GET    /workspacebuilds/{build}/resources                                        !+++++++ !..+.++. !..+.+.+
GET    /workspacebuilds/{build}/state                                            !--+-+++ !..+.++. !..+.+.+
PUT    /workspacebuilds/{build}/state                                            !--+-+++ !..-.++. !..-.+.+
GET    /workspacebuilds/{build}/timings                                          !+++++++ !..+.++. !..+.+.+
GET    /workspaces                                                               !+++++++
GET    /workspaces/{workspace}                                                   !+++++++ !..+.++. !..+.+.+
PATCH  /workspaces/{workspace}                                                   !~~~~~~~ !..-.~~. !..-.~.~
DELETE /workspaces/{workspace}/acl                                               !+++++++ !..-.++. !..-.+.+
GET    /workspaces/{workspace}/acl                                               !+++++++ !..-.++. !..-.+.+
PATCH  /workspaces/{workspace}/acl                                               !+++++++ !..-.++. !..-.+.+
PUT    /workspaces/{workspace}/autostart                                         !+++++++ !..-.++. !..-.+.+
PUT    /workspaces/{workspace}/autoupdates                                       !+++++++ !..-.++. !..-.+.+
GET    /workspaces/{workspace}/builds                                            !+++++++ !..+.++. !..+.+.+
POST   /workspaces/{workspace}/builds                                            !+++++++ !..-.++. !..-.+.+
PUT    /workspaces/{workspace}/dormant                                           !+++++++ !..-.++. !..-.+.+
PUT    /workspaces/{workspace}/extend                                            !~~~~~~~ !..-.~~. !..-.~.~
GET    /workspaces/{workspace}/external-agent/{agent}/credentials                !+++++++ !..-.+-. !..-.+.-
DELETE /workspaces/{workspace}/favorite                                          !+++++++ !..-.--. !..-.-.-
PUT    /workspaces/{workspace}/favorite                                          !+++++++ !..-.--. !..-.-.-
DELETE /workspaces/{workspace}/port-share                                        !+++++++ !..-.++. !..-.+.+
GET    /workspaces/{workspace}/port-share                                        !+++++++ !..+.++. !..+.+.+
POST   /workspaces/{workspace}/port-share                                        !+++++++ !..-.++. !..-.+.+
GET    /workspaces/{workspace}/resolve-autostart                                 !+++++++ !..+.++. !..+.+.+
GET    /workspaces/{workspace}/timings                                           !+++++++ !..+.++. !..+.+.+
PUT    /workspaces/{workspace}/ttl                                               !+++++++ !..-.++. !..-.+.+
POST   /workspaces/{workspace}/usage                                             !+++++++ !..-.++. !..-.+.+
GET    /workspaces/{workspace}/watch                                             !+++++++ !..+.++. !..+.+.+
WS     /workspaces/{workspace}/watch-ws                                          !+++++++ !..+.++. !..+.+.+

# workspaceagents
GET    /workspaceagents/me/external-auth                                         !!!!!!!!
DELETE /workspaceagents/me/experimental/chat-context                             !!!!!!!!
POST   /workspaceagents/me/experimental/chat-context                             !!!!!!!!
GET    /workspaceagents/me/gitauth                                               !!!!!!!!
PATCH  /workspaceagents/me/app-status                                            !!!!!!!!
GET    /workspaceagents/me/gitsshkey                                             !!!!!!!!
POST   /workspaceagents/me/log-source                                            !!!!!!!!
PATCH  /workspaceagents/me/logs                                                  !!!!!!!!
GET    /workspaceagents/me/reinit                                                !!!!!!!!
WS     /workspaceagents/me/rpc                                                   !!!!!!!!
WS     /workspaceagents/me/streams/{stream_id}                                   !!!!!!!! !!!!!!!! !!!!!!!!
POST   /workspaceagents/aws-instance-identity                                    !!!!!!!!
POST   /workspaceagents/azure-instance-identity                                  !!!!!!!!
POST   /workspaceagents/google-instance-identity                                 ~~~~~~~~
GET    /workspaceagents/{agent_id}                                               !+++++++ !..+.++. !..+.+.+
GET    /workspaceagents/{agent_id}/connection                                    !+++++++ !..+.++. !..+.+.+
GET    /workspaceagents/{agent_id}/containers                                    !~~~~~~~ !..~.~~. !..~.~.~
WS     /workspaceagents/{agent_id}/containers/watch                              !+++++++ !..+.++. !..+.+.+
DELETE /workspaceagents/{agent_id}/containers/devcontainers/{devcontainer}       !~~~~~~~ !..-.~-. !..-.~.-
POST   /workspaceagents/{agent_id}/containers/devcontainers/{devcontainer}/recreate !~~~~~~~ !..-.~-. !..-.~.-
GET    /workspaceagents/{agent_id}/listening-ports                               !~~~~~~~ !..~.~~. !..~.~.~
GET    /workspaceagents/{agent_id}/logs                                          !+++++++ !..+.++. !..+.+.+
WS     /workspaceagents/{agent_id}/logs                                          !+++++++ !..+.++. !..+.+.+
GET    /workspaceagents/{agent_id}/startup-logs                                  !+++++++ !..+.++. !..+.+.+
WS     /workspaceagents/{agent_id}/startup-logs                                  !+++++++ !..+.++. !..+.+.+
WS     /workspaceagents/{agent_id}/pty                                           !~~~~~~~ !..-.~-. !..-.~.-
WS     /workspaceagents/{agent_id}/stream                                        !~~~~~~~ !..-.~-. !..-.~.-
GET    /workspaceagents/{agent_id}/watch-metadata                                !+++++++ !..+.++. !..+.+.+
WS     /workspaceagents/{agent_id}/watch-metadata-ws                             !+++++++ !..+.++. !..+.+.+

# chats, at both of their bases
GET    /chats                                                                    !+++++++
POST   /chats                                                                    !+++++++
GET    /chats/by-workspace                                                       !+++++++
GET    /chats/config/auto-archive-days                                           !....+..
PUT    /chats/config/auto-archive-days                                           !....+..
GET    /chats/config/debug-retention-days                                        !....+..
PUT    /chats/config/debug-retention-days                                        !....+..
GET    /chats/config/desktop-enabled                                             !+++++++
PUT    /chats/config/desktop-enabled                                             !----+--
GET    /chats/config/plan-mode-instructions                                      !....+..
PUT    /chats/config/plan-mode-instructions                                      !....+..
GET    /chats/config/retention-days                                              !....+..
PUT    /chats/config/retention-days                                              !....+..
GET    /chats/config/system-prompt                                               !....+..
PUT    /chats/config/system-prompt                                               !....+..
GET    /chats/config/template-allowlist                                          !....+..
PUT    /chats/config/template-allowlist                                          !....+..
GET    /chats/config/user-compaction-thresholds                                  !+++++++
DELETE /chats/config/user-compaction-thresholds/{model}                          !+++++++ !+++++++ !+++++++
PUT    /chats/config/user-compaction-thresholds/{model}                          !+++++++ !+++++++ !+++++++
GET    /chats/config/user-prompt                                                 !+++++++
PUT    /chats/config/user-prompt                                                 !+++++++
GET    /chats/config/workspace-ttl                                               !....+..
PUT    /chats/config/workspace-ttl                                               !....+..
GET    /chats/cost/users                                                         !.+..+..
GET    /chats/cost/{user}/summary                                                !+++++++ !.+..+.. !.+..+..
POST   /chats/files                                                              !+++++++
GET    /chats/files/{file}                                                       !+++++++ !....... !.......
DELETE /chats/kill-switch                                                        !....+..
GET    /chats/kill-switch                                                        !+++++++
POST   /chats/kill-switch                                                        !....+..
GET    /chats/model-configs                                                      !+++++++
POST   /chats/model-configs                                                      !----+--
DELETE /chats/model-configs/{model_config_id}                                    !----+-- !----+-- !----+--
PATCH  /chats/model-configs/{model_config_id}                                    !----+-- !----+-- !----+--
GET    /chats/models                                                             !+++++++
GET    /chats/providers                                                          !-+--+--
POST   /chats/providers                                                          !----+--
DELETE /chats/providers/{provider_id}                                            !----~-- !----~-- !----~--
PATCH  /chats/providers/{provider_id}                                            !----+-- !----+-- !----+--
GET    /chats/usage-limits                                                       !....+..
PUT    /chats/usage-limits                                                       !....+..
DELETE /chats/usage-limits/group-overrides/{group}                               !....~.. !....~.. !....~..
PUT    /chats/usage-limits/group-overrides/{group}                               !....~.. !....~.. !....~..
DELETE /chats/usage-limits/overrides/{user}                                      !....~.. !....~.. !....~..
PUT    /chats/usage-limits/overrides/{user}                                      !....+.. !....+.. !....+..
GET    /chats/usage-limits/status                                                !+++++++
GET    /chats/user-provider-configs                                              !+++++++
DELETE /chats/user-provider-configs/{provider}                                   !+++++++ !+++++++ !+++++++
PUT    /chats/user-provider-configs/{provider}                                   !~~~~~~~ !~~~~~~~ !~~~~~~~
WS     /chats/watch                                                              !+++++++
GET    /chats/{chat}                                                             !+++++++ !....++. !....+.+
PATCH  /chats/{chat}                                                             !+++++++ !....++. !....+.+
POST   /chats/{chat}/archive                                                     !+++++++ !....++. !....+.+
POST   /chats/{chat}/clear                                                       !~~~~~~~ !....~~. !....~.~
POST   /chats/{chat}/compact                                                     !+++++++ !....+-. !....+.-
GET    /chats/{chat}/cost                                                        !+++++++ !....++. !....+.+
GET    /chats/{chat}/diff                                                        !+++++++ !....++. !....+.+
WS     /chats/{chat}/git/watch                                                   !~~~~~~~ !....~-. !....~.-
POST   /chats/{chat}/interrupt                                                   !+++++++ !....++. !....+.+
GET    /chats/{chat}/messages                                                    !+++++++ !....++. !....+.+
POST   /chats/{chat}/messages                                                    !+++++++ !....+-. !....+.-
PATCH  /chats/{chat}/messages/{message}                                          !+++++++ !....+-. !....+.-
GET    /chats/{chat}/prompts                                                     !+++++++ !....++. !....+.+
DELETE /chats/{chat}/queue/{queued}                                              !+++++++ !....++. !....+.+
POST   /chats/{chat}/queue/{queued}/promote                                      !+++++++ !....+-. !....+.-
POST   /chats/{chat}/reconcile-invalid                                           !+++++++ !....++. !....+.+
WS     /chats/{chat}/stream                                                      !+++++++ !....++. !....+.+
WS     /chats/{chat}/stream/git                                                  !~~~~~~~ !....~-. !....~.-
POST   /chats/{chat}/title/propose                                               !+++++++ !....++. !....+.+
POST   /chats/{chat}/title/regenerate                                            !+++++++ !....++. !....+.+
POST   /chats/{chat}/tool-results                                                !~~~~~~~ !....~-. !....~.-
POST   /chats/{chat}/unarchive                                                   !~~~~~~~ !....~~. !....~.~

# outside of /api/v2
GET    ^/                                                                        ++++++++
WS     ^/api/experimental/watch-all-workspacebuilds                              !+++++++
GET    ^/assets/{name}                                                           ++++++++ ++++++++ ++++++++
GET    ^/bin/{name}                                                              ++++++++ ++++++++ ++++++++
GET    ^/cli-auth                                                                ++++++++
GET    ^/external-auth/{provider}                                                ++++++++ ++++++++ ++++++++
GET    ^/external-auth/{provider}/callback                                       ~~~~~~~~ ~~~~~~~~ ~~~~~~~~
GET    ^/gitauth/{provider}/callback                                             ~~~~~~~~ ~~~~~~~~ ~~~~~~~~
GET    ^/healthz                                                                 ++++++++
GET    ^/install.sh                                                              ++++++++
GET    ^/latency-check                                                           ++++++++
GET    ^/login                                                                   ++++++++
GET    ^/swagger                                                                 ~~~~~~~~
GET    ^/swagger/doc.json                                                        ~~~~~~~~
"""


def _archive() -> bytes:
    """Return a tar with an empty template."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("main.tf"))
    return packed.getvalue()


SAYING = [{"type": "text", "text": "hello"}]
NEW_WORKSPACE = {"name": "fresh", "template_id": "{template}"}

BODIES: dict[str, Any] = {
    "POST /users/first": {
        "email": "first@example.com",
        "username": "first",
        "password": "Correct-Horse-9-Battery",
    },
    "POST /users/login": {"email": "bob@example.com", "password": "Correct-Horse-9-Battery"},
    "POST /users/validate-password": {"password": "x"},
    "POST /workspaceagents/aws-instance-identity": {"document": "", "signature": ""},
    "POST /workspaceagents/azure-instance-identity": {"signature": "", "encoding": "pkcs7"},
    "POST /authcheck": {"checks": {}},
    "PATCH /templates/{template}/acl": {},
    "POST /users": {
        "email": "new@example.com",
        "username": "newcomer",
        "password": "Correct-Horse-9-Battery",
    },
    "POST /organizations/{organization}/provisionerkeys": {"name": "far"},
    "PUT /users/{user}/profile": {"username": "renamed"},
    "PUT /users/{user}/password": {
        "password": "Another-Horse-8-Staple",
        "old_password": "Correct-Horse-9-Battery",
    },
    "PUT /users/{user}/roles": {"roles": ["auditor"]},
    "PUT /users/{user}/appearance": {"theme_preference": "dark", "terminal_font": ""},
    "PUT /users/{user}/preferences": {"task_notification_alert_dismissed": True},
    "POST /users/{user}/keys/tokens": {},
    "POST /users/{user}/workspaces": NEW_WORKSPACE,
    "POST /organizations/{organization}/members/{user}/workspaces": NEW_WORKSPACE,
    "PUT /organizations/{organization}/members/{user}/roles": {"roles": ["organization-auditor"]},
    "POST /organizations/{organization}/templates": {
        "name": "second",
        "template_version_id": "{draft}",
    },
    "POST /organizations/{organization}/templateversions": {"file_id": "{file}"},
    "POST /files": _archive(),
    "PATCH /templates/{template}": {"description": "changed"},
    "PATCH /templates/{template}/versions": {"id": "{version}"},
    "POST /templates/{template}/versions/archive": {},
    "PATCH /templateversions/{version}": {"message": "changed"},
    "POST /templateversions/{version}/dynamic-parameters/evaluate": {"id": 1},
    "POST /templateversions/{version}/dry-run": {"workspace_name": "dry"},
    "PATCH /workspaces/{workspace}": {"name": "renamed"},
    "PATCH /workspaces/{workspace}/acl": {"group_roles": {"everyone": "use"}},
    "POST /workspaces/{workspace}/port-share": {
        "agent_name": "main",
        "port": 3000,
        "share_level": "authenticated",
    },
    "DELETE /workspaces/{workspace}/port-share": {"agent_name": "main", "port": 8080},
    "PUT /workspaces/{workspace}/autostart": {"schedule": "CRON_TZ=UTC 30 9 * * 1-5"},
    "PUT /workspaces/{workspace}/ttl": {"ttl_ms": 7_200_000},
    "PUT /workspaces/{workspace}/extend": {"deadline": "2099-01-01T00:00:00Z"},
    "PUT /workspaces/{workspace}/dormant": {"dormant": True},
    "PUT /workspaces/{workspace}/autoupdates": {"automatic_updates": "always"},
    "POST /workspaces/{workspace}/builds": {"transition": "stop"},
    "PUT /workspacebuilds/{build}/state": {"state": "e30="},
    "PUT /debug/health/settings": {"dismissed_healthchecks": []},
    "POST /chats": {"organization_id": "{organization_id}", "content": SAYING},
    "PATCH /chats/{chat}": {"title": "renamed"},
    "POST /chats/{chat}/messages": {"content": SAYING},
    "PATCH /chats/{chat}/messages/{message}": {"content": SAYING},
    "POST /chats/{chat}/tool-results": {"results": []},
    "PUT /chats/config/system-prompt": {"system_prompt": "be kind"},
    "PUT /chats/config/plan-mode-instructions": {"plan_mode_instructions": "be brief"},
    "PUT /chats/config/user-prompt": {"custom_prompt": "be brief"},
    "PUT /chats/config/user-compaction-thresholds/{model}": {"threshold_percent": 50},
    "PUT /chats/config/desktop-enabled": {"enable_desktop": True},
    "PUT /chats/config/template-allowlist": {"template_ids": []},
    "PUT /chats/config/workspace-ttl": {"workspace_ttl_ms": 0},
    "PUT /chats/config/retention-days": {"retention_days": 7},
    "PUT /chats/config/auto-archive-days": {"auto_archive_days": 7},
    "PUT /chats/config/debug-retention-days": {"debug_retention_days": 7},
    "PUT /chats/usage-limits": {"spend_limit_micros": 5},
    "PUT /chats/usage-limits/overrides/{user}": {"spend_limit_micros": 5},
    "POST /chats/kill-switch": {"user": "me"},
    "POST /chats/providers": {"provider": "openai", "api_key": "sk-1"},
    "PATCH /chats/providers/{provider_id}": {"display_name": "renamed"},
    "POST /chats/model-configs": {"provider": "scripted", "model": "two", "context_limit": 9999},
    "PATCH /chats/model-configs/{model_config_id}": {"display_name": "renamed"},
    "PUT /chats/user-provider-configs/{provider}": {"api_key": "sk-1"},
}
"""What is sent along, where a route wants a body; bytes are an archive."""

QUERIES: dict[str, str] = {
    "WS /organizations/{organization}/provisionerdaemons/serve": "name=far&line=1",
    "GET /users/{user}/autofill-parameters": "template_id={template}",
    "POST /chats/files": "organization={organization_id}",
    "WS /workspaceagents/{agent_id}/pty": "reconnect=2f6c2c8e-5a54-4d2c-9c0f-0d1c6d0a6f11",
    "WS /workspaceagents/{agent_id}/stream": "port=1",
}
"""What is asked along, where a route wants a query."""
