"""What a plan lists does not exist yet, and must not be taken for what does. Pure."""

from dataclasses import replace

from server.terraform import Resource


def without_tokens(resource: Resource) -> Resource:
    """Return a resource whose agents nobody can log in as."""
    agents = tuple(replace(agent, token="", instance_id="") for agent in resource.agents)
    return replace(resource, agents=agents)
