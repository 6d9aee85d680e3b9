"""Presets: sets of parameter values that a template offers by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coder_cli import config, ui
from coder_cli.commands.builds import asker
from coder_cli.commands.parameters import Wanted
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.client import Client
    from coder_cli.sdk.templates import Preset

NONE = "none"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person said about parameters, with a preset's values under it."""

    wants: Wanted
    preset_id: "UUID | None" = None
    """None where no preset was chosen, or where what was said goes against it."""


def choose(client: "Client", version_id: "UUID", name: str, wants: Wanted, *, ask: bool) -> Chosen:
    """Return the values to go on with: of the preset called ``name``, the default one, or asked.

    Raises:
        Refused: the version has no preset of that name.
    """
    offered = client.presets(version_id)
    preset = _named(offered, name) if name else _offered(offered, wants, ask=ask)
    if preset is None:
        return Chosen(wants)
    values = {one.name: one.value for one in preset.parameters}
    ui.note(f"Preset {preset.name}:")
    against = [key for key in values if wants.values.get(key, values[key]) != values[key]]
    for key, value in values.items():
        ui.note(f"  {key} = {wants.values.get(key, value)}")
    if against:
        ui.warn(
            f"What you give for {', '.join(against)} differs from the preset:"
            " the workspace will not count as made from it."
        )
    borrowed = wants.borrowed | (values.keys() - wants.values.keys())
    combined = replace(wants, values={**values, **wants.values}, borrowed=borrowed)
    return Chosen(combined, None if against else preset.id)


def _named(offered: "Sequence[Preset]", name: str) -> "Preset | None":
    if name.lower() == NONE:
        return None
    for preset in offered:
        if preset.name == name:
            return preset
    names = ", ".join([*(preset.name for preset in offered), NONE])
    raise Refused(f"The template has no preset {name!r}. Choose from: {names}.")


def _offered(offered: "Sequence[Preset]", wants: Wanted, *, ask: bool) -> "Preset | None":
    """Return the preset to use when none was named."""
    default = next((preset for preset in offered if preset.default), None)
    if not offered or wants.always_prompt:
        return None
    if not (ask and ui.can_ask(force=config.current().on("force-tty"))):
        return default
    options = [(preset.name, _label(preset)) for preset in offered]
    chosen = asker().select(
        "Which preset?",
        [*options, (NONE, "none: answer each question yourself")],
        flag="--preset <name>",
        default=default.name if default else NONE,
    )
    return _named(offered, chosen)


def _label(preset: "Preset") -> str:
    return f"{preset.name}: {preset.description}" if preset.description else preset.name
