"""What stands in `tag`: hashtags, mentions, custom emoji; and quotes in all spellings (FEDERATION §3)."""

import re
import unicodedata
from collections.abc import Iterator

from fediblog import text
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading.addresses import identity, media_type, picture
from fediblog.activitypub.vocabulary import as_list
from fediblog.services.incoming import Emoji

# SECURITY §4: the rest is dropped.
MOST_MENTIONS, MOST_HASHTAGS, MOST_EMOJIS = 50, 64, 64

_LONGEST_TAG = 200
# It stands in addresses of ours, where two dots would lead elsewhere.
_SHORTCODE = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_+.-]{0,99}", re.ASCII)
_QUOTES = ("quote", "quoteUrl", "quoteUri", "_misskey_quote")
_OBJECTS = frozenset(("application/activity+json", "application/ld+json"))


def hashtags(node: Node) -> tuple[str, ...]:
    """The hashtags without their `#`, each once, as they are first written."""
    found: dict[str, str] = {}
    for tag in _of_type(node, "Hashtag"):
        name = _hashtag(tag.get("name"))
        if name:
            found.setdefault(text.tag_key(name), name)
            if len(found) == MOST_HASHTAGS:
                break
    return tuple(found.values())


def mentions(node: Node) -> tuple[str, ...]:
    """The ids of the actors that the text names."""
    found = (identity(tag.get("href")) for tag in _of_type(node, "Mention"))
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_MENTIONS]


def emojis(node: Node) -> tuple[Emoji, ...]:
    """The custom emoji, the first of each name. Their `id` may be null (Akkoma)."""
    found: dict[str, Emoji] = {}
    for tag in _of_type(node, "Emoji"):
        name, url = shortcode(tag.get("name")), picture(tag.get("icon"))
        if name and url:
            found.setdefault(name, Emoji(name, url))
            if len(found) == MOST_EMOJIS:
                break
    return tuple(found.values())


def shortcode(name: object) -> str:
    """`blobcat` of `:blobcat:` or `:blobcat@host:`; "" for what is no name of an emoji."""
    if not isinstance(name, str):
        return ""
    bare = name.strip().strip(":").partition("@")[0]
    return bare if _SHORTCODE.fullmatch(bare) else ""


def quote(node: Node) -> str:
    """The id of what is quoted: FEP-044f, the older properties, then a Link to an object (FEP-e232)."""
    own = identity(node)
    named = (identity(node.get(name)) for name in _QUOTES)
    linked = (identity(tag.get("href")) for tag in _of_type(node, "Link") if media_type(tag) in _OBJECTS)
    return next((uri for uri in (*named, *linked) if uri and uri != own), "")


def _of_type(node: Node, kind: str) -> Iterator[Node]:
    return (tag for tag in as_list(node.get("tag")) if isinstance(tag, dict) and tag.get("type") == kind)


def _hashtag(name: object) -> str:
    """The name as ours may look. PeerTube sends words with blanks between, and no `#`."""
    if not isinstance(name, str):
        return ""
    letters = "".join(filter(_is_part, text.tidy(name[:_LONGEST_TAG])))
    found = text.scan(f"#{letters}").hashtags
    return found[0] if found == (letters,) else ""


def _is_part(character: str) -> bool:
    return character in "_·・\u200c" or unicodedata.category(character)[0] in "LMN"
