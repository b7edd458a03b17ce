"""What a page says about itself to whoever shows a link to it: Open Graph, oEmbed's address, the title.

Text alone, of bounded length; nothing of the page's HTML is kept (SECURITY §5).
"""

import re
from dataclasses import dataclass, field

from fediblog.text.markup import Start, tokens
from fediblog.text.tidying import tidy

_TITLE = 300
_DESCRIPTION = 1_000
_NAME = 200
# Of a head that is longer than this, nobody shows more either.
_MOST_TAGS = 3_000
_OEMBED = "application/json+oembed"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=[-_]|\Z)")
_NAMES = {
    "og:title": "title",
    "twitter:title": "title",
    "og:description": "description",
    "twitter:description": "description",
    "description": "description",
    "og:site_name": "site",
    "author": "author",
    "og:image:secure_url": "image",
    "og:image": "image",
    "og:image:url": "image",
    "twitter:image": "image",
    "og:image:alt": "image_alt",
    "twitter:image:alt": "image_alt",
    "og:image:width": "width",
    "og:image:height": "height",
    "og:locale": "locale",
    "article:published_time": "published",
}


@dataclass(slots=True)
class Described:
    """What was found: words as they stand, addresses not judged yet. Empty where there is nothing."""

    title: str = ""
    oembed: str = ""
    language: str = ""
    said: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """What the page says under one of our names for it."""
        return self.said.get(name, "")


def describe(html: str) -> Described:
    """Read a page. What stands first counts, and of two names for one thing the one that is listed first."""
    found = Described()
    said: dict[str, str] = {}
    for number, token in enumerate(tokens(html)):
        if number > _MOST_TAGS:
            break
        if isinstance(token, Start):
            _tag(token, found, said)
    for name, ours in _NAMES.items():
        if name in said:
            found.said.setdefault(ours, said[name])
    found.title = found.get("title") or line(_title(html), _TITLE)
    found.language = _language(found.language) or _language(found.get("locale"))
    return found


def line(words: object, most: int = _NAME) -> str:
    """Anything as one line of bounded length; empty when it is no text."""
    return " ".join(tidy(words[: 4 * most]).split())[:most] if isinstance(words, str) else ""


def _tag(tag: Start, found: Described, said: dict[str, str]) -> None:
    attributes = tag.attributes
    if tag.name == "meta":
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        if name in _NAMES and (content := line(attributes.get("content"), _most(name))):
            said.setdefault(name, content)
    elif tag.name == "link" and attributes.get("type", "").strip().lower() == _OEMBED:
        found.oembed = found.oembed or attributes.get("href", "").strip()
    elif tag.name == "html":
        found.language = attributes.get("lang", "")


def _most(name: str) -> int:
    ours = _NAMES[name]
    return {"title": _TITLE, "description": _DESCRIPTION, "image": 2_048, "image_alt": 1_000}.get(ours, _NAME)


def _title(html: str) -> str:
    """The text of <title>, which is no text for readers of the page itself."""
    begins = re.search(r"<title(?=[\s>])[^>]*+>", html, re.IGNORECASE)
    if begins is None:
        return ""
    ends = re.compile(r"</title", re.IGNORECASE).search(html, begins.end(), begins.end() + 4 * _TITLE)
    words = html[begins.end() : ends.start() if ends else begins.end()].replace("<", "&lt;")
    return "".join(token for token in tokens(words) if isinstance(token, str))


def _language(given: str) -> str:
    match = _LANGUAGE.match(given.strip())
    return match[0].lower() if match else ""
