"""Settings: who wins, what is refused and with which words, and what the outside may see."""

from datetime import timedelta
from pathlib import Path

import pytest

from coder_cli.commands.server_flags import parse
from server.settings import (
    OPTIONS,
    Address,
    Given,
    Option,
    Settings,
    SettingsError,
    Source,
    deployment_config,
    describe,
    load,
    write_yaml,
)
from tests.server.left_out_options import LEFT_OUT, OURS, THEIRS

FLAG = {"session-duration": ["1h"]}
ENV = {"CODER_SESSION_DURATION": "2h"}
YAML = "networking: {http: {sessionDuration: 3h}}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "server.yaml"
    path.write_text(YAML)
    return path


@pytest.mark.parametrize(
    ("flags", "environ", "with_file", "hours", "source"),
    [
        (FLAG, ENV, True, 1, Source.FLAG),
        (FLAG, {}, False, 1, Source.FLAG),
        ({}, ENV, True, 2, Source.ENV),
        ({}, {"CODER_SESSION_DURATION": ""}, True, 3, Source.YAML),
        ({}, {}, True, 3, Source.YAML),
        ({}, {}, False, 24, Source.DEFAULT),
    ],
)
def test_flag_over_environment_over_file_over_default(
    flags: dict[str, list[str]],
    environ: dict[str, str],
    with_file: bool,
    hours: int,
    source: Source,
    config: Path,
) -> None:
    path = str(config) if with_file else ""
    settings = load(Given(flags=flags, environ=environ, config_path=path))
    assert settings.sessions.duration == timedelta(hours=hours)
    assert settings.sources["session-duration"] is source


def test_the_file_may_be_named_by_the_environment(config: Path) -> None:
    settings = load(Given(environ={"CODER_CONFIG_PATH": str(config)}))
    assert settings.sessions.duration == timedelta(hours=3)


@pytest.mark.parametrize("option", [option for _, _, option in OPTIONS], ids=lambda o: o.flag)
def test_every_option_says_what_it_is(option: Option) -> None:
    assert option.description.endswith((".", '".')), "a sentence"
    assert option.env.startswith("CODER_")
    assert option.yaml
    assert option.json
    assert option.group.name
    words = [option.default] if option.default else []
    shown = option.kind.show(option.kind.parse(words))
    assert option.kind.json(option.kind.parse(words)) is not None
    assert shown is not None


def test_no_two_options_share_a_name() -> None:
    for names in (
        [option.flag for _, _, option in OPTIONS],
        [option.env for _, _, option in OPTIONS],
        [option.yaml_path for _, _, option in OPTIONS],
        [option.json for _, _, option in OPTIONS],
    ):
        assert len(set(names)) == len(names)


def test_an_option_without_words_cannot_pass() -> None:
    _, _, option = OPTIONS[0]
    with pytest.raises(AssertionError):
        test_every_option_says_what_it_is(
            Option(
                name="X",
                flag="x",
                env="CODER_X",
                yaml="x",
                json="x",
                group=option.group,
                kind=option.kind,
                default="",
                description="",
            )
        )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("networking: {htp: {sessionDuration: 3h}}", "'networking.htp.sessionDuration'"),
        ("nonsense: 1", "'nonsense'"),
        ("networking: {nonsense: null}", "'networking.nonsense'"),
        ("just words", "''"),
    ],
)
def test_an_unknown_key_of_the_file_is_an_error_that_names_it(
    text: str, named: str, config: Path
) -> None:
    config.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(Given(config_path=str(config)))
    assert named in str(refused.value)
    assert str(config) in str(refused.value)


def test_an_empty_section_of_the_file_is_nothing(config: Path) -> None:
    config.write_text("networking:\n  http:\n  accessURL:\n")
    assert load(Given(config_path=str(config))).networking.access_url == ""


