"""What can be read off a Terraform state without Terraform."""

import json
from typing import Any, cast


def agent_tokens(state: bytes) -> list[str]:
    """Return the tokens of the agents in a state; none where it cannot be read."""
    try:
        content: object = json.loads(state or b"{}")
    except (ValueError, RecursionError):
        return []
    return [
        token
        for resource in _objects(content, "resources")
        if resource.get("type") == "coder_agent"
        for instance in _objects(resource, "instances")
        if isinstance(token := _object(instance.get("attributes")).get("token"), str) and token
    ]


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(value: object, name: str) -> list[dict[str, Any]]:
    found = _object(value).get(name)
    return [_object(one) for one in cast("list[object]", found)] if isinstance(found, list) else []
