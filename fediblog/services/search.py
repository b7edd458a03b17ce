"""Searching what we know: accounts and hashtags by name, posts by their words. Nobody else is asked here."""

from collections.abc import Collection

from fediblog import db, hosts, text
from fediblog.config import settings
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import accounts as people
from fediblog.services import asked as asking
from fediblog.services import indexed, names, tags, timelines, views, visibility
from fediblog.services.asked import Asked
from fediblog.services.tags import Tag
from fediblog.services.views import Listing

LONGEST = 500
_HIGHEST = "\U0010ffff"
# Whoever pages further than this does not look for something.
_FURTHEST = 10_000
# Stands for our own domain, which no account has.
_HERE = "."


async def accounts(
    typed: str, viewer: Account | None, limit: int, offset: int = 0, followed: bool = False
) -> list[int]:
    """Accounts whose name, or the beginning of it, was typed, those whom the viewer follows first; by id.

    That is the name of the handle, or words of the name shown. `name@host` narrows to the server, `followed`
    to those whom the viewer follows. Who is suspended, gone or has blocked the viewer is not found, whom the
    viewer has muted or blocked only by the whole name: toot looks there for whom it shall unmute. Who is
    silenced is found only by those who follow them or type the whole handle.
    """
    name, _, domain = text.tidy(typed).removeprefix("@").partition("@")
    low = names.key(name)
    try:
        domain = hosts.to_ascii(domain)
    except ValueError:
        return []
    if not low:
        return []
    domain = _HERE if domain == settings().domain else domain
    values = [low, low + _HIGHEST, domain, viewer.id if viewer else 0, limit, _start(offset)]
    words = [] if domain else text.phrases(name)
    values += [indexed.question(words)] if words else []
    async with db.freely_planned():
        return await db.column(accounts_sql(bool(words), followed), *values)


async def hashtags(typed: str, viewer: Account | None, limit: int, offset: int = 0) -> list[Tag]:
    """Hashtags that begin with what was typed, as they were first written, the shortest first.

    Of those that no public post has now, only what the viewer follows: what others follow is theirs.
    """
    low = text.tag_key(text.tidy(typed).removeprefix("#"))
    if not low:
        return []
    viewer_id = viewer.id if viewer else 0
    found = await db.column(_HASHTAGS, low, low + _HIGHEST, limit, _start(offset), viewer_id)
    return await tags.several(found, viewer)


async def posts(
    typed: str, viewer: Account, page: Page, offset: int = 0, author_id: int | None = None
) -> Listing:
    """Posts that have all of what was typed (asked.py), the newest first.

    One's own, those that one is named in, has liked, boosted, kept or answered, and public ones of authors
    who agree to be found (FEP-5feb). Of these none that the viewer may not see, or has hidden the author of.
    Nothing is found when neither a word nor an author is asked for.
    """
    asked = asking.read(typed)
    authors = await _known(asked.authors, viewer) | ({author_id} if author_id is not None else set())
    if len(authors) > 1 or not (asked.wanted or authors):
        return Listing([], [])
    author = next(iter(authors), 0)
    others = await _known(asked.others, viewer)
    wanted = [*asked.wanted, *map(indexed.by, authors)]
    question = indexed.question(wanted, [*asked.unwanted, *map(indexed.by, others)])
    bounds = _bounds(asked, page)
    async with db.freely_planned():
        return await views.page(
            posts_sql(asked, bounds, _start(offset)), viewer, bounds, question, asked.language, author
        )


