"""Filters: words, phrases and single posts that somebody does not want to come upon unprepared.

Every change is a new version of its filter, so that whoever remembers filters sees it (matching.py).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from fediblog import db, ids, moments, text
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import locks, matching, posts, streams, titles
from fediblog.services.matching import Action, Context, Filter, Keyword, Marked

MOST_FILTERS = 300
# Of all filters of somebody together: each is looked for in every post that they read.
MOST_KEYWORDS = 1_000
MOST_POSTS = 1_000
_LONGEST_KEYWORD = 512
_LONGEST = 100 * 366 * moments.DAY


class KeywordDraft(NamedTuple):
    """A keyword to be added; with an id one to be changed (None keeps what is) or, with `gone`, removed."""

    keyword: str | None = None
    whole_word: bool | None = None
    id: int | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be of a filter; None keeps what is. It ends in so many `seconds`, with 0 never."""

    title: str | None = None
    contexts: Sequence[str] | None = None
    action: str | None = None
    seconds: int | None = None
    keywords: Sequence[KeywordDraft] = ()


async def listing(account: Account) -> list[Filter]:
    """All filters of an account, the oldest first; those that have ended too."""
    return await matching.read(account.id)


async def get(account: Account, filter_id: int) -> Filter:
    """A filter of one's own. Raises NotFound for any other."""
    found = await matching.read(account.id, filter_id)
    if not found:
        raise NotFound
    return found[0]


async def create(account: Account, draft: Draft) -> Filter:
    """Make a filter. Raises Invalid without a title or a context, for what is too long and too much."""
    draft = _checked(
        Draft(draft.title or "", draft.contexts or (), draft.action, draft.seconds, draft.keywords)
    )
    number = ids.new()
    action = draft.action or Action.WARN.value
    async with _changing(account):
        if await db.value("SELECT count(*) FROM filter WHERE account_id = $1", account.id) >= MOST_FILTERS:
            raise Invalid(f"You can have at most {MOST_FILTERS} filters.")
        await db.execute(
            _INSERT, number, account.id, draft.title, _contexts(draft), action, _end(draft.seconds)
        )
        await _change_keywords(account, number, draft.keywords)
    return await get(account, number)


async def edit(account: Account, filter_id: int, draft: Draft) -> Filter:
    """Change a filter and its keywords. Raises NotFound, also for another's keyword; Invalid as `create`."""
    draft = _checked(draft)
    async with _changing(account, filter_id):
        keeps = draft.seconds is None
        await db.execute(
            _UPDATE, filter_id, draft.title, _contexts(draft), draft.action, keeps, _end(draft.seconds)
        )
        await _change_keywords(account, filter_id, draft.keywords)
    return await get(account, filter_id)


async def delete(account: Account, filter_id: int) -> None:
    """Take a filter away with all that it looks for. Raises NotFound."""
    async with _changing(account, filter_id):
        await db.execute("DELETE FROM filter WHERE id = $1", filter_id)


# ----------------------------------------------------------------------------------------------- keywords


async def keyword(account: Account, keyword_id: int) -> tuple[Filter, Keyword]:
    """A keyword, and the filter that it is of. Raises NotFound for what is not one's own."""
    found = await get(account, await _owner(account, "filter_keyword", keyword_id))
    for word in found.keywords:
        if word.id == keyword_id:
            return found, word
    raise NotFound


async def add_keyword(account: Account, filter_id: int, typed: str, whole_word: bool) -> Keyword:
    """Look for one more. Raises NotFound, Invalid for an empty or too long one and for one too many."""
    draft = KeywordDraft(_keyword(typed), whole_word)
    async with _changing(account, filter_id):
        (number,) = await _change_keywords(account, filter_id, [draft])
    return Keyword(number, draft.keyword or "", whole_word)


async def edit_keyword(account: Account, keyword_id: int, draft: KeywordDraft) -> Keyword:
    """Change a keyword. Raises NotFound, and Invalid as `add_keyword`."""
    filter_id = await _owner(account, "filter_keyword", keyword_id)
    await edit(account, filter_id, Draft(keywords=[draft._replace(id=keyword_id)]))
    return (await keyword(account, keyword_id))[1]


