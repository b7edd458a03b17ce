"""Following: asking, accepting, rejecting, ending, and the lists of who follows whom.

Nobody is followed before they agree: a locked account, and every account elsewhere, gets a request first
(SECURITY §2, premature following). A row in `follow` is an agreed follow and nothing else.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from fediblog import db, ids, moments, uris
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import events, languages, lists, locks, notifications, people, work
from fediblog.services.events import Event
from fediblog.services.notifications import Kind
from fediblog.services.people import NOBODY, People, Relation


class _Ended(NamedTuple):
    """What was there between two: a follow that was agreed, or a request."""

    follower_id: int
    target_id: int
    uri: str
    agreed: bool


class State(StrEnum):
    """How far a follow has come."""

    FOLLOWING = "following"
    REQUESTED = "requested"


FOLLOWERS = Relation("follow", "target_id", "follower_id")
FOLLOWING = Relation("follow", "follower_id", "target_id")
REQUESTS = Relation("follow_request", "target_id", "follower_id")

_MOST_LANGUAGES = 50
_ALL = "[]"  # Of languages, as it is asked for; stored is NULL.


async def follow(
    account: Account,
    target: Account,
    show_boosts: bool | None = None,
    notify: bool | None = None,
    languages: Sequence[str] | None = None,
    uri: str | None = None,
) -> State:
    """Follow, or ask to. Of somebody followed or asked already only the options change; None keeps one.

    `languages` are those whose posts come home (languages.py), all of them when the list is empty.
    `uri` is the name that another server gave its follow. Asked again it is agreed to again: whoever asks may
    have lost the answer (FEDERATION §5). Raises Invalid for oneself and for broken language codes, Forbidden
    when one of the two blocks the other or hides their server, or the target has moved, NotFound when it is
    gone.
    """
    if account.id == target.id:
        raise Invalid("You cannot follow yourself.")
    options = (show_boosts, notify, _languages(languages))
    async with db.transaction():
        await locks.pair(account.id, target.id)
        standing = await db.row(_STANDING, account.id, target.id)
        for table, state in (("follow", State.FOLLOWING), ("follow_request", State.REQUESTED)):
            if standing is None or not standing[table]:
                continue
            named = await db.value(_CHANGE.format(table=table), account.id, target.id, *options, uri)
            if named is not None and state is State.FOLLOWING:
                await _tell_accepted(target, account.id, named)
            return state
        if _must_ask(account, standing):
            named = await _insert("follow_request", account.id, target.id, _complete(options), uri)
            await notifications.tell(Kind.FOLLOW_REQUEST, target.id, account)
            await events.record(Event.FOLLOW_ASKED, account, target_id=target.id, detail={"uri": named})
            return State.REQUESTED
        named = await _insert("follow", account.id, target.id, _complete(options), uri)
        await notifications.tell(Kind.FOLLOW, target.id, account)
        await _begin(account.id, target.id, account.local)
        await _tell_accepted(target, account.id, named)
        return State.FOLLOWING


async def unfollow(account: Account, target: Account) -> None:
    """End a follow or withdraw the request for one. Without either: nothing."""
    await _end(account, account.id, target.id)


async def remove_follower(account: Account, follower_id: int) -> None:
    """Stop somebody from following this account. Who does not follow: nothing."""
    await _end(account, follower_id, account.id)


async def accept(target: Account, follower_id: int) -> None:
    """Let somebody follow who asked. Raises NotFound when they did not ask."""
    async with db.transaction():
        await locks.pair(target.id, follower_id)
        asked = await _answer(target, follower_id)
        options = (asked["show_boosts"], asked["notify"], asked["languages"])
        await _insert("follow", follower_id, target.id, options, asked["uri"])
        local = await db.value("SELECT local FROM account WHERE id = $1", follower_id)
        await _begin(follower_id, target.id, bool(local))
        await _tell_accepted(target, follower_id, asked["uri"])


async def reject(target: Account, follower_id: int) -> None:
    """Refuse a request. Raises NotFound when there is none."""
    async with db.transaction():
        await locks.pair(target.id, follower_id)
        asked = await _answer(target, follower_id)
        await _tell_end(target, _Ended(follower_id, target.id, asked["uri"], False))


async def named(target: Account, uri: str) -> int | None:
    """Who follows an account, or asks to, by a follow of this name."""
    found: int | None = await db.value(_NAMED, target.id, uri)
    return found


async def sever(one: int, other: int, by: Account | None = None) -> None:
    """End follows and requests both ways, inside a transaction that has locked the pair.

    `by` is the one of the two who wants that; None: the other side is not told.
    """
    await _part(by, (one, other), (other, one))


# ---------------------------------------------------------------------------------------------- lists


async def followers(owner: Account, viewer: Account | None, page: Page) -> People:
    """Who follows an account, as far as the viewer may know."""
    return await _collection(FOLLOWERS, owner, viewer, page)


async def following(owner: Account, viewer: Account | None, page: Page) -> People:
    """Whom an account follows, as far as the viewer may know."""
    return await _collection(FOLLOWING, owner, viewer, page)


async def requests(account: Account, page: Page) -> People:
    """Who asks to follow this account."""
    return await people.listed(REQUESTS, account.id, page)


async def count_requests(account: Account) -> int:
    """How many ask to follow this account."""
    found: int = await db.value("SELECT count(*) FROM follow_request WHERE target_id = $1", account.id)
    return found


async def _collection(relation: Relation, owner: Account, viewer: Account | None, page: Page) -> People:
    if viewer is not None and viewer.id == owner.id:
        return await people.listed(relation, owner.id, page)
    if owner.hide_collections or owner.suspended_at is not None:
        return NOBODY
    blocked = ["(SELECT 1 FROM block b WHERE b.account_id = $3 AND b.target_id = $4) IS NULL"]
    return await people.listed(relation, owner.id, page, viewer, *(blocked if viewer else []))


# ------------------------------------------------------------------------------------------------ steps


def _must_ask(account: Account, found: db.Row | None) -> bool:
    """Whether the target has a say. Read afresh: who has just locked their account means it."""
    if found is None or found["suspended_at"] or found["deleted_at"]:
        raise NotFound
    if found["blocked_by"]:
        raise Forbidden("This account does not want to be followed by you.")
    if found["blocking"]:
        raise Forbidden("You have blocked this account. Unblock it first.")
    if found["hidden_by"]:
        raise Forbidden("This account does not want to be followed by you.")
    if found["hiding"]:
        raise Forbidden("You have hidden the server of this account. Show it again first.")
    if found["moved_to_id"]:
        raise Forbidden("This account has moved. Follow the new one.")
    return bool(found["locked"]) or not found["local"] or account.silenced_at is not None


async def _begin(follower_id: int, target_id: int, local: bool) -> None:
    """What follows from a new follow: the home fills up, and the counters, last."""
    if local:
        await work.owe(Job.BACKFILL, f"{follower_id}:{target_id}")
    await _count(follower_id, target_id, 1)


async def _end(by: Account, follower_id: int, target_id: int) -> None:
    async with db.transaction():
        await locks.pair(follower_id, target_id)
        await _part(by, (follower_id, target_id))


async def _part(by: Account | None, *ways: tuple[int, int]) -> None:
    """Rows first, then counters, and last what the other side hears of it."""
    ended = [gone for way in ways for gone in await _remove(*way)]
    for gone in ended:
        if gone.agreed:
            await _count(gone.follower_id, gone.target_id, -1)
    for gone in ended:
        await _tell_end(by, gone)


async def _remove(follower_id: int, target_id: int) -> list[_Ended]:
    """Delete request and follow, as far as they are there."""
    found = []
    for table, kind in (("follow_request", Kind.FOLLOW_REQUEST), ("follow", Kind.FOLLOW)):
        uri = await db.value(_DELETE.format(table=table), follower_id, target_id)
        if uri is not None:
            await notifications.take_back(kind, target_id, follower_id)
            await db.execute(_UNENDORSE, follower_id, target_id)
            found.append(_Ended(follower_id, target_id, uri, kind is Kind.FOLLOW))
    if found and found[-1].agreed:
        await lists.let_go(follower_id, target_id)
    return found


async def _tell_accepted(target: Account, follower_id: int, uri: str) -> None:
    await events.record(Event.FOLLOW_ACCEPTED, target, target_id=follower_id, detail={"uri": uri})


async def _tell_end(by: Account | None, gone: _Ended) -> None:
    """The other side hears of it: from the follower that it ends, from the followed that it is refused."""
    detail = {"uri": gone.uri}
    if by is not None and by.id == gone.follower_id:
        await events.record(Event.FOLLOW_ENDED, by, target_id=gone.target_id, detail=detail)
    elif by is not None:
        await events.record(Event.FOLLOW_REJECTED, by, target_id=gone.follower_id, detail=detail)


async def _answer(target: Account, follower_id: int) -> dict[str, Any]:
    """Take a request off the table."""
    asked = await db.row(_ANSWER, follower_id, target.id)
    if asked is None:
        raise NotFound("Nobody of that name asks to follow you.")
    await notifications.take_back(Kind.FOLLOW_REQUEST, target.id, follower_id)
    return asked


Options = tuple[bool | None, bool | None, str | None]


def _languages(codes: Sequence[str] | None) -> str | None:
    if codes is None:
        return None
    if len(codes) > _MOST_LANGUAGES or not all(map(languages.known, codes)):
        raise Invalid("That is not a list of language codes such as en or pt-BR.", "languages")
    return db.json(list(dict.fromkeys(codes)))


def _complete(options: Options) -> Options:
    show_boosts, notify, codes = options
    return show_boosts is not False, bool(notify), None if codes == _ALL else codes


async def _insert(table: str, follower_id: int, target_id: int, options: Options, uri: str | None) -> str:
    """Gives the name of the follow."""
    number = ids.new()
    uri = uri or uris.absolute(f"/ap/follows/{number}")
    await db.execute(
        f"INSERT INTO {table} (follower_id, target_id, id, show_boosts, notify, languages, uri, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(follower_id, target_id, number, bool(options[0]), bool(options[1]), options[2], uri, moments.now()),
    )
    return uri


async def _count(follower_id: int, target_id: int, by: int) -> None:
    """In the order of the ids, so that two who follow each other at once do not wait for each other."""
    columns = {follower_id: "following_count", target_id: "followers_count"}
    for number in sorted(columns):
        column = columns[number]
        await db.execute(f"UPDATE account SET {column} = {column} + $2 WHERE id = $1", number, by)


_CHANGE = """
UPDATE {table} SET show_boosts = COALESCE($3, show_boosts), notify = COALESCE($4, notify),
    languages = NULLIF(COALESCE($5, languages), '[]'), uri = COALESCE($6, uri)
