"""The settings as others see them: a YAML file, and the deployment page of the API."""

from typing import Any, cast

import yaml

from server.settings.option import Option
from server.settings.reading import OPTIONS, Settings, Source

_HEADER = "# Settings of `coder server`; start it with `coder server --config <this file>`.\n"


def write_yaml(settings: Settings) -> str:
    """Return the effective settings as a YAML file with a comment for each; secrets stay out."""
    tree: dict[str, Any] = {}
    for room, name, option in OPTIONS:
        node = tree
        for part in option.yaml_path[:-1]:
            node = node.setdefault(part, {})
        node[option.yaml_path[-1]] = (option, getattr(getattr(settings, room), name))
    return _HEADER + "".join(_lines(tree, ""))


def _lines(tree: dict[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, node in tree.items():
        if isinstance(node, dict):
            inner = cast("dict[str, Any]", node)
            lines += [f"{indent}{key}:\n", *_lines(inner, indent + "  ")]
            continue
        option, value = node
        default = f" (default: {option.default})" if option.default else ""
        lines.append(f"{indent}# {option.description}{default}\n")
        if option.secret:
            lines.append(f"{indent}# {key}: \n")
        else:
            lines.append(f"{indent}{key}: {_scalar(option.kind.show(value))}\n")
    return lines


def _scalar(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def deployment_config(settings: Settings) -> dict[str, Any]:
    """Return ``{config, options}`` of ``/deployment/config``; secrets are blank."""
    config: dict[str, Any] = {}
    for room, name, option in OPTIONS:
        node = config
        *above, last = option.json.split(".")
        for part in above:
            node = node.setdefault(part, {})
        value = getattr(getattr(settings, room), name)
        node[last] = "" if option.secret else option.kind.json(value)
    options = [_option(settings, room, name, option) for room, name, option in OPTIONS]
    return {"config": config, "options": options}


def _option(settings: Settings, room: str, name: str, option: Option) -> dict[str, Any]:
    value = option.kind.json(getattr(getattr(settings, room), name))
    return {
        "name": option.name,
        "description": option.description,
        "flag": option.flag,
        "flag_shorthand": option.short,
        "env": option.env,
        "yaml": option.yaml_path[-1],
        "default": option.default,
        "value": "" if option.secret else value,
        "value_source": settings.sources.get(option.flag, Source.DEFAULT).value,
        "annotations": {"secret": "true"} if option.secret else {},
        "group": {
            "name": option.group.name,
            "yaml": option.group.yaml,
            "description": option.group.description,
        },
        "hidden": option.hidden,
        "use_instead": [],
    }


def describe(settings: Settings) -> list[str]:
    """Return one line for each option: its flag, value and source (``--debug-options``)."""
    lines: list[str] = []
    for room, name, option in OPTIONS:
        value = getattr(getattr(settings, room), name)
        shown = "<secret>" if option.secret and value else option.kind.show(value)
        source = settings.sources.get(option.flag, Source.DEFAULT)
        lines.append(f"--{option.flag}={shown} ({source.value})")
    return lines