async def delete_keyword(account: Account, keyword_id: int) -> None:
    """Look for it no longer. Raises NotFound."""
    filter_id = await _owner(account, "filter_keyword", keyword_id)
    await edit(account, filter_id, Draft(keywords=[KeywordDraft(id=keyword_id, gone=True)]))


async def edit_single(account: Account, keyword_id: int, draft: Draft) -> tuple[Filter, Keyword]:
    """Change a filter as if it were its only keyword, which is the draft's.

    Raises NotFound; Invalid as `edit`, and for a filter with several keywords unless only these change.
    """
    found, _ = await keyword(account, keyword_id)
    (word,) = draft.keywords
    # All that such an application knows of an action is whether it hides.
    if draft.action and (draft.action == Action.HIDE) == (found.action is Action.HIDE):
        draft = replace(draft, action=None)
    if len(found.keywords) > 1:
        if _differs(found, draft):
            raise Invalid("This filter has several keywords, so only this keyword can be changed here.")
        draft = Draft()
    await edit(account, found.id, replace(draft, keywords=[word._replace(id=keyword_id)]))
    return await keyword(account, keyword_id)


async def delete_single(account: Account, keyword_id: int) -> None:
    """Take a keyword away, and its filter when that looks for nothing else. Raises NotFound."""
    found, _ = await keyword(account, keyword_id)
    if len(found.keywords) == 1 and not found.posts:
        await delete(account, found.id)
    else:
        await delete_keyword(account, keyword_id)


# -------------------------------------------------------------------------------------------------- posts


async def mark(account: Account, filter_id: int, post_id: int) -> Marked:
    """Let a filter match a single post; twice is the same as once.

    Raises NotFound for a filter that is not one's own and a post that one may not see, Invalid for one too
    many.
    """
    post = await posts.get(post_id, account)
    async with _changing(account, filter_id):
        if not await locks.keep(post.id):
            raise NotFound
        number = await db.value(_MARK, ids.new(), filter_id, post.id)
        if await db.value(_COUNT.format(table="filter_post"), account.id) > MOST_POSTS:
            raise Invalid(f"You can filter at most {MOST_POSTS} posts.")
    return Marked(number, post.id)


async def marked(account: Account, marked_id: int) -> Marked:
    """A post that a filter of one's own names. Raises NotFound."""
    found = await get(account, await _owner(account, "filter_post", marked_id))
    for each in found.posts:
        if each.id == marked_id:
            return each
    raise NotFound


async def unmark(account: Account, marked_id: int) -> None:
    """Let a filter not match a single post any more. Raises NotFound."""
    async with _changing(account, await _owner(account, "filter_post", marked_id)):
        await db.execute("DELETE FROM filter_post WHERE id = $1", marked_id)


# -------------------------------------------------------------------------------------------------- steps


@asynccontextmanager
async def _changing(account: Account, filter_id: int | None = None) -> AsyncIterator[None]:
    """A transaction that changes a filter of one's own, or makes one. Raises NotFound."""
    async with db.transaction():
        await locks.hold(f"filters:{account.id}")
        if filter_id is not None and await db.value(_NEXT_VERSION, filter_id, account.id) is None:
            raise NotFound
        streams.filters_changed(account.id)
        yield
    matching.forget(account.id)


async def _change_keywords(account: Account, filter_id: int, drafts: Sequence[KeywordDraft]) -> list[int]:
    """Add, change and remove keywords of a filter; gives their ids. Raises NotFound for those of another."""
    changed = []
    for draft in drafts:
        if draft.id is None:
            number = ids.new()
            await db.execute(_ADD, number, filter_id, draft.keyword, draft.whole_word is not False)
        elif draft.gone:
            number = await db.value(_REMOVE, draft.id, filter_id)
        else:
            number = await db.value(_CHANGE, draft.id, filter_id, draft.keyword, draft.whole_word)
        if number is None:
            raise NotFound
        changed.append(number)
    if drafts and await db.value(_COUNT.format(table="filter_keyword"), account.id) > MOST_KEYWORDS:
        raise Invalid(f"You can filter at most {MOST_KEYWORDS} words and phrases.")
    return changed


