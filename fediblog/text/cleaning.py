"""Foreign HTML -> the HTML that we keep and show (FEDERATION §4, SECURITY §5).

Two steps. The writer below sets the foreign tags down again as a tidy tree of the few elements that we know:
nested as HTML wants it, never deep, never long. Then nh3, a real HTML5 parser, lets nothing through but the
allow-list. Safety rests on nh3 alone; the writer is there because the rules by which parsers mend broken HTML
take quadratic time and space: 40 kB of `<p><b id=1><p><b id=2>...` come out of a parser as 20 MB.
A tidy tree parses to itself, so cleaning what is clean changes nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import islice

import nh3

from fediblog.text.markup import PARAGRAPHS, End, Start, Token, flowing, tokens

# Written are at most 400 kB of tags and 100,000 characters, which are 600 kB if each becomes a reference:
# what was written once is read in full the next time.
_MOST_READ = 1_000_000
_MOST_TAGS = 400_000
_MOST_TEXT = 100_000
# A tag costs far more time than a character. Of what was written once each piece is read the next time, too.
_MOST_TOKENS = 40_000
_MOST_PIECES = 30_000
_DEEPEST = 50
_LONGEST_ADDRESS = 2048

_BLOCKS = frozenset({"p", "pre", "blockquote", "ul", "ol", "li"})
_INLINE = frozenset({"a", "b", "code", "del", "em", "i", "rp", "rt", "ruby", "s", "span", "strong", "u"})
_BECOMES = dict.fromkeys(PARAGRAPHS, ("p",)) | {f"h{level}": ("p", "strong") for level in range(1, 7)}
_ATTRIBUTES = {
    "a": ("href", "class", "translate"),
    "span": ("class", "translate"),
    "p": ("class",),
    "ol": ("start", "reversed"),
    "li": ("value",),
}

_CLASS = re.compile(r"(?:h|p|u|dt|e)-[A-Za-z0-9_-]+|mention|hashtag|ellipsis|invisible|quote-inline")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_NUMBER = re.compile(r"-?[0-9]{1,6}")
_SCHEMES = ("dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "xmpp", "magnet", "gemini")
_ADDRESS = re.compile(rf"(?:https?://|(?:{'|'.join(_SCHEMES)}):)[^\s<>\"]+", re.IGNORECASE)

_GATE = nh3.Cleaner(
    tags={*_BLOCKS, *_INLINE, "br"},
    attributes={"*": {"lang"}} | {name: {*kept, "rel", "target"} for name, kept in _ATTRIBUTES.items()},
    url_schemes={"http", "https", *_SCHEMES},
    link_rel=None,
)
_DISARMED_LINK = re.compile(r"<a (?!href=)")


def clean(html: str) -> str:
    """Safe HTML: our elements, our attributes, at most 100,000 characters of text. Idempotent.

    Links get `rel` and `target`. A `rel="me"` goes, since nobody else says who a page of ours is about: what
    `render_field` made is safe as it is and is not cleaned.
    """
    writer = _Writer()
    for token in islice(tokens(html[:_MOST_READ]), _MOST_TOKENS):
        writer.take(token)
        if writer.full:
            break
    safe = _GATE.clean(writer.finished())
    # nh3 knows better than we do what is an address. A link that it took the address from becomes text.
    return clean(safe) if _DISARMED_LINK.search(safe) else safe


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of ours, and the name of the foreign end tag that will end it."""

    name: str
    foreign: str
    start: str
    end: str


