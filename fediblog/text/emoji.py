"""Custom emoji: `:blobcat:` in a text becomes the picture that its author's server has for it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape

# A tag as nh3 writes it: values stand in double quotes, and may hold a `>`.
_TAG = re.compile(r'(<[^<>"]*(?:"[^"]*"[^<>"]*)*>)')
# Where characters stand for themselves.
_LITERAL = re.compile(r"<(/?)(?:code|pre)\b")
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


def name_with_emoji(name: str, pictures: Mapping[str, str]) -> str:
    """A plain text as HTML, its emoji as pictures."""
    return with_emoji(escape(name), pictures)


def _picture(shortcode: str, pictures: Mapping[str, str]) -> str:
    code = escape(shortcode)
    return _PICTURE.format(escape(pictures[shortcode]), code, code)


@lru_cache(256)
def _any_of(shortcodes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f":({'|'.join(map(re.escape, shortcodes))}):")
