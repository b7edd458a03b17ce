"""What is to be read in a post, or about an account, as clean HTML (FEDERATION §3 other types, §4).

Articles, films and events come with a title, which links to their page. Text that says it is no HTML, as
PeerTube's Markdown, becomes paragraphs: whoever wrote it sees it as it was typed.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from fediblog import text, uris
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import words
from fediblog.activitypub.reading.addresses import Link, media_type
from fediblog.services import languages

MOST_NOTE = 20_000
MOST_FIELD = 2_000

NOTES = frozenset(("Note", "Question"))

_MOST_HTML = 500_000
_MOST_TEXT = 100_000
_MOST_LINKS = 4
_LONGEST_CODE = 35
_TYPED = frozenset(("text/plain", "text/markdown", "text/x.misskeymarkdown"))
# What people write into HTML; `<this>` is only a manner of writing.
_MARKUP = re.compile(
    r"</?(?:a|b|blockquote|br|code|del|div|em|h[1-6]|hr|i|img|li|ol|p|pre|s|small|span|strong|u|ul)\b[^<>]*>"
    r"|&(?:#[0-9]{1,8}|#[Xx][0-9A-Fa-f]{1,8}|[A-Za-z0-9]{1,31});"
)


def written(node: Node, page: str, attached: list[Link]) -> str:
    """A post as HTML that is not clean yet. `attached` are links that stand beside the text (Lemmy)."""
    body = _body(node)
    parts = [_title(node, page, body), body, *_further(body, attached)]
    whole = "".join(parts)
    return whole or (_link(page) if node.get("type") not in NOTES else "")


def note(value: Any) -> str:
    """The text about an account, clean. PeerTube's has no tags and means its line breaks."""
    if not isinstance(value, str):
        return ""
    given = value[:MOST_NOTE]
    return text.clean(given if _MARKUP.search(given) else _paragraphs(given))


def field(value: Any) -> str:
    """The value of a field on a profile, clean."""
    return text.clean(value[:MOST_FIELD]) if isinstance(value, str) else ""


def language(node: Node) -> str:
    """The key of `contentMap` whose text is the content, else the only one (FEDERATION §3); "" if unknown."""
    for name in ("content", "name", "summary"):
        spoken = node.get(f"{name}Map")
        if isinstance(spoken, dict) and spoken:
            same = [code for code, said in spoken.items() if said == node.get(name)]
            only = list(spoken) if len(spoken) == 1 else []
            return _code((same or only or [""])[0])
    # PeerTube and Lemmy: {"identifier": "fr", "name": "Français"}; Mobilizon: "fr".
    named = node.get("language")
    return _code(named.get("identifier") if isinstance(named, dict) else node.get("inLanguage"))


def _body(node: Node) -> str:
    if content := _text(node.get("content")):
        return _paragraphs(content) if media_type(node) in _TYPED else content
    source = node.get("source")
    if isinstance(source, dict) and (content := _text(source.get("content"))):
        return content if media_type(source) == "text/html" else _paragraphs(content)
    if content := _text(node.get("_misskey_content")):
        return _paragraphs(content)
    return "" if node.get("type") in NOTES else _teaser(_text(node.get("summary")))


def _teaser(summary: str) -> str:
    """The summary of an article stands for it when there is nothing else."""
    return summary if _MARKUP.search(summary) else _paragraphs(summary)


def _title(node: Node, page: str, body: str) -> str:
    """The title, which is also the way to the whole thing. Some begin their text with it (WriteFreely)."""
    title = words.line(node.get("name"), words.MOST_NAME)
    if not title:
        return ""
    strong = f"<strong>{escape(title)}</strong>"
    if node.get("type") not in NOTES:
        return f'<p><a href="{escape(page)}">{strong}</a></p>'
    return "" if text.plain(body[:_MOST_TEXT]).startswith(title) else f"<p>{strong}</p>"


def _further(body: str, attached: list[Link]) -> Iterator[str]:
    for link in attached[:_MOST_LINKS]:
        if escape(link.href) not in body and link.href not in body:
            yield _link(link.href)


def _link(href: str) -> str:
    return f'<p><a href="{escape(href)}">{escape(href)}</a></p>'


def _paragraphs(typed: str) -> str:
    return text.render(text.tidy_block(typed[:_MOST_TEXT]), {}, uris.tag_page)


def _text(value: Any) -> str:
    return value[:_MOST_HTML] if isinstance(value, str) and value.strip() else ""


def _code(given: Any) -> str:
    """`pt-BR` of `pt_BR`; "" for what is no language, or none in particular."""
    if not isinstance(given, str) or len(given) > _LONGEST_CODE:
        return ""
    primary, *rest = given.strip().replace("_", "-").split("-")
    code = "-".join([primary.lower(), *rest])
    return code if languages.known(code) and code != "und" else ""
