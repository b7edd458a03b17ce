"""Cards: what the first page that a post links to says about itself, shown under the post.

A page is asked once for all posts that link to it, by a worker and not at once when the post came from
elsewhere: so that a page is not run over by all servers in the same second (OPS §1.14). Nobody is asked for
what only a few may read: a link in a direct post may work once, and followers elsewhere have not agreed to
ours looking. Of the page text is kept; its picture comes through the media cache when somebody looks.
"""

import asyncio
import codecs
import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urldefrag, urljoin

import orjson

from fediblog import db, http, ids, moments, uris
from fediblog.config import settings
from fediblog.models import Post, Visibility
from fediblog.queue import Job
from fediblog.services import domains, work
from fediblog.text.markup import Start, tokens
from fediblog.text.pages import Described, describe, line

# How long what a page says holds, when it said something and when it did not.
KEPT = 14 * moments.DAY
_NOTHING = moments.DAY
_SOON = (moments.MINUTE, 10 * moments.MINUTE)
_PAGES = ("text/html", "application/xhtml+xml")
_OEMBED = ("application/json", "application/json+oembed", "text/javascript")
_NO_LINKS = frozenset({"mention", "hashtag", "u-url"})
# What pages are written in. Python knows more: codecs that raise, that make text which no column can hold,
# and one that takes the square of the length.
_CHARSETS = re.compile(
    r"utf-8|ascii|utf-16(-le|-be)?|iso8859-\d+|cp125\d|cp(437|850|866|874|932|949|950)|koi8-[rut]"
    r"|big5(hkscs)?|gb(2312|k|18030)|euc_(jp|kr|jis_2004|jisx0213)|shift_jis(_2004|x0213)?|iso2022_(jp|kr)"
)
_BIGGEST = 10_000
_PORTION = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page as its card shows it: the columns of `link_card`."""

    title: str = ""
    description: str = ""
    author_name: str = ""
    author_url: str = ""
    provider_name: str = ""
    provider_url: str = ""
    image_url: str = ""
    image_description: str = ""
    width: int = 0
    height: int = 0
    language: str = ""
    published_at: int | None = None


async def want(post: Post, others: Collection[str] = ()) -> None:
    """Tie a new or changed post to the card of its first link, and owe a look at the page if it is not known.

    `others` are addresses in the text that are no links to pages: its files. Inside the post's transaction.
    """
    url = _first_link(post, others) if _may_be_looked_at(post) else ""
    if not url:
        if post.edited_at is not None:
            await db.execute("DELETE FROM post_card WHERE post_id = $1", post.id)
        return
    card = await db.row(_KNOW, ids.new(), url)
    assert card is not None
    await db.execute(_TIE, post.id, card["id"])
    if not _holds(card):
        await work.owe(Job.CARD, card["id"], 0 if post.local else moments.now() + random.randint(*_SOON))  # noqa: S311


async def look(card_id: int) -> None:
    """Ask the page. What it says is kept, and the posts that link to it become new versions of themselves.

    When it cannot be had, what was known stays.
    """
    card = await db.row("SELECT * FROM link_card WHERE id = $1", card_id)
    if card is None:
        return
    found = await _ask(card["url"])
    known = Page(**{name: card[name] for name in _COLUMNS})
    async with db.transaction():
        page = known if found is None else found
        values = [getattr(page, name) for name in _COLUMNS]
        await db.execute(_KEEP, card_id, moments.now(), *values)
    if found is not None and found != known:
        await _renew(card_id)


def _may_be_looked_at(post: Post) -> bool:
    if not settings().limits.link_previews or post.visibility == Visibility.DIRECT:
        return False
    return post.local or post.visibility <= Visibility.UNLISTED


def _holds(card: db.Row) -> bool:
    if card["fetched_at"] is None:
        return False
    return bool(card["fetched_at"] > moments.now() - (KEPT if card["title"] else _NOTHING))


def _first_link(post: Post, others: Collection[str]) -> str:
    """The first address that is neither somebody, nor a hashtag, nor a file, nor what is quoted, nor ours."""
    href = ""
    passed = {*others, post.quote_uri}
    for token in tokens(post.content):
        if isinstance(token, Start) and token.name == "a":
            href = _page(token, passed)
        elif href and isinstance(token, str) and token.strip():
            # Some servers mark neither people nor hashtags.
            if token.strip()[0] not in "@#":
                return href
            href = ""
    return ""


def _page(link: Start, passed: Collection[str]) -> str:
    href = link.attributes.get("href", "")
    marked = _NO_LINKS.intersection(link.attributes.get("class", "").split())
    if marked or "tag" in link.attributes.get("rel", "").split() or href in passed:
        return ""
    return "" if uris.is_local(href) else _address(href)


def _address(url: str, base: str = "") -> str:
    """An address that may be asked, without its fragment; empty for any other."""
    try:
        checked = http.check_url(urldefrag(urljoin(base, url)).url)
    except (http.Refused, ValueError):
        return ""
    return checked if len(checked) <= 2048 else ""


# ---------------------------------------------------------------------------------------------- the page


async def _ask(url: str) -> Page | None:
    """None when nothing can be had."""
    try:
        answer = await _fetch(url, _PAGES)
    except http.Outside:
        return None
    if answer is None:
        return None
    # A megabyte of HTML takes longer than others should wait for.
    described = await asyncio.to_thread(_read, answer)
    page = _as_card(described, answer.url_final)
    return (
        await _with_oembed(page, _address(described.oembed, answer.url_final)) if described.oembed else page
    )


async def _fetch(url: str, accept: Sequence[str]) -> http.Fetched | None:
    """None from a server that we do not speak with. Raises Outside."""
    if await domains.refused(http.origin(url).partition("://")[2]):
        return None
    return await http.fetch(url, accept=accept)


def _read(answer: http.Fetched) -> Described:
    charset = _charset(answer.content_type.parameters.get("charset", ""))
    return describe(answer.body.decode(charset, "replace"))


def _charset(given: str) -> str:
    """What a server says that its page is written in, if that may be; otherwise UTF-8."""
    try:
        name = codecs.lookup(given).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if _CHARSETS.fullmatch(name) else "utf-8"


def _as_card(described: Described, url: str) -> Page:
    return Page(
        title=described.title,
        description=described.get("description"),
        author_name=described.get("author"),
        provider_name=described.get("site"),
        image_url=_address(described.get("image"), url) if described.get("image") else "",
        image_description=described.get("image_alt"),
        width=_size(described.get("width")),
        height=_size(described.get("height")),
        language=described.language,
        published_at=_moment(described.get("published")),
    )


async def _with_oembed(page: Page, url: str) -> Page:
    """What the page itself does not say. `html` is nothing that we would show (SECURITY §5)."""
    if not url:
        return page
    try:
        answer = await _fetch(url, _OEMBED)
        said = orjson.loads(answer.body) if answer else None
    except (http.Outside, orjson.JSONDecodeError):
        return page
    if answer is None or not isinstance(said, dict):
        return page
    return replace(
        page,
        title=page.title or line(said.get("title"), 300),
        author_name=line(said.get("author_name")) or page.author_name,
        author_url=_given(said, "author_url", answer.url_final),
        provider_name=page.provider_name or line(said.get("provider_name")),
        provider_url=_given(said, "provider_url", answer.url_final),
        image_url=page.image_url or _given(said, "thumbnail_url", answer.url_final),
    )


def _given(said: dict[str, Any], name: str, base: str) -> str:
    given = line(said.get(name), 2_048)
    return _address(given, base) if given else ""


def _size(given: str) -> int:
    return min(int(given), _BIGGEST) if given.isascii() and given.isdigit() and len(given) < 6 else 0


def _moment(given: str) -> int | None:
    """When a page was published. Nothing was before 1970, as far as we can count, or will have been."""
    try:
        found = moments.of(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        return None
    return found if 0 < found <= moments.now() + moments.DAY else None


async def _renew(card_id: int) -> None:
    """A new version of each post that shows the card, in portions between which others write."""
    only = " FOR NO KEY UPDATE" if db.dialect() == "postgres" else ""
    given = db.unnest("$1")
    last = 0
    while found := await db.column(_TIED, card_id, last):
        last = found[-1]
        async with db.transaction():
            await db.column(_THESE.format(given=given) + only, db.array(found))
            await db.execute(_RENEW.format(given=given), db.array(found))


_KNOW = """
INSERT INTO link_card (id, url) VALUES ($1, $2) ON CONFLICT (url) DO UPDATE SET url = excluded.url
RETURNING id, title, fetched_at
"""
_TIE = """
INSERT INTO post_card (post_id, card_id) VALUES ($1, $2)
ON CONFLICT (post_id) DO UPDATE SET card_id = excluded.card_id
"""
_COLUMNS = tuple(Page.__dataclass_fields__)
_SETS = ", ".join(f"{name} = ${place}" for place, name in enumerate(_COLUMNS, 3))
_KEEP = f"UPDATE link_card SET fetched_at = $2, {_SETS} WHERE id = $1"
_TIED = f"""
SELECT post_id FROM post_card WHERE card_id = $1 AND post_id > $2 ORDER BY post_id LIMIT {_PORTION}
"""
_THESE = "SELECT p.id FROM post p WHERE p.id IN (SELECT given.id FROM {given}) ORDER BY p.id"
_RENEW = "UPDATE post SET version = version + 1 WHERE id IN (SELECT given.id FROM {given})"
