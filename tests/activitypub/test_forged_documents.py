"""What other servers hand out when we ask them: documents that are not what they seem, and too much of them.

Each is looked for in every way there is: as an actor, as a post, by somebody who pastes its address. No row
changes; what is refused is refused with one of our answers, soon, and without filling the memory.
"""

import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import httpx
import orjson
import pytest

from fediblog import db, http
from fediblog.activitypub import errands, featured, resolver, senders, threads
from fediblog.activitypub.budgets import MOST_FETCHES, MOST_PAGES, MOST_REPLIES, Budget
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, PUBLIC
from fediblog.config import settings
from fediblog.errors import FediblogError
from fediblog.models import Account, Post
from tests.activitypub.test_forgeries import changed, dump
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import remote

pytestmark = pytest.mark.once

MEGABYTE = 1024 * 1024
MOST_GROWTH = 50 * MEGABYTE
SECONDS = 3.0
HERE = "http://localhost:8000"
AS2 = "https://www.w3.org/ns/activitystreams"


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("evil.example")


@pytest.fixture
def ours(fediverse: Fediverse) -> Peer:
    """Where a request to ourselves would end."""
    return fediverse.server("localhost:8000")


@pytest.fixture
def eve(peer: Peer) -> Node:
    return peer.actor("eve")


@pytest.fixture
def rita(fediverse: Fediverse) -> Node:
    """Somebody honest, elsewhere."""
    return fediverse.server("remote.example").actor("rita")


@asynccontextmanager
async def nothing_changes() -> AsyncIterator[None]:
    await senders.of_server()
    before = await dump()
    yield
    assert changed(before, await dump()) == ""


async def looked_for(url: str, alice: Account) -> list[str]:
    """How it went to look for something in each way: the name of the error, or of what was found."""
    went = []
    for look in (resolver.actor(url), resolver.post(url), resolver.find(url, alice)):
        started = time.monotonic()
        try:
            went.append(type(await look).__name__)
        except FediblogError as refusal:
            # A post that is asked for by its address may be anything: never a fault of ours.
            assert 400 <= refusal.http_status < 500 or isinstance(refusal, http.Unreachable), refusal
            went.append(type(refusal).__name__)
        assert time.monotonic() - started < SECONDS
    return went


def answering(peer: Peer, answer: Callable[[httpx.Request], httpx.Response]) -> list[str]:
    """Let a function answer for the whole server; gives the list of what is asked."""
    asked: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer(request)

    peer.answer = take  # type: ignore[method-assign]
    return asked


def replies(content: bytes, kind: str = ACTIVITY_JSON, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"Content-Type": kind, **named}, stream=Stream([content]))


