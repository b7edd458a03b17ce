"""HTML -> plain text, for mails, the titles of feeds and the previews that other sites show."""

import re

import grapheme

from fediblog.text.cleaning import clean
from fediblog.text.markup import End, Start, tokens

_BLOCKS = frozenset({"p", "pre", "blockquote", "ul", "ol"})
_BLANK_LINES = re.compile(r"\n{3,}")


def plain(html: str) -> str:
    """The text of any HTML: an empty line between paragraphs, a dash before each item of a list."""
    text = "".join(_shown(token) for token in tokens(clean(html)))
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()


def words(html: str) -> str:
    """The same in one line, of HTML that is clean already; a fifth of the work."""
    return " ".join("".join(_shown(token) for token in tokens(html)).split())


def excerpt(html: str, most: int) -> str:
    """One line of at most `most` characters; what is longer ends after a word, with an ellipsis."""
    line = " ".join(plain(html).split())
    if len(line) <= most:
        return line
    head, _, cut_word = line[:most].rpartition(" ")
    if len(cut_word) > most // 2:  # a language without blanks, or an address: not much would be left
        head = line[: grapheme.safe_split_index(line, max(0, most - 1))]
    return head.rstrip(" .,:;") + "…"


def _shown(token: str | Start | End) -> str:
    match token:
        case str(text):
            return text
        case Start("br"):
            return "\n"
        case Start("li"):
            return "\n- "
        case Start(name) | End(name) if name in _BLOCKS:
            return "\n\n"
        case _:
            return ""