def test_a_file_that_is_no_yaml_or_is_missing_is_one_sentence(config: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load(Given(config_path=str(config) + "x"))
    config.write_text("a: [")
    with pytest.raises(SettingsError, match="is not YAML") as refused:
        load(Given(config_path=str(config)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("flag", "text", "reason"),
    [
        ("session-duration", "soon", "'soon' is not a duration"),
        ("session-duration", "-1h", "'-1h' is negative"),
        ("http-address", "localhost", "'localhost' is not an address"),
        ("http-address", "localhost:99999", "is not an address"),
        ("access-url", "example.com", "'example.com' is not a URL"),
        ("wildcard-access-url", "https://*.x.com", "is not a wildcard host"),
        ("tls-enable", "maybe", "'maybe' is neither true nor false"),
        ("tls-min-version", "ssl3", "'ssl3' is not one of tls12, tls13"),
        ("workers", "0", "0 is not between 1 and 64"),
        ("workers", "many", "'many' is not a whole number"),
        ("proxy-trusted-origins", "10.0.0.0/8,nowhere", "'nowhere' is not a network"),
        ("ssh-config-options", "ForwardAgent", "'ForwardAgent' is not of the form key=value"),
        ("ssh-config-options", "ProxyCommand=evil", "'ProxyCommand' may not be set for everyone"),
        ("ssh-config-options", "A=1\nHost *", "'A' is not an SSH option on one line"),
        ("workspace-hostname-suffix", ".coder", "may have no leading dot"),
        ("postgres-url", "mysql://u:p@h/d", "write it like postgres://user"),
    ],
)
def test_a_bad_value_names_option_source_and_reason(flag: str, text: str, reason: str) -> None:
    option = next(option for _, _, option in OPTIONS if option.flag == flag)
    with pytest.raises(SettingsError) as by_flag:
        load(Given(flags={flag: [text]}))
    assert str(by_flag.value).startswith(f"--{flag}: ")
    assert reason in str(by_flag.value)
    with pytest.raises(SettingsError) as by_env:
        load(Given(environ={option.env: text}))
    assert str(by_env.value).startswith(f"--{flag} (from {option.env}): ")


def test_nothing_to_listen_on_is_refused() -> None:
    with pytest.raises(SettingsError, match="nothing would listen"):
        load(Given(flags={"http-address": [""]}))


def test_tls_wants_one_key_for_each_certificate() -> None:
    with pytest.raises(SettingsError, match="one key for each certificate"):
        load(Given(flags={"tls-enable": ["true"], "tls-cert-file": ["a", "b"]}))


def test_lists_and_pairs_take_commas_and_repetition() -> None:
    flags = {"proxy-trusted-headers": ["A,B", "C"], "ssh-config-options": ["A=1", "B=x=y"]}
    settings = load(Given(flags=flags))
    assert settings.networking.proxy_trusted_headers == ("A", "B", "C")
    assert settings.client.ssh_config_options == {"A": "1", "B": "x=y"}


def test_addresses() -> None:
    flags = {"http-address": [":3000"], "tls-address": ["[::1]:443"]}
    settings = load(Given(flags=flags))
    assert settings.networking.http_address == Address("", 3000)
    assert settings.tls.address == Address("::1", 443)
    assert str(settings.tls.address) == "[::1]:443"


def test_systemd_names_the_cache_directory() -> None:
    given = load(Given(environ={"CACHE_DIRECTORY": "/var/cache/x", "CODER_CACHE_DIRECTORY": ""}))
    assert given.cache_dir == Path("/var/cache/x")
    assert given.sources["cache-dir"] is Source.DEFAULT
    ours = load(Given(environ={"CACHE_DIRECTORY": "/a", "CODER_CACHE_DIRECTORY": "/b"}))
    assert ours.cache_dir == Path("/b")


def test_what_is_written_reads_back_the_same(config: Path) -> None:
    flags = {
        "http-address": ["0.0.0.0:80"],
        "access-url": ["https://x.example.com/"],
        "ssh-config-options": ["A=1"],
        "proxy-trusted-origins": ["10.0.0.0/8"],
        "experiments": ["*"],
        "session-duration": ["90m"],
        "cli-upgrade-message": ["run: 'this' # now"],
    }
    before = load(Given(flags=flags))
    config.write_text(write_yaml(before))
    after = load(Given(config_path=str(config)))
    for room in ("networking", "tls", "sessions", "client", "server", "provisioning", "storage"):
        assert getattr(after, room) == getattr(before, room)
    assert set(after.sources.values()) == {Source.YAML, Source.DEFAULT}


SECRET = "postgres://coder:hunter2@db/coder"


def test_secrets_are_blank_wherever_settings_are_shown() -> None:
    settings = load(Given(environ={"CODER_PG_CONNECTION_URL": SECRET}))
    assert settings.database.url == SECRET
    shown = (write_yaml(settings), deployment_config(settings), describe(settings), settings)
    assert all("hunter2" not in str(one) for one in shown)


def test_the_deployment_page_names_each_source() -> None:
    page = deployment_config(load(Given(flags=FLAG, environ={"CODER_ACCESS_URL": "http://a"})))
    assert page["config"]["session_lifetime"]["default_duration"] == 3600 * 10**9
    assert page["config"]["access_url"] == "http://a"
    options = {option["flag"]: option for option in page["options"]}
    assert len(options) == len(OPTIONS)
    assert options["session-duration"]["value_source"] == "flag"
    assert options["access-url"]["value_source"] == "env"
    assert options["docs-url"]["value_source"] == "default"
    assert options["session-duration"]["group"]["yaml"] == "networking.http"
    assert options["postgres-url"]["annotations"] == {"secret": "true"}


def test_settings_can_be_made_without_any_input() -> None:
    assert Settings().networking.http_address == Address("127.0.0.1", 3000)


def test_every_option_of_the_original_is_here_or_has_its_reason() -> None:
    ours = {option.flag for _, _, option in OPTIONS}
    assert ours - OURS == THEIRS - set(LEFT_OUT)
    assert not ours & set(LEFT_OUT), "an option that exists needs no reason to be left out"
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize("option", [option for _, _, option in OPTIONS], ids=lambda o: o.flag)
def test_every_option_stands_in_help_yaml_and_api(
    option: Option, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert option.hidden != (f"--{option.flag} " in help_text)
    if not option.hidden:
        assert option.env in help_text
        assert f"{option.group.name}:" in help_text
    settings = load(Given())
    assert f"{option.yaml_path[-1]}:" in write_yaml(settings)
    (shown,) = [one for one in deployment_config(settings)["options"] if one["flag"] == option.flag]
    assert shown["description"] == option.description
    assert shown["group"]["name"] == option.group.name


LINK = '{"name": "Help", "target": "https://help.example.com", "icon": "chat"}'


@pytest.mark.parametrize("words", [[LINK], [f"[{LINK}]"]])
def test_support_links_are_json(words: list[str]) -> None:
    settings = load(Given(flags={"support-links": words}))
    (link,) = settings.client.support_links
    assert (link.name, link.icon, link.location) == ("Help", "chat", "")
    assert deployment_config(settings)["config"]["support"]["links"] == [link._asdict()]


def test_support_links_may_be_plain_yaml_and_come_back_as_they_were(config: Path) -> None:
    config.write_text(f"client: {{supportLinks: [{LINK}]}}")
    settings = load(Given(config_path=str(config)))
    config.write_text(write_yaml(settings))
    assert load(Given(config_path=str(config))).client.support_links == (
        settings.client.support_links
    )


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("nonsense", "write it like"),
        ('{"name": "x"}', "needs a name and a target"),
        ('{"name": "x", "target": "javascript:alert(1)"}', "is not a URL"),
        ('{"name": "x", "target": "https://x", "icon": "cat"}', "'cat' is not one of"),
        ('{"name": "x", "target": "https://x", "location": "sky"}', "'sky' is not one of"),
        ('{"name": "x", "target": "https://x", "colour": "red"}', "has no 'colour'"),
    ],
)
def test_links_that_are_none_are_refused(word: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(Given(flags={"support-links": [word]}))


def test_the_shared_key_of_daemons_is_a_secret() -> None:
    settings = load(Given(environ={"CODER_PROVISIONER_DAEMON_PSK": "hush"}))
    assert settings.provisioning.daemon_psk == "hush"
    assert "hush" not in repr(settings)
    assert "hush" not in write_yaml(settings)
    assert "hush" not in repr(deployment_config(settings))
    assert "hush" not in "\n".join(describe(settings))