async def _owner(account: Account, table: str, number: int) -> int:
    """The filter of one's own that has this keyword or post. Raises NotFound."""
    joined = f"{table} x JOIN filter f ON f.id = x.filter_id"
    sql = f"SELECT f.id FROM {joined} WHERE x.id = $1 AND f.account_id = $2"
    found: int | None = await db.value(sql, number, account.id)
    if found is None:
        raise NotFound
    return found


def _checked(draft: Draft) -> Draft:
    # All may make room for as many others. More are not even begun with: nobody else can write meanwhile.
    if len(draft.keywords) > 2 * MOST_KEYWORDS:
        raise Invalid(f"You can filter at most {MOST_KEYWORDS} words and phrases.")
    return Draft(
        title=None if draft.title is None else titles.checked(draft.title, "filter"),
        contexts=None if draft.contexts is None else _known(draft.contexts),
        action=_action(draft.action),
        seconds=_seconds(draft.seconds),
        keywords=[_keyword_draft(each) for each in draft.keywords if each.id is not None or not each.gone],
    )


def _known(words: Sequence[str]) -> list[str]:
    if not words or not set(words) <= set(Context):
        raise Invalid("A filter needs a place where it works.", "context")
    return list(dict.fromkeys(words))


def _action(word: str | None) -> str | None:
    if word is not None and word not in list(Action):
        raise Invalid("A filter can warn, hide or blur.", "filter_action")
    return word


def _seconds(seconds: int | None) -> int | None:
    if seconds is not None and not 0 <= seconds * moments.SECOND <= _LONGEST:
        raise Invalid("That is not a time that can be waited for.", "expires_in")
    return seconds


def _keyword_draft(draft: KeywordDraft) -> KeywordDraft:
    keeps = draft.gone or (draft.id is not None and draft.keyword is None)
    return draft if keeps else draft._replace(keyword=_keyword(draft.keyword or ""))


def _keyword(typed: str) -> str:
    found = text.tidy(typed)
    if not matching.folded(found):
        raise Invalid("There is no word to look for.", "keyword")
    if len(found) > _LONGEST_KEYWORD:
        raise Invalid(f"A word or phrase can have at most {_LONGEST_KEYWORD} characters.", "keyword")
    return found


def _contexts(draft: Draft) -> str | None:
    return None if draft.contexts is None else db.json(list(draft.contexts))


def _end(seconds: int | None) -> int | None:
    return moments.now() + seconds * moments.SECOND if seconds else None


def _differs(found: Filter, draft: Draft) -> bool:
    """Whether a draft without an action that is the same changes more of a filter than keyword and title."""
    contexts = draft.contexts is not None and set(draft.contexts) != set(found.contexts)
    ends = draft.seconds is not None and bool(draft.seconds or found.expires_at)
    return contexts or draft.action is not None or ends


_INSERT = """
INSERT INTO filter (id, account_id, title, contexts, action, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_UPDATE = """
UPDATE filter SET title = COALESCE($2, title), contexts = COALESCE($3, contexts),
    action = COALESCE($4, action), expires_at = CASE WHEN $5 THEN expires_at ELSE CAST($6 AS BIGINT) END
WHERE id = $1
"""
_NEXT_VERSION = "UPDATE filter SET version = version + 1 WHERE id = $1 AND account_id = $2 RETURNING id"
_ADD = "INSERT INTO filter_keyword (id, filter_id, keyword, whole_word) VALUES ($1, $2, $3, $4)"
_CHANGE = """
UPDATE filter_keyword SET keyword = COALESCE($3, keyword), whole_word = COALESCE($4, whole_word)
WHERE id = $1 AND filter_id = $2 RETURNING id
"""
_REMOVE = "DELETE FROM filter_keyword WHERE id = $1 AND filter_id = $2 RETURNING id"
_MARK = """
INSERT INTO filter_post (id, filter_id, post_id) VALUES ($1, $2, $3)
ON CONFLICT (filter_id, post_id) DO UPDATE SET post_id = excluded.post_id RETURNING id
"""
_COUNT = "SELECT count(*) FROM {table} x JOIN filter f ON f.id = x.filter_id WHERE f.account_id = $1"
