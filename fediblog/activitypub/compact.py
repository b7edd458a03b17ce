"""Foreign JSON becomes a document in one spelling, without a JSON-LD processor. Hostile JSON ends here.

`read` keeps the budgets of SECURITY §4 before anything is built, refuses what two parsers could read in two
ways, and then evens out by tables what JSON-LD lets everybody spell differently (FEDERATION §11):

- `@id` and `@type` are `id` and `type`; other keywords are dropped, and with them the context, which is never
  fetched and never believed. No other spelling of a property has a meaning: `as:actor` is not `actor`.
- A property that holds many is a list, also with one in it; one that holds one is no list. What is in neither
  table is left as it came, but for a list of one, which is that one.
- A node with nothing but an id is that id; where only an id makes sense, an embedded node is its id.
- Types, and the public collection where people are addressed, are written in their short form.
- Typed and language-tagged values become the bare value; the language goes into `contentMap` and its like.

Time is linear in the size of the body and memory is bounded by it. Nothing but `Malformed` is raised.
"""

import json
from collections.abc import Iterator
from itertools import accumulate
from math import isfinite
from typing import Any, Final, NoReturn

import orjson

from fediblog.activitypub.vocabulary import (
    ACTIVITIES,
    ACTORS,
    AS2,
    COLLECTIONS,
    POSTS,
    PUBLIC,
    PUBLICS,
    as_list,
    id_of,
)
from fediblog.errors import Malformed

Node = dict[str, Any]

MOST_BYTES: Final = 1_000_000
MOST_DEPTH: Final = 32
MOST_TOKENS: Final = 20_000
_BIGGEST: Final = 2**63 - 1
_LONGEST_NUMBER: Final = 64

_ADDRESSED = frozenset("to cc bto bcc audience".split())
_LISTS = _ADDRESSED | frozenset(
    "tag attachment items orderedItems oneOf anyOf alsoKnownAs attributionDomains assertionMethod".split()
)
# Only the id counts, whatever is embedded: what stands inside would have to be fetched anyway.
_REFERENCES = _ADDRESSED | frozenset(
    "inReplyTo inbox outbox followers following featured featuredTags sharedInbox movedTo partOf quote "
    "owner controller alsoKnownAs".split()
)
# The first of several is taken, as Mastodon does.
_SINGLE = frozenset(
    "inReplyTo inbox outbox followers following featured featuredTags sharedInbox movedTo partOf quote owner "
    "controller quoteUrl quoteUri _misskey_quote published updated startTime endTime mediaType "
    "preferredUsername publicKeyPem totalItems votersCount first last next prev conversation href width "
    "height blurhash sensitive".split()
)
_TEXTS = frozenset("content name summary".split())
_MAPS = {f"{name}Map": name for name in _TEXTS}
_KEYWORDS = {"@id": "id", "@type": "type"}
_REFUSED = frozenset(("@graph", "@included", "@reverse"))

_KNOWN_TYPES = (
    ACTIVITIES | ACTORS | POSTS | COLLECTIONS | frozenset("Tombstone Document Link Mention Key".split())
)
# Types that are not of ActivityStreams, under each name that their vocabulary goes by.
_FOREIGN_TYPES = {
    ("toot:", "http://joinmastodon.org/ns#"): "Emoji IdentityProof",
    ("schema:", "http://schema.org#", "https://schema.org#", "http://schema.org/", "https://schema.org/"): (
        "PropertyValue"
    ),
    ("litepub:", "http://litepub.social/ns#"): "EmojiReact ChatMessage",
    ("sec:", "https://w3id.org/security#"): "Key Multikey DataIntegrityProof",
    ("https://w3id.org/fep/044f#",): "QuoteRequest QuoteAuthorization",
}
_SPELLINGS = {
    prefix + name: name
    for prefixes, names in _FOREIGN_TYPES.items()
    for prefix in prefixes
    for name in names.split()
}
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b"[]{},:")
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def read(body: bytes) -> Node:
    """A document in the one spelling that the rest of the house knows. Raises Malformed, and nothing else."""
    _measure(body)
    document = _parse(body)
    if not isinstance(document, dict):
        raise Malformed("The document is not a JSON object.")
    return _node(document)


def _measure(body: bytes) -> None:
    """Refuse what is too big, too deep or too much before a parser builds it."""
    if len(body) > MOST_BYTES:
        raise Malformed("The document is too large.")
    # Without escapes every quote begins or ends a string. Where this is wrong the parser refuses anyway.
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MOST_TOKENS:
        raise Malformed("The document has too many parts.")
    structure = b"".join(bare.split(b'"')[::2]).translate(None, _NOT_STRUCTURE)
    opened = structure.count(b"[") + structure.count(b"{")
    if opened + structure.count(b",") + structure.count(b":") > MOST_TOKENS:
        raise Malformed("The document has too many parts.")
    if opened > MOST_DEPTH and max(accumulate(_STEP.get(byte, 0) for byte in structure)) > MOST_DEPTH:
        raise Malformed("The document is nested too deeply.")


def _parse(body: bytes) -> Any:
    try:
        document = _DECODER.decode(body.decode())
        if b"\\u" in body:
            _check_escapes(body, document)
    except (ValueError, RecursionError) as fault:
        raise Malformed("The document is not valid JSON.") from fault
    # PostgreSQL keeps no NUL in a text.
    return _without_nul(document) if b"\\u0000" in body else document


