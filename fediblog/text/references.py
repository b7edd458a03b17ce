"""What stands in a text for the post that it quotes, for readers to whom quotes are not shown (FEP-044f)."""

import re
from html import escape

_CLASS = "quote-inline"
# Values stand in double quotes, and may hold a `>`.
_TAG = re.compile(r'<(?P<end>/?)(?P<name>[a-z0-9]+)(?P<rest>[^<>"]*(?:"[^"]*"[^<>"]*)*)>')
_MARKED = re.compile(r"\bclass=\"[^\"]*\bquote-inline\b")
# They have no end tags.
_EMPTY = frozenset(("br", "img"))


def refers_to(html: str, *urls: str) -> bool:
    """Whether clean HTML leads to what it quotes already: by a marked element, or a link to one of these."""
    return _CLASS in html or any(f'href="{escape(url)}"' in html for url in urls if url)


def without_reference(html: str) -> str:
    """Clean HTML without the elements that are marked as standing for a quote."""
    if _CLASS not in html:
        return html
    kept, start, depth = [], 0, 0
    for tag in _TAG.finditer(html):
        if tag["name"] in _EMPTY:
            continue
        if depth:
            depth += -1 if tag["end"] else 1
            start = tag.end()
        elif not tag["end"] and _MARKED.search(tag["rest"]):
            kept.append(html[start : tag.start()])
            start, depth = tag.end(), 1
    return "".join(kept) + ("" if depth else html[start:])
