"""Agents, and what hangs on them: apps, scripts, variables, dev containers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from server.terraform.convert.env import merge
from server.terraform.convert.graph import Graph
from server.terraform.convert.instances import Instance, Object, first
from server.terraform.convert.refused import Refused
from server.terraform.model import (
    Agent,
    AgentMetadata,
    App,
    Devcontainer,
    Env,
    Healthcheck,
    MemoryMonitor,
    Script,
    VolumeMonitor,
)

_NAME = r"(?i)^[a-z0-9](-?[a-z0-9])*$"
_SLUG = r"^[a-z0-9](-?[a-z0-9])*$"
_OCCASIONS = frozenset({"run_on_start", "run_on_stop", "cron"})
_ATTACHED = frozenset({"coder_app", "coder_script", "coder_env", "coder_devcontainer"})


@dataclass(frozen=True, slots=True)
class Placed:
    """An agent with the object it was read from."""

    instance: Instance
    agent: Agent


def agents(instances: Sequence[Instance], graph: Graph) -> list[Placed]:
    """Return every agent with all that is attached to it.

    Raises:
        Refused: a name or a slug breaks a rule.
    """
    found = sorted(
        (i for i in instances if i.managed and i.type == "coder_agent"), key=lambda i: i.address
    )
    _check_names(found)
    hangs = _Attachments(instances, graph)
    _check_slugs(hangs.of_type("coder_app"))
    _check_scripts(hangs.of_type("coder_script"))
    return [Placed(instance, hangs.on_agent(_agent(instance), instance)) for instance in found]


def _check_names(found: list[Instance]) -> None:
    seen: dict[str, str] = {}
    for instance in found:
        name, address = instance.name, instance.address
        if "_" in name:
            raise Refused(
                f'agent name "{name}" contains underscores which are no longer supported, '
                f'please use hyphens instead (regex: "{_NAME}")',
                address,
            )
        if not re.search(_NAME, name):
            raise Refused(f'agent name "{name}" does not match regex "{_NAME}"', address)
        if (before := seen.setdefault(name.lower(), address)) != address:
            raise Refused(f"duplicate agent name: {name}", address, before)


def _check_slugs(apps: list[Instance]) -> None:
    seen: dict[str, str] = {}
    for app in apps:
        slug = app.text("slug")
        if not re.search(_SLUG, slug):
            raise Refused(f'app slug "{slug}" does not match regex "{_SLUG}"', app.address)
        if (before := seen.setdefault(slug, app.address)) != app.address:
            raise Refused(
                f'duplicate app slug, they must be unique per template: "{slug}"',
                app.address,
                before,
            )


def _check_scripts(scripts: list[Instance]) -> None:
    """Refuse what the provider would only refuse in the middle of an apply."""
    for script in scripts:
        # What is not known yet is not there.
        if script.values.keys() >= _OCCASIONS and not any(map(script.values.get, _OCCASIONS)):
            raise Refused(
                'at least one of "run_on_start", "run_on_stop", or "cron" must be set',
                script.address,
            )


def _agent(instance: Instance) -> Agent:
    token = instance.text("token")
    monitoring = first(instance.blocks("resources_monitoring"))
    shown = first(instance.blocks("display_apps"))
    memory = first(monitoring.get("memory"))
    if token:
        _check_token(instance, token)
    return Agent(
        name=instance.name,
        id=instance.text("id"),
        token=token,
        auth=instance.text("auth") or "token",
        operating_system=instance.text("os"),
        architecture=instance.text("arch"),
        directory=instance.text("dir"),
        env=dict(instance.values.get("env") or {}),
        scripts=tuple(_own_scripts(instance)),
        metadata=tuple(_metadata(block) for block in instance.blocks("metadata")),
        display_apps=tuple(sorted(name for name, on in shown.items() if on is True)),
        connection_timeout_seconds=instance.number("connection_timeout"),
        troubleshooting_url=instance.text("troubleshooting_url"),
        motd_file=instance.text("motd_file"),
        order=instance.number("order"),
        api_key_scope=instance.text("api_key_scope") or "all",
        memory_monitor=MemoryMonitor(memory["enabled"], memory["threshold"]) if memory else None,
        volume_monitors=tuple(
            VolumeMonitor(volume["path"], volume["enabled"], volume["threshold"])
            for volume in monitoring.get("volume") or ()
        ),
    )


def _check_token(instance: Instance, token: str) -> None:
    try:
        UUID(token)
    except ValueError:
        raise Refused(
            f'invalid token of agent "{instance.name}": it must be a uuid', instance.address
        ) from None


def _own_scripts(agent: Instance) -> list[Script]:
    scripts: list[Script] = []
    if start := agent.text("startup_script"):
        scripts.append(
            Script(
                display_name="Startup Script",
                script=start,
                icon="/emojis/25b6.png",
                log_path="coder-startup-script.log",
                start_blocks_login=agent.text("startup_script_behavior") == "blocking",
                run_on_start=True,
            )
        )
    if stop := agent.text("shutdown_script"):
        scripts.append(
            Script(
                display_name="Shutdown Script",
                script=stop,
                icon="/emojis/25c0.png",
                log_path="coder-shutdown-script.log",
                run_on_stop=True,
            )
        )
    return scripts


def _metadata(block: Object) -> AgentMetadata:
    return AgentMetadata(
        key=block["key"],
        script=block["script"],
        interval=block["interval"],
        display_name=block.get("display_name") or "",
        timeout=block.get("timeout") or 0,
        order=block.get("order") or 0,
    )


class _Attachments:
    """Finds what belongs to an agent or to a dev container."""

    def __init__(self, instances: Sequence[Instance], graph: Graph) -> None:
        managed = [instance for instance in instances if instance.managed]
        self._owners = [i for i in managed if i.type in {"coder_agent", "coder_devcontainer"}]
        # Variables merge in the order of their addresses.
        hanging = sorted((i for i in managed if i.type in _ATTACHED), key=lambda i: i.address)
        self._hanging = [(instance, self._owner(instance, graph)) for instance in hanging]

    def of_type(self, kind: str) -> list[Instance]:
        """Return everything of a type that belongs to somebody."""
        return [instance for instance, owner in self._hanging if owner and instance.type == kind]

    def on_agent(self, agent: Agent, instance: Instance) -> Agent:
        """Return the agent with what belongs to it."""
        return replace(
            agent,
            apps=tuple(map(_app, self._of(instance, "coder_app"))),
            scripts=(*agent.scripts, *map(_script, self._of(instance, "coder_script"))),
            env=merge(agent.env, map(_env, self._of(instance, "coder_env"))),
            devcontainers=tuple(map(self._devcontainer, self._of(instance, "coder_devcontainer"))),
        )

    def _devcontainer(self, instance: Instance) -> Devcontainer:
        return Devcontainer(
            name=instance.name,
            workspace_folder=instance.text("workspace_folder"),
            id=instance.text("id"),
            config_path=instance.text("config_path"),
            subagent_id=instance.text("subagent_id"),
            apps=tuple(map(_app, self._of(instance, "coder_app"))),
            scripts=tuple(map(_script, self._of(instance, "coder_script"))),
            env=merge({}, map(_env, self._of(instance, "coder_env"))),
        )

    def _of(self, owner: Instance, kind: str) -> list[Instance]:
        return [i for i, of in self._hanging if i.type == kind and of == owner.address]

    def _owner(self, instance: Instance, graph: Graph) -> str:
        """Return the address of what an instance hangs on."""
        if wanted := instance.text("agent_id"):
            for owner in self._owners:
                name = "subagent_id" if owner.type == "coder_devcontainer" else "id"
                if wanted == owner.text(name):
                    return owner.address
            return ""
        # In a plan of something new the id is not known yet; the references are. What hangs on a
        # dev container names that, which in turn names its agent.
        inside = instance.type != "coder_devcontainer"
        owners = [owner for owner in self._owners if inside or owner.type == "coder_agent"]
        nearest = graph.nearest_below(instance.label, {owner.label for owner in owners})
        candidates = [owner for owner in owners if owner.label == nearest]
        same = [owner for owner in candidates if owner.key == instance.key]
        return next((owner.address for owner in [*same, *candidates]), "")


def _app(instance: Instance) -> App:
    health = first(instance.blocks("healthcheck"))
    slug = instance.text("slug")
    return App(
        slug=slug,
        display_name=instance.text("display_name") or slug,
        id=instance.text("id"),
        url=instance.text("url"),
        command=instance.text("command"),
        icon=instance.text("icon"),
        external=instance.flag("external"),
        subdomain=instance.flag("subdomain"),
        sharing_level=instance.text("share") or "owner",
        healthcheck=Healthcheck(health["url"], health["interval"], health["threshold"])
        if health
        else None,
        group=instance.text("group"),
        order=instance.number("order"),
        hidden=instance.flag("hidden"),
        open_in=instance.text("open_in") or "slim-window",
        tooltip=instance.text("tooltip"),
    )


def _script(instance: Instance) -> Script:
    return Script(
        display_name=instance.text("display_name"),
        script=instance.text("script"),
        icon=instance.text("icon"),
        log_path=instance.text("log_path"),
        cron=instance.text("cron"),
        start_blocks_login=instance.flag("start_blocks_login"),
        run_on_start=instance.flag("run_on_start"),
        run_on_stop=instance.flag("run_on_stop"),
        timeout_seconds=instance.number("timeout"),
    )


def _env(instance: Instance) -> Env:
    return Env(
        name=instance.text("name"),
        value=instance.text("value"),
        merge_strategy=instance.text("merge_strategy") or "replace",
        address=instance.address,
    )
