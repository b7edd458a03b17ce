"""What a browser would find in a piece of HTML, for tests that ask whether it is harmless."""

import re
from html.parser import HTMLParser

# fmt: off
ALLOWED = {
    "p", "br", "span", "a", "del", "s", "pre", "blockquote", "code", "b", "strong", "u", "i", "em", "ul",
    "ol", "li", "ruby", "rt", "rp",
}
ALLOWED_ATTRIBUTES = {"href", "class", "translate", "rel", "target", "lang", "start", "reversed", "value"}
# fmt: on
ALLOWED_ADDRESS = re.compile(r"(https?|dat|dweb|ipfs|ipns|ssb|gopher|xmpp|magnet|gemini):", re.IGNORECASE)


class Markup(HTMLParser):
    """The tags and the attributes of an HTML text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def values(self, wanted: str) -> list[str]:
        """The values of one attribute, wherever it stands."""
        return [value for name, value in self.attributes if name == wanted]


def assert_harmless(html: str) -> None:
    """Nothing in it but what SECURITY §5 allows."""
    found = Markup(html)
    assert found.tags <= ALLOWED
    assert {name for name, _ in found.attributes} <= ALLOWED_ATTRIBUTES
    assert all(ALLOWED_ADDRESS.match(address) for address in found.values("href"))
