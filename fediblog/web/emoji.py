"""Names and texts on pages, with their custom emoji as pictures."""

from collections.abc import Iterable

from markupsafe import Markup

from fediblog import text
from fediblog.services.views import EmojiView


def named(name: str, emojis: Iterable[EmojiView]) -> Markup:
    """A plain text, escaped, with its emoji."""
    return Markup(text.name_with_emoji(name, dict(emojis)))  # noqa: S704 - escaped there


def prose(html: str, emojis: Iterable[EmojiView]) -> Markup:
    """HTML that fediblog.text has made safe, with its emoji."""
    return Markup(text.with_emoji(html, dict(emojis)))  # noqa: S704 - safe before, and pictures of ours