WHERE follower_id = $1 AND target_id = $2 RETURNING uri
"""
_NAMED = """
SELECT follower_id FROM follow_request WHERE target_id = $1 AND uri = $2
UNION ALL SELECT follower_id FROM follow WHERE target_id = $1 AND uri = $2 LIMIT 1
"""
_DELETE = "DELETE FROM {table} WHERE follower_id = $1 AND target_id = $2 RETURNING uri"
# Only who is followed is recommended (endorsements.py).
_UNENDORSE = "DELETE FROM endorsement WHERE account_id = $1 AND target_id = $2"
_ANSWER = """
DELETE FROM follow_request WHERE follower_id = $1 AND target_id = $2
RETURNING show_boosts, notify, languages, uri
"""
_STANDING = """
SELECT
  EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = $1 AND f.target_id = $2) AS follow,
  EXISTS (SELECT 1 FROM follow_request f WHERE f.follower_id = $1 AND f.target_id = $2) AS follow_request,
  a.locked, a.local, a.moved_to_id, a.suspended_at, a.deleted_at,
  EXISTS (SELECT 1 FROM block b WHERE b.account_id = $1 AND b.target_id = $2) AS blocking,
  EXISTS (SELECT 1 FROM block b WHERE b.account_id = $2 AND b.target_id = $1) AS blocked_by,
  EXISTS (SELECT 1 FROM hidden_domain d WHERE d.account_id = $1 AND d.domain = a.domain) AS hiding,
  EXISTS (SELECT 1 FROM hidden_domain d JOIN account x ON x.domain = d.domain AND x.id = $1
    WHERE d.account_id = $2) AS hidden_by
FROM account a WHERE a.id = $2
"""
