"""Resources with their agents and metadata: what a build shows for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from server.terraform.convert.agents import Placed, agents
from server.terraform.convert.graph import Graph
from server.terraform.convert.instances import Instance
from server.terraform.convert.refused import Refused
from server.terraform.model import Agent, AITask, Metadata, Resource

_NOT_SHOWN = frozenset(
    {
        "coder_agent",
        "coder_agent_instance",
        "coder_ai_task",
        "coder_app",
        "coder_devcontainer",
        "coder_env",
        "coder_metadata",
        "coder_script",
    }
)
_INSTANCE_IDS: Mapping[str, str] = {
    "google_compute_instance": "instance_id",
    "aws_instance": "id",
    "aws_spot_instance_request": "spot_instance_id",
    "azurerm_linux_virtual_machine": "virtual_machine_id",
    "azurerm_windows_virtual_machine": "virtual_machine_id",
}
_INSTANCE_TYPES = ("machine_type", "instance_type", "size")


@dataclass(frozen=True, slots=True)
class Made:
    """What a plan or a state amounts to."""

    resources: tuple[Resource, ...]
    ai_tasks: tuple[AITask, ...]
    has_external_agent: bool
    warnings: tuple[str, ...]


def resources(instances: Sequence[Instance], graph: Graph) -> Made:
    """Put agents and metadata into the resources they belong to.

    Raises:
        Refused: the template breaks a rule about names, slugs, variables or metadata.
    """
    managed = [instance for instance in instances if instance.managed]
    shown = [instance for instance in managed if instance.type not in _NOT_SHOWN]
    homes: dict[str, list[Agent]] = {}
    warnings: list[str] = []
    for placed in agents(instances, graph):
        home = _home(placed, shown, graph)
        if home is None:
            warnings.append(f'agent "{placed.agent.name}" runs in no resource, so it is left out')
            continue
        homes.setdefault(home.address, []).append(_identified(placed, home, managed))
    described = _metadata(managed, shown, graph)
    return Made(
        resources=tuple(
            _resource(instance, homes.get(instance.address, []), described.get(instance.address))
            for instance in shown
        ),
        ai_tasks=tuple(
            AITask(i.text("id"), i.text("app_id"), i.text("prompt"))
            for i in managed
            if i.type == "coder_ai_task"
        ),
        has_external_agent=any(i.type == "coder_external_agent" for i in managed),
        warnings=tuple(warnings),
    )


def _home(placed: Placed, shown: list[Instance], graph: Graph) -> Instance | None:
    label = graph.nearest_above(placed.instance.label, {instance.label for instance in shown})
    return _instance_of(label, placed.instance, shown)


def _instance_of(label: str | None, like: Instance, among: list[Instance]) -> Instance | None:
    """Return the instance with ``like``'s key among those of a label, else the first of them."""
    candidates = [instance for instance in among if instance.label == label]
    same = [instance for instance in candidates if instance.key == like.key]
    return next(iter([*same, *candidates]), None)


def _identified(placed: Placed, home: Instance, managed: list[Instance]) -> Agent:
    if placed.agent.auth == "token":
        return placed.agent
    named = [
        i.text("instance_id")
        for i in managed
        if i.type == "coder_agent_instance" and i.text("agent_id") == placed.agent.id
    ]
    automatic = home.text(_INSTANCE_IDS.get(home.type, ""))
    return replace(placed.agent, token="", instance_id=next(iter(named), automatic))


def _metadata(managed: list[Instance], shown: list[Instance], graph: Graph) -> dict[str, Instance]:
    described: dict[str, Instance] = {}
    labels = {instance.label for instance in shown}
    for instance in managed:
        if instance.type != "coder_metadata":
            continue
        wanted = instance.text("resource_id")
        exact = next((i for i in shown if wanted and i.text("id") == wanted), None)
        nearest = graph.nearest_below(instance.label, labels)
        target = exact or _instance_of(nearest, instance, shown)
        if target is None:
            continue
        if target.address in described:
            raise Refused(
                f"duplicate metadata resource: {target.address}",
                instance.address,
                described[target.address].address,
            )
        described[target.address] = instance
    return described


def _resource(instance: Instance, inside: list[Agent], about: Instance | None) -> Resource:
    sizes = (instance.values.get(name) for name in _INSTANCE_TYPES)
    plain = Resource(
        name=instance.name,
        type=instance.type,
        address=instance.address,
        agents=tuple(inside),
        instance_type=next((size for size in sizes if isinstance(size, str)), ""),
        module_path=instance.module,
    )
    if about is None:
        return plain
    return replace(
        plain,
        hide=about.flag("hide"),
        icon=about.text("icon"),
        daily_cost=about.number("daily_cost"),
        metadata=tuple(
            Metadata(
                key=item.get("key") or "",
                value=item.get("value") or "",
                sensitive=item.get("sensitive") is True,
                is_null=item.get("is_null") is True,
            )
            for item in about.blocks("item")
        ),
    )