class Stream(httpx.AsyncByteStream):
    """A body in pieces, however many; how many were wanted is counted."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = pieces
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece


# -------------------------------------------------------------------------------------------- what it says


def documents(eve: Node, rita: Node, alice: Account) -> dict[str, Node]:
    """Documents that evil.example hands out at /x."""
    x = "https://evil.example/x"
    note = {"id": x, "type": "Note", "content": "<p>Forged</p>", "to": [PUBLIC], "attributedTo": eve["id"]}
    actor = {**eve, "id": x, "publicKey": {**eve["publicKey"], "id": f"{x}#main-key", "owner": x}}
    host = "https://evil.example"
    return {
        "a post on our domain": {**note, "id": f"{HERE}/ap/posts/1", "attributedTo": alice.uri},
        "a post on our domain, by https": {**note, "id": "https://localhost:8000/ap/posts/1"},
        "a post on our domain, in capitals": {**note, "id": "HTTP://LOCALHOST:8000/ap/posts/1"},
        "an actor on our domain": {**actor, "id": alice.uri},
        "a post that its server does not have": {**note, "id": "https://remote.example/notes/99"},
        "an actor whom their server does not have": {**actor, "id": "https://remote.example/users/no"},
        "an actor on a server that is not there": {**actor, "id": "https://nowhere.example/users/x"},
        "a post of somebody elsewhere": {**note, "attributedTo": rita["id"]},
        "a post of one of us": {**note, "attributedTo": alice.uri},
        "a post of several": {**note, "attributedTo": [eve["id"], rita["id"]]},
        "a post of nobody": {name: value for name, value in note.items() if name != "attributedTo"},
        "a post of itself": {**note, "attributedTo": x},
        "a post of what is no actor": {**note, "attributedTo": f"{host}/nothing"},
        "a post without a name": {name: value for name, value in note.items() if name != "id"},
        "a post with two names": {**note, "id": [x, f"{host}/y"]},
        "a post with a name in a name": {**note, "id": {"id": x}},
        "a post on another port": {**note, "id": "https://evil.example:8443/x"},
        "a post with a user in its name": {**note, "id": "https://remote.example@evil.example/x"},
        "a post with a backslash in its name": {**note, "id": "https://evil.example\\@remote.example/x"},
        "a post with a script for a name": {**note, "id": "javascript:alert(1)"},
        "an actor with another's key": {**actor, "publicKey": rita["publicKey"]},
        "an actor whose key is another's": {
            **actor,
            "publicKey": {**actor["publicKey"], "owner": rita["id"]},
        },
        "an actor without a key": {name: value for name, value in actor.items() if name != "publicKey"},
        "an actor that is written to here": {**actor, "inbox": f"{HERE}/ap/inbox"},
        "an actor that is written to elsewhere": {**actor, "inbox": rita["inbox"]},
        "an actor without an inbox": {name: value for name, value in actor.items() if name != "inbox"},
        "an actor without a name": {**actor, "preferredUsername": ""},
        "an actor with a handle for a name": {**actor, "preferredUsername": "rita@remote.example"},
        "an actor with a path for a name": {**actor, "preferredUsername": "../../admin"},
        "an actor with a name that runs backwards": {**actor, "preferredUsername": "eve\u202e"},
        "an actor with a neighbour's name": {**actor, "preferredUsername": "eve"},
        "an activity of somebody elsewhere": {"id": x, "type": "Create", "actor": rita["id"], "object": note},
        "a boost of nothing": {"id": x, "type": "Announce", "actor": eve["id"], "object": f"{host}/no"},
        "a boost of ours": {"id": x, "type": "Announce", "actor": eve["id"], "object": f"{HERE}/ap/posts/1"},
        "an activity of several": {"id": x, "type": "Create", "actor": [eve["id"], rita["id"]], "object": x},
        "a collection": {"id": x, "type": "OrderedCollection", "orderedItems": [note]},
        "a graph": {"@graph": [note], "id": x},
        "a type of its own": {**note, "type": "Person2"},
        "no type": {name: value for name, value in note.items() if name != "type"},
    }


NAMES = list(documents({"id": "", "publicKey": {}}, dict.fromkeys(["id", "publicKey", "inbox"]), Account()))


@pytest.mark.parametrize("name", NAMES)
async def test_a_document_that_is_not_its_owners_changes_nothing(peer, ours, eve, rita, alice, name):
    document = documents(eve, rita, alice)[name]
    peer.answers["https://evil.example/x"] = (200, ACTIVITY_JSON, orjson.dumps(document))
    async with nothing_changes():
        went = await looked_for("https://evil.example/x", alice)
    assert not {"Account", "Post"} & set(went), went
    assert ours.asked == []


async def test_what_another_server_really_has_is_taken_from_there(fediverse, peer, rita, alice):
    """An address that only leads on is no forgery, and what it says beside is not believed."""
    note = fediverse.server("remote.example").note(rita, "<p>True</p>")
    forged = {**note, "content": "<p>Forged</p>"}
    peer.answers["https://evil.example/x"] = (200, ACTIVITY_JSON, orjson.dumps(forged))
    assert await looked_for("https://evil.example/x", alice) == ["NotFound", "Post", "Post"]
    assert (await Post.get(uri=note["id"])).content == "<p>True</p>"


TYPES = [
    *("text/html", "text/html; charset=utf-8", "application/json", "application/json; charset=utf-8"),
    *("text/plain", "image/png", "application/octet-stream", "application/xml", "", "x", "*/*"),
    *("application/ld+json", 'application/ld+json; profile="https://example.org/"'),
    f'text/html; a="application/activity+json"; profile="{AS2}"',
    f'application/json; profile="{AS2}"',
    f'application/ld+json; x="profile={AS2}"',
    "application/activity+json, text/html",
    "text/html, application/activity+json",
    "application/activity+json2",
    f'application/ld+json; profile="https://example.org/"; profile="{AS2}"',
]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.once
async def test_a_file_that_pretends_to_be_a_document_changes_nothing(peer, eve, alice, kind):
    """Whoever may upload files to an honest server could otherwise be anybody there."""
    note = peer.note(eve)
    for document in (eve, note):
        peer.answers[document["id"]] = (200, kind, orjson.dumps(document))
        async with nothing_changes():
            went = await looked_for(document["id"], alice)
        assert not {"Account", "Post"} & set(went), went


@pytest.mark.parametrize("way", [301, 302, 303, 307, 308])
@pytest.mark.once
async def test_a_redirect_to_another_origin_proves_nothing(fediverse, peer, rita, alice, way):
    """An honest server with an open redirect: what evil.example says is not what remote.example says."""
    honest = fediverse.server("remote.example")
    for path, forged in (("/users/rita", rita), ("/notes/5", {"type": "Note", "attributedTo": rita["id"]})):
        url = honest.base + path
        peer.answers["https://evil.example/copy"] = (
            200,
            ACTIVITY_JSON,
            orjson.dumps({**forged, "id": url, "name": "Forged", "content": "Forged", "to": [PUBLIC]}),
        )
        answering(honest, lambda _: replies(b"", "text/plain", way, location="https://evil.example/copy"))
        async with nothing_changes():
            went = await looked_for(url, alice)
        assert not {"Account", "Post"} & set(went), went


@pytest.mark.once
async def test_a_redirect_home_proves_nothing(peer, alice):
    answering(peer, lambda _: replies(b"", "text/plain", 302, location=alice.uri))
    async with nothing_changes():
        assert not {"Account", "Post"} & set(await looked_for("https://evil.example/x", alice))


# ------------------------------------------------------------------------------------------------ too much


@contextmanager
def little_memory(most: int = MOST_GROWTH) -> Iterator[None]:
    """Fails when the block ever needs so much more than at its start."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < most, f"{(peak - before) / MEGABYTE:.1f} MB"


