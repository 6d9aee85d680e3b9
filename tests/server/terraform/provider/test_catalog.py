"""Every attribute of every type: whether it may be given, what it holds, what it is by default.

``!`` is required, ``?`` optional, ``=`` computed, ``*`` sensitive, ``~`` deprecated; then the type
if it is no string, and the default. A line that begins with a block's name is about that block.
"""

import json

import pytest

from server.terraform.provider.catalog import DATA_SOURCES, PROVIDER, RESOURCES
from server.terraform.provider.schema import Attribute, Block, Body, Nesting

AGENT = """
api_key_scope? "all" | arch! | auth? "token" | connection_timeout? number 120 | dir?~
env? map(string) | id= | init_script= | motd_file? | order? number | os! | shutdown_script?
startup_script? | startup_script_behavior? "non-blocking" | token=* | troubleshooting_url?
display_apps: {set 0-1} | port_forwarding_helper? bool true | ssh_helper? bool true
display_apps: vscode? bool true | vscode_insiders? bool false | web_terminal? bool true
metadata: {list 0-} | display_name? | interval! number | key! | order? number | script!
metadata: timeout? number
resources_monitoring: {set 0-1}
resources_monitoring.memory: {set 0-1} | enabled! bool | threshold! number
resources_monitoring.volume: {set 0-} | enabled! bool | path! | threshold! number
"""
RESOURCE_TABLE = {
    "coder_agent": (1, AGENT),
    "coder_agent_instance": (0, "agent_id! | id= | instance_id!"),
    "coder_ai_task": (
        1,
        "app_id?= | enabled= bool | id= | prompt=\nsidebar_app: {set 0-1}~ | id!",
    ),
    "coder_app": (
        1,
        """agent_id! | command? | display_name? | external? bool false | group?
        hidden? bool false | icon? | id= | open_in? "slim-window" | order? number
        share? "owner" | slug! | subdomain? bool | tooltip? | url?
        healthcheck: {set 0-1} | interval! number | threshold! number | url!""",
    ),
    "coder_devcontainer": (
        1,
        "agent_id! | config_path? | id= | subagent_id= | workspace_folder!",
    ),
    "coder_env": (1, 'agent_id! | id= | merge_strategy? "replace" | name! | value? ""'),
    "coder_external_agent": (1, "agent_id! | id="),
    "coder_metadata": (
        1,
        """daily_cost? number | hide? bool | icon? | id= | resource_id!
        item: {list 0-} | is_null= bool | key! | sensitive? bool false | value?""",
    ),
    "coder_script": (
        1,
        """agent_id! | cron? | display_name! | icon? | id= | log_path? | run_on_start? bool false
        run_on_stop? bool false | script! | start_blocks_login? bool false | timeout? number 0""",
    ),
}
DATA_TABLE = {
    "coder_external_auth": (1, "access_token=* | id! | optional? bool"),
    "coder_parameter": (
        1,
        """default? | description? | display_name? | ephemeral? bool false | form_type? | icon?
        id= | mutable? bool false | name! | optional= bool | order? number | styling? "{}"
        type? "string" | value=
        option: {list 0-} | description? | icon? | name! | value!
        validation: {list 0-1} | error? | max? number | max_disabled= bool | min? number
        validation: min_disabled= bool | monotonic? | regex?""",
    ),
    "coder_provisioner": (1, "arch= | id= | os="),
    "coder_secret": (1, "env? | file? | help_message! | id= | value=*"),
    "coder_task": (0, "enabled= bool | id= | prompt="),
    "coder_workspace": (
        1,
        """access_port= number | access_url= | id= | is_prebuild= bool | is_prebuild_claim= bool
        name= | prebuild_count= number | start_count= number | template_id= | template_name=
        template_version= | transition=""",
    ),
    "coder_workspace_owner": (
        0,
        """email= | full_name= | groups= list(string) | id= | login_type= | name=
        oidc_access_token=* | rbac_roles= list(object) | session_token=* | ssh_private_key=*
        ssh_public_key=""",
    ),
    "coder_workspace_preset": (
        1,
        """default? bool false | description? | icon? | id= | name! | parameters? map(string)
        prebuilds: {set 0-1} | instances! number
        prebuilds.expiration_policy: {set 0-1} | ttl! number
        prebuilds.scheduling: {list 0-1} | timezone!
        prebuilds.scheduling.schedule: {list 1-} | cron! | instances! number""",
    ),
    "coder_workspace_tags": (1, "id= | tags? map(string)"),
}


def attribute(name: str, one: Attribute) -> str:
    marks = "".join(
        mark
        for mark, on in (
            ("!", one.required),
            ("?", one.optional),
            ("=", one.computed),
            ("*", one.sensitive),
            ("~", bool(one.deprecated)),
        )
        if on
    )
    kind, default = _kind(one.type), ""
    if one.default is not None:
        default = json.dumps(one.default)
    return " ".join(filter(None, (name + marks, kind, default)))


def _kind(written: object) -> str:
    """Return a type as HCL writes it; nothing for a string."""
    match written:
        case [str(outer), [str(inner), dict()]] | [str(outer), str(inner)]:
            return f"{outer}({inner})"
        case str(plain) if plain != "string":
            return plain
        case _:
            return ""


def heading(name: str, block: Block) -> str:
    nesting = "set" if block.nesting is Nesting.SET else "list"
    most = block.at_most or ""
    return f"{name}{{{nesting} {block.at_least}-{most}}}" + ("~" if block.deprecated else "")


def described(body: Body, at: str = "") -> set[str]:
    found = {attribute(at + name, one) for name, one in body.attributes.items()}
    for name, block in body.blocks.items():
        found.add(heading(at + name, block))
        found |= described(block.body, f"{at}{name}.")
    return found


def written(table: str) -> set[str]:
    found: set[str] = set()
    for line in table.splitlines():
        block, colon, rest = line.strip().rpartition(": ")
        for part in rest.split(" | "):
            dot = "" if part.startswith("{") or not colon else "."
            found.add(block + dot + part)
    return found - {""}


@pytest.mark.parametrize("name", RESOURCE_TABLE)
def test_a_resource_has_these_attributes(name: str) -> None:
    version, table = RESOURCE_TABLE[name]
    assert described(RESOURCES[name].body) == written(table)
    assert RESOURCES[name].version == version


@pytest.mark.parametrize("name", DATA_TABLE)
def test_a_data_source_has_these_attributes(name: str) -> None:
    version, table = DATA_TABLE[name]
    assert described(DATA_SOURCES[name].body) == written(table)
    assert DATA_SOURCES[name].version == version


def test_these_types_are_all() -> None:
    assert set(RESOURCES) == set(RESOURCE_TABLE)
    assert set(DATA_SOURCES) == set(DATA_TABLE)
    assert described(PROVIDER) == {"url?"}
