"""``coder provisioner start``: run jobs of a server on this machine."""

import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from coder_cli import config, ui
from coder_cli.commands.provisioner.tags import parse_tags, show_tags
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

_FROM_ENVIRON = ("PATH", "CACHE_DIRECTORY", "XDG_CACHE_HOME")
_KEY_ENV = "CODER_PROVISIONER_DAEMON_KEY"
_PSK_ENV = "CODER_PROVISIONER_DAEMON_PSK"


def _flag(name: str, env: str, words: str, metavar: str = "<string>", short: str = "") -> Any:
    names = [f"--{name}", f"-{short}"] if short else [f"--{name}"]
    return typer.Option(*names, envvar=env, help=words, metavar=metavar, show_default=False)


def start(
    key: Annotated[
        str,
        _flag("key", _KEY_ENV, "Log in with this provisioner key; the variable keeps it secret"),
    ] = "",
    psk: Annotated[
        str,
        _flag("psk", _PSK_ENV, "Log in with the server's pre-shared key; likewise"),
    ] = "",
    name: Annotated[
        str,
        _flag("name", "CODER_PROVISIONER_DAEMON_NAME", "Its name [default: this host's name]"),
    ] = "",
    tag: Annotated[
        list[str],
        _flag(
            "tag", "CODER_PROVISIONERD_TAGS", "Take jobs with this tag; repeat", "<key=value>", "t"
        ),
    ] = [],  # noqa: B006 - Typer copies it
    org: Annotated[
        str,
        _flag("org", "CODER_ORGANIZATION", "Organization; a key knows its own", "<name|id>", "O"),
    ] = "default",
    cache_dir: Annotated[
        str,
        _flag("cache-dir", "CODER_CACHE_DIRECTORY", "Work and caches of Terraform", "<dir>", "c"),
    ] = "",
    terraform_binary: Annotated[
        str,
        _flag("terraform-binary", "CODER_TERRAFORM_BINARY", "The terraform to run", "<path>"),
    ] = "",
    coder_provider: Annotated[
        str,
        _flag("coder-provider", "CODER_CODER_PROVIDER", "builtin, registry, or a path"),
    ] = "",
    log_human: Annotated[
        str,
        _flag("log-human", "CODER_PROVISIONER_DAEMON_LOGGING_HUMAN", "Log for people", "<file>"),
    ] = "/dev/stderr",
    log_json: Annotated[
        str,
        _flag("log-json", "CODER_PROVISIONER_DAEMON_LOGGING_JSON", "Log as JSON", "<file>"),
    ] = "",
    log_stackdriver: Annotated[
        str,
        _flag(
            "log-stackdriver",
            "CODER_PROVISIONER_DAEMON_LOGGING_STACKDRIVER",
            "Log as Stackdriver reads it",
            "<file>",
        ),
    ] = "",
    log_filter: Annotated[
        list[str],
        _flag(
            "log-filter",
            "CODER_PROVISIONER_DAEMON_LOG_FILTER",
            "Log debug messages that match, too",
            "<regex>",
            "l",
        ),
    ] = [],  # noqa: B006 - Typer copies it
    prometheus_enable: Annotated[
        bool,
        typer.Option("--prometheus-enable", envvar="CODER_PROMETHEUS_ENABLE", help="Serve metrics"),
    ] = False,
    prometheus_address: Annotated[
        str,
        _flag("prometheus-address", "CODER_PROMETHEUS_ADDRESS", "Where", "<host:port>"),
    ] = "127.0.0.1:2112",
    experiments: Annotated[
        list[str], _flag("experiments", "CODER_EXPERIMENTS", "Taken for compatibility; unused")
    ] = [],  # noqa: B006 - Typer copies it
    poll_interval: Annotated[str, typer.Option("--poll-interval", hidden=True)] = "",
    poll_jitter: Annotated[str, typer.Option("--poll-jitter", hidden=True)] = "",
) -> None:
    """Run jobs of the deployment's queue on this machine, with this machine's Terraform.

    The first ctrl+c takes no more jobs and lets the running one finish; the second gives it back.
    """
    del experiments, poll_interval, poll_jitter  # Jobs are pushed, not polled for.
    from server.cli import Provisioner, provision

    tags = parse_tags(tag)
    url, headers = _log_in(key, psk, tags)
    settings = _settings(
        {
            "cache-dir": cache_dir,
            "terraform-binary": terraform_binary,
            "coder-provider": coder_provider,
            "log-human": log_human,
            "log-json": log_json,
            "log-stackdriver": log_stackdriver,
            "log-filter": log_filter,
            "verbose": str(config.verbose()).lower(),
            "prometheus-enable": str(prometheus_enable).lower(),
            "prometheus-address": prometheus_address,
        }
    )
    who = Provisioner(url, name or socket.gethostname(), org, tags, headers)
    ui.note(f"Starting provisioner daemon {who.name} ({told_tags(key, tags)}) for {url}")
    provision(settings, who)
    ui.note("Stopped.")


def told_tags(key: str, tags: Mapping[str, str]) -> str:
    """Return which jobs a daemon is for: a key has its own tags, which only the server knows."""
    return "tags of its key" if key else show_tags(tags)


def _log_in(key: str, psk: str, tags: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Return the server's URL, and the headers that say who we are."""
    from coder_cli.config.access import LoggedOut, extra_headers
    from coder_cli.sdk.provisioners import KEY_HEADER, PSK_HEADER

    if key and psk:
        raise Refused("Cannot provide both provisioner key --key and pre-shared key --psk.")
    if key and tags:
        raise Refused("Cannot provide tags when using provisioner key: the key has its own.")
    for given, flag, variable in ((key, "--key", _KEY_ENV), (psk, "--psk", _PSK_ENV)):
        if given and given in sys.argv:
            ui.warn(f"{flag} can be seen by everybody on this machine; use ${variable} instead.")
    extra = extra_headers(config.current())
    if not key and not psk:
        url, token = config.session().require()
        return url, {**extra, "Coder-Session-Token": token}
    url = config.session().url
    if not url:
        raise LoggedOut
    return url, {**extra, **({KEY_HEADER: key} if key else {PSK_HEADER: psk})}


def _settings(flags: Mapping[str, str | Sequence[str]]) -> Any:
    """Return the server's settings, as far as a daemon has them; the rest of them is not ours."""
    from server.settings import Given, SettingsError, load

    said = {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in flags.items()
        if value
    }
    environment = {name: environ()[name] for name in _FROM_ENVIRON if name in environ()}
    try:
        return load(Given(said, environment, config_dir=config.current().config_dir))
    except SettingsError as error:
        raise Refused(str(error)) from None