def _check_escapes(body: bytes, document: Any) -> None:
    """Half a surrogate pair is no text: no database and no peer would take it. Raises ValueError."""
    if b"\\ud" in body or b"\\uD" in body:
        try:
            orjson.dumps(document)
        except TypeError as fault:
            raise ValueError("a lone surrogate") from fault


def _members(pairs: list[tuple[str, Any]]) -> Node:
    """Of two members with one name some parsers take the first and some the last (SECURITY §2)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("The document has a name twice in one object.")
    return members


def _whole(text: str) -> int:
    # The length first: turning digits into a number takes the square of their count.
    if len(text) > _LONGEST_NUMBER or abs(number := int(text)) > _BIGGEST:
        raise Malformed("The document has a number that is too large.")
    return number


def _fraction(text: str) -> float:
    if len(text) > _LONGEST_NUMBER or not isfinite(number := float(text)):
        raise Malformed("The document has a number that is too large.")
    return number


def _no_number(name: str) -> NoReturn:
    raise Malformed(f"The document has {name} where a number belongs.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_fraction, parse_constant=_no_number
)


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            if any("\0" in name for name in value):
                raise Malformed("The document has a name that is none.")
            return {name: _without_nul(item) for name, item in value.items()}
    return value


def _node(given: Node) -> Node:
    """One object and all that is in it."""
    made: Node = {}
    for name, value in given.items():
        if name[:1] == "@":
            if name in _REFUSED:
                raise Malformed(f"Documents with {name} are not read.")
            if name not in _KEYWORDS:
                continue
            name = _KEYWORDS[name]
            if name in given:
                raise Malformed(f"The document has {name} in two spellings.")
        if value is None:
            continue
        if name in _TEXTS:
            _put_text(made, name, value)
        elif name in _MAPS:
            _put_map(made, name, value)
        elif (settled := _settled(name, value)) is not None:
            made[name] = settled
    return made


def _settled(name: str, value: Any) -> Any:
    """The value of a property in its one shape; None when nothing is left of it."""
    if name == "type":
        return _type(value)
    if name == "id":
        return value if isinstance(value, str) and value else None
    value = _value(value)
    if name in _LISTS:
        return _list(name, as_list(value))
    if isinstance(value, list):
        if not value:
            return None
        if len(value) == 1 or name in _SINGLE:
            value = value[0]
    if name in _REFERENCES:
        return id_of(value)
    return PUBLIC if name == "object" and isinstance(value, str) and value in PUBLICS else value


def _list(name: str, items: list[Any]) -> list[Any]:
    if name not in _REFERENCES:
        return items
    ids = [found for item in items if (found := id_of(item))]
    if name in _ADDRESSED:
        return [PUBLIC if each in PUBLICS else each for each in ids]
    return ids


def _value(value: Any) -> Any:
    """A value without its wrapping, as it may stand in any property."""
    if isinstance(value, list):
        return list(_flat(value))
    if not isinstance(value, dict):
        return value
    if "@value" in value:
        return _literal(value["@value"])
    if "@list" in value or "@set" in value:
        return list(_flat(as_list(value.get("@list", value.get("@set")))))
    node = _node(value)
    return node["id"] if len(node) == 1 and "id" in node else node


def _flat(values: list[Any]) -> Iterator[Any]:
    for item in values:
        if item is not None:
            yield from as_list(_value(item))


def _literal(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise Malformed("The document has a value that is none.")
    return value


def _type(value: Any) -> str | None:
    """The first type that we know, else the first of all."""
    names = [_short(item) for item in as_list(value) if isinstance(item, str) and item]
    return next((name for name in names if name in _KNOWN_TYPES), names[0] if names else None)


def _short(name: str) -> str:
    if name.startswith("as:"):
        return name[3:]
    if name.startswith(AS2 + "#"):
        return name[len(AS2) + 1 :]
    return _SPELLINGS.get(name, name)


def _put_text(made: Node, name: str, value: Any) -> None:
    """A text; when it says what language it is in, the map of its languages says so too."""
    for language, text in _tagged(value):
        made[name] = text
        if language:
            made[f"{name}Map"] = made.get(f"{name}Map", {}) | {language: text}
        return


def _put_map(made: Node, name: str, value: Any) -> None:
    """A text in several languages: the first stands for the text itself when there is no other."""
    texts = dict(_mapped(value))
    for text in texts.values():
        made.setdefault(_MAPS[name], text)
        break
    spoken = {language: text for language, text in texts.items() if language[:1] != "@"}
    if spoken:
        made[name] = spoken | made.get(name, {})


def _mapped(value: Any) -> Iterator[tuple[str, str]]:
    for languages in as_list(value):
        for language, texts in languages.items() if isinstance(languages, dict) else ():
            yield from ((language, text) for text in as_list(texts)[:1] if isinstance(text, str))


def _tagged(value: Any) -> Iterator[tuple[str | None, str]]:
    for item in as_list(value):
        match item:
            case str():
                yield None, item
            case {"@value": str(text)}:
                language = item.get("@language")
                yield (language if isinstance(language, str) else None), text
