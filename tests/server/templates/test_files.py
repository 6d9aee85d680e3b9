"""Uploads and downloads over the API."""

import io
import zipfile
from uuid import uuid4

from server.templates.model.archives import LIMIT, TAR, ZIP, as_zip
from tests.server.templates.conftest import ARCHIVE, Workshop
from tests.support.people import Person


async def test_the_same_content_is_stored_once_for_each_person(
    shop: Workshop, admin: Person, member: Person
) -> None:
    first = await admin.api.post("/files", content=ARCHIVE, headers={"Content-Type": TAR})
    again = await admin.api.post("/files", content=ARCHIVE, headers={"Content-Type": TAR})
    other = await member.api.post("/files", content=ARCHIVE, headers={"Content-Type": TAR})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 201]
    assert first.json() == again.json() != other.json()


async def test_a_zip_is_stored_as_a_tar_and_comes_back_as_either(
    shop: Workshop, admin: Person
) -> None:
    packed = as_zip(ARCHIVE)
    stored = await admin.api.post("/files", content=packed, headers={"Content-Type": ZIP})
    path = f"/files/{stored.json()['hash']}"
    as_it_is, zipped = (
        await admin.api.get(path),
        await admin.api.get(path, params={"format": "zip"}),
    )
    assert (as_it_is.headers["content-type"], zipped.headers["content-type"]) == (TAR, ZIP)
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as content:
        assert content.read("README.md") == b"# Hello\n"
    refused = await admin.api.get(path, params={"format": "rar"})
    assert refused.status_code == 400
    assert refused.json()["validations"][0]["field"] == "format"


async def test_what_is_too_large_or_no_archive_stores_nothing(
    shop: Workshop, admin: Person
) -> None:
    large = await admin.api.post(
        "/files", content=b"\0" * (LIMIT + 1), headers={"Content-Type": TAR}
    )
    assert (large.status_code, large.json()["message"]) == (
        413,
        "The archive is too large: at most 10 MiB are accepted.",
    )
    broken = await admin.api.post("/files", content=b"hello", headers={"Content-Type": TAR})
    assert broken.status_code == 400
    assert broken.json()["message"] == "The archive cannot be used."


async def test_another_persons_upload_is_hidden_from_members_but_not_from_template_admins(
    shop: Workshop, admin: Person, member: Person
) -> None:
    of_member = await shop.upload(member)
    of_admin = await shop.upload(admin)
    assert (await admin.api.get(f"/files/{of_member}")).status_code == 200
    hidden = await member.api.get(f"/files/{of_admin}")
    missing = await member.api.get(f"/files/{uuid4()}")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == missing.json()


async def test_nobody_uploads_without_a_session(shop: Workshop) -> None:
    stranger = await shop.people.client()
    answer = await stranger.post("/files", content=ARCHIVE, headers={"Content-Type": TAR})
    assert answer.status_code == 401
