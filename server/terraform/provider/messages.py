"""The messages of terraform's plugin protocol, versions 5 and 6 (field numbers are its facts)."""

from server.terraform.provider.protobuf import Field, Kind, Message

TEXT, RAW, INT, BOOL = Kind.STRING, Kind.BYTES, Kind.INT, Kind.BOOL

DYNAMIC = Message({"msgpack": Field(1, RAW), "json": Field(2, RAW)})
STEP = Message(
    {
        "attribute_name": Field(1, TEXT),
        "element_key_string": Field(2, TEXT),
        "element_key_int": Field(3, INT),
    }
)
PATH = Message({"steps": Field(1, STEP, many=True)})
DIAGNOSTIC = Message(
    {
        "severity": Field(1, INT),
        "summary": Field(2, TEXT),
        "detail": Field(3, TEXT),
        "attribute": Field(4, PATH),
    }
)
ATTRIBUTE = Message(
    {
        "name": Field(1, TEXT),
        "type": Field(2, RAW),
        "description": Field(3, TEXT),
        "required": Field(4, BOOL),
        "optional": Field(5, BOOL),
        "computed": Field(6, BOOL),
        "sensitive": Field(7, BOOL),
        "deprecated": Field(9, BOOL),
    }
)
BLOCK = Message({"version": Field(1, INT), "attributes": Field(2, ATTRIBUTE, many=True)})
NESTED_BLOCK = Message(
    {
        "type_name": Field(1, TEXT),
        "block": Field(2, BLOCK),
        "nesting": Field(3, INT),
        "min_items": Field(4, INT),
        "max_items": Field(5, INT),
    }
)
# Blocks hold blocks, so this field can only be named now.
BLOCK.fields["block_types"] = Field(3, NESTED_BLOCK, many=True)
SCHEMA = Message({"version": Field(1, INT), "block": Field(2, BLOCK)})
CAPABILITIES = Message(
    {"plan_destroy": Field(1, BOOL), "get_provider_schema_optional": Field(2, BOOL)}
)
TYPE_NAME = Message({"type_name": Field(1, TEXT)})
RAW_STATE = Message({"json": Field(1, RAW)})


def _diagnostics(number: int) -> Field:
    return Field(number, DIAGNOSTIC, many=True)


GET_METADATA_RESPONSE = Message(
    {
        "server_capabilities": Field(1, CAPABILITIES),
        "diagnostics": _diagnostics(2),
        "data_sources": Field(3, TYPE_NAME, many=True),
        "resources": Field(4, TYPE_NAME, many=True),
    }
)
GET_SCHEMA_RESPONSE = Message(
    {
        "provider": Field(1, SCHEMA),
        "resource_schemas": Field(2, SCHEMA, mapped=True),
        "data_source_schemas": Field(3, SCHEMA, mapped=True),
        "diagnostics": _diagnostics(4),
        "server_capabilities": Field(6, CAPABILITIES),
    }
)
VALIDATE_PROVIDER_REQUEST = Message({"config": Field(1, DYNAMIC)})
VALIDATE_PROVIDER_RESPONSE = Message(
    {"prepared_config": Field(1, DYNAMIC), "diagnostics": _diagnostics(2)}
)
VALIDATE_REQUEST = Message({"type_name": Field(1, TEXT), "config": Field(2, DYNAMIC)})
VALIDATE_RESPONSE = Message({"diagnostics": _diagnostics(1)})
UPGRADE_REQUEST = Message(
    {"type_name": Field(1, TEXT), "version": Field(2, INT), "raw_state": Field(3, RAW_STATE)}
)
UPGRADE_RESPONSE = Message({"upgraded_state": Field(1, DYNAMIC), "diagnostics": _diagnostics(2)})
CONFIGURE_REQUEST = Message({"terraform_version": Field(1, TEXT), "config": Field(2, DYNAMIC)})
CONFIGURE_RESPONSE = Message({"diagnostics": _diagnostics(1)})
READ_REQUEST = Message(
    {"type_name": Field(1, TEXT), "current_state": Field(2, DYNAMIC), "private": Field(3, RAW)}
)
READ_RESPONSE = Message(
    {"new_state": Field(1, DYNAMIC), "diagnostics": _diagnostics(2), "private": Field(3, RAW)}
)
PLAN_REQUEST = Message(
    {
        "type_name": Field(1, TEXT),
        "prior_state": Field(2, DYNAMIC),
        "proposed_new_state": Field(3, DYNAMIC),
        "config": Field(4, DYNAMIC),
        "prior_private": Field(5, RAW),
    }
)
PLAN_RESPONSE = Message(
    {
        "planned_state": Field(1, DYNAMIC),
        "requires_replace": Field(2, PATH, many=True),
        "planned_private": Field(3, RAW),
        "diagnostics": _diagnostics(4),
        "legacy_type_system": Field(5, BOOL),
    }
)
APPLY_REQUEST = Message(
    {
        "type_name": Field(1, TEXT),
        "prior_state": Field(2, DYNAMIC),
        "planned_state": Field(3, DYNAMIC),
        "config": Field(4, DYNAMIC),
        "planned_private": Field(5, RAW),
    }
)
APPLY_RESPONSE = Message(
    {
        "new_state": Field(1, DYNAMIC),
        "private": Field(2, RAW),
        "diagnostics": _diagnostics(3),
        "legacy_type_system": Field(4, BOOL),
    }
)
READ_DATA_REQUEST = Message({"type_name": Field(1, TEXT), "config": Field(2, DYNAMIC)})
READ_DATA_RESPONSE = Message({"state": Field(1, DYNAMIC), "diagnostics": _diagnostics(2)})
