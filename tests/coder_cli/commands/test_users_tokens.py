"""Users, tokens, organizations: what is sent, and what is said."""

from datetime import UTC, datetime

from coder_cli.sdk.tokens import APIKeyWithOwner
from coder_cli.sdk.users import LoginType, User, UserRoles
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse


def key(name: str = "ci", year: int = 2999) -> APIKeyWithOwner:
    """Return a token."""
    return APIKeyWithOwner(
        id="0123456789",
        user_id=shapes.ALICE.id,
        expires_at=datetime(year, 1, 1, tzinfo=UTC),
        created_at=shapes.WHEN,
        updated_at=shapes.WHEN,
        login_type=LoginType.TOKEN,
        lifetime_seconds=60,
        token_name=name,
        username="alice",
    )


def test_a_token_alone_is_printed_so_that_scripts_can_keep_it(
    cli: Cli, deployment: Deployment
) -> None:
    deployment.on("POST /users/me/keys/tokens", {"key": "id-secret"})
    ran = cli("tokens", "create", "-n", "ci", "--lifetime", "30d", "--scope", "a:read,b:read",
              "--allow", "workspace:*")  # fmt: skip
    assert ran.out == "id-secret\n"
    (call,) = deployment.called("POST /users/me/keys/tokens")
    assert call.json["lifetime"] == 30 * 86400 * 10**9
    assert call.json["scopes"] == ["a:read", "b:read"]
    assert call.json["allow_list"] == [{"type": "workspace", "id": "*"}]


def test_a_lifetime_that_is_none_is_refused(cli: Cli) -> None:
    assert (
        "--lifetime: 'soon' is not a duration" in cli("tokens", "create", "--lifetime", "soon").err
    )


def test_ended_tokens_are_left_out(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /users/me/keys/tokens", [key(), key("old", 2001)])
    assert "old" not in cli("tokens", "list").out
    assert "old" in cli("tokens", "ls", "--include-expired").out


def test_a_token_is_found_by_name_id_or_itself(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /users/me/keys/tokens/ci", key())
    deployment.on("GET /users/me/keys/0123456789", key())
    deployment.on("PUT /users/me/keys/0123456789/expire", b"")
    deployment.on("DELETE /users/me/keys/0123456789", b"")
    for name in ("ci", "0123456789", "0123456789-secret"):
        assert cli("tokens", "remove", name).code == 0
    assert len(deployment.called("PUT /users/me/keys/0123456789/expire")) == 3
    assert cli("tokens", "rm", "ci", "--delete").code == 0
    assert len(deployment.called("DELETE /users/me/keys/0123456789")) == 1
    assert "You have no such token" in cli("tokens", "view", "nothing").err


def test_a_user_gets_a_password_and_instructions(cli: Cli, deployment: Deployment) -> None:
    def create(call: Call) -> User:
        body = call.json
        return shapes.ALICE.model_copy(
            update={"username": body["username"], "email": body["email"]}
        )

    deployment.on("POST /users", create)
    ran = cli("users", "create", "-u", "bob", "-e", "bob@example.com")
    assert ran.code == 0, ran.err
    (call,) = deployment.called("POST /users")
    assert len(call.json["password"]) >= 16
    assert call.json["organization_ids"] == [str(shapes.ORGANIZATION.id)]
    assert call.json["password"] in ran.out
    assert f"coder login {deployment.url}" in ran.out


def test_missing_facts_are_asked_for_or_named(cli: Cli, deployment: Deployment) -> None:
    assert "pass --username" in cli("users", "create").err
    deployment.on("POST /users", shapes.ALICE)
    assert cli("users", "create", answers="bob\nbob@example.com\n").code == 0


def test_a_wrong_fact_is_refused_before_the_server_is_asked(
    cli: Cli, deployment: Deployment
) -> None:
    ran = cli("users", "create", "-u", "bob", "-e", "nomail")
    assert ran.code == 1
    assert "error: --email: 'nomail' must be an email address such as" in ran.err
    assert not deployment.called("POST /users")


def test_a_member_who_is_no_user_is_named(cli: Cli, deployment: Deployment) -> None:
    def nobody(_: Call) -> object:
        raise Refuse(404, "Resource not found or you do not have access to this resource")

    deployment.on("GET /users/nobody", nobody)
    ran = cli("organizations", "members", "add", "nobody")
    assert ran.code == 1
    assert "There is no user 'nobody' that you can see." in ran.err


def test_suspending_asks_and_says_so(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /users/{shapes.ALICE.id}/status/suspend", shapes.ALICE)
    assert cli("users", "suspend", "alice").code == 1
    ran = cli("users", "suspend", "alice", answers="yes\n")
    assert "User alice has been suspended." in ran.out


def test_roles_are_the_full_set(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /users/{shapes.ALICE.id}/roles", shapes.ALICE)
    deployment.on(f"GET /users/{shapes.ALICE.id}/roles", UserRoles(roles=["owner"]))
    cli("users", "edit-roles", "alice", "--roles", "auditor, owner", "-y")
    cli("users", "edit-roles", "alice", "--roles", "", "-y")
    cli("users", "edit-roles", "alice", answers="\nyes\n")
    calls = deployment.called(f"PUT /users/{shapes.ALICE.id}/roles")
    assert [one.json["roles"] for one in calls] == [["auditor", "owner"], [], ["owner"]]


def test_several_organizations_need_a_choice(cli: Cli, deployment: Deployment) -> None:
    other = shapes.ORGANIZATION.model_copy(update={"name": "other", "id": shapes.uid(9)})
    deployment.on("GET /users/me/organizations", [shapes.ORGANIZATION, other])
    assert "(default, other). Choose one with --org" in cli("organizations", "show").err
    assert cli("organizations", "show", "-O", "default").code == 0
    assert "no organization 'nope'" in cli("organizations", "show", "nope").err


def test_the_public_key_alone_is_the_result(cli: Cli, deployment: Deployment) -> None:
    pair = {
        "user_id": shapes.ALICE.id,
        "created_at": shapes.WHEN,
        "updated_at": shapes.WHEN,
        "public_key": "ssh-ed25519 AAAA\n",
    }
    deployment.on("GET /users/me/gitsshkey", pair)
    deployment.on("PUT /users/me/gitsshkey", pair)
    assert cli("publickey").out == "ssh-ed25519 AAAA\n"
    assert cli("publickey", "--reset").code == 1
    assert cli("publickey", "--reset", "-y").code == 0


def test_a_password_that_nobody_can_type_names_the_way_for_scripts(typed: Cli) -> None:
    ran = typed("reset-password", "alice")
    assert ran.code == 1
    assert "--force-tty before the command" in ran.err