@cache
def bomb() -> bytes:
    """200 MB of blanks in 200 kB."""
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * MEGABYTE
    return b"".join([packer.compress(blanks) for _ in range(200)]) + packer.flush()


def _pieces(number: int) -> Iterator[bytes]:
    for _ in range(number):
        yield b" " * 65_536


def _text(**more: Any) -> bytes:
    note = {"id": "https://evil.example/x", "type": "Note", "attributedTo": "https://evil.example/users/eve"}
    return orjson.dumps({**note, "content": "x", **more})


MUCH: dict[str, Callable[[], httpx.Response]] = {
    "a gzip bomb": lambda: replies(bomb(), content_encoding="gzip"),
    "a bomb in a bomb": lambda: replies(bomb(), content_encoding="gzip, gzip"),
    "200 MB": lambda: httpx.Response(
        200, headers={"Content-Type": ACTIVITY_JSON}, stream=Stream(_pieces(3_200))
    ),
    "200 MB that are announced": lambda: replies(b"{}", content_length=str(200 * MEGABYTE)),
    "100,000 tags": lambda: replies(_text(tag=[{"a": 1}] * 100_000)),
    "100,000 empty tags": lambda: replies(b'{"id":"x","tag":[' + b"{}," * 100_000 + b"{}]}"),
    "100,000 attachments": lambda: replies(_text(attachment=["https://evil.example/"] * 40_000)),
    "depth 10,000": lambda: replies(b'{"id":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "depth 10,000 of objects": lambda: replies(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "depth without an end": lambda: replies(b"[" * 900_000),
    "100,000 digits": lambda: replies(b'{"id":' + b"9" * 900_000 + b"}"),
    "half a surrogate": lambda: replies(b'{"id":"\\ud800"}'),
    "no number": lambda: replies(b'{"id":NaN,"x":1e999}'),
    "no UTF-8": lambda: replies(b'{"id":"\xff\xfe"}'),
    "a name twice": lambda: replies(b'{"type":"Note","type":"Person"}'),
    "quotes": lambda: replies(b'"' * 900_000),
    "backslashes": lambda: replies(b'"' + b"\\" * 900_000),
    "nothing": lambda: replies(b""),
    "a list": lambda: replies(b"[" + b"1," * 9_000 + b"1]"),
}


@pytest.mark.parametrize("name", MUCH)
@pytest.mark.once
async def test_too_much_is_refused_soon_and_costs_little_memory(peer, eve, alice, name):
    bomb()
    answering(peer, lambda _: MUCH[name]())
    async with nothing_changes():
        with little_memory():
            went = await looked_for("https://evil.example/x", alice)
    assert not {"Account", "Post", "NoneType"} & set(went), went


LARGE: dict[str, dict[str, Any]] = {
    "text": {"content": "<p>" + "x" * 900_000},
    "markup": {"content": "<p>" * 300_000},
    "names": {"content": "@eve@evil.example " * 50_000},
    "addresses": {"content": "https://evil.example/ " * 40_000},
    "entities": {"content": "&amp;" * 180_000},
    "open tags": {"content": "<a href='" * 100_000},
    "a title": {"name": "x" * 900_000, "type": "Article"},
    "a warning": {"summary": "<b>" * 200_000},
    "tags": {"tag": [{"type": "Hashtag", "name": f"#t{n}"} for n in range(2_500)]},
    "people": {"to": [f"https://evil.example/users/{n}" for n in range(9_000)], "cc": [PUBLIC]},
    "emoji": {
        "tag": [{"type": "Emoji", "name": f":e{n}:", "icon": {"url": "https://a.b/"}} for n in range(1_200)]
    },
    "files": {"attachment": [{"type": "Image", "url": f"https://evil.example/{n}"} for n in range(2_500)]},
    "answers": {
        "type": "Question",
        "oneOf": [{"name": f"{n}", "replies": {"totalItems": 2**63 - 1}} for n in range(1_500)],
    },
    "languages": {"contentMap": {f"x-{n}": "x" for n in range(9_000)}},
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.once
async def test_what_is_large_is_cut_to_its_budget(peer, eve, name):
    """That is not refused: of a document within its bytes each part has a budget of its own."""
    peer.answers["https://evil.example/x"] = (200, ACTIVITY_JSON, _text(**{"to": [PUBLIC], **LARGE[name]}))
    started = time.process_time()
    found = await resolver.post("https://evil.example/x")
    assert time.process_time() - started < SECONDS
    assert found is not None
    assert len(found.content) <= 600_000
    assert await db.value("SELECT count(*) FROM media") <= 16
    assert await db.value("SELECT count(*) FROM mention") == 0
    assert len(found.hashtags) <= 64 and len(found.emojis) <= 64
    assert [str(request.url.path) for request in peer.asked] == ["/x", "/users/eve", "/.well-known/webfinger"]


@pytest.mark.once
async def test_what_is_large_takes_little_memory(peer, eve):
    """Markup a tenth of what would be read, in a tenth of the memory: measuring is slow."""
    for number, (name, part) in enumerate((("text", 1), ("people", 1), ("emoji", 1), ("markup", 10))):
        url = f"https://evil.example/{number}"
        more = {"content": LARGE[name]["content"][: 500_000 // part]} if part > 1 else LARGE[name]
        peer.answers[url] = (200, ACTIVITY_JSON, _text(**{"to": [PUBLIC], **more, "id": url}))
        with little_memory(MOST_GROWTH // part):
            assert await resolver.post(url) is not None


# ------------------------------------------------------------------------------------------------ without end


def _endless(request: httpx.Request) -> httpx.Response:
    """Every page has a next one, and every item answers another."""
    number = int(request.url.params.get("page", "0"))
    base = f"https://{request.url.host}"
    page = {
        "id": str(request.url),
        "type": "OrderedCollectionPage",
        "next": f"{base}{request.url.path}?page={number + 1}",
        "orderedItems": [f"{base}/items/{number}-{n}" for n in range(500)],
    }
    return replies(orjson.dumps(page))


@pytest.mark.once
async def test_a_collection_without_end_is_read_to_its_budget(peer, alice):
    asked = answering(peer, _endless)
    eve = await remote("eve", "evil.example", featured_uri="https://evil.example/pages")
    with little_memory():
        started = time.process_time()  # Pages that are played keep nobody waiting.
        async with nothing_changes():
            await featured.read(eve)
            first = len(asked)
            note = {"id": "https://evil.example/x", "replies": "https://evil.example/pages"}
            await threads.read(note, Budget())
        assert time.process_time() - started < SECONDS
    assert first <= MOST_FETCHES
    assert len(asked) - first <= MOST_PAGES + 1 + MOST_REPLIES


@pytest.mark.parametrize("hosts", ["one", "many"])
@pytest.mark.once
async def test_redirects_without_end_end(fediverse, alice, hosts):
    asked: list[str] = []

    async def on(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        host = f"h{len(asked)}.example" if hosts == "many" else "evil.example"
        return replies(b"", "text/plain", 302, location=f"https://{host}/{len(asked)}")

    fediverse._answer = on
    await http.close()
    await http.open(settings(), transport=httpx.MockTransport(on))
    async with nothing_changes():
        assert set(await looked_for("https://evil.example/x", alice)) == {"TooMuch"}
    assert len(asked) <= 3 * 6


@pytest.mark.once
async def test_names_that_lead_on_without_end_end(fediverse, alice):
    """Every document says that it is another one: its id is asked for once, and then it is over."""
    peer = fediverse.server("evil.example")

    def another(request: httpx.Request) -> httpx.Response:
        number = len(asked)
        return replies(orjson.dumps({"id": f"https://evil.example/{number}", "type": "Note"}))

    asked = answering(peer, another)
    async with nothing_changes():
        assert set(await looked_for("https://evil.example/x", alice)) == {"Forged"}
    assert len(asked) == 3 * 2


@pytest.mark.once
async def test_actors_who_are_each_others_authors_end(peer, alice):
    """The author of every post is a post whose author is a post."""

    def post(request: httpx.Request) -> httpx.Response:
        author = f"https://evil.example/{len(asked)}"
        note = {"id": str(request.url), "type": "Note", "attributedTo": author, "to": [PUBLIC]}
        return replies(orjson.dumps({**note, "inReplyTo": f"https://evil.example/p{len(asked)}"}))

    asked = answering(peer, post)
    async with nothing_changes():
        await looked_for("https://evil.example/x", alice)
        await errands.resolve("https://evil.example/y")
    assert len(asked) <= 4 * 3


@pytest.mark.once
async def test_keys_that_take_long_to_check_are_not_kept(peer, eve, alice):
    """A PEM of 900 kB, one of 16,384 bits by its look, and what is none: no use, and no harm."""
    for pem in ("x" * 900_000, "-----BEGIN PUBLIC KEY-----\n" + "A" * 9_999 + "\n-----END PUBLIC KEY-----\n"):
        document = {**eve, "publicKey": {**eve["publicKey"], "publicKeyPem": pem}}
        peer.answers[eve["id"]] = (200, ACTIVITY_JSON, orjson.dumps(document))
        async with nothing_changes():
            assert "Account" not in await looked_for(eve["id"], alice)
