"""Logging in: a new deployment, a known one, and out again."""

import stat

from coder_cli.sdk.users import CreateFirstUserRequest
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse

TOKEN = "0123456789-0123456789012345678901"


def fresh(deployment: Deployment) -> None:
    """Let the deployment have no user yet."""

    def nobody(_: Call) -> object:
        raise Refuse(404, "The initial user has not been created!")

    deployment.on("GET /users/first", nobody)
    deployment.on(
        "POST /users/first", {"user_id": shapes.ALICE.id, "organization_id": shapes.uid(1)}
    )
    deployment.on("POST /users/login", {"session_token": TOKEN})

    def strength(call: Call) -> object:
        weak = b'"weak"' in call.body
        return {"valid": not weak, "details": "insecure password" if weak else ""}

    deployment.on("POST /users/validate-password", strength)


def created(deployment: Deployment) -> CreateFirstUserRequest:
    """Return the first user that was asked for."""
    (call,) = deployment.called("POST /users/first")
    return CreateFirstUserRequest.model_validate_json(call.body)


def test_first_user_by_flags(typed: Cli, deployment: Deployment) -> None:
    fresh(deployment)
    ran = typed(
        "login", deployment.url, "--first-user-username", "alice", "--first-user-email",
        "alice@example.com", "--first-user-password", "correct horse",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "Welcome to Coder, alice!" in ran.out
    assert created(deployment).password == "correct horse"
    assert (typed.file("session"), typed.file("url")) == (TOKEN, deployment.url)
    assert stat.S_IMODE((typed.config / "session").stat().st_mode) == 0o600
    assert deployment.called("GET /users/me")[-1].headers["coder-session-token"] == TOKEN


def test_first_user_by_environment(typed: Cli, deployment: Deployment) -> None:
    fresh(deployment)
    typed.patch.setenv("CODER_FIRST_USER_USERNAME", "alice")
    typed.patch.setenv("CODER_FIRST_USER_EMAIL", "alice@example.com")
    typed.patch.setenv("CODER_FIRST_USER_PASSWORD", "correct horse")
    typed.patch.setenv("CODER_URL", deployment.url)
    assert typed("login").code == 0
    assert created(deployment).username == "alice"


def test_first_user_by_questions(typed: Cli, deployment: Deployment) -> None:
    fresh(deployment)
    answers = "\nal ice\nalice\nAlice L\nnonsense\nalice@example.com\nweak\none\ntwo\none\none\n"
    ran = typed("login", deployment.url, answers=answers)
    assert ran.code == 0, ran.err
    user = created(deployment)
    assert (user.username, user.name, user.password) == ("alice", "Alice L", "one")
    assert "single hyphens" in ran.err
    assert "must be an email address" in ran.err
    assert "insecure password" in ran.err
    assert "The passwords differ" in ran.err


def test_a_wrong_address_in_a_flag_is_named(typed: Cli, deployment: Deployment) -> None:
    fresh(deployment)
    ran = typed(
        "login", deployment.url, "--first-user-username", "alice", "--first-user-email", "alice",
        "--first-user-password", "correct horse",
    )  # fmt: skip
    assert ran.code == 1
    assert "error: --first-user-email: 'alice' must be an email address" in ran.err
    assert not deployment.called("POST /users/first")


def test_first_user_needs_somebody_to_ask(typed: Cli, deployment: Deployment) -> None:
    fresh(deployment)
    ran = typed("login", deployment.url)
    assert ran.code == 1
    assert "--first-user-username" in ran.err
    assert not deployment.called("POST /users/first")


def test_no_url_anywhere(typed: Cli) -> None:
    ran = typed("login")
    assert ran.code == 1
    assert "coder login https://coder.example.com" in ran.err


def test_a_token_becomes_a_session_of_its_own(typed: Cli, deployment: Deployment) -> None:
    deployment.on("POST /users/me/keys", {"key": TOKEN})
    ran = typed("login", deployment.url, "--token", "given")
    assert ran.code == 0, ran.err
    assert typed.file("session") == TOKEN


def test_a_token_is_the_session_if_asked(typed: Cli, deployment: Deployment) -> None:
    ran = typed("login", deployment.url, "--token", "given", "--use-token-as-session")
    assert ran.code == 0, ran.err
    assert typed.file("session") == "given"
    assert not deployment.called("POST /users/me/keys")


def test_a_pasted_token_is_tried(typed: Cli, deployment: Deployment) -> None:
    def me(call: Call) -> object:
        if call.headers["coder-session-token"] == "wrong":
            raise Refuse(401, "Invalid session.")
        return shapes.ALICE

    deployment.on("GET /users/me", me)
    deployment.on("POST /users/me/keys", {"key": TOKEN})
    ran = typed("login", deployment.url, answers="wrong\nright\n")
    assert ran.code == 0, ran.err
    assert f"{deployment.url}/cli-auth" in ran.err
    assert "That token is not valid: Invalid session." in ran.err
    assert typed.file("session") == TOKEN


def test_nobody_can_paste_a_token_into_a_script(typed: Cli, deployment: Deployment) -> None:
    ran = typed("login", deployment.url)
    assert ran.code == 1
    assert "--token (or CODER_SESSION_TOKEN)" in ran.err


def test_login_token_prints_the_session(cli: Cli, typed: Cli) -> None:
    assert cli("login", "token").out == "alicessess-secretsecretsecretsecr\n"
    (typed.config / "session").unlink()
    assert typed("login", "token").code == 1


def test_logout_forgets_everything(cli: Cli, deployment: Deployment) -> None:
    deployment.on("POST /users/logout", {"message": "Logged out!"})
    ran = cli("logout", "--yes")
    assert ran.code == 0, ran.err
    assert deployment.called("POST /users/logout")
    assert not list(cli.config.iterdir())


def test_logout_when_the_session_has_ended_already(cli: Cli, deployment: Deployment) -> None:
    def ended(_: Call) -> object:
        raise Refuse(401, "Expired.")

    deployment.on("POST /users/logout", ended)
    assert cli("logout", "--yes").code == 0
    assert not list(cli.config.iterdir())


def test_logout_canceled(cli: Cli, deployment: Deployment) -> None:
    ran = cli("logout", answers="no\n")
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert cli.file("session")
