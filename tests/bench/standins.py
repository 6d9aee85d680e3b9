"""As much of two other providers as the registry's suites use, where no registry of theirs is in
reach: ``random_password``, and ``data.http`` with an answer made up in the shape of the real one.
"""

import asyncio
import json
import secrets
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from server.terraform.provider import Session
from server.terraform.provider.catalog import Catalog
from server.terraform.provider.grpc import GrpcProtocol
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    Body,
    Call,
    DataSource,
    ResourceType,
    computed,
    optional,
    required,
)
from server.terraform.provider.values import Object

_LETTERS = string.ascii_letters + string.digits


def _password(value: Object, _call: Call) -> None:
    value["result"] = "".join(secrets.choice(_LETTERS) for _ in range(value["length"]))


def _get(value: Object, _call: Call) -> None:
    url: str = value["url"]
    asked = parse_qs(urlsplit(url).query)
    code, kind = asked["code"][0], asked["type"][0]
    releases = [
        {
            "type": kind,
            "majorVersion": major,
            "version": f"{major}.1",
            "build": f"{major[2:]}.1000.{number}",
        }
        for number, major in enumerate(("2026.1", "2025.3", "2025.2"))
    ]
    value.update(id=url, status_code=200, response_body=json.dumps({code: releases}))


STAND_INS = {
    "hashicorp/random": Catalog(
        Body({}),
        {
            "random_password": ResourceType(
                Body(
                    {
                        "id": computed(),
                        "length": required(NUMBER),
                        "special": optional(BOOL),
                        "result": computed(sensitive=True),
                    }
                ),
                create=_password,
            )
        },
        {},
    ),
    "hashicorp/http": Catalog(
        Body({}),
        {},
        {
            "http": DataSource(
                Body(
                    {
                        "id": computed(),
                        "url": required(),
                        "status_code": computed(NUMBER),
                        "response_body": computed(),
                    }
                ),
                read=_get,
            )
        },
    ),
}


@asynccontextmanager
async def beside(variable: str, directory: Path) -> AsyncGenerator[str]:
    """Serve the stand-ins; yield ``TF_REATTACH_PROVIDERS`` with them added."""
    entries: dict[str, Object] = json.loads(variable)
    ours = next(iter(entries.values()))
    servers: list[asyncio.Server] = []
    for name, catalog in STAND_INS.items():
        socket = directory / f"{name.partition('/')[2]}.sock"
        socket.unlink(missing_ok=True)
        session = Session({}, catalog=catalog)
        loop = asyncio.get_running_loop()
        servers.append(
            await loop.create_unix_server(lambda s=session: GrpcProtocol(s), str(socket))
        )
        address = {"Network": "unix", "String": str(socket)}
        entries[f"registry.terraform.io/{name}"] = ours | {"Addr": address}
    try:
        yield json.dumps(entries)
    finally:
        for server in servers:
            server.close()
