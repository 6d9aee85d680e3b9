"""Options of logs, metrics and health: what operators can look at."""

# ruff: noqa: RUF009, option() returns a dataclass field, as dataclasses.field does

from dataclasses import dataclass
from datetime import timedelta

from server.settings.kinds import ADDRESS, BOOL, DURATION, TEXT, WORDS, Address
from server.settings.option import Group, Names, option

_LOGGING = Group("Introspection / Logging", "introspection.logging")
_PROMETHEUS = Group("Introspection / Prometheus", "introspection.prometheus")
_HEALTH = Group("Introspection / Health check", "introspection.healthcheck")


@dataclass(frozen=True, slots=True)
class Logging:
    """Where the log goes."""

    human: str = option(
        TEXT,
        Names(
            flag="log-human",
            env="CODER_LOGGING_HUMAN",
            yaml="humanPath",
            json="logging.human",
            name="Human Log Location",
        ),
        _LOGGING,
        "File for logs that people read; empty writes none.",
        default="/dev/stderr",
    )
    json: str = option(
        TEXT,
        Names(
            flag="log-json",
            env="CODER_LOGGING_JSON",
            yaml="jsonPath",
            json="logging.json",
            name="JSON Log Location",
        ),
        _LOGGING,
        "File for logs as one JSON object in a line; empty writes none.",
    )
    stackdriver: str = option(
        TEXT,
        Names(
            flag="log-stackdriver",
            env="CODER_LOGGING_STACKDRIVER",
            yaml="stackdriverPath",
            json="logging.stackdriver",
            name="Stackdriver Log Location",
        ),
        _LOGGING,
        "File for logs as Google's Stackdriver reads them; empty writes none.",
    )
    filter: tuple[str, ...] = option(
        WORDS,
        Names(
            flag="log-filter",
            yaml="filter",
            json="logging.log_filter",
            name="Log Filter",
            short="l",
        ),
        _LOGGING,
        "Debug messages that match one of these regular expressions are logged too; "
        "'.*' logs them all.",
    )
    verbose: bool = option(
        BOOL,
        Names(flag="verbose", yaml="verbose", json="verbose", short="v"),
        _LOGGING,
        "Log debug messages.",
        default="false",
    )


@dataclass(frozen=True, slots=True)
class Introspection:
    """What operators can look at."""

    prometheus_enable: bool = option(
        BOOL,
        Names(flag="prometheus-enable", yaml="enable", json="prometheus.enable"),
        _PROMETHEUS,
        "Serve metrics for Prometheus.",
        default="false",
    )
    prometheus_address: Address | None = option(
        ADDRESS,
        Names(flag="prometheus-address", yaml="address", json="prometheus.address"),
        _PROMETHEUS,
        "Where metrics are served. With --workers, each further replica takes the next port.",
        default="127.0.0.1:2112",
    )
    health_check_refresh: timedelta = option(
        DURATION,
        Names(flag="health-check-refresh", yaml="refresh", json="healthcheck.refresh"),
        _HEALTH,
        "How old a health report may be before a new one is made.",
        default="10m",
    )
    health_check_threshold_database: timedelta = option(
        DURATION,
        Names(
            flag="health-check-threshold-database",
            yaml="thresholdDatabase",
            json="healthcheck.threshold_database",
        ),
        _HEALTH,
        "The median latency of the database above which its health is a warning.",
        default="15ms",
    )
