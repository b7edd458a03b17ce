"""Foreign JSON: hostile documents end here, honest ones come out in one spelling."""

import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.activitypub import compact
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.errors import Malformed

pytestmark = pytest.mark.once

AS = "https://www.w3.org/ns/activitystreams#"


def read(document: Any) -> dict[str, Any]:
    return compact.read(orjson.dumps(document))


def nested(depth: int, opened: str = '{"a":', closed: str = "}") -> bytes:
    return (opened * depth + "1" + closed * depth).encode()


# fmt: off
HOSTILE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "half of it": b'{"id": "x"',
    "two of them": b"{}{}",
    "a list": b'[{"id": "x"}]',
    "a text": b'"https://a.example"',
    "a number": b"5",
    "null": b"null",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "broken UTF-8": b'{"a": "\xff"}',
    "an overlong form": b'{"a": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate in capitals": b'{"a": "\\uDBFF"}',
    "a low surrogate": b'{"a": ["\\udc00"]}',
    "a surrogate in a name": b'{"\\ud800": 1}',
    "a control character": b'{"a": "\x01"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "a number beyond a float": b'{"a": 1e999}',
    "a number beyond 64 bits": b'{"a": 9223372036854775808}',
    "a number of many digits": b'{"a": ' + b"9" * 900_000 + b"}",
    "a fraction of many digits": b'{"a": 0.' + b"9" * 900_000 + b"}",
    "a name twice": b'{"actor": "a", "actor": "b"}',
    "a name twice deep inside": b'{"object": {"x": [{"id": "a", "id": "a"}]}}',
    "a name twice by escapes": b'{"actor": "a", "\\u0061ctor": "b"}',
    "id in two spellings": b'{"id": "a", "@id": "b"}',
    "type in two spellings": b'{"@type": "Note", "type": "Note"}',
    "a NUL in a name": b'{"a\\u0000ctor": "a"}',
    "@graph": b'{"@graph": []}',
    "@included": b'{"@included": [{"id": "a"}]}',
    "@reverse inside": b'{"object": [{"@reverse": {"a": "b"}}]}',
    "a value of values": b'{"a": {"@value": {"@value": 1}}}',
    "too deep": nested(33),
    "too deep in lists": b'{"a": ' + nested(32, "[", "]") + b"}",
    "very deep": nested(10_000),
    "very deep and never closed": b'{"a":' * 150_000,
    "very deep lists": b"[" * 900_000,
    "closed more than opened": b"]" * 900_000,
    "too many numbers": b'{"a": [' + b"1," * 20_000 + b"1]}",
    "too many texts": orjson.dumps({"a": ["x"] * 20_001}),
    "too many names": orjson.dumps({str(number): 0 for number in range(10_001)}),
    "too many objects": orjson.dumps({"tag": [{}] * 20_001}),
    "quotes without end": b'"' * 900_000,
    "backslashes without end": b'{"a": "' + b"\\" * 900_000,
    "too big": b'{"a": "' + b"x" * 1_000_000 + b'"}',
}
# fmt: on


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_refused_at_once_and_takes_little_memory(body: bytes):
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(Malformed):
        compact.read(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert time.monotonic() - started < 15


def test_what_is_just_within_the_budgets_is_read():
    assert compact.read(nested(32))
    assert len(compact.read(orjson.dumps({"tag": ["x"] * 9_000}))["tag"]) == 9_000
    assert compact.read(b'{"a": "' + b"x" * 999_000 + b'"}')
    assert compact.read(b'{"a": -9223372036854775807, "b": 1.5e3}') == {"a": -(2**63) + 1, "b": 1500.0}


def test_brackets_and_quotes_inside_texts_count_for_nothing():
    text = '[{"\\' * 5_000
    assert read({"content": text}) == {"content": text}


def test_escapes_are_read_and_a_nul_is_left_out_of_texts():
    assert compact.read(b'{"a": "\\u0041\\ud83d\\ude00", "b": ["x\\u0000y"]}') == {"a": "A😀", "b": "xy"}
    assert compact.read(b'{"a": "\\\\u0000\\\\ud800"}') == {"a": "\\u0000\\ud800"}


# fmt: off
SPELLINGS = [
    # keywords, the context and null
    ({"@id": "a", "@type": "Note"}, {"id": "a", "type": "Note"}),
    ({"@context": {"id": "@type", "@graph": 1}, "type": "Note"}, {"type": "Note"}),
    ({"@base": "x", "@language": "de", "@nest": {"actor": "a"}, "id": "a"}, {"id": "a"}),
    ({"id": None, "summary": None, "type": "Emoji"}, {"type": "Emoji"}),
    ({"id": 5, "type": 7, "a": 1}, {"a": 1}),
    # no other spelling of a property has a meaning (SECURITY §2)
    ({"as:actor": "a", AS + "actor": "b"}, {"as:actor": "a", AS + "actor": "b"}),
    # types
    ({"type": "as:Note"}, {"type": "Note"}),
    ({"type": AS + "Create"}, {"type": "Create"}),
    ({"type": ["https://example.com/#Memo", "as:Note"]}, {"type": "Note"}),
    ({"type": ["x:One", "x:Two"]}, {"type": "x:One"}),
    ({"type": []}, {}),
    ({"type": "toot:Emoji"}, {"type": "Emoji"}),
    ({"type": "http://joinmastodon.org/ns#Emoji"}, {"type": "Emoji"}),
    ({"type": "https://schema.org/PropertyValue"}, {"type": "PropertyValue"}),
    ({"type": "litepub:EmojiReact"}, {"type": "EmojiReact"}),
    ({"type": "toot:Note"}, {"type": "toot:Note"}),
    ({"type": "evil:Delete"}, {"type": "evil:Delete"}),
    # one and many
    ({"to": "a", "cc": []}, {"to": ["a"], "cc": []}),
    ({"tag": {"type": "Mention"}}, {"tag": [{"type": "Mention"}]}),
    ({"attachment": None}, {}),
    ({"oneOf": {"name": "yes"}}, {"oneOf": [{"name": "yes"}]}),
    ({"actor": ["a"], "object": ["b", "c"], "url": []}, {"actor": "a", "object": ["b", "c"]}),
    ({"inReplyTo": ["a", "b"], "published": ["2026-01-01T00:00:00Z", "x"]},
     {"inReplyTo": "a", "published": "2026-01-01T00:00:00Z"}),
    ({"to": [["a"], ["b", None]], "orderedItems": {"@list": ["x", "y"]}},
     {"to": ["a", "b"], "orderedItems": ["x", "y"]}),
    ({"items": {"@set": "x"}}, {"items": ["x"]}),
    # texts and ids that are objects, and the other way round
    ({"actor": {"id": "a"}, "object": {"@id": "b"}}, {"actor": "a", "object": "b"}),
    ({"actor": {"id": "a", "type": "Person"}}, {"actor": {"id": "a", "type": "Person"}}),
    ({"to": [{"id": "a", "type": "Person"}, {"type": "Person"}, 5]}, {"to": ["a"]}),
    ({"inReplyTo": {"id": "a", "type": "Note", "content": "x"}}, {"inReplyTo": "a"}),
    ({"followers": {"id": "f", "type": "Collection", "totalItems": 2}}, {"followers": "f"}),
    ({"inbox": {"type": "OrderedCollection"}}, {}),
    # the public
    ({"to": "as:Public", "cc": ["Public", PUBLIC]}, {"to": [PUBLIC], "cc": [PUBLIC, PUBLIC]}),
    ({"type": "Follow", "object": "as:Public"}, {"type": "Follow", "object": PUBLIC}),
    ({"name": "Public", "tag": ["as:Public"]}, {"name": "Public", "tag": ["as:Public"]}),
    # values with a type or a language
    ({"published": {"@value": "2026-01-01T00:00:00Z", "@type": "xsd:dateTime"}},
     {"published": "2026-01-01T00:00:00Z"}),
    ({"content": {"@value": "Hallo", "@language": "de"}},
     {"content": "Hallo", "contentMap": {"de": "Hallo"}}),
    ({"content": [{"@value": "Hallo", "@language": "de"}, "Hello"]},
     {"content": "Hallo", "contentMap": {"de": "Hallo"}}),
    ({"name": ["One", "Two"]}, {"name": "One"}),
    ({"contentMap": {"de": "Hallo", "en": "Hello"}},
     {"content": "Hallo", "contentMap": {"de": "Hallo", "en": "Hello"}}),
    ({"contentMap": {"en": "Hello"}, "content": "Hi"}, {"content": "Hi", "contentMap": {"en": "Hello"}}),
    ({"nameMap": {"@none": "x"}}, {"name": "x"}),
    ({"summaryMap": {"en": ["x", "y"], "de": 5, "fr": None}}, {"summary": "x", "summaryMap": {"en": "x"}}),
    ({"contentMap": "nonsense", "content": 5, "summary": {"id": "x"}}, {}),
]
# fmt: on


@pytest.mark.parametrize(("written", "expected"), SPELLINGS)
def test_every_spelling_is_read_as_one(written: dict[str, Any], expected: dict[str, Any]):
    assert read(written) == expected
    assert read({"object": [{**written, "x": 1}]}) == {"object": {**expected, "x": 1}}


@pytest.mark.parametrize(("written", "expected"), SPELLINGS)
def test_reading_twice_is_the_same_as_once(written: dict[str, Any], expected: dict[str, Any]):
    assert read(read(written)) == expected


scalars = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=8)
names = st.sampled_from(
    "id type to cc tag object content contentMap name nameMap inReplyTo url @id @type @value @list @set "
    "@language @context @none inbox x".split()
)
documents = st.dictionaries(
    names,
    st.recursive(
        scalars | st.sampled_from(["as:Public", "as:Note", PUBLIC]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(documents)
@settings(max_examples=300)
def test_whatever_is_read_has_one_spelling_already(document: dict[str, Any]):
    try:
        once = compact.read(json.dumps(document).encode())
    except Malformed:
        return
    assert read(once) == once
    assert isinstance(once.get("type", ""), str)
    assert isinstance(once.get("id", ""), str)
    assert all(isinstance(each, str) for each in once.get("to", []))


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0d8@idgraph1eN ', max_size=80).map(str.encode))
@settings(max_examples=500)
def test_no_bytes_raise_anything_but_malformed(body: bytes):
    with suppress(Malformed):
        assert isinstance(compact.read(body), dict)


@pytest.mark.parametrize("unit", ['{"a":"\\\\\\""},', '"\\"', "[],", '{"a":1},', "\\u0041", "[[", '""'])
def test_reading_takes_time_in_proportion_to_the_length(unit: str):
    def seconds(size: int) -> float:
        body = ('{"a": [' + unit * (size // len(unit)) + "1]}").encode()
        started = time.process_time()
        with suppress(Malformed):
            compact.read(body)
        return time.process_time() - started

    assert any(seconds(800_000) < 16 * max(seconds(200_000), 0.002) for _ in range(3))
