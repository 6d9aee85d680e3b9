"""What a template asks of people: parameters, presets, sign-ins, tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.terraform.convert.instances import Instance, Object, first
from server.terraform.convert.refused import Refused, refuse_twice
from server.terraform.model import (
    ExternalAuth,
    Option,
    Parameter,
    Prebuilds,
    PrebuildSchedule,
    Preset,
)


@dataclass(frozen=True, slots=True)
class Offers:
    """The data sources of a plan that people get to see."""

    parameters: tuple[Parameter, ...]
    presets: tuple[Preset, ...]
    external_auth: tuple[ExternalAuth, ...]
    workspace_tags: Mapping[str, str]
    warnings: tuple[str, ...]


def offers(instances: Sequence[Instance]) -> Offers:
    """Read the data sources of a plan.

    Raises:
        Refused: two have the same name, or several presets want to be the default.
    """
    data = [instance for instance in instances if not instance.managed]
    for kind in ("coder_parameter", "coder_workspace_preset"):
        refuse_twice(kind, [(i.text("name"), i.address) for i in data if i.type == kind])
    parameters = [_parameter(i) for i in data if i.type == "coder_parameter"]
    presets = [_preset(i) for i in data if i.type == "coder_workspace_preset"]
    _check_defaults([i for i in data if i.type == "coder_workspace_preset"])
    tags: dict[str, str] = {}
    for instance in data:
        if instance.type == "coder_workspace_tags":
            tags.update(instance.values.get("tags") or {})
    return Offers(
        parameters=tuple(sorted(parameters, key=lambda p: (p.order, p.name))),
        presets=tuple(presets),
        external_auth=_external_auth(data),
        workspace_tags=tags,
        warnings=tuple(_unknown_in_presets(parameters, presets)),
    )


def _check_defaults(presets: list[Instance]) -> None:
    defaults = [preset.address for preset in presets if preset.flag("default")]
    if len(defaults) > 1:
        raise Refused(
            "a maximum of 1 coder_workspace_preset can be marked as default, "
            f"but {len(defaults)} are set",
            defaults[1],
            defaults[0],
        )


def _parameter(instance: Instance) -> Parameter:
    rules: Object = first(instance.blocks("validation"))
    return Parameter(
        name=instance.text("name"),
        type=instance.text("type"),
        display_name=instance.text("display_name"),
        description=instance.text("description"),
        form_type=instance.text("form_type"),
        styling=instance.text("styling") or "{}",
        mutable=instance.flag("mutable"),
        default_value=instance.text("default"),
        icon=instance.text("icon"),
        options=tuple(
            Option(
                name=option["name"],
                value=option["value"],
                description=option.get("description") or "",
                icon=option.get("icon") or "",
            )
            for option in instance.blocks("option")
        ),
        validation_regex=rules.get("regex") or "",
        validation_error=rules.get("error") or "",
        validation_min=None if rules.get("min_disabled") else rules.get("min"),
        validation_max=None if rules.get("max_disabled") else rules.get("max"),
        validation_monotonic=rules.get("monotonic") or "",
        required=not instance.flag("optional"),
        order=instance.number("order"),
        ephemeral=instance.flag("ephemeral"),
        value=instance.text("value"),
    )


def _preset(instance: Instance) -> Preset:
    prebuilds = first(instance.blocks("prebuilds"))
    return Preset(
        name=instance.text("name"),
        parameters=dict(instance.values.get("parameters") or {}),
        description=instance.text("description"),
        icon=instance.text("icon"),
        default=instance.flag("default"),
        prebuilds=_prebuilds(prebuilds) if prebuilds else None,
    )


def _prebuilds(block: Object) -> Prebuilds:
    policy: Object = first(block.get("expiration_policy"))
    scheduling: Object = first(block.get("scheduling"))
    return Prebuilds(
        instances=block["instances"],
        ttl_seconds=policy.get("ttl") or 0,
        timezone=scheduling.get("timezone") or "",
        schedule=tuple(
            PrebuildSchedule(entry["cron"], entry["instances"])
            for entry in scheduling.get("schedule") or ()
        ),
    )


def _external_auth(data: Sequence[Instance]) -> tuple[ExternalAuth, ...]:
    wanted: dict[str, bool] = {}
    for instance in data:
        if instance.type in {"coder_external_auth", "coder_git_auth"}:
            name = instance.text("id")
            # Asked for twice, once as optional: it is needed.
            wanted[name] = wanted.get(name, True) and instance.flag("optional")
    return tuple(ExternalAuth(name, optional) for name, optional in sorted(wanted.items()))


def _unknown_in_presets(parameters: list[Parameter], presets: list[Preset]) -> list[str]:
    known = {parameter.name for parameter in parameters}
    return [
        f'preset "{preset.name}" sets the parameter "{name}", which does not exist'
        for preset in presets
        for name in preset.parameters
        if name not in known
    ]
