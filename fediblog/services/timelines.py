"""Timelines: each is one statement that pages by id, whatever the page holds (TIMELINES §1-§5).

In every ids part below `$1` is the viewer (0 for nobody), `$2` and `$3` are the exclusive upper and lower
bound, and further values follow. Whatever keeps a post off a list is asked here, before the limit: a page
that is short is the last one.
"""

from collections.abc import Mapping

from fediblog import db, text
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import languages, lists, views, visibility
from fediblog.services.lists import AccountList, Replies
from fediblog.services.views import Listing

# Scalar sub-selects on purpose: PostgreSQL plans `own OR EXISTS (…)` far worse (TIMELINES §1).
NOT_HIDDEN = "(SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = p.author_id) IS NULL"
_NO_HIDDEN_BOOST = (
    "(SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = p.boost_of_author_id) IS NULL"
)
_NOT_SUSPENDED = "(SELECT a.suspended_at FROM account a WHERE a.id = p.author_id) IS NULL"
_NO_SUSPENDED_BOOST = "(SELECT a.suspended_at FROM account a WHERE a.id = p.boost_of_author_id) IS NULL"
_IN_PUBLIC = (
    "(SELECT COALESCE(a.silenced_at, a.suspended_at) FROM account a WHERE a.id = p.author_id) IS NULL"
)
_ALL_PINS = Page(limit=100)
_PUBLIC = "p.visibility = 0 AND p.boost_of_id IS NULL AND p.reply_to_id IS NULL"
_MAIN = "(p.reply_to_id IS NULL OR p.reply_to_author_id = p.author_id) AND p.boost_of_id IS NULL"


async def home(viewer: Account, page: Page) -> Listing:
    """Posts and boosts of those the viewer follows, public posts with a hashtag that the viewer follows, both
    without those read in an exclusive list, and the viewer's own.

    Stored rows that are checked when read: unfollowing, muting, blocking and deleting need to change nothing
    here. Below the oldest stored row older posts are looked up author by author, not hashtag by hashtag.
    """
    listing = await stored_home(viewer, page)
    if page.upward or len(listing.entries) >= page.limit:
        return listing
    last = listing.cursors[-1] if listing.cursors else page.before
    rest = Page(page.limit - len(listing.entries), last, page.since_id)
    older = await _read(_older_ids(rest), viewer, rest)
    return Listing(listing.entries + older.entries, listing.cursors + older.cursors)


async def stored_home(viewer: Account, page: Page) -> Listing:
    """The same, of what is stored alone."""
    return await _read(_home_ids(page), viewer, page)


async def public(
    viewer: Account | None, page: Page, local: bool = False, media: bool = False, remote: bool = False
) -> Listing:
    """What everybody may see: public posts that are neither boosts nor replies.

    `local` are only those from here, `remote` those from elsewhere, `media` those with files.
    """
    where = [_PUBLIC, NOT_HIDDEN, _IN_PUBLIC, *_from(local, remote, media)]
    return await _read(_by_id("post p", where, page), viewer, page)


async def tag(
    name: str,
    viewer: Account | None,
    page: Page,
    local: bool = False,
    media: bool = False,
    remote: bool = False,
) -> Listing:
    """Public posts with a hashtag, replies included. A tag never used is an empty list."""
    where = ["t.tag_id = (SELECT g.id FROM tag g WHERE g.key = $4)", NOT_HIDDEN, _IN_PUBLIC]
    where += _from(local, remote, media)
    source = f"post_tag t {_join()} post p ON p.id = t.post_id"
    return await _read(_by_id(source, where, page, "t.post_id"), viewer, page, text.tag_key(name))


async def link(url: str, viewer: Account | None, page: Page) -> Listing:
    """Public posts under which this page is shown, replies included. An unknown page is an empty list."""
    where = ["c.card_id = (SELECT l.id FROM link_card l WHERE l.url = $4)", "p.visibility = 0"]
    where += [NOT_HIDDEN, _IN_PUBLIC]
    source = f"post_card c {_join()} post p ON p.id = c.post_id"
    return await _read(_by_id(source, where, page, "c.post_id"), viewer, page, url)


