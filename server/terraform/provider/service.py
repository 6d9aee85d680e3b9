"""Answers to terraform's calls: request bytes in, response bytes out. Knows no transport."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast
from uuid import uuid4

from server.terraform.provider import checks
from server.terraform.provider import messages as m
from server.terraform.provider.catalog import CODER, Catalog
from server.terraform.provider.protobuf import decode, encode
from server.terraform.provider.recorder import Recorder
from server.terraform.provider.schema import Block, Body, Call, Conceal, Finding, Nesting
from server.terraform.provider.values import Object, has_unknown, pack, unpack, without_unknown

DEFAULT_URL = "https://mydeployment.coder.com"
_CAPABILITIES = {"plan_destroy": False, "get_provider_schema_optional": True}


class Unimplemented(Exception):
    """Terraform asks for something this provider does not have."""


@dataclass(slots=True)
class Session:
    """One build as the provider sees it: the values its types read. One per terraform command."""

    env: Mapping[str, str] = field(repr=False)
    recorder: Recorder | None = None
    """Takes what is read; then nothing is refused."""
    catalog: Catalog = CODER
    conceal: Conceal | None = None
    """Takes the secrets that are made here."""

    def connect(self) -> "Connection":
        """Begin a connection; each has its own provider configuration (aliases!)."""
        url = self.env.get("CODER_AGENT_URL") or DEFAULT_URL
        return Connection(self.env, url, self.recorder, self.catalog, self.conceal)


@dataclass(slots=True)
class Connection:
    """One provider instance of a terraform run."""

    env: Mapping[str, str] = field(repr=False)
    url: str
    recorder: Recorder | None = None
    catalog: Catalog = CODER
    conceal: Conceal | None = None

    def handle(self, method: str, body: bytes) -> bytes:
        """Answer one call.

        Raises:
            Unimplemented: there is no such method.
            ValueError: the request is not what the protocol says.
        """
        service, _, name = method.lstrip("/").partition("/")
        if service == "plugin.GRPCController":
            return b""
        answer = _ANSWERS.get(name)
        if answer is None or service not in {"tfplugin5.Provider", "tfplugin6.Provider"}:
            raise Unimplemented(method)
        return answer(self, body)

    def call(self) -> Call:
        """Return what a hook works with."""
        if self.conceal is None:
            return Call(self.env, self.url)
        return Call(self.env, self.url, conceal=self.conceal)


def _messages(found: list[Finding]) -> list[Object]:
    return [finding.message() for finding in found]


@cache
def _schema(catalog: Catalog) -> bytes:
    return encode(
        m.GET_SCHEMA_RESPONSE,
        {
            "provider": {"version": 0, "block": catalog.provider.message()},
            "resource_schemas": {
                name: {"version": kind.version, "block": kind.body.message()}
                for name, kind in catalog.resources.items()
            },
            "data_source_schemas": {
                name: {"version": kind.version, "block": kind.body.message()}
                for name, kind in catalog.data_sources.items()
            },
            "server_capabilities": _CAPABILITIES,
        },
    )


def _get_schema(connection: Connection, _body: bytes) -> bytes:
    return _schema(connection.catalog)


def _get_metadata(connection: Connection, _body: bytes) -> bytes:
    return encode(
        m.GET_METADATA_RESPONSE,
        {
            "server_capabilities": _CAPABILITIES,
            "resources": [{"type_name": name} for name in connection.catalog.resources],
            "data_sources": [{"type_name": name} for name in connection.catalog.data_sources],
        },
    )


def _validate_provider(connection: Connection, body: bytes) -> bytes:
    request = decode(m.VALIDATE_PROVIDER_REQUEST, body)
    config: Object = unpack(request.get("config")) or {}
    found = list(connection.catalog.provider.findings(config))
    if config.get("url") == "":
        found.append(Finding('CODER_AGENT_URL must not be empty; got ""', path=("url",)))
    return encode(
        m.VALIDATE_PROVIDER_RESPONSE,
        {"prepared_config": request.get("config"), "diagnostics": _messages(found)},
    )


def _configure(connection: Connection, body: bytes) -> bytes:
    config: Object = unpack(decode(m.CONFIGURE_REQUEST, body).get("config")) or {}
    url = config.get("url")
    if isinstance(url, str) and url:
        connection.url = url
    problem = checks.url(connection.url, "url")
    found = [Finding(problem)] if problem else []
    return encode(m.CONFIGURE_RESPONSE, {"diagnostics": _messages(found)})


def _validate(body: Body, config: Object) -> bytes:
    return encode(m.VALIDATE_RESPONSE, {"diagnostics": _messages(list(body.findings(config)))})


def _validate_resource(connection: Connection, body: bytes) -> bytes:
    request = decode(m.VALIDATE_REQUEST, body)
    config: Object = unpack(request["config"]) or {}
    return _validate(connection.catalog.resources[request["type_name"]].body, config)


def _validate_data(connection: Connection, body: bytes) -> bytes:
    request = decode(m.VALIDATE_REQUEST, body)
    kind: str = request["type_name"]
    config: Object = unpack(request["config"]) or {}
    if connection.recorder is None:
        return _validate(connection.catalog.data_sources[kind].body, config)
    connection.recorder.saw(kind, config)
    return b""


def _upgrade(connection: Connection, body: bytes) -> bytes:
    request = decode(m.UPGRADE_REQUEST, body)
    stored = json.loads(request["raw_state"]["json"])
    value = connection.catalog.resources[request["type_name"]].body.from_state(stored)
    return encode(m.UPGRADE_RESPONSE, {"upgraded_state": pack(value)})


def _read(connection: Connection, body: bytes) -> bytes:
    request = decode(m.READ_REQUEST, body)
    value, call = unpack(request.get("current_state")), connection.call()
    read = connection.catalog.resources[request["type_name"]].read
    if value is not None and read is not None:
        read(value, call)
    return encode(
        m.READ_RESPONSE,
        {
            "new_state": pack(value),
            "diagnostics": _messages(call.found),
            "private": request.get("private"),
        },
    )


def _plan(connection: Connection, body: bytes) -> bytes:
    request = decode(m.PLAN_REQUEST, body)
    kind, call = connection.catalog.resources[request["type_name"]], connection.call()
    prior, proposed = unpack(request.get("prior_state")), unpack(request.get("proposed_new_state"))
    if proposed is None:
        return encode(m.PLAN_RESPONSE, {"planned_state": pack(None)})
    planned = kind.body.planned(proposed, create=prior is None)
    if kind.plan is not None:
        kind.plan(planned, call)
    changed = [] if prior is None else _settle(kind.body, prior, planned)
    return encode(
        m.PLAN_RESPONSE,
        {
            "planned_state": pack(planned),
            # Nothing of coder/coder is ever updated in place.
            "requires_replace": [{"steps": [{"attribute_name": name}]} for name in changed],
            "planned_private": request.get("prior_private"),
            "diagnostics": _messages(call.found),
            "legacy_type_system": True,
        },
    )


def _settle(body: Body, prior: Object, planned: Object) -> list[str]:
    """Return the names of what changes; what only looks different stays as it is in the state."""
    changed: list[str] = []
    for name, value in planned.items():
        if _differs(body.blocks.get(name), prior[name], value):
            changed.append(name)
        else:
            planned[name] = prior[name]
    return changed


def _differs(block: Block | None, before: Any, now: Any) -> bool:
    return has_unknown(now) or _comparable(before, block) != _comparable(now, block)


_NO_BLOCKS: Mapping[str, Block] = {}


def _comparable(value: Any, block: Block | None) -> Any:
    """Return a value without zeros and, where a set has none, without an order."""
    # The published provider does not tell null from the zero value, so its states do not either.
    match value:
        case dict():
            inner = _NO_BLOCKS if block is None else block.body.blocks
            parts = cast("Object", value).items()
            return {n: kept for n, part in parts if (kept := _comparable(part, inner.get(n)))}
        case list():
            items = [_comparable(part, block) for part in cast("list[Any]", value)]
            if block is not None and block.nesting is Nesting.SET:
                items.sort(key=lambda item: json.dumps(item, sort_keys=True))
            return items or None
        case plain:
            return plain or None


def _apply(connection: Connection, body: bytes) -> bytes:
    request = decode(m.APPLY_REQUEST, body)
    kind, call = connection.catalog.resources[request["type_name"]], connection.call()
    prior, planned = unpack(request.get("prior_state")), unpack(request.get("planned_state"))
    if planned is None:
        return encode(m.APPLY_RESPONSE, {"new_state": pack(None)})
    if prior is None:
        planned = cast("Object", without_unknown(planned))
        planned["id"] = planned["id"] or str(uuid4())
        if kind.create is not None:
            kind.create(planned, call)
    return encode(
        m.APPLY_RESPONSE,
        {
            # Null tells terraform that nothing was created.
            "new_state": pack(None if call.failed else without_unknown(planned)),
            "diagnostics": _messages(call.found),
            "private": request.get("planned_private"),
            "legacy_type_system": True,
        },
    )


def _read_data(connection: Connection, body: bytes) -> bytes:
    request = decode(m.READ_DATA_REQUEST, body)
    source, config = (
        connection.catalog.data_sources[request["type_name"]],
        cast("Object", unpack(request["config"])),
    )
    call = connection.call()
    if connection.recorder is not None:
        value = connection.recorder.read(request["type_name"], source, config, call)
        return encode(m.READ_DATA_RESPONSE, {"state": pack(value)})
    value = source.body.planned(config, create=False)
    source.read(value, call)
    return encode(
        m.READ_DATA_RESPONSE,
        {"state": None if call.failed else pack(value), "diagnostics": _messages(call.found)},
    )


def _stop(_connection: Connection, _body: bytes) -> bytes:
    return b""


_ANSWERS: Mapping[str, Callable[[Connection, bytes], bytes]] = {
    "GetMetadata": _get_metadata,
    "GetProviderSchema": _get_schema,
    "ValidateProviderConfig": _validate_provider,
    "ConfigureProvider": _configure,
    "ValidateResourceConfig": _validate_resource,
    "ValidateDataResourceConfig": _validate_data,
    "UpgradeResourceState": _upgrade,
    "ReadResource": _read,
    "PlanResourceChange": _plan,
    "ApplyResourceChange": _apply,
    "ReadDataSource": _read_data,
    "StopProvider": _stop,
    # Protocol 5 has older names for some.
    "GetSchema": _get_schema,
    "PrepareProviderConfig": _validate_provider,
    "Configure": _configure,
    "ValidateResourceTypeConfig": _validate_resource,
    "ValidateDataSourceConfig": _validate_data,
    "Stop": _stop,
}
