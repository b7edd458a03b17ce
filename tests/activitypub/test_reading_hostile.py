"""Whatever a document holds: a value within its budgets or Malformed, in time that grows with its length."""

import copy
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog import moments, text
from fediblog.activitypub import compact, reading
from fediblog.activitypub.vocabulary import PUBLIC, as_list
from fediblog.config import Config
from fediblog.errors import Malformed
from fediblog.services.incoming import Attachment, IncomingAccount, IncomingPost, IncomingVote, Reaction
from tests.activitypub import families
from tests.activitypub.noting import BASE, EVE, NOTE

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="here.example", base_url="https://here.example")


# ----------------------------------------------------------------------------------------------- mutations

PAYLOADS = [families.load(family, name) for family, name in families.everything()]
WORDS = sorted(
    {name for payload in PAYLOADS for name in payload}
    | {"href", "mediaType", "icon", "owner", "replies", "totalItems", "focalPoint", "@value", "@id", "@list"}
)
TYPES = (
    "Note Question Article Video Image Person Link Hashtag Emoji Mention Document Tombstone Create".split()
)
TEXTS = [
    "", " ", "<", "<b", "<p>x</p>", "&amp", "\u202e", "\u200b", "a\nb", ":cat:", "#tag", "text/plain",
    "image/png",
    "https://", "https://a.example/x", "https://[::1", "https://a.example:99999/",
    "https://here.example/ap/inbox",
    "javascript:x", "as:Public", PUBLIC, "2026-03-04T08:15:30Z", "9999-12-31T23:59:59-23:59",
    "PT1H", "en", "👍",
    "x" * 3_000, "https://a.example/" + "y" * 3_000,
]  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TYPES),
    st.text(max_size=20),
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = list(each) if isinstance(each, dict) else list(range(len(each)))
        found += [(each, key) for key in keys]
        waiting += [each[key] for key in keys if isinstance(each[key], dict | list)]
    return found


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """A payload in which some values are others, gone, wrapped, or at a wrong place."""
    document = copy.deepcopy(draw(st.sampled_from(PAYLOADS)))
    for _ in range(draw(st.integers(1, 4))):
        there = [(holder, key) for holder, key in places(document) if key != "@context"]
        holder, key = draw(st.sampled_from(there))
        match draw(st.sampled_from(("replace", "drop", "list", "node", "rename"))):
            case "replace":
                holder[key] = draw(VALUES)
            case "drop":
                del holder[key]
            case "list":
                holder[key] = [holder[key], draw(VALUES)]
            case "node":
                holder[key] = {draw(st.sampled_from(WORDS)): holder[key]}
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(WORDS))] = holder.pop(key)
    return document


def nodes(node: compact.Node) -> list[compact.Node]:
    """The document, what it is about, and what that is about."""
    found = [node]
    for each in found:
        found += [thing for thing in as_list(each.get("object")) if isinstance(thing, dict)]
    return found


def check(body: bytes) -> None:
    """Reads everything in it as everything."""
    try:
        node = compact.read(body)
    except Malformed:
        return
    for each in nodes(node):
        with suppress(Malformed):
            check_post(reading.post(each, node, f"{EVE}/followers"))
        with suppress(Malformed):
            check_account(reading.account(each))
        assert isinstance(reading.reaction(each), Reaction)
        assert len(reading.comment(each)) <= 2_000


def check_post(found: IncomingPost | IncomingVote) -> None:
    assert found.uri.startswith("http") and found.author_uri.startswith("http")
    if isinstance(found, IncomingVote):
        assert found.option and found.poll_uri
        return
    assert found.content == text.clean(found.content) and len(found.summary) <= 2_000
    assert 946_684_800_000 <= found.created_at <= moments.now()
    assert found.edited_at is None or found.created_at < found.edited_at <= moments.now()
    assert len(found.hashtags) <= 64 and len(found.tagged) <= 50 and len(found.emojis) <= 64
    assert len(found.named) <= 1_000 and len(found.attachments) <= 16
    assert set(found.tagged) <= set(found.named)
    for file in found.attachments:
        check_file(file)
    if found.question is not None:
        assert 1 <= len(found.question.options) <= 50
        assert all(title and 0 <= votes <= 2**53 for title, votes in found.question.options)
    for uri in (found.url, found.reply_to_uri, found.quote_uri, found.replies_uri, found.conversation):
        assert len(uri.encode()) <= 2_048


def check_file(file: Attachment) -> None:
    assert file.kind in ("image", "video", "audio", "unknown")
    assert file.url.startswith("http")
    assert file.preview_url == "" or file.preview_url.startswith("http")
    assert all(side is None or 1 <= side <= 100_000 for side in (file.width, file.height))
    assert len(file.description) <= 10_000


def check_account(found: IncomingAccount) -> None:
    assert found.uri.startswith("http") and found.inbox.startswith("http")
    assert found.username and found.domain and found.key_id
    assert "here.example" not in found.inbox
    assert found.note == text.clean(found.note) and len(found.fields) <= 8
    assert len(found.display_name) <= 500 and len(found.emojis) <= 64


