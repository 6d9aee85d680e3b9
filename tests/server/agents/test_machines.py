"""Agents that log in by the identity of their machine, against a running server."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.agents import AnchorShelf
from server.agents.actions.anchors import GOOGLE_KEYS
from server.kit.authz import as_system
from server.kit.errors import Unavailable
from tests.server.agents.clouds import (
    aws_document,
    aws_signature,
    azure_document,
    azure_signature,
    google_claims,
    identity,
    jwks,
    jwt,
    key,
)
from tests.server.agents.house import House, Replica
from tests.server.agents.rows import AgentRows, add_agent_to, add_build
from tests.support.clock import FakeClock

AWS = "/workspaceagents/aws-instance-identity"
AZURE = "/workspaceagents/azure-instance-identity"
GOOGLE = "/workspaceagents/google-instance-identity"
REGION = identity("region")
ROOT = identity("root", authority=True)
SIGNER = identity("metadata.azure.com", ROOT)


@pytest.fixture
async def replica(house: House, tmp_path: Path) -> Replica:
    """A server that knows the clouds of the test."""
    for name, one in (("aws", REGION), ("azure", ROOT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.pem").write_bytes(one.pem)
    (tmp_path / "google.json").write_text(jwks(one=key("google")))
    house.anchors = tmp_path
    return await house.replica()


async def put_on_machine(house: House, agent: AgentRows, instance: str) -> None:
    async with house.database.tx(as_system("test")) as tx:
        await tx.run(
            "UPDATE workspace_agents SET auth_instance_id = %(instance)s WHERE id = %(id)s",
            {"instance": instance, "id": agent.id},
        )


def aws_proof(instance: str) -> dict[str, str]:
    document = aws_document(instance)
    return {"document": document, "signature": aws_signature(document, REGION.key)}


async def by_aws(replica: Replica, instance: str) -> httpx.Response:
    return await replica.request("POST", AWS, "", json=aws_proof(instance))


async def by_azure(replica: Replica, instance: str) -> httpx.Response:
    signature = azure_signature(azure_document(instance), SIGNER)
    body = {"signature": signature, "encoding": "pkcs7"}
    return await replica.request("POST", AZURE, "", json=body)


async def by_google(replica: Replica, instance: str) -> httpx.Response:
    claims = google_claims(google={"compute_engine": {"instance_id": instance}})
    body = {"json_web_token": jwt(key("google"), claims)}
    return await replica.request("POST", GOOGLE, "", json=body)


LogIn = Callable[[Replica, str], Awaitable[httpx.Response]]


@pytest.mark.parametrize("log_in", [by_aws, by_azure, by_google])
async def test_a_machine_gets_its_agents_token_and_the_token_opens_what_the_agents_own_does(
    house: House, replica: Replica, agent: AgentRows, log_in: LogIn
) -> None:
    await put_on_machine(house, agent, "i-1")
    answer = await log_in(replica, "i-1")
    assert answer.status_code == 200, answer.text
    token = answer.json()["session_token"]
    key_pair = await replica.request("GET", "/workspaceagents/me/gitsshkey", token)
    assert key_pair.status_code == 200
    # gitssh, gitaskpass and the agent itself log in one after the other: none throws another out.
    again = await log_in(replica, "i-1")
    assert again.json()["session_token"] == token


async def test_a_machine_without_an_agent_is_told_so(replica: Replica) -> None:
    answer = await by_aws(replica, "i-none")
    assert answer.status_code == 404
    assert answer.json()["message"] == 'Instance with id "i-none" not found.'


async def test_a_machine_of_an_earlier_build_is_refused(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    await put_on_machine(house, agent, "i-1")
    job = await add_build(house.database, agent)
    answer = await by_aws(replica, "i-1")
    assert answer.status_code == 400
    words = 'Resource found for id "i-1", but isn\'t registered on the latest history.'
    assert answer.json()["message"] == words
    newer = await add_agent_to(house.database, agent, job, "00000000-0000-4000-8000-000000000001")
    await put_on_machine(house, newer, "i-1")
    assert (await by_aws(replica, "i-1")).status_code == 200


async def test_a_machine_of_a_templates_import_is_refused(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    await put_on_machine(house, agent, "i-1")
    async with house.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE provisioner_jobs SET type = 'template_version_import'")
    answer = await by_aws(replica, "i-1")
    assert answer.status_code == 400
    assert answer.json()["message"] == '"template_version_import" jobs cannot be authenticated.'


async def test_a_wrong_proof_is_refused_with_what_is_wrong(replica: Replica) -> None:
    body = {**aws_proof("i-1"), "document": aws_document("i-2")}
    answer = await replica.request("POST", AWS, "", json=body)
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Invalid AWS identity.",
        "detail": "No known certificate of AWS has signed the document.",
    }


async def test_a_proof_that_is_too_long_is_not_even_read(replica: Replica) -> None:
    body = {"document": "x" * 70_000, "signature": ""}
    assert (await replica.request("POST", AWS, "", json=body)).status_code == 400


async def test_keys_of_google_come_from_googles_own_address_and_are_kept_for_an_hour() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return jwks(one=key("google")).encode()

    clock = FakeClock()
    shelf = AnchorShelf(None, clock, fetch)
    for _ in range(3):
        assert list((await shelf.google()).google) == ["one"]
    assert asked == [GOOGLE_KEYS]
    await clock.advance(3601)
    await shelf.google()
    assert len(asked) == 2


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"keys": 1}'])
async def test_keys_that_cannot_be_read_are_no_keys(text: bytes) -> None:
    async def fetch(_: str) -> bytes:
        return text

    with pytest.raises(Unavailable):
        await AnchorShelf(None, FakeClock(), fetch).google()


async def test_a_file_that_is_no_certificate_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "a.pem").write_text("nothing")
    (tmp_path / "aws" / "b.pem").write_bytes(REGION.pem)
    anchors: Any = await AnchorShelf(tmp_path).aws()
    assert anchors.aws == (REGION.certificate,)


async def test_the_roots_that_azure_is_known_for_are_among_everybodys() -> None:
    anchors = await AnchorShelf(None).azure()
    names = {one.subject.rfc4514_string() for one in anchors.roots}
    assert any("DigiCert Global Root G2" in name for name in names)
    assert len(anchors.roots) < 10
