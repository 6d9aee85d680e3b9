"""What a plan lists does not exist yet, and must not be taken for what does. Pure."""

from dataclasses import replace

from server.terraform import Agent, Resource


def as_planned(resource: Resource) -> Resource:
    """Return a resource as everybody may see it who may read its template.

    Nobody can log in as its agents. What a template gives to workspaces may hold its sensitive
    variables, and is for those who have such a workspace: values of the environment, texts of
    scripts, sensitive metadata.
    """
    return replace(
        resource,
        agents=tuple(map(_as_planned, resource.agents)),
        metadata=tuple(
            replace(one, value="") if one.sensitive else one for one in resource.metadata
        ),
    )


def _as_planned(agent: Agent) -> Agent:
    return replace(
        agent,
        token="",
        instance_id="",
        env=dict.fromkeys(agent.env, ""),
        scripts=tuple(replace(one, script="") for one in agent.scripts),
    )
