"""Custom emoji: `:blobcat:` in a text becomes the picture that its author's server has for it."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from html import escape

import grapheme

# A tag as nh3 writes it: values stand in double quotes, and may hold a `>`.
_TAG = re.compile(r'(<[^<>"]*(?:"[^"]*"[^<>"]*)*>)')
# Where characters stand for themselves.
_LITERAL = re.compile(r"<(/?)(?:code|pre)\b")
_LONGEST = 40
_KEYCAP = "\u20e3"
_PRESENTATION = "\ufe0e\ufe0f" + _KEYCAP  # The only marks on an emoji; others are a heap of accents.
_PICTURE = (
    '<img class="emoji" src="{}" alt=":{}:" title=":{}:" width="20" height="20" loading="lazy"'
    ' decoding="async">'
)


def with_emoji(html: str, pictures: Mapping[str, str]) -> str:
    """Clean HTML with its emoji as pictures; `pictures` gives the address for each shortcode.

    Only text between tags changes, never what stands in a tag or in code.
    """
    if not pictures or ":" not in html:
        return html
    known, depth, out = _any_of(tuple(sorted(pictures))), 0, []
    for number, piece in enumerate(_TAG.split(html)):
        if number % 2:
            literal = _LITERAL.match(piece)
            depth += (-1 if literal[1] else 1) if literal else 0
        elif not depth and "<" not in piece:
            piece = known.sub(lambda found: _picture(found[1], pictures), piece)
        out.append(piece)
    return "".join(out)


def is_emoji(given: str) -> bool:
    """Whether it is one character as a reader sees it, that is no letter: a symbol, a flag, a key."""
    if given.isascii() or len(given) > _LONGEST or grapheme.length(given) != 1:
        return False
    categories = {unicodedata.category(each)[0] for each in given if each not in _PRESENTATION}
    return not categories & {"L", "M", "Z"} and (_KEYCAP in given or bool(categories & {"S", "P"}))


def name_with_emoji(name: str, pictures: Mapping[str, str]) -> str:
    """A plain text as HTML, its emoji as pictures."""
    return with_emoji(escape(name), pictures)


def _picture(shortcode: str, pictures: Mapping[str, str]) -> str:
    code = escape(shortcode)
    return _PICTURE.format(escape(pictures[shortcode]), code, code)


@lru_cache(256)
def _any_of(shortcodes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f":({'|'.join(map(re.escape, shortcodes))}):")
