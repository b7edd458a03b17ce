"""Names, contexts and media types of ActivityStreams as the fediverse speaks it (FEDERATION §1.6, §2, §3).

Pure: a table and a few questions about it.
"""

import re
from typing import Any, Final

AS2: Final = "https://www.w3.org/ns/activitystreams"
SECURITY: Final = "https://w3id.org/security/v1"
PUBLIC: Final = AS2 + "#Public"
# What JSON-LD processors make of it (FEDERATION §3).
PUBLICS: Final = frozenset((PUBLIC, "as:Public", "Public"))

ACTIVITY_JSON: Final = "application/activity+json"
LD_JSON: Final = f'application/ld+json; profile="{AS2}"'
JRD_JSON: Final = "application/jrd+json"
# What we ask other servers for (FEDERATION §8).
ACCEPT: Final = f"{ACTIVITY_JSON}, {LD_JSON}"

ACTORS: Final = frozenset("Person Service Application Group Organization".split())
ACTIVITIES: Final = frozenset(
    "Accept Add Announce Block Create Delete Dislike EmojiReact Flag Follow Like Move QuoteRequest Read "
    "Reject Remove Undo Update View".split()
)
# What is shown as a post (FEDERATION §3).
POSTS: Final = frozenset("Note Question Article Page Event Video Audio Image".split())
COLLECTIONS: Final = frozenset("Collection OrderedCollection CollectionPage OrderedCollectionPage".split())

# An id is looked up, stored and sent back: longer ones are nobody's (SECURITY §4).
LONGEST_ID: Final = 2_048


def _link(term: str) -> dict[str, str]:
    """A term whose value is an address, not a text."""
    return {"@id": term, "@type": "@id"}


_EXTENSIONS: Final[dict[str, Any]] = {
    "toot": "http://joinmastodon.org/ns#",
    "schema": "http://schema.org#",  # Mastodon's spelling, not schema.org's own
    "ostatus": "http://ostatus.org#",
    "misskey": "https://misskey-hub.net/ns#",
    "fedibird": "http://fedibird.com/ns#",
    "gts": "https://gotosocial.org/ns#",
    "sec": "https://w3id.org/security#",
    # actors
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "movedTo": _link("as:movedTo"),
    "alsoKnownAs": _link("as:alsoKnownAs") | {"@container": "@set"},
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "memorial": "toot:memorial",
    "suspended": "toot:suspended",
    "featured": _link("toot:featured"),
    "featuredTags": _link("toot:featuredTags"),
    "showFeatured": "toot:showFeatured",
    "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    "implements": _link("https://w3id.org/fep/844e#implements") | {"@container": "@set"},
    "assertionMethod": _link("sec:assertionMethod") | {"@container": "@set"},
    "Multikey": "sec:Multikey",
    "controller": _link("sec:controller"),
    "publicKeyMultibase": {"@id": "sec:publicKeyMultibase", "@type": "sec:multibase"},
    # posts
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "blurhash": "toot:blurhash",
    "focalPoint": {"@id": "toot:focalPoint", "@container": "@list"},
    "votersCount": "toot:votersCount",
    "conversation": "ostatus:conversation",
    # quotes and who may quote, FEP-044f
    "quote": _link("https://w3id.org/fep/044f#quote"),
    "quoteAuthorization": _link("https://w3id.org/fep/044f#quoteAuthorization"),
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "quoteUrl": "as:quoteUrl",
    "quoteUri": "fedibird:quoteUri",
    "_misskey_quote": "misskey:_misskey_quote",
    "interactionPolicy": _link("gts:interactionPolicy"),
    "canQuote": _link("gts:canQuote"),
    "canFeature": _link("https://w3id.org/fep/7aa9#canFeature"),
    "automaticApproval": _link("gts:automaticApproval") | {"@container": "@set"},
    "manualApproval": _link("gts:manualApproval") | {"@container": "@set"},
    "interactingObject": _link("gts:interactingObject"),
    "interactionTarget": _link("gts:interactionTarget"),
}

# ActivityStreams first, or Mastodon ignores the document; a term that nobody defines vanishes in every peer
# that runs a JSON-LD processor (FEDERATION §2). One and the same list for all documents: it costs 1 kB before
# compression and no document can lack a term.
CONTEXT: Final[list[Any]] = [AS2, SECURITY, _EXTENSIONS]


def as_list(value: Any) -> list[Any]:
    """One, many or none as a list: JSON-LD writes all three for the same property."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def id_of(value: Any) -> str | None:
    """The id behind an address or an object; None when there is none, or several, or one that is too long."""
    found = value.get("id") if isinstance(value, dict) else value
    if not isinstance(found, str) or not found or len(found.encode("utf-8", "replace")) > LONGEST_ID:
        return None
    return found


def wants_activity(accept: str) -> bool:
    """Whether an `Accept` header asks for ActivityStreams, at least as much as for HTML.

    A wildcard asks for a page: browsers and link previews send one (FEDERATION §1.6, RFC 9110 §12.5.1).
    """
    activity = page = 0.0
    for part in _split(accept, ","):
        kind, parameters = _media_type(part)
        if _is_as2(kind, parameters):
            activity = max(activity, _weight(parameters))
        elif kind in ("text/html", "application/xhtml+xml"):
            page = max(page, _weight(parameters))
    return activity > 0 and activity >= page


def is_activity_type(content_type: str) -> bool:
    """Whether a `Content-Type` is ActivityStreams: parsed, never searched.

    `text/html; a=application/activity+json` is an upload that wants to be a post (SECURITY §2, Mastodon's
    CVE-2024-25623).
    """
    return len(_split(content_type, ",")) == 1 and _is_as2(*_media_type(content_type))


def _is_as2(kind: str, parameters: dict[str, str]) -> bool:
    if kind == ACTIVITY_JSON:
        return True
    # The profile is a list of addresses, RFC 6906.
    return kind == "application/ld+json" and AS2 in parameters.get("profile", "").split()


def _weight(parameters: dict[str, str]) -> float:
    """The `q` of a media range: 1 when it is not given, 0 when it is none."""
    text = parameters.get("q", "1")
    return float(text) if _WEIGHT.fullmatch(text) else 0.0


_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_MARKS = {mark: re.compile(rf'\\.|"|{mark}', re.DOTALL) for mark in ",;"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _media_type(part: str) -> tuple[str, dict[str, str]]:
    """`("text/html", {"q": "0.9"})`; an empty type when a parameter stands there twice."""
    kind, *rest = _split(part, ";") or [""]
    parameters: dict[str, str] = {}
    for parameter in filter(None, rest):
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        if name in parameters:
            return "", {}
        parameters[name] = _unquoted(value.strip())
    return kind.lower(), parameters


def _split(value: str, mark: str) -> list[str]:
    """What stands between the marks that are in no quotes, trimmed. Nothing when a quote never ends."""
    parts, start, quoted = [], 0, False
    for found in _MARKS[mark].finditer(value):
        if found.group() == '"':
            quoted = not quoted
        elif found.group() == mark and not quoted:
            parts.append(value[start : found.start()].strip())
            start = found.end()
    return [] if quoted else [*parts, value[start:].strip()]


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return _ESCAPED.sub(r"\1", value[1:-1])
    return value
