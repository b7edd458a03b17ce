"""Foreign HTML as a row of tags and texts, cut the way browsers cut it (HTML §13.2.5).

Only the cutting is done here; what a tag may do is decided by who reads the row. One pass, no way back:
a tag or a comment that is never closed takes the rest with it, as it does in a browser.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from fediblog.text.tidying import scrubbed


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag. Of attributes that stand twice, the first counts."""

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """An end tag."""

    name: str


Token = str | Start | End

# Elements that stand in lines of their own; we know them only as paragraphs.
# fmt: off
PARAGRAPHS = frozenset({
    "address", "article", "aside", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hgroup", "legend", "main", "nav", "p", "section", "summary", "table", "td", "th", "tr",
})
# fmt: on

_BLANK = r"[\t\n\f\r ]"
_VALUE = r"""
    "(?P<double> [^"]*+ )" | '(?P<single> [^']*+ )' | (?! ["'] ) (?P<bare> [^\t\n\f\r >]*+ )
"""
_ATTRIBUTE = rf"""
    (?P<key> [^\t\n\f\r />] [^\t\n\f\r />=]*+ )
    (?: {_BLANK}*+ = {_BLANK}*+ (?: {_VALUE} ) | (?! {_BLANK}*+ = ) )
"""
_ONE_OF_MANY = re.sub(r"\?P<\w+>", "?:", _ATTRIBUTE)  # the same without names, which may stand only once
# A repeated group is made atomic by (?>...) and never by *+, which does not match right before Python 3.11.5.
_ATTRIBUTES = rf"(?> (?: [\t\n\f\r /]++ | {_ONE_OF_MANY} )* )"

# Their content is no markup for readers: it ends at the element's own end tag. Of a formula, people can read
# the TeX that comes with it (FEP-dc88).
_OPAQUE = "iframe|math|noembed|noframes|script|style|svg|template|textarea|title|xmp"
_TEX = re.compile(
    r"<annotation\b (?>(?:(?!x-tex)[^<>])*) x-tex [^<>]*+ > ([^<]*+) <", re.VERBOSE | re.IGNORECASE
)

_TOKEN = re.compile(
    rf"""
      <!-- (?: -?> | .*? (?: --!?> | \Z ) )
    | < [!?] [^>]*+ (?: > | \Z )
    | </ (?= [^A-Za-z] ) [^>]*+ (?: > | \Z )
    | < (?P<opaque> {_OPAQUE} ) (?= [\t\n\f\r />] ) {_ATTRIBUTES} >
      .*? (?: </ (?P=opaque) (?= [\t\n\f\r />] ) [^>]*+ > | \Z )
    | < (?P<start> [A-Za-z] [^\t\n\f\r />]*+ ) (?P<attributes> {_ATTRIBUTES} ) >
    | </ (?P<end> [A-Za-z] [^\t\n\f\r />]*+ ) {_ATTRIBUTES} >
    | < /? [A-Za-z] .* \Z
    | (?P<text> [^<]++ | < )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_EACH_ATTRIBUTE = re.compile(_ATTRIBUTE, re.VERBOSE)

_REFERENCE = re.compile(r"&(?:#[0-9]+|#[Xx][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]{0,31});?")
_COMPLETE_REFERENCE = re.compile(r"&(?:#[0-9]+|#[Xx][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]{0,31});")
_LONGEST_REFERENCE = 40

_BLANKS = re.compile(r"\s+")


def tokens(html: str) -> Iterator[Token]:
    """Start tags, end tags and texts, in order; texts with their references resolved."""
    for match in _TOKEN.finditer(html):
        if name := match["start"]:
            yield Start(name.lower(), _attributes(match["attributes"]))
        elif name := match["end"]:
            yield End(name.lower())
        elif text := match["text"]:
            yield _readable(text)
        elif match["opaque"] == "math" and (formula := _TEX.search(match[0])):
            yield _readable(formula[1])


def flowing(text: str) -> str:
    """Outside of <pre> a line break is how the author's tool wrapped its lines: a blank."""
    return _BLANKS.sub(lambda blanks: " " if "\n" in blanks[0] else blanks[0], text)


def _readable(text: str) -> str:
    return scrubbed(_REFERENCE.sub(_resolved, text))


def _attributes(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _EACH_ATTRIBUTE.finditer(written):
        value = match["double"] or match["single"] or match["bare"] or ""
        # In an address, `&copy=1` is a parameter and no sign.
        found.setdefault(match["key"].lower(), scrubbed(_COMPLETE_REFERENCE.sub(_resolved, value)))
    return found


def _resolved(reference: re.Match[str]) -> str:
    # No character has so long a number, and Python refuses to read a number of 5,000 digits.
    return unescape(reference[0]) if len(reference[0]) <= _LONGEST_REFERENCE else "\ufffd"
