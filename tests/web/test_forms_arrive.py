"""Forms as they arrive: what is forged, cannot be read or is too large is refused and leaves nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from fediblog import db, storage
from fediblog.models import Account, Post
from fediblog.web import drafts, submitted
from tests.web.browser import Browser, Fields, File, multipart
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

MEGABYTE = 1024 * 1024


def workshop() -> list[Path]:
    """The uploads that lie around."""
    return list(storage.current().workshop.iterdir())


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


@pytest.fixture
async def token(hers: Browser) -> str:
    return (await hers.open("/home")).form("/publish").value("csrf")


async def nothing_published() -> bool:
    return await Post.all().count() == 0


# ----------------------------------------------------------------------------------------------- forgeries


async def test_a_form_without_a_token_is_refused(hers: Browser):
    answer = await hers.post_parts("/publish", [("source", "forged")], 403)

    assert "too old, or comes from another site" in answer.text
    assert await nothing_published()


@pytest.mark.parametrize("forged", ["", "x", "x.y", ".", "a" * 5000])
async def test_a_made_up_token_is_refused(hers: Browser, forged: str):
    await hers.post_parts("/publish", [("csrf", forged), ("source", "forged")], 403)
    assert await nothing_published()


async def test_the_token_of_somebody_else_is_refused(hers: Browser, browser_of: BrowserOf, bob: Account):
    his = (await (await browser_of(bob)).open("/home")).form("/publish").value("csrf")
    await hers.post_parts("/publish", [("csrf", his), ("source", "forged")], 403)


async def test_the_token_of_an_earlier_session_is_refused(hers: Browser, token: str, alice: Account):
    await hers.submit("/home", "/auth/sign_out")
    await hers.submit("/auth/sign_in", "/auth/sign_in", name="alice", password="correct horse battery staple")
    await hers.post_parts("/publish", [("csrf", token), ("source", "late")], 403)


async def test_tokens_differ_from_page_to_page_and_all_of_them_work(hers: Browser, token: str):
    other = (await hers.open("/home")).form("/publish").value("csrf")
    assert token != other
    for one in (token, other):
        await hers.post_parts("/publish", [("csrf", one), ("source", "mine"), ("visibility", "0")])


async def test_signing_in_needs_the_token_of_the_own_cookie(app: Quart, visitor: Browser, alice: Account):
    other = Browser(app)
    token = (await other.open("/auth/sign_in")).form("/auth/sign_in").value("csrf")
    fields = [("csrf", token), ("name", "alice"), ("password", "correct horse battery staple")]

    await visitor.post("/auth/sign_in", fields, 403)
    assert visitor.cookie("fediblog") == ""
    await visitor.open("/auth/sign_in")
    await visitor.post("/auth/sign_in", fields, 403)


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000.evil.example"},
    ],
)
async def test_a_form_on_another_site_is_refused_even_with_a_token(
    hers: Browser, token: str, header: dict[str, str]
):
    fields = [("csrf", token), ("source", "forged"), ("visibility", "0")]
    answer = await hers.post_parts("/publish", fields, 403, **header)

    assert "comes from another site" in answer.text
    assert await nothing_published()


@pytest.mark.parametrize(
    "header",
    [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost:8000"}, {"Origin": "http://localhost"}],
)
async def test_a_form_on_our_own_site_is_taken(hers: Browser, token: str, header: dict[str, str]):
    fields = [("csrf", token), ("source", "mine"), ("visibility", "0")]
    await hers.post_parts("/publish", fields, **header)


async def test_cookies_open_nothing_in_the_api(hers: Browser, app: Quart):
    answer = await hers.client.get("/api/v1/accounts/verify_credentials")
    assert answer.status_code == 401


async def test_a_post_without_a_session_asks_to_sign_in_before_anything_is_read(
    visitor: Browser, database: None
):
    answer = await visitor.post_parts("/publish", [("file-1", File(b"x" * MEGABYTE))], 303)
    assert answer.location.startswith("/auth/sign_in")


async def test_an_upload_with_a_forged_token_reaches_no_disk(
    hers: Browser, picture: bytes, monkeypatch: pytest.MonkeyPatch
):
    received = []

    async def receive(self: Any, chunks: AsyncIterator[bytes], limit: int) -> Path:
        received.append(limit)
        raise AssertionError("it was received")

    monkeypatch.setattr(storage.Storage, "receive", receive)
    await hers.post_parts("/publish", [("csrf", "x.y"), ("file-1", File(picture))], 403)
    await hers.post_parts("/publish", [("file-1", File(picture)), ("csrf", "late")], 403)
    assert received == []


# ------------------------------------------------------------------------------------------ not to be read


async def _raw(
    browser: Browser, body: bytes, kind: str, status: int, path: str = "/settings/appearance"
) -> None:
    await browser._send("POST", path, status, data=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("body", [b"theme=%ff%fe", b"theme=\xff", b"theme=da%00rk", b"the%00me=dark"])
async def test_what_is_not_text_is_malformed(hers: Browser, token: str, body: bytes):
    await _raw(hers, body + f"&csrf={token}".encode(), "application/x-www-form-urlencoded", 400)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80"])
async def test_what_is_not_text_in_parts_is_malformed(hers: Browser, token: str, text: bytes):
    body, kind = multipart([("csrf", token), ("source", "@@"), ("visibility", "0")])
    await _raw(hers, body.replace(b"@@", text), kind, 400, "/publish")
    assert await nothing_published()


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "application/xml"])
async def test_other_types_are_not_supported(hers: Browser, kind: str):
    await _raw(hers, b'{"theme":"dark"}', kind, 415)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=other",
        "multipart/form-data; boundary=bäh",
    ],
)
async def test_parts_that_do_not_fit_together_are_malformed(hers: Browser, token: str, kind: str):
    body, _ = multipart([("csrf", token), ("source", "hello")])
    await _raw(hers, body, kind, 400, "/publish")


async def test_parts_that_end_too_early_are_malformed(hers: Browser, token: str, picture: bytes):
    body, kind = multipart([("csrf", token), ("source", "hello"), ("file-1", File(picture))])
    for length in (len(body) - 4, len(body) - 200, 150, 10):
        await _raw(hers, body[:length], kind, 400, "/publish")
    assert await nothing_published()
    assert workshop() == []


async def test_a_part_without_a_name_is_malformed(hers: Browser, token: str):
    body, kind = multipart([("csrf", token), ("source", "hello")])
    await _raw(hers, body.replace(b'name="source"', b"nothing"), kind, 400, "/publish")


async def test_a_file_where_none_belongs_is_malformed(hers: Browser, token: str, picture: bytes):
    fields: Fields = [("csrf", token), ("theme", "dark"), ("file", File(picture))]
    await hers.post_parts("/settings/appearance", fields, 400)
    assert workshop() == []


async def test_two_files_of_one_name_are_malformed(hers: Browser, token: str, picture: bytes):
    fields: Fields = [("csrf", token), ("file-1", File(picture)), ("file-1", File(picture))]
    await hers.post_parts("/publish", fields, 400)
    assert workshop() == []


@pytest.mark.parametrize(
    "path", ["/@al%00ice", "/tags/a%00b", "/publish?in_reply_to=%00", "/?x=%00", "/tags/%ff%fe"]
)
async def test_addresses_with_nul_or_no_text_are_no_fault_of_ours(hers: Browser, path: str):
    page = await hers.open(path, None)  # type: ignore[arg-type]
    assert page.status in (400, 404) or "%ff" in path


@pytest.mark.parametrize(
    "path", ["/@alice/{}", "/@alice/{}/edit", "/home?max_id={}", "/settings/sessions/{}/revoke"]
)
@pytest.mark.parametrize("number", ["99999999999999999999999", "9223372036854775808", "-1", "1e9", "0x1"])
async def test_impossible_numbers_are_no_fault_of_ours(hers: Browser, path: str, number: str):
    page = await hers.open(path.format(number), None)  # type: ignore[arg-type]
    assert page.status in (200, 404, 405)


# --------------------------------------------------------------------------------------------- too large


async def test_too_much_text_is_too_large(hers: Browser, token: str):
    body = f"csrf={token}&theme=".encode() + b"a" * (MEGABYTE + 10)
    await _raw(hers, body, "application/x-www-form-urlencoded", 413)
    parts, kind = multipart([("csrf", token), ("source", "a" * (MEGABYTE + 10))])
    await _raw(hers, parts, kind, 413, "/publish")


async def test_too_many_fields_are_refused(hers: Browser, token: str):
    body = f"csrf={token}".encode() + b"&a=1" * 400
    await _raw(hers, body, "application/x-www-form-urlencoded", 400)
    fields = [("csrf", token), *[("option", "x")] * 400]
    await hers.post_parts("/publish", fields, 413)


async def test_fifty_megabytes_are_too_large_and_nothing_of_them_stays(hers: Browser, token: str):
    fields: Fields = [
        ("csrf", token),
        ("source", "My long film"),
        ("visibility", "0"),
        ("file-1", File(b"\0" * (50 * MEGABYTE), "film.mp4", "video/mp4")),
        ("alt-of-1", "A film"),
    ]
    answer = await hers.post_parts("/publish", fields, 413)

    assert "The file is too big: at most 40 MB." in answer.text
    form = answer.form("/publish")
    assert (form.value("source"), form.value("alt-of-1")) == ("My long film", "A film")
    assert await nothing_published()
    assert await db.value("SELECT count(*) FROM media") == 0
    assert workshop() == []


async def test_more_than_all_files_together_may_be_is_refused_at_once(hers: Browser, app: Quart, config: Any):
    most = submitted.most_bytes(config)
    sent = 0

    async with hers.client.request(
        "/publish",
        method="POST",
        headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(most + 1)},
    ) as connection:
        for _ in range(3):
            await connection.send(b"x" * 1000)
            sent += 1000
        await connection.send_complete()
    answer = await connection.as_response()
    assert answer.status_code == 413
    assert sent < most


async def test_an_upload_is_never_held_in_memory(hers: Browser, token: str, monkeypatch: pytest.MonkeyPatch):
    largest = 0
    original = storage.Storage.receive

    async def receive(self: storage.Storage, chunks: AsyncIterator[bytes], limit: int) -> Path:
        async def watched() -> AsyncIterator[bytes]:
            nonlocal largest
            async for chunk in chunks:
                largest = max(largest, len(chunk))
                yield chunk

        return await original(self, watched(), limit)

    monkeypatch.setattr(storage.Storage, "receive", receive)
    monkeypatch.setattr(drafts, "_PATIENCE", 0.0)
    fields: Fields = [("csrf", token), ("file-1", File(b"GIF89a" + b"\0" * (3 * MEGABYTE)))]
    await hers.post_parts("/publish", fields, 422)
    assert 0 < largest <= 5 * submitted._SLICE


async def test_who_hangs_up_in_the_middle_leaves_nothing(hers: Browser, token: str):
    body, kind = multipart([("csrf", token), ("file-1", File(b"\0" * MEGABYTE))])
    async with hers.client.request("/publish", method="POST", headers={"Content-Type": kind}) as connection:
        await connection.send(body[: MEGABYTE // 2])
        async with asyncio.timeout(5):
            while not workshop():
                await asyncio.sleep(0.01)
        await connection.disconnect()
    async with asyncio.timeout(5):
        while workshop():
            await asyncio.sleep(0.01)
    assert await nothing_published()
