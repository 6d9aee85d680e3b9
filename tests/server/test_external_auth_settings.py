"""Services of the settings: what each type brings along, and what is refused, in words."""

import json

import pytest

from server.settings import ExternalAuthProvider, Given, SettingsError, load
from server.settings.show import deployment_config, write_yaml


def from_environment(**values: str) -> tuple[ExternalAuthProvider, ...]:
    environ = {f"CODER_EXTERNAL_AUTH_{key}": value for key, value in values.items()}
    return load(Given(environ=environ)).external_auth.providers


def test_github_needs_an_application_and_nothing_else() -> None:
    values = {"0_TYPE": "github", "0_CLIENT_ID": "app", "0_CLIENT_SECRET": "shh"}
    (found,) = from_environment(**values)
    assert (found.id, found.display_name, found.scopes) == (
        "github",
        "GitHub",
        ("repo", "workflow"),
    )
    assert found.token_url == "https://github.com/login/oauth/access_token"
    assert found.serves("https://github.com/coder/coder")
    assert not found.serves("https://github.com.evil.test/coder")


def test_a_host_of_ones_own_is_named_once() -> None:
    (found,) = from_environment(
        **{
            "0_ID": "primary",
            "0_TYPE": "gitlab",
            "0_CLIENT_ID": "app",
            "0_CLIENT_SECRET": "shh",
            "0_AUTH_URL": "https://git.corp.test/oauth/authorize",
        }
    )
    assert found.token_url == "https://git.corp.test/oauth/token"
    assert found.validate_url == "https://git.corp.test/oauth/token/info"
    assert found.serves("https://git.corp.test/team/app.git")
    assert not found.serves("https://gitlab.com/team/app.git")


def test_services_stand_in_the_order_of_their_numbers() -> None:
    given = {
        f"{number}_{key}": value
        for number, kind in ((10, "gitea"), (2, "github"))
        for key, value in (("TYPE", kind), ("CLIENT_ID", "app"), ("CLIENT_SECRET", "shh"))
    }
    assert [one.type for one in from_environment(**given)] == ["github", "gitea"]


GOOD = {"TYPE": "github", "CLIENT_ID": "app", "CLIENT_SECRET": "shh-secret"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"CLIENT_ID": ""}, "needs a 'client_id'"),
        ({"CLIENT_SECRET": ""}, "needs a 'client_secret' or 'device_flow'"),
        ({"TYPE": "jfrog"}, "of type 'jfrog' needs 'token_url'"),
        ({"ID": "a b"}, "must be letters, digits"),
        ({"AUTH_URL": "ftp://github.com"}, "'auth_url' of the provider 'github' is not a URL"),
        ({"REGEX": "(?!x)"}, "'regex' of the provider 'github'"),
        ({"COLOUR": "red"}, "a provider has no 'colour'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(change: dict[str, str], why: str) -> None:
    values = {f"0_{key}": value for key, value in {**GOOD, **change}.items()}
    with pytest.raises(SettingsError) as refused:
        from_environment(**values)
    assert why in str(refused.value)
    assert "CODER_EXTERNAL_AUTH_<n>_<KEY>" in str(refused.value)
    assert "shh-secret" not in str(refused.value)


def test_two_services_of_one_id_are_refused() -> None:
    values = {f"{number}_{key}": value for number in (0, 1) for key, value in GOOD.items()}
    with pytest.raises(SettingsError, match="two providers have the id 'github'"):
        from_environment(**values)


def test_secrets_are_in_no_listing() -> None:
    values = {f"CODER_EXTERNAL_AUTH_0_{key}": value for key, value in GOOD.items()}
    settings = load(Given(environ=values))
    assert "shh-secret" not in json.dumps(deployment_config(settings), default=str)
    assert "shh-secret" not in write_yaml(settings)
    assert "shh-secret" not in repr(settings)
