"""A deployment with the routes of ``server.web`` and real people."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server import web
from server.kit.db import Database
from server.settings import Given, load
from tests.support.people import People, Person, gathered

URL = "https://coder.example.com"
FLAGS = {
    "access-url": [URL],
    "swagger-enable": ["true"],
    "ssh-config-options": ["ForwardAgent=yes"],
    "cli-upgrade-message": ["Run the installer."],
    "additional-csp-policy": ["img-src https://pictures.example.com"],
    "strict-transport-security": ["60"],
    "strict-transport-security-options": ["includeSubDomains"],
    "postgres-url": ["postgres://coder:hunter2@db/coder"],
}


@pytest.fixture
def deployment(tmp_path: Path) -> web.Deployment:
    settings = load(Given({**FLAGS, "cache-dir": [str(tmp_path / "cache")]}))
    return web.Deployment(settings, URL)


@pytest.fixture
async def people(database: Database, deployment: web.Deployment) -> AsyncGenerator[People]:
    async with gathered(database) as gathering:
        web.install(gathering.app, deployment, database)
        yield gathering


@pytest.fixture
async def owner(people: People) -> Person:
    return await people.add("anna", "owner")
