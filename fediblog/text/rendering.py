"""Our own HTML, made of the pieces that somebody typed.

The shapes and their classes are what clients look for (CLIENT-API §3.4). Everything typed is escaped once;
nothing of it becomes markup by itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from fediblog.text.typed import Handle, Hashtag, Link, Mention, Piece, Words, pieces

_SHOWN_OF_A_LINK = 30

_BETWEEN_PARAGRAPHS = re.compile(r"\n\s*\n")
_UNSPOKEN = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was found: the name to show and the page to link."""

    username: str
    url: str


@dataclass(frozen=True, slots=True)
class _Ink:
    """What the pieces of one text are written with."""

    people: Mapping[Handle, Person]
    tag_url: Callable[[str], str]
    rel: str = "nofollow noopener"


def render(source: str, people: Mapping[Handle, Person], tag_url: Callable[[str], str]) -> str:
    """A post as safe HTML: a paragraph per block of lines, "" for no text.

    A handle that is not in `people` stays plain text; `tag_url` gives the page of a hashtag.
    """
    ink = _Ink(people, tag_url)
    paragraphs = _BETWEEN_PARAGRAPHS.split(source.strip())
    return "".join(f"<p>{_written(paragraph, ink)}</p>" for paragraph in paragraphs if paragraph)


def render_note(source: str, people: Mapping[Handle, Person], tag_url: Callable[[str], str]) -> str:
    """The text about an account. It reads like a post."""
    return render(source, people, tag_url)


def render_field(source: str, people: Mapping[Handle, Person], tag_url: Callable[[str], str]) -> str:
    """The value of a profile field: one line, no paragraph, links that claim to be the same person."""
    return _written(" ".join(source.split("\n")).strip(), _Ink(people, tag_url, rel="me nofollow noopener"))


def reference(url: str) -> str:
    """The paragraph that stands for a quote where none are shown: who shows them hides it by its class."""
    return f'<p class="quote-inline">RE: {_link(url, "nofollow noopener")}</p>'


def _written(source: str, ink: _Ink) -> str:
    return "".join(_piece(piece, ink) for piece in pieces(source))


def _piece(piece: Piece, ink: _Ink) -> str:
    match piece:
        case Words(text):
            return _words(text)
        case Link(url):
            return _link(url, ink.rel)
        case Mention(text, handle):
            person = ink.people.get(handle)
            return _mention(person) if person else _words(text)
        case Hashtag():
            return _hashtag(piece.name, ink.tag_url(piece.name))


def _words(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br />")


def _mention(person: Person) -> str:
    link = f'<a href="{escape(person.url)}" class="u-url mention">@<span>{escape(person.username)}</span></a>'
    return f'<span class="h-card" translate="no">{link}</span>'


def _hashtag(name: str, url: str) -> str:
    return f'<a href="{escape(url)}" class="mention hashtag" rel="tag">#<span>{escape(name)}</span></a>'


def _link(url: str, rel: str) -> str:
    """The whole address is there to be copied; styles hide the scheme and what is too long to be read."""
    start = _UNSPOKEN.match(url)
    shown = start.end() if start else 0
    hidden = shown + _SHOWN_OF_A_LINK
    text = f'<span class="invisible">{escape(url[:shown])}</span>'
    if len(url) > hidden:
        text += f'<span class="ellipsis">{escape(url[shown:hidden])}</span>'
        text += f'<span class="invisible">{escape(url[hidden:])}</span>'
    else:
        text += f"<span>{escape(url[shown:])}</span>"
    return f'<a href="{escape(url)}" target="_blank" rel="{rel}" translate="no">{text}</a>'
