"""The index of words (docs/decisions/0011): what is written into it, and how it is asked.

A row stands for a post or an account and holds its terms (fediblog/text/terms.py). On SQLite it is a row of
FTS5, on PostgreSQL a `tsvector`. Neither ever reads what people type: both are given terms that we have made,
each in quotes, and there is no quote in a term.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from fediblog import db, text
from fediblog.models import Account, Post
from fediblog.paging import BIGGEST
from fediblog.services import locks
from fediblog.text import Phrase

# What no text can contain: whose post it is stands with its words, so that one's own are found at once.
_BY = "\ue000"
_PORTION = 200
_MOST = 10_000


def by(account_id: int) -> Phrase:
    """What all posts of an account have in them."""
    return Phrase((f"{_BY}{account_id}",))


async def post(post_id: int) -> None:
    """Write the words of a post as it stands now, inside the transaction that has changed it."""
    await _write_posts(await db.rows(_posts_sql("p.id = $1"), post_id))


async def plain(new: Post) -> None:
    """The same for a new post without files and without a poll, which is here already: one statement."""
    await _write("post", new.id, _terms(new.author_id, new.summary, text.words(new.content)))


async def account(changed: Account) -> None:
    """Write the words of somebody's names, inside the transaction that has changed them."""
    await _write("account", changed.id, _names(changed.display_name, changed.username))


async def forget_account(account_id: int) -> None:
    """Take somebody's names out."""
    await db.execute(f"DELETE FROM account_search WHERE {_key('account')} = $1", account_id)


async def rebuild() -> tuple[int, int]:
    """Write the words of everything anew, in portions between which others write; gives posts and accounts.

    May be ended at any time: what is there is right, the rest as it was.
    """
    return await _anew("post", _posts_again), await _anew("account", _accounts_again)


async def _anew(table: str, write: Callable[[list[int]], Awaitable[None]]) -> int:
    number, last = 0, BIGGEST
    while found := await db.column(_SOME.format(table=table), last):
        last = found[-1]
        number += len(found)
        async with db.transaction():
            await write(found)
    return number


async def _posts_again(post_ids: list[int]) -> None:
    # Locked, and read where it is written: an edit of the same moment would otherwise be written over.
    given = f"p.id IN (SELECT given.id FROM {db.unnest('$1')})"
    lock = "" if _is_sqlite() else " ORDER BY p.id FOR NO KEY UPDATE OF p"
    await _write_posts(await db.rows(_posts_sql(given) + lock, db.array(post_ids)))


async def _accounts_again(account_ids: list[int]) -> None:
    await locks.accounts(account_ids)
    sql = _NAMES.format(given=db.unnest("$1"))
    for line in await db.rows(sql, db.array(account_ids)):
        await _write("account", line["id"], _names(line["display_name"], line["username"]))


# ---------------------------------------------------------------------------------------------- asking


def matches(table: str, asked: str, more: str = "", order: str = "DESC") -> str:
    """SQL: a table of the `id`s that have what `question` made, the parameter `asked`. `more` narrows them.

    SQLite walks its matches in their order and ends when enough are found. PostgreSQL has to have them all
    before it can put them into an order, so of more than this many it is the newest (or first) alone.
    """
    if _is_sqlite():
        where = f"{table}_search MATCH {asked}{_narrowed(more, 'rowid')}"
        return f"(SELECT rowid AS id FROM {table}_search WHERE {where})"
    key = _key(table)
    asked = f"CAST(CAST({asked} AS TEXT) AS tsquery)"
    return (
        f"(SELECT {key} AS id FROM {table}_search WHERE words @@ {asked}{_narrowed(more, key)}"
        f" ORDER BY {key} {order} LIMIT {_MOST})"
    )


def _narrowed(more: str, key: str) -> str:
    return f" AND {more.format(id=key)}" if more else ""


def question(wanted: Sequence[Phrase], unwanted: Sequence[Phrase] = ()) -> str:
    """What is asked for, in the database's own words; at least one phrase is wanted."""
    if _is_sqlite():
        refused = "".join(f" NOT {_fts(each)}" for each in unwanted)
        return f"({' AND '.join(_fts(each) for each in wanted)}){refused}"
    refused = "".join(f" & !({_tsquery(each)})" for each in unwanted)
    return f"{' & '.join(f'({_tsquery(each)})' for each in wanted)}{refused}"


def _fts(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.terms)}"{" *" if phrase.begins else ""}'


def _tsquery(phrase: Phrase) -> str:
    return " <-> ".join(f"'{term}'" for term in phrase.terms) + (":*" if phrase.begins else "")


# --------------------------------------------------------------------------------------------- writing


async def _write_posts(found: Iterable[db.Row]) -> None:
    for line in found:
        parts = (line["summary"], text.words(line["content"]), line["described"], line["choices"])
        await _write("post", line["id"], _terms(line["author_id"], *parts))


def _terms(author_id: int, *parts: str | None) -> list[str]:
    return [f"{_BY}{author_id}", *text.terms("\n".join(part for part in parts if part))]


def _names(display_name: str, username: str) -> list[str]:
    return text.terms(f"{display_name}\n{username}")


async def _write(table: str, number: int, words: Sequence[str]) -> None:
    key = _key(table)
    if _is_sqlite():
        sql = f"INSERT OR REPLACE INTO {table}_search (rowid, words) VALUES ($1, $2)"
        await db.execute(sql, number, " ".join(words))
        return
    sql = f"""INSERT INTO {table}_search ({key}, words) VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))
ON CONFLICT ({key}) DO UPDATE SET words = excluded.words"""
    await db.execute(sql, number, " ".join(f"'{word}':{place}" for place, word in enumerate(words, 1)))


def _key(table: str) -> str:
    return "rowid" if _is_sqlite() else f"{table}_id"


def _is_sqlite() -> bool:
    return db.dialect() == "sqlite"


def _posts_sql(where: str) -> str:
    joined = "group_concat({}, ' ')" if _is_sqlite() else "string_agg({}, ' ')"
    return f"""
SELECT p.id, p.author_id, p.summary, p.content,
  (SELECT {joined.format("m.description")} FROM media m WHERE m.post_id = p.id) AS described,
  (SELECT {joined.format("o.title")} FROM poll_option o WHERE o.poll_id = p.id) AS choices
FROM post p WHERE {where} AND p.boost_of_id IS NULL"""


_SOME = f"SELECT id FROM {{table}} WHERE id < $1 ORDER BY id DESC LIMIT {_PORTION}"
_NAMES = """
SELECT a.id, a.username, a.display_name FROM {given} JOIN account a ON a.id = given.id
WHERE a.deleted_at IS NULL
"""