def posts_sql(asked: Asked, page: Page, offset: int = 0) -> str:
    """The ids part of a page of posts; public so that tests can look at its plan.

    `$4` is the question to the index, `$5` a language and `$6` an author, empty and 0 for any.
    """
    matches = indexed.matches("post", "$4", "{id} < $2 AND {id} > $3", page.order)
    where = ["($5 = '' OR p.language = $5)", "(CAST($6 AS BIGINT) = 0 OR p.author_id = $6)"]
    where += [*asked.conditions, visibility.clause("$1"), timelines.NOT_HIDDEN]
    where += [f"({_CONCERNED})" if asked.library else f"({_CONCERNED} OR {_OPEN})"]
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return (
        f"SELECT p.id, p.id AS cursor FROM {matches} s {join} post p ON p.id = s.id"
        f" WHERE {' AND '.join(where)} ORDER BY s.id {page.order} LIMIT {page.rows} OFFSET {offset}"
    )


def accounts_sql(words: bool, followed: bool) -> str:
    """Accounts by name; public so that tests can look at its plan. `$7` is the question to the index."""
    by_words = f" UNION SELECT id FROM {indexed.matches('account', '$7')} w" if words else ""
    return f"""
SELECT a.id FROM (SELECT id FROM account WHERE username_key >= $1 AND username_key < $2{by_words}) n
JOIN account a ON a.id = n.id
WHERE ($3 = '' OR a.domain = $3 OR ($3 = '{_HERE}' AND a.local))
  AND a.suspended_at IS NULL AND a.deleted_at IS NULL
  AND (NOT EXISTS (SELECT 1 FROM hidden h WHERE h.account_id = $4 AND h.target_id = a.id)
    OR a.username_key = $1
    AND NOT EXISTS (SELECT 1 FROM block b WHERE b.account_id = a.id AND b.target_id = $4))
  AND {_FOLLOWED if followed else f"(a.silenced_at IS NULL OR a.username_key = $1 OR {_FOLLOWED})"}
ORDER BY {_FOLLOWED} DESC, a.username_key >= $1 AND a.username_key < $2 DESC,
  length(a.username_key), a.domain, a.id LIMIT $5 OFFSET $6"""


async def _known(handles: Collection[str], viewer: Account) -> set[int]:
    """The accounts with these handles; one that nobody here knows is 0, which has written nothing."""
    return {await _author(handle, viewer) for handle in handles}


async def _author(handle: str, viewer: Account) -> int:
    if handle == "me":
        return int(viewer.id)
    try:
        return int((await people.lookup(handle)).id)
    except NotFound:
        return 0


def _bounds(asked: Asked, page: Page) -> Page:
    after = max(page.after, asked.after)
    before = min(page.before, asked.before)
    if page.upward:
        return Page(page.limit, before, min_id=after)
    return Page(page.limit, before, since_id=after)


def _start(offset: int) -> int:
    return max(0, min(offset, _FURTHEST))


_CONCERNED = """p.author_id = $1
  OR (SELECT 1 FROM mention x WHERE x.post_id = p.id AND x.account_id = $1) IS NOT NULL
  OR (SELECT 1 FROM post_like x WHERE x.account_id = $1 AND x.post_id = p.id) IS NOT NULL
  OR (SELECT 1 FROM bookmark x WHERE x.account_id = $1 AND x.post_id = p.id) IS NOT NULL
  OR (SELECT 1 FROM post x WHERE x.author_id = $1 AND x.boost_of_id = p.id) IS NOT NULL
  OR EXISTS (SELECT 1 FROM post x WHERE x.reply_to_id = p.id AND x.author_id + 0 = $1)"""
_OPEN = """(p.visibility = 0 AND (SELECT 1 FROM account x WHERE x.id = p.author_id AND x.indexable
  AND x.silenced_at IS NULL) IS NOT NULL)"""
_FOLLOWED = "EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = $4 AND f.target_id = a.id)"
_HASHTAGS = """
SELECT g.id FROM tag g WHERE g.key >= $1 AND g.key < $2 AND (
  EXISTS (SELECT 1 FROM post_tag x WHERE x.tag_id = g.id)
  OR EXISTS (SELECT 1 FROM followed_tag x WHERE x.account_id = $5 AND x.tag_id = g.id))
ORDER BY length(g.key), g.key LIMIT $3 OFFSET $4"""