@given(mutants())
@settings(max_examples=400)
def test_a_document_with_wrong_things_in_it_is_read_or_malformed(document: dict[str, Any]):
    check(orjson.dumps(document))


@given(st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=12), st.sampled_from(TYPES))
@settings(max_examples=300)
def test_a_document_of_nothing_but_chance_is_read_or_malformed(document: dict[str, Any], kind: str):
    check(orjson.dumps({"id": NOTE, "attributedTo": EVE, "content": "x"} | document | {"type": kind}))


# ---------------------------------------------------------------------------------------------------- time

HASHTAG = {"type": "Hashtag", "name": "#!"}
EMOJI = {"type": "Emoji", "name": ":a b:", "icon": [f"{BASE}/a.png"]}
FILE = {"type": "Document", "url": [{"type": "Link", "href": "x"}]}
FIELD = {"type": "PropertyValue", "name": "<b>", "value": "<p><b lang=x>"}
OPTION = {"name": "x", "replies": {"totalItems": 1}}
STREAM = {
    "type": "Link",
    "mediaType": "a/b",
    "href": f"{BASE}/m",
    "tag": [{"type": "Link", "href": f"{BASE}/n"}],
}

# fmt: off
LONG: dict[str, Callable[[int], dict[str, Any]]] = {
    "hashtags": lambda size: {"tag": [HASHTAG] * (size // 200)},
    "emoji": lambda size: {"tag": [EMOJI] * (size // 200)},
    "mentions": lambda size: {"tag": [{"type": "Mention", "href": f"{BASE}/{each}"}
                                      for each in range(size // 200)],
                              "to": [f"{BASE}/{each}" for each in range(size // 200)]},
    "files": lambda size: {"attachment": [FILE] * (size // 250)},
    "links": lambda size: {"attachment": [{"type": "Link", "href": f"{BASE}/{each}"}
                                          for each in range(size // 200)]},
    "fields": lambda size: {"attachment": [FIELD] * (size // 200)},
    "options": lambda size: {"type": "Question", "oneOf": [OPTION] * (size // 250)},
    "pages": lambda size: {"url": ["https://a.example/x"] * (size // 60)},
    "films": lambda size: {"type": "Video", "url": [STREAM] * (size // 400)},
    "languages": lambda size: {"content": "x" * 90,
                               "contentMap": {str(each): "x" * 89 + "y" for each in range(size // 200)}},
    "pictures": lambda size: {"icon": [{"url": f"{BASE}/a", "width": each} for each in range(size // 200)]},
    "aliases": lambda size: {"alsoKnownAs": [f"{BASE}/{each}" for each in range(size // 150)]},
    "keys": lambda size: {"publicKey": [{"id": f"{BASE}/{each}"} for each in range(size // 150)]},
    "text": lambda size: {"content": "<p><b>x" * (size // 8)},
    "typed text": lambda size: {"content": "@a@b #c https://d.e \n\n" * (size // 24),
                                "mediaType": "text/plain"},
    "name": lambda size: {"name": "<b>&amp;" * (size // 8), "preferredUsername": "a." * (size // 2)},
    "summary": lambda size: {"summary": "a\u0301\u0327 &" * (size // 8)},
    "address": lambda size: {"url": "https://a.example/" + "x" * size, "inReplyTo": "https://" + "a." * size},
    "date": lambda size: {"published": "2" * size, "updated": "2026" * (size // 4), "duration": "P" * size},
    "blurhash": lambda size: {"attachment": [{"type": "Image", "url": f"{BASE}/a", "blurhash": "x" * size}]},
}
# fmt: on


def seconds(make: Callable[[int], dict[str, Any]], size: int) -> float:
    base = {"id": NOTE, "type": "Note", "attributedTo": EVE, "content": "<p>x</p>"}
    person = {"id": EVE, "preferredUsername": "eve", "inbox": f"{EVE}/inbox", "type": "Person"}
    key = {"publicKey": {"id": f"{EVE}#k", "owner": EVE, "publicKeyPem": "PEM"}}
    note, actor = (
        compact.read(orjson.dumps(made)) for made in (base | make(size), key | make(size) | person)
    )
    started = time.process_time()
    with suppress(Malformed):
        reading.post(note)
    with suppress(Malformed):
        reading.account(actor)
    reading.reaction(note)
    reading.comment(note)
    return time.process_time() - started


@pytest.mark.parametrize("case", LONG)
def test_reading_takes_time_in_proportion_to_the_length(case: str):
    def ratio() -> float:
        return seconds(LONG[case], 240_000) / max(seconds(LONG[case], 60_000), 0.002)

    assert any(ratio() < 12 for _ in range(3)), f"{case} takes too long"


@pytest.mark.parametrize("case", LONG)
def test_no_document_takes_longer_than_a_second(case: str):
    assert min(seconds(LONG[case], 300_000) for _ in range(2)) < 1
