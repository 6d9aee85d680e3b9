"""Files of chats: taken in, named, given out, linked, forgotten."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.chats.actions import files
from server.chats.model.files import (
    LARGEST,
    LONGEST_NAME,
    Upload,
    disposition,
    fit,
    name,
    sniff,
)
from server.chats.store import chats
from server.kit.db import Database
from server.kit.routing import Limits
from tests.server.chats.bureau import Bureau, opened
from tests.server.chats.rows import SYSTEM
from tests.support.people import Person

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SAMPLES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(20),
    "image/gif": b"GIF89a" + bytes(20),
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(8),
    "application/pdf": b"%PDF-1.7\n\x00\x01",
    "text/plain": "Grüße".encode(),
    "text/markdown": b"# Title",
    "text/csv": b"a,b\n1,2\n",
    "application/json": b'{"a": 1}',
}


async def send(
    bureau: Bureau,
    who: Person,
    data: bytes = PNG,
    content_type: str = "image/png",
    file_name: str = "shot.png",
) -> httpx.Response:
    """Upload a file as browsers do."""
    named = f"attachment; filename=\"file\"; filename*=UTF-8''{quote(file_name)}"
    headers = {"Content-Type": content_type, "Content-Disposition": named}
    where = f"/chats/files?organization={bureau.organization}"
    return await who.api.post(where, content=data, headers=headers)


async def sent(bureau: Bureau, who: Person, data: bytes = PNG) -> UUID:
    """Upload a file and return its id."""
    answer = await send(bureau, who, data)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def test_edge_case_24_a_unicode_name_goes_around(bureau: Bureau) -> None:
    answer = await send(bureau, bureau.ann, file_name="スクリーンショット.png")
    assert answer.status_code == 201
    got = await bureau.ann.api.get(f"/chats/files/{answer.json()['id']}")
    assert got.content == PNG
    header = got.headers["Content-Disposition"]
    assert header.startswith("inline; ")
    assert name(header) == "スクリーンショット.png"
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("content_type", "data"), SAMPLES.items())
async def test_types_that_chats_take(bureau: Bureau, content_type: str, data: bytes) -> None:
    answer = await send(bureau, bureau.ann, data, f"{content_type}; charset=utf-8")
    assert answer.status_code == 201, answer.text
    got = await bureau.ann.api.get(f"/chats/files/{answer.json()['id']}")
    assert got.headers["Content-Type"].partition(";")[0] == content_type
    assert got.content == data


@pytest.mark.parametrize(
    ("content_type", "data", "message"),
    [
        ("image/svg+xml", b"<svg/>", "Unsupported file type."),
        (
            "text/plain",
            b'<?xml version="1.0"?>\n<!-- a -->\n<SVG xmlns="x">',
            "Unsupported file type.",
        ),
        ("text/plain", b"\xef\xbb\xbf  <svg>", "Unsupported file type."),
        ("application/zip", b"PK\x03\x04", "Unsupported file type."),
        ("", PNG, "Unsupported file type."),
        ("image/png", b"GIF89a", "File content type does not match Content-Type header."),
        ("image/png", b"words", "File content type does not match Content-Type header."),
        ("text/plain", PNG, "File content type does not match Content-Type header."),
        ("text/plain", b"a\x00b", "File content type does not match Content-Type header."),
        ("application/json", b"%PDF-1", "File content type does not match Content-Type header."),
    ],
)
async def test_edge_case_24_what_is_refused(
    bureau: Bureau, content_type: str, data: bytes, message: str
) -> None:
    answer = await send(bureau, bureau.ann, data, content_type)
    assert answer.status_code == 400
    assert answer.json()["message"] == message


async def test_edge_case_24_ten_mebibytes_and_not_one_more(bureau: Bureau) -> None:
    text = b"x" * LARGEST
    assert (await send(bureau, bureau.ann, text, "text/plain")).status_code == 201
    answer = await send(bureau, bureau.ann, text + b"x", "text/plain")
    assert answer.status_code == 413
    assert answer.json()["message"] == "File too large."


async def test_a_file_needs_an_organization_of_ones_own(bureau: Bureau) -> None:
    headers = {"Content-Type": "image/png"}
    for query, status, message in (
        ("", 400, "Missing organization query parameter."),
        ("?organization=x", 400, "Invalid organization query parameter."),
        (f"?organization={uuid4()}", 403, "You are not a member of the specified organization."),
    ):
        answer = await bureau.ann.api.post(f"/chats/files{query}", content=PNG, headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (status, message)


async def test_a_file_is_its_owners_and_of_whoever_reads_a_chat_with_it(bureau: Bureau) -> None:
    bob = await bureau.people.add("bob")
    file = await sent(bureau, bureau.ann)
    chat = await bureau.chat(bureau.ann)
    assert (await bureau.ann.api.get(f"/chats/files/{file}")).status_code == 200
    assert (await bob.api.get(f"/chats/files/{file}")).status_code == 404
    assert (await bureau.root.api.get(f"/chats/files/{file}")).status_code == 404
    async with bureau.database.tx(SYSTEM) as tx:
        assert await files.link(tx, chat, bureau.ann.id, [file]) == []
    assert (await bob.api.get(f"/chats/files/{file}")).status_code == 404
    assert (await bureau.root.api.get(f"/chats/files/{file}")).status_code == 200
    assert (await bureau.ann.api.get(f"/chats/files/{uuid4()}")).status_code == 404


async def test_a_chat_has_fifty_files_at_most(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    ids: list[UUID] = []
    async with bureau.database.tx(await bureau.people.actor(bureau.ann)) as tx:
        ids.extend(
            [
                await files.save(tx, bureau.organization, Upload(f"{n}", "text/plain", b"x"))
                for n in range(52)
            ]
        )
    async with bureau.database.tx(SYSTEM) as tx:
        assert await files.link(tx, chat, bureau.ann.id, ids[:49]) == []
        # All or none: two more are one too many. What is there already does not count again.
        assert await files.link(tx, chat, bureau.ann.id, ids[48:51]) == ids[49:51]
        assert await files.link(tx, chat, bureau.ann.id, [ids[49], ids[0], ids[0]]) == []
        assert await files.warnings(tx, chat, bureau.ann.id, ids[50:]) == [
            "2 files could not be linked: a chat has 50 files at most."
        ]
        assert len(await files.of_chat(tx, chat)) == 50
        row = await chats.by_id(tx, chat)
        assert row is not None
        full = await files.keep(tx, row, Upload("a", "text/plain", b"x"))
        assert full is None


async def test_only_ones_own_files_are_known_and_linked(bureau: Bureau) -> None:
    theirs, mine = await sent(bureau, bureau.root), await sent(bureau, bureau.ann)
    chat = await bureau.chat(bureau.ann)
    async with bureau.database.tx(SYSTEM) as tx:
        assert list(await files.known(tx, [theirs, mine, uuid4()], bureau.ann.id)) == [mine]
        assert await files.link(tx, chat, bureau.ann.id, [theirs, mine]) == [theirs]
        assert {one.data for one in (await files.load(tx, [mine])).values()} == {PNG}


async def test_a_prompt_has_the_newest_files_and_no_more_than_fit(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    async with bureau.database.tx(SYSTEM) as tx:
        row = await chats.by_id(tx, chat)
        assert row is not None
        kept = [
            await files.keep(tx, row, Upload(f"{n}.txt", "text/plain", b"x" * 100))
            for n in range(4)
        ]
        ids = [one.id for one in kept if one is not None]
        newest = list(reversed(ids))
        assert set(await files.load(tx, newest, 250)) == set(newest[:2])
        assert set(await files.load(tx, newest, 99)) == set()
        assert set(await files.load(tx, newest)) == set(ids)


async def test_files_that_no_chat_uses_go_after_a_day(bureau: Bureau) -> None:
    used, unused, fresh = [await sent(bureau, bureau.ann) for _ in range(3)]
    chat = await bureau.chat(bureau.ann)
    async with bureau.database.tx(SYSTEM) as tx:
        await files.link(tx, chat, bureau.ann.id, [used])
    old = timedelta(days=1, minutes=1)
    await bureau.run(
        "UPDATE chat_files SET created_at = created_at - %(old)s WHERE id = ANY(%(ids)s)",
        old=old,
        ids=[used, unused],
    )
    async with bureau.database.tx(SYSTEM) as tx:
        assert await files.purge(tx) == 1
        assert await files.purge(tx) == 0
    for file, status in ((used, 200), (unused, 404), (fresh, 200)):
        assert (await bureau.ann.api.get(f"/chats/files/{file}")).status_code == status


@pytest.fixture
async def limited(database: Database) -> AsyncGenerator[Bureau]:
    async with opened(database, limits=Limits(api=0, login=0, files=2)) as bureau:
        yield bureau


async def test_uploads_have_a_rate_of_their_own(limited: Bureau) -> None:
    answers = [(await send(limited, limited.ann)).status_code for _ in range(3)]
    assert answers == [201, 201, 429]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('attachment; filename="a b.png"', "a b.png"),
        ("attachment; filename=plain.png", "plain.png"),
        ('attachment; filename="a\\"b.png"', 'a"b.png'),
        ("attachment; filename*=UTF-8''%e2%82%ac.txt; filename=\"e.txt\"", "€.txt"),
        ("attachment; filename*=utf-8'en'%C3%A9.txt", "é.txt"),
        ("attachment; filename*=iso-8859-1''%E9.txt", "é.txt"),
        ("attachment; filename*=klingon''%E9.txt; filename=k.txt", "k.txt"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename*=UTF-8''a%0d%0aSet-Cookie%3A%20x", "aSet-Cookie: x"),
        ('attachment; filename="C:\\\\dir\\\\a.png"', "a.png"),
        ("attachment", ""),
        ("", ""),
    ],
)
def test_names_in_headers(header: str, expected: str) -> None:
    assert name(header) == expected


def test_a_long_name_is_cut_where_a_character_ends() -> None:
    long = "ä" * 200
    assert fit(long) == "ä" * 127
    assert len(fit("x" * 300).encode()) == LONGEST_NAME


@given(st.text())
def test_any_name_that_fits_goes_around(text: str) -> None:
    kept = fit(text)
    header = disposition(kept)
    header.encode("latin-1")
    assert "\n" not in header
    assert "\r" not in header
    assert name(header) == kept
    assert len(kept.encode()) <= LONGEST_NAME


@given(st.binary(max_size=600))
def test_whatever_the_bytes_are_there_is_a_type(data: bytes) -> None:
    assert "/" in sniff(data)
