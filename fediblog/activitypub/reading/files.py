"""Files in every shape: attachments, and films, sounds and pictures that are posts (FEDERATION §3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import dates, words
from fediblog.activitypub.reading.addresses import Link, ending, links, picture
from fediblog.activitypub.vocabulary import as_list
from fediblog.services.incoming import Attachment

MOST_FILES = 16

_FILES = frozenset("Document Image Video Audio".split())
# Posts that are files themselves, and posts that have a picture above them.
_SHOWN = frozenset("Video Audio Image".split())
_COVERED = frozenset("Article Page Event".split())
_KINDS = frozenset("image video audio".split())
# fmt: off
_ENDINGS = {
    "jpg": "image", "jpeg": "image", "png": "image", "gif": "image", "webp": "image", "avif": "image",
    "heic": "image", "jxl": "image", "bmp": "image",
    "mp4": "video", "m4v": "video", "webm": "video", "mov": "video", "ogv": "video", "mkv": "video",
    "mp3": "audio", "ogg": "audio", "oga": "audio", "opus": "audio", "m4a": "audio", "flac": "audio",
    "wav": "audio", "aac": "audio",
}
# fmt: on
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,128}", re.ASCII)
_BIGGEST_SIDE = 100_000
# The best film that most people can look at without waiting; PeerTube offers several.
_TALLEST = 720


@dataclass(frozen=True, slots=True)
class Attached:
    """What hangs on a post: its files, the links beside its text, and whether a file is sensitive."""

    files: tuple[Attachment, ...]
    links: list[Link]
    sensitive: bool


def attached(node: Node) -> Attached:
    """All that hangs on a post. Beyond 16 files they are dropped (SECURITY §4)."""
    found = {own.url: own} if (own := _own_file(node)) else {}
    beside: list[Link] = []
    sensitive = False
    for thing in _attachments(node):
        file = _file(thing)
        if file is None:
            beside += links(thing) if thing.get("type") == "Link" else ()
        elif len(found) < MOST_FILES:
            found.setdefault(file.url, file)
            sensitive |= words.yes(thing.get("sensitive"))
    return Attached(tuple(found.values()) or _cover(node), beside, sensitive)


def _attachments(node: Node) -> Iterator[Node]:
    for each in as_list(node.get("attachment")):
        if isinstance(each, dict):
            yield each
        elif isinstance(each, str):
            yield {"type": "Document", "url": each}


def _own_file(node: Node) -> Attachment | None:
    """The file that a post is. Its other addresses are pages, and streams that no browser plays alone."""
    if node.get("type") not in _SHOWN:
        return None
    films = [each for each in _offered(node) if _kind(each) in _KINDS]
    title = words.line(node.get("name"), words.MOST_NAME)
    return _described(node, best, _kind(best), title) if (best := _best(films)) else None


def _file(thing: Node) -> Attachment | None:
    """A file, or None for a thing that is none, as the link to a page."""
    type_ = str(thing.get("type"))
    offered = list(links(thing))
    files = [each for each in offered if _kind(each, type_) in _KINDS]
    best = _best(files or (offered if type_ in _FILES else []))
    return _described(thing, best, _kind(best, type_), _description(thing)) if best else None


def _offered(node: Node) -> Iterator[Link]:
    """The addresses of a film. They may stand inside the Link to its stream (PeerTube)."""
    for link in links(node.get("url")):
        yield link
        for inner in as_list(link.node.get("tag")):
            if isinstance(inner, dict) and inner.get("type") == "Link":
                yield from links(inner)


def _best(offered: list[Link]) -> Link | None:
    """The first, but of films in several sizes the one that suits."""
    films = [each for each in offered if each.kind == "video/mp4" and _side(each.node.get("height"))]
    return min(films, key=_fit) if films else next(iter(offered), None)


def _fit(film: Link) -> tuple[bool, int]:
    height = _side(film.node.get("height")) or 0
    return height > _TALLEST, height if height > _TALLEST else -height


def _kind(link: Link, type_: str = "") -> str:
    """image, video, audio, or unknown: by the media type, then by the type, then by the name."""
    media = link.kind.partition("/")[0]
    if media in _KINDS:
        return "unknown" if "mpegurl" in link.kind else media
    if link.kind and link.kind != "application/octet-stream":
        return "unknown"
    return type_.lower() if type_.lower() in _KINDS else _ENDINGS.get(ending(link.href), "unknown")


def _described(thing: Node, link: Link, kind: str, description: str) -> Attachment:
    return Attachment(
        url=link.href,
        kind=kind,
        mime=link.kind,
        description=description,
        preview_url=picture(thing.get("icon")),
        width=_side(link.node.get("width")) or _side(thing.get("width")),
        height=_side(link.node.get("height")) or _side(thing.get("height")),
        focus=_focus(thing.get("focalPoint")),
        blurhash=_blurhash(thing.get("blurhash")),
        duration=dates.seconds(thing.get("duration")),
    )


def _description(thing: Node) -> str:
    """The alt text: `summary` where both are given, as Mastodon 4.6 and GoToSocial do."""
    summary = words.block(thing.get("summary"), words.MOST_DESCRIPTION)
    return summary or words.block(thing.get("name"), words.MOST_DESCRIPTION)


def _cover(node: Node) -> tuple[Attachment, ...]:
    """The picture that stands above an article, when nothing else hangs on it."""
    found = picture(node.get("image")) if node.get("type") in _COVERED else ""
    return (Attachment(found, "image"),) if found else ()


def _side(value: Any) -> int | None:
    is_side = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _BIGGEST_SIDE
    return int(value) if is_side else None


def _focus(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in value):
        return None
    x, y = (float(each) for each in value)
    return (x, y) if isfinite(x) and isfinite(y) and max(abs(x), abs(y)) <= 1 else None


def _blurhash(value: Any) -> str:
    return value if isinstance(value, str) and _BLURHASH.fullmatch(value) else ""