async def account(
    owner: Account,
    viewer: Account | None,
    page: Page,
    *,
    replies: bool = True,
    boosts: bool = True,
    media: bool = False,
    tagged: str = "",
) -> Listing:
    """An account's posts as far as the viewer may see them; nothing when the owner blocks the viewer.

    Without `replies`, answers to oneself stay: they are threads.
    """
    where = ["p.author_id = $4", _NOT_SUSPENDED, _NO_HIDDEN_BOOST, _NO_SUSPENDED_BOOST, _reach(viewer)]
    where += [_MAIN] if not replies and not boosts else []
    where += (
        ["(p.reply_to_id IS NULL OR p.reply_to_author_id = p.author_id)"] if not replies and boosts else []
    )
    where += ["p.boost_of_id IS NULL"] if replies and not boosts else []
    where += [_HAS_MEDIA] if media else []
    where += [_TAGGED] if tagged else []
    values = [owner.id, text.tag_key(tagged)] if tagged else [owner.id]
    return await _read(_by_id("post p", where, page), viewer, page, *values)


async def members(viewer: Account, which: AccountList, page: Page) -> Listing:
    """Posts and boosts of those on a list of the viewer's own, as far as the follows take them.

    Read member by member: what is stored is one home for everybody, and lists without readers cost nothing.
    """
    return await _read(_members_ids(which.replies, page), viewer, page, which.id)


async def pinned(owner: Account, viewer: Account | None, page: Page = _ALL_PINS) -> Listing:
    """The posts that an account has pinned, newest pin first, as far as the viewer may see them."""
    where = ["x.account_id = $4", _reach(viewer)]
    return await _read(_by_relation("pin x", where, page), viewer, page, owner.id)


async def bookmarks(viewer: Account, page: Page) -> Listing:
    """What the viewer keeps, newest bookmark first. The cursors are those of the bookmarks."""
    return await _kept("bookmark x", viewer, page)


async def likes(viewer: Account, page: Page) -> Listing:
    """What the viewer likes, newest like first. The cursors are those of the likes."""
    return await _kept("post_like x", viewer, page)


# ------------------------------------------------------------------------------------------- statements


async def _read(ids_sql: str, viewer: Account | None, page: Page, *values: object) -> Listing:
    return await views.page(ids_sql, viewer, page, *values)


async def _kept(relation: str, viewer: Account, page: Page) -> Listing:
    where = ["x.account_id = $1", visibility.clause("$1")]
    return await _read(_by_relation(relation, where, page), viewer, page)


def _from(local: bool, remote: bool, media: bool) -> list[str]:
    wanted = {"p.local": local, "NOT p.local": remote, _HAS_MEDIA: media}
    return [condition for condition, asked in wanted.items() if asked]


def _join() -> str:
    """SQLite takes the tables in the order written; PostgreSQL finds it alone (TIMELINES §2.1)."""
    return "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"


def _by_id(source: str, where: list[str], page: Page, key: str = "p.id") -> str:
    bounds = f"{key} < $2 AND {key} > $3"
    return (
        f"SELECT p.id, p.id AS cursor FROM {source} WHERE {' AND '.join([bounds, *where])}"
        f" ORDER BY {key} {page.order} LIMIT {page.rows}"
    )


def _by_relation(relation: str, where: list[str], page: Page) -> str:
    return (
        f"SELECT p.id, x.id AS cursor FROM {relation} {_join()} post p ON p.id = x.post_id"
        f" WHERE x.id < $2 AND x.id > $3 AND {' AND '.join(where)}"
        f" ORDER BY x.id {page.order} LIMIT {page.rows}"
    )


def _home_ids(page: Page) -> str:
    source = f"home_entry e {_join()} post p ON p.id = e.post_id"
    where = ["e.account_id = $1", "p.visibility < 3", _wanted(), NOT_HIDDEN, _NO_HIDDEN_BOOST]
    where += [_NOT_SUSPENDED, _NO_SUSPENDED_BOOST, _not_apart("p.author_id")]
    return _by_id(source, where, page, "e.post_id")


def _older_ids(page: Page) -> str:
    here = f"{_present('f.target_id')} AND {_not_apart('f.target_id')}"
    followed = f"FROM follow f WHERE f.follower_id = $1 AND {here}"
    return _author_by_author({"f.target_id": followed, "CAST($1 AS BIGINT)": ""}, home_rule("$1"), page)


def _members_ids(replies: Replies, page: Page) -> str:
    on_it = f"FROM list_member m WHERE m.list_id = $4 AND {_present('m.account_id')}"
    return _author_by_author({"m.account_id": on_it}, _list_rule(replies), page)