class _Writer:
    """Writes a tidy tree. An element waits until it has something to hold: empty ones are never written."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[_Element] = []
        self._begun = 0  # how many of the open elements stand in `_out` already: the outer ones
        self._after_edge = True  # the last thing written is the edge of a block, or a line break
        self._room_for_tags = _MOST_TAGS
        self._room_for_text = _MOST_TEXT
        self._room_for_pieces = _MOST_PIECES

    @property
    def full(self) -> bool:
        return self._room_for_text <= 0

    def take(self, token: Token) -> None:
        match token:
            case str(text):
                self._text(text)
            case Start("br"):
                self._put("<br />", 1)
                self._after_edge = True
            case Start(foreign, attributes):
                outer, *inner = _BECOMES.get(foreign, (foreign,))
                self._start(outer, foreign, attributes)
                for name in inner:
                    self._start(name, "", {})
            case End(foreign):
                self._end(foreign)

    def finished(self) -> str:
        """All that was written, with what is still open closed."""
        self._close_from(0)
        return "".join(self._out)

    def _start(self, name: str, foreign: str, given: Mapping[str, str]) -> None:
        """Opens an element where it may stand. These rules make the tree one that parses to itself."""
        if name not in _BLOCKS | _INLINE or len(self._open) >= _DEEPEST:
            return
        attributes = _attributes(name, given)
        match name:
            case "a" if not attributes:
                return
            case "a":
                self._close_from(self._depth("a"))
            case "rt" | "rp" if not self._return_to("ruby"):
                return
            case "li" if not self._return_to("ul", "ol"):
                name = "p"
        if name in _BLOCKS:
            self._close_from(self._depth("p"))
        self._open.append(_Element(name, foreign, f"<{name}{attributes}>", f"</{name}>"))

    def _end(self, foreign: str) -> None:
        for depth in reversed(range(len(self._open))):
            if self._open[depth].foreign == foreign:
                self._close_from(depth)
                return

    def _text(self, text: str) -> None:
        text = text[: self._room_for_text]
        if self._depth("pre") == len(self._open):
            text = flowing(self._without_indent(text))
        elif self._open[-1].name == "pre" and self._begun < len(self._open):
            text = text.lstrip("\n")  # parsers take one away after <pre>, each time
        if text:
            self._put(escape(text, quote=False), len(text))
            self._after_edge = False

    def _without_indent(self, text: str) -> str:
        """The blanks between two blocks and those after a line break in the markup show nothing."""
        body = text.lstrip()
        if body == text or not self._at_edge():
            return text
        in_line = bool(self._open) and (self._open[-1].foreign == "p" or self._open[-1].name in _INLINE)
        typed = "\n" not in text.removesuffix(body) and (body or in_line)
        return text if typed else body

    def _at_edge(self) -> bool:
        return self._after_edge or any(element.name in _BLOCKS for element in self._open[self._begun :])

    def _put(self, piece: str, size: int) -> None:
        """Writes what counts `size` characters, after the elements that waited for it; or is full."""
        waiting = self._open[self._begun :]
        self._room_for_tags -= sum(len(element.start) + len(element.end) for element in waiting)
        self._room_for_pieces -= 2 * len(waiting) + 1
        if min(self._room_for_tags, self._room_for_pieces) < 0:
            self._room_for_text = 0
            return
        self._out += [*(element.start for element in waiting), piece]
        self._begun = len(self._open)
        self._room_for_text -= size

    def _depth(self, *names: str) -> int:
        """Where the innermost of these is open; if none is, past the end, where there is nothing to close."""
        depths = reversed(range(len(self._open)))
        return next((depth for depth in depths if self._open[depth].name in names), len(self._open))

    def _return_to(self, *names: str) -> bool:
        """Closes what is open inside the innermost of these. False if none of them is open."""
        depth = self._depth(*names)
        self._close_from(depth + 1)
        return depth < len(self._open)

    def _close_from(self, depth: int) -> None:
        while len(self._open) > depth:
            element = self._open.pop()
            if self._begun > len(self._open):
                self._begun = len(self._open)
                self._out.append(element.end)
                self._after_edge |= element.name in _BLOCKS


def _attributes(name: str, given: Mapping[str, str]) -> str:
    """The attributes that we keep, ready to be written; "" for a link without an address that we link to."""
    kept = {key: value for key in (*_ATTRIBUTES.get(name, ()), "lang") if (value := _kept(key, given))}
    if name == "a":
        if "href" not in kept:
            return ""
        tag = "tag " if "tag" in given.get("rel", "").lower().split() else ""
        kept |= {"rel": f"{tag}nofollow noopener noreferrer", "target": "_blank"}
    return "".join(f' {key}="{escape(value)}"' for key, value in kept.items())


def _kept(key: str, given: Mapping[str, str]) -> str:
    """The value of one attribute, or "" for none that we keep."""
    if key not in given:
        return ""
    value = given[key].strip()
    match key:
        case "href":
            return value if len(value) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(value) else ""
        case "class":
            return " ".join(name for name in value.split() if _CLASS.fullmatch(name))
        case "translate":
            return value if value == "no" else ""
        case "reversed":
            return "reversed"
        case "lang":
            return value if _LANGUAGE.fullmatch(value) else ""
        case _:
            return value if _NUMBER.fullmatch(value) else ""
