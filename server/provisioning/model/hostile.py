"""What a provisioner daemon elsewhere says it made, before any of it is believed. Pure.

Its form was checked before. Here is what the rooms above, and whoever reads the rows later, take
for granted because terraform's driver never says anything else.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast
from uuid import UUID

from coder_cli.sdk.agents import AppOpenIn, AppSharingLevel, DisplayApp
from coder_cli.sdk.templates import FormType, ParameterType
from server.provisioning.errors import CallRefused
from server.provisioning.model.jobs import JobType
from server.terraform import Agent, App, Built, Imported, Parameter, Resource

MOST_RESOURCES = 10_000
MOST_AGENTS = 200
MOST_OF_A_KIND = 5_000
LONGEST_NAME = 1024
LARGEST_FORM = 32 << 20
"""Bytes of a packed slice: 10 MiB of files, and what an archive adds to each."""
_NAME = re.compile(r"(?i)[a-z0-9](-?[a-z0-9])*")
_SCOPES = frozenset({"all", "no_user_data"})


def check_outcome(job_type: JobType, outcome: Imported | Built | None) -> None:
    """Refuse an outcome that no terraform of ours would have.

    Raises:
        CallRefused: the text says what is wrong.
    """
    match outcome:
        case None:
            return
        case Imported():
            _require(job_type is JobType.TEMPLATE_VERSION_IMPORT, "a result of another kind of job")
            resources = (*outcome.start_resources, *outcome.stop_resources)
            _check_resources(outcome.start_resources)
            _check_resources(outcome.stop_resources)
            _check_parameters(outcome.parameters)
            _few(outcome.variables, MOST_OF_A_KIND, "variables")
            _few(outcome.presets, MOST_OF_A_KIND, "presets")
            _require(len(outcome.form.content) <= LARGEST_FORM, "a form that is too large")
        case Built():
            _require(
                job_type is not JobType.TEMPLATE_VERSION_IMPORT, "a result of another kind of job"
            )
            resources = outcome.resources
            _check_resources(resources)
            _few(outcome.timings, MOST_RESOURCES * 4, "timings")
    _few(resources, MOST_RESOURCES * 2, "resources")
    _check_texts(outcome)


def _check_resources(resources: Collection[Resource]) -> None:
    agents = [agent for resource in resources for agent in resource.agents]
    _few(agents, MOST_AGENTS, "agents")
    names = [agent.name.lower() for agent in agents]
    _require(len(set(names)) == len(names), "two agents of one name")
    for agent in agents:
        _check_agent(agent)
    slugs = [app.slug for agent in agents for app in agent.apps]
    _require(len(set(slugs)) == len(slugs), "two apps of one slug")
    for resource in resources:
        _require(len(resource.name) <= LONGEST_NAME, "a resource's name is too long")
        _require(0 <= resource.daily_cost < 2**31, "a cost that cannot be")
        _few(resource.metadata, MOST_OF_A_KIND, "metadata")


def _check_agent(agent: Agent) -> None:
    _require(len(agent.name) <= 64 and bool(_NAME.fullmatch(agent.name)), "an agent's name")
    if agent.token:
        try:
            UUID(agent.token)
        except ValueError:
            raise CallRefused("an agent's token is no UUID") from None
    _words(agent.display_apps, DisplayApp, "a display app")
    _words([agent.api_key_scope], _SCOPES, "an agent's scope")
    _few(agent.scripts, MOST_OF_A_KIND, "scripts")
    _few(agent.metadata, MOST_OF_A_KIND, "metadata")
    _few(agent.apps, MOST_OF_A_KIND, "apps")
    for app in (*agent.apps, *(app for each in agent.devcontainers for app in each.apps)):
        _check_app(app)


def _check_app(app: App) -> None:
    _require(len(app.slug) <= LONGEST_NAME and bool(_NAME.fullmatch(app.slug)), "an app's slug")
    _words([app.sharing_level], AppSharingLevel, "an app's sharing level")
    _words([app.open_in], AppOpenIn, "how an app opens")


def _check_parameters(parameters: Collection[Parameter]) -> None:
    _few(parameters, MOST_OF_A_KIND, "parameters")
    names = [parameter.name for parameter in parameters]
    _require(len(set(names)) == len(names), "two parameters of one name")
    for parameter in parameters:
        _words([parameter.type], ParameterType, "a parameter's type")
        _words([parameter.form_type], FormType, "a parameter's form")
        _few(parameter.options, MOST_OF_A_KIND, "options")


def _check_texts(value: object) -> None:
    """Refuse NUL anywhere: PostgreSQL cannot store it."""
    match value:
        case str():
            _require("\0" not in value, "a text with NUL")
        case tuple() | list():
            for item in cast("tuple[object, ...]", value):
                _check_texts(item)
        case Mapping():
            pairs = cast("Mapping[Any, object]", value)
            _check_texts([*pairs.keys(), *pairs.values()])
        case _:
            if is_dataclass(value):
                _check_texts([getattr(value, each.name) for each in fields(value)])


def _words(given: Iterable[str], allowed: Collection[str], what: str) -> None:
    known = set(allowed)
    _require(all(word in known for word in given), what)


def _few(items: Collection[object], most: int, what: str) -> None:
    if len(items) > most:
        raise CallRefused(f"more than {most} {what}")


def _require(well: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not well:
        raise CallRefused(f"the result is not acceptable: {what}")
