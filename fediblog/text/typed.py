"""What people type, read in one pass from left to right: words, links, handles and hashtags.

The pattern has no repetition inside a repetition over the same characters, so its time is linear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import grapheme

from fediblog import hosts
from fediblog.text.tidying import MARKS, tag_key

# What every link counts, however long it is; announced as `characters_reserved_per_url`.
LINK_LENGTH = 23

_MOST_HANDLES = 50
_MOST_HASHTAGS = 64
_LONGEST_HASHTAG = 100
_LONGEST_ADDRESS = 2048


@dataclass(frozen=True, slots=True)
class Handle:
    """Somebody's name as it was typed: `@name`, or `@name@domain` with the domain in lower-case ASCII."""

    username: str
    domain: str | None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text mentions: distinct, in the order of appearance. Hashtags stand without their `#`."""

    handles: tuple[Handle, ...]
    hashtags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text that is nothing else."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A web address, without the full stop that ended the sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A handle where it stands."""

    text: str
    handle: Handle


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A hashtag where it stands."""

    text: str

    @property
    def name(self) -> str:
        """Without the `#`."""
        return self.text.removeprefix("#")


Piece = Words | Link | Mention | Hashtag

# Word characters of any language; ours in full, since "e" with an accent may be two characters.
_WORD = rf"\w{MARKS}"
# Dots in the middle of Catalan and Japanese words, and the mark that parts a Persian word without a gap.
_JOINTS = "\u00b7\u30fb\u200c"
# Where an address ends: at blanks, at what RFC 3986 leaves out, and at the punctuation of languages that
# write no blank after it. A backslash would be a slash to browsers and hide which host is meant.
_NOT_IN_LINK = '\\s<>"`\\\\\u200b\u2060「」『』【】〈〉《》（）、。，！？：；'

_NAME = r"[A-Za-z0-9_]+ (?: [.-]+ [A-Za-z0-9_]+ )*"
_DOMAIN = rf"[{_WORD}]+ (?: [.-]+ [{_WORD}]+ )* (?: :[0-9]{{1,5}} (?![0-9]) )?"

_PIECE = re.compile(
    rf"""
    (?= [@\#Hh] )
    (?: (?<![A-Za-z0-9_])   (?P<link> [Hh][Tt][Tt][Pp][Ss]?:// [^{_NOT_IN_LINK}]+ )
      | (?<![{_WORD}/=]) @  (?P<username> {_NAME} ) (?: @ (?P<domain> {_DOMAIN} ) )?
      | (?<![{_WORD}/&]) \# (?P<hashtag> \w [{_WORD}{_JOINTS}]* )
    )
    """,
    re.VERBOSE,
)

# A name or an IPv6 address, then a port. No user and no password: they disguise the host.
_HOST = re.compile(
    rf"https?:// (?: \w[{_WORD}.-]* | \[[0-9A-Fa-f:.]+\] ) (?: :[0-9]{{1,5}} )? (?= [/?\#] | \Z )",
    re.VERBOSE | re.IGNORECASE,
)

_ENDS_A_SENTENCE = frozenset(".,:;!?'*…’”»")
_CLOSES = {")": "(", "]": "[", "}": "{"}


def scan(source: str) -> Scan:
    """The people and the hashtags in a text: at most 50 and 64, the rest is not looked at."""
    handles: dict[Handle, None] = {}
    hashtags: dict[str, str] = {}
    for piece in pieces(source):
        match piece:
            case Mention(_, handle) if len(handles) < _MOST_HANDLES:
                handles.setdefault(handle)
            case Hashtag() if len(hashtags) < _MOST_HASHTAGS:
                hashtags.setdefault(tag_key(piece.name), piece.name)
    return Scan(tuple(handles), tuple(hashtags.values()))


# The library is quadratic in the length of one character, and a heap of joiners is one. In stretches it is
# linear; a character on a seam counts twice, which only a text of thousands could notice.
_STRETCH = 5_000


def length(source: str, summary: str = "") -> int:
    """How long a post counts, with its content warning (CLIENT-API §3.4.5).

    Characters are what a reader takes for one (UAX #29), a link counts 23, a handle without its domain.
    """
    return _characters(summary) + sum(_counted(piece) for piece in pieces(source))


def pieces(source: str) -> Iterator[Piece]:
    """The whole text, cut where a link, a handle or a hashtag begins or ends."""
    position = 0
    while match := _PIECE.search(source, position):
        if match.start() > position:
            yield Words(source[position : match.start()])
        piece = _recognised(match)
        yield piece
        position = match.start() + len(piece.text)
    if position < len(source):
        yield Words(source[position:])


def _recognised(match: re.Match[str]) -> Piece:
    """A look-alike is words as far as it was matched, so that nothing inside it is taken for a handle."""
    if match["link"]:
        return _link(match["link"])
    if match["hashtag"]:
        return _hashtag(match["hashtag"])
    return _mention(match[0], match["username"], match["domain"])


def _link(run: str) -> Link | Words:
    url = run[: _end_of_link(run)]
    return Link(url) if len(url) <= _LONGEST_ADDRESS and _HOST.match(url) else Words(run)


def _end_of_link(run: str) -> int:
    """Without the marks that end the sentence and without brackets that were opened before the link."""
    surplus = {closer: run.count(closer) - run.count(opener) for closer, opener in _CLOSES.items()}
    end = len(run)
    while end:
        last = run[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _ENDS_A_SENTENCE:
            break
        end -= 1
    return end


def _hashtag(run: str) -> Hashtag | Words:
    """Numbers alone are no hashtag: "#1" is a place in a list."""
    name = run.rstrip(_JOINTS)
    is_one = len(name) <= _LONGEST_HASHTAG and not name.isdigit()
    return Hashtag(f"#{name}") if is_one else Words(f"#{run}")


def _mention(text: str, username: str, typed_domain: str | None) -> Mention | Words:
    if typed_domain is None:
        return Mention(text, Handle(username, None))
    domain = _ascii_domain(typed_domain)
    return Mention(text, Handle(username, domain)) if domain else Words(text)


def _ascii_domain(typed: str) -> str | None:
    """The name as DNS knows it, with its port; None for what cannot be a name, or is two.

    A mention must not reach somebody else.
    """
    if len(typed) > hosts.LONGEST or hosts.is_ambiguous(typed):
        return None
    try:
        return hosts.to_ascii(typed)
    except ValueError:
        return None


def _counted(piece: Piece) -> int:
    match piece:
        case Link():
            return LINK_LENGTH
        case Mention(_, handle):
            return len(f"@{handle.username}")
        case Words(text) | Hashtag(text):
            return _characters(text)


def _characters(text: str) -> int:
    if text.isascii():
        return len(text) - text.count("\r\n")
    seams = range(0, len(text), _STRETCH)
    return sum(grapheme.length(text[seam : seam + _STRETCH]) for seam in seams)