def _author_by_author(authors: Mapping[str, str], rule: str, page: Page) -> str:
    """The newest posts of the accounts that wrote last within the bounds (TIMELINES §1, "top").

    As many accounts as posts are wanted: each of the newest posts is by one of them. The authors are given as
    expressions and where these come from. On an upward page it is the oldest posts, of those who wrote first.
    """
    shown = (
        f"p.visibility < 3 AND p.id < $2 AND p.id > $3 AND {rule} AND {_followed()}"
        f" AND {_NO_HIDDEN_BOOST} AND {_NO_SUSPENDED_BOOST}"
    )
    end = f"SELECT {'min' if page.upward else 'max'}(p.id) FROM post p WHERE p.author_id = {{}} AND {shown}"
    ends = " UNION ALL ".join(
        f"SELECT {author} AS author_id, ({end.format(author)}) AS last_id {source}"
        for author, source in authors.items()
    )
    each = f"SELECT p.id FROM post p WHERE p.author_id = t.author_id AND {shown} ORDER BY p.id {page.order}"
    found = f"{each} LIMIT {page.rows}"
    joined = (
        f"CROSS JOIN post p ON p.id IN ({found})"
        if db.dialect() == "sqlite"
        else f"CROSS JOIN LATERAL ({found}) n JOIN post p ON p.id = n.id"
    )
    return f"""
SELECT p.id, p.id AS cursor FROM (
    SELECT author_id FROM ({ends}) a WHERE last_id IS NOT NULL ORDER BY last_id {page.order} LIMIT {page.rows}
) t {joined} ORDER BY p.id {page.order} LIMIT {page.rows}"""


def _not_apart(author: str) -> str:
    return f"{lists.kept_apart('$1', author)} IS NULL"


def _present(author: str) -> str:
    """SQL: the author is neither hidden from the viewer nor suspended."""
    return (
        f"(SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = {author}) IS NULL"
        f" AND (SELECT a.suspended_at FROM account a WHERE a.id = {author}) IS NULL"
    )


def _followed() -> str:
    """One's own posts, and those of whoever one follows as far as the follow takes them."""
    return f"CASE WHEN p.author_id = $1 THEN 1 ELSE ({_by_author()}) END = 1"


def _wanted() -> str:
    """The same and public posts with a hashtag that one follows, for a stored row."""
    by_tag = (
        "SELECT TRUE FROM post_tag x JOIN followed_tag y ON y.tag_id = x.tag_id AND y.account_id = $1"
        f" WHERE x.post_id = p.id AND {_IN_PUBLIC} LIMIT 1"
    )
    # A truth value and no number: of "= 1" PostgreSQL expects one row in two hundred, and plans for none.
    return f"CASE WHEN p.author_id = $1 THEN TRUE ELSE COALESCE(({_by_author()}) = 1, ({by_tag})) END"


def _by_author() -> str:
    return (
        f"SELECT CASE WHEN {taken('f')} THEN 1 ELSE 0 END FROM follow f"
        " WHERE f.follower_id = $1 AND f.target_id = p.author_id"
    )


def taken(follow: str) -> str:
    """SQL: whether a follow takes the post `p`, by its boosts and its languages."""
    return f"(p.boost_of_id IS NULL OR {follow}.show_boosts) AND {languages.wanted(follow, 'p')}"


def home_rule(reader: str) -> str:
    """SQL: a reply belongs on somebody's home only when they know the one it answers; `p` is the post."""
    knows = f"SELECT 1 FROM follow k WHERE k.follower_id = {reader} AND k.target_id = p.reply_to_author_id"
    return (
        "(p.reply_to_author_id IS NULL OR p.reply_to_author_id = p.author_id"
        f" OR p.reply_to_author_id = {reader} OR EXISTS ({knows}))"
    )


def _list_rule(replies: Replies) -> str:
    """SQL: which replies are on the list `$4`; `p` is the post."""
    if replies is Replies.FOLLOWED:
        return home_rule("$1")
    known = "p.reply_to_author_id IS NULL OR p.reply_to_author_id = p.author_id OR p.reply_to_author_id = $1"
    if replies is Replies.LIST:
        member = "SELECT 1 FROM list_member k WHERE k.list_id = $4 AND k.account_id = p.reply_to_author_id"
        known += f" OR EXISTS ({member})"
    return f"({known})"


def _reach(viewer: Account | None) -> str:
    """How far the viewer sees into the posts of `p.author_id`; for a visitor the literal of the index."""
    if viewer is None:
        return "p.visibility <= 1"
    return (
        "p.visibility <= CASE WHEN p.author_id = $1 THEN 3"
        " WHEN EXISTS (SELECT 1 FROM block b WHERE b.account_id = p.author_id AND b.target_id = $1) THEN -1"
        " WHEN EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = $1 AND f.target_id = p.author_id) THEN 2"
        " ELSE 1 END"
    )


_HAS_MEDIA = "EXISTS (SELECT 1 FROM media y WHERE y.post_id = p.id)"
_TAGGED = (
    "EXISTS (SELECT 1 FROM post_tag t JOIN tag g ON g.id = t.tag_id WHERE t.post_id = p.id AND g.key = $5)"
)
