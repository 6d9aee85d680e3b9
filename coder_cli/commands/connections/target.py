"""Which workspace and which agent a person means, in every form that ssh and editors write it."""

from typing import NamedTuple, cast

from typing_extensions import override

from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct, Json
from coder_cli.sdk.errors import ApiError


class Name(NamedTuple):
    """A workspace by its owner and name, and maybe one of its agents."""

    owner: str
    workspace: str
    agent: str = ""

    @override
    def __str__(self) -> str:
        owner = "" if self.owner == "me" else f"{self.owner}/"
        return f"{owner}{self.workspace}{'.' + self.agent if self.agent else ''}"


def parse_name(text: str) -> Name:
    """Read ``workspace``, ``workspace.agent`` or ``owner/workspace[.agent]``.

    Raises:
        Refused: it has more than one slash, or an empty part.
    """
    owner, slash, rest = text.partition("/")
    if not slash:
        owner, rest = "me", text
    if "/" in rest:
        raise Refused(f"{text!r} is not a workspace; write <workspace> or <owner>/<workspace>.")
    workspace, _, agent = rest.partition(".")
    if not owner or not workspace:
        raise Refused(f"{text!r} is not a workspace; write <workspace> or <owner>/<workspace>.")
    return Name(owner, workspace, agent)


def parse_host(host: str, prefix: str, suffix: str) -> Name:
    """Read what ssh calls the host.

    With ``prefix``: ``coder.dev``, ``coder.alice--dev``, ``coder.alice--dev--main`` or
    ``coder.dev.main``. With ``suffix``: ``dev.coder``, ``main.dev.coder``,
    ``main.dev.alice.coder``.

    Raises:
        Refused: ``host`` has none of these forms.
    """
    suffix = suffix.lstrip(".")
    if suffix and host.endswith(f".{suffix}"):
        parts = host.removesuffix(f".{suffix}").split(".")
        match parts:
            case [workspace]:
                return _dashed(workspace)
            case [agent, workspace]:
                return Name("me", workspace, agent)
            case [agent, workspace, owner]:
                return Name(owner, workspace, agent)
            case _:
                raise Refused(f"{host!r} is not <agent>.<workspace>.<owner>.{suffix}.")
    if prefix and host.startswith(prefix):
        return _dashed(host.removeprefix(prefix))
    return parse_name(host)


def _dashed(text: str) -> Name:
    match text.split("--"):
        case [owner, workspace, agent]:
            return Name(owner, workspace, agent)
        case [owner, rest]:
            return parse_name(f"{owner}/{rest}")
        case _:
            return parse_name(text)


def find_workspace(api: Direct, name: Name) -> Json:
    """Return the workspace's JSON.

    Raises:
        Refused: there is none, or it is hidden from us.
    """
    try:
        return api.get(f"/users/{name.owner}/workspace/{name.workspace}")
    except ApiError as error:
        if error.status != 404:
            raise
        whose = "You have" if name.owner == "me" else f"{name.owner!r} has"
        raise Refused(
            f"{whose} no workspace {name.workspace!r}. List them with: coder list"
        ) from error


def pick_agent(workspace: Json, wanted: str) -> Json:
    """Return the agent that is meant; the only one when none is named.

    Raises:
        Refused: there is no such agent, none at all, or the choice is open.
    """
    name = workspace["name"]
    resources = cast("list[Json]", workspace["latest_build"].get("resources") or [])
    agents: dict[str, Json] = {
        agent["name"]: agent
        for one in resources
        for agent in cast("list[Json]", one.get("agents") or [])
    }
    if not agents:
        raise Refused(f"Workspace {name!r} has no agents: its template defines none.")
    if wanted:
        if wanted not in agents:
            raise Refused(
                f"Workspace {name!r} has no agent {wanted!r}; it has {', '.join(sorted(agents))}."
            )
        return agents[wanted]
    own = {key: agent for key, agent in agents.items() if not agent.get("parent_id")}
    if len(own) != 1:
        choices = ", ".join(f"{name}.{agent}" for agent in sorted(own))
        raise Refused(f"Workspace {name!r} has several agents. Choose one: {choices}")
    return next(iter(own.values()))
