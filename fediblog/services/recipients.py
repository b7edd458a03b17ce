"""Where letters go: inboxes of other servers, as sets of addresses.

However many followers there are, the database makes the set: one shared inbox stands for all people of a
server (FEDERATION §9). Whom we have nothing to do with, `activitypub.delivery` leaves out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from fediblog import db

# The shared inbox of a server, or the inbox of the one where there is none.
_NEAREST = "COALESCE(NULLIF(a.shared_inbox, ''), a.inbox)"
# Who is suspended here gets nothing, and who has been deleted has no inbox any more.
_REACHABLE = "NOT a.local AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND a.inbox <> ''"


class Addressee(NamedTuple):
    """Somebody elsewhere who is meant."""

    uri: str
    inbox: str
    shared_inbox: str

    @property
    def nearest(self) -> str:
        """The shared inbox where there is one: for what is not only for this one."""
        return self.shared_inbox or self.inbox


async def followers(account_id: int) -> set[str]:
    """Of everybody elsewhere who follows one of our accounts."""
    return set(await db.column(_FOLLOWERS, account_id))


async def people(account_ids: Iterable[int], author_id: int) -> list[Addressee]:
    """Those of the accounts that live elsewhere, but for whom the author blocks or who block the author."""
    wanted = sorted(set(account_ids))
    if not wanted:
        return []
    found = await db.rows(_PEOPLE.format(given=db.unnest("$1")), db.array(wanted), author_id)
    return [Addressee(**line) for line in found]


async def one(account_id: int) -> Addressee | None:
    """Somebody elsewhere, suspended here or not: what is between two is told to whom it concerns."""
    found = await db.row(_ONE, account_id)
    return Addressee(**found) if found else None


async def boosters(post_id: int) -> set[str]:
    """Of those elsewhere who have passed a post on."""
    return set(await db.column(_BOOSTERS, post_id))


async def reached(post_id: int, boosts: Iterable[int] = ()) -> set[str]:
    """To which letters about a post, or about these boosts of it, have gone or are on their way."""
    told_of = db.array([post_id, *boosts])
    return set(await db.column(_REACHED.format(given=db.unnest("$1")), told_of))


async def boosts_here(post_id: int) -> list[int]:
    """The boosts of a post by people here: whoever heard of one of them has looked at the post."""
    return await db.column("SELECT id FROM post WHERE boost_of_id = $1 AND local", post_id)


async def everybody() -> set[str]:
    """One of each server that we know somebody of."""
    return set(await db.column(_EVERYBODY))


async def relays() -> set[str]:
    """Of the relays that have accepted us."""
    return set(await db.column("SELECT inbox FROM relay WHERE state = 'accepted'"))


_FOLLOWERS = f"""
SELECT DISTINCT {_NEAREST} FROM follow f JOIN account a ON a.id = f.follower_id
WHERE f.target_id = $1 AND {_REACHABLE}
"""
_ONE = """
SELECT a.uri, a.inbox, a.shared_inbox FROM account a
WHERE a.id = $1 AND NOT a.local AND a.deleted_at IS NULL AND a.inbox <> ''
"""
_PEOPLE = f"""
SELECT a.uri, a.inbox, a.shared_inbox FROM {{given}} JOIN account a ON a.id = given.id
WHERE {_REACHABLE} AND NOT EXISTS (
    SELECT 1 FROM block b WHERE (b.account_id = $2 AND b.target_id = a.id)
        OR (b.account_id = a.id AND b.target_id = $2))
ORDER BY a.id
"""
_BOOSTERS = f"""
SELECT DISTINCT {_NEAREST} FROM post p JOIN account a ON a.id = p.author_id
WHERE p.boost_of_id = $1 AND {_REACHABLE}
"""
# Who was asked to be quoted in a post is addressed by it, too, mostly in another inbox.
_REACHED = """
SELECT DISTINCT d.inbox FROM {given} JOIN activity x ON x.post_id = given.id AND x.kind <> 'QuoteRequest'
JOIN delivery d ON d.activity_id = x.id
"""
# Servers without a shared inbox hear of it through one of their people.
_EVERYBODY = """
SELECT COALESCE(MAX(NULLIF(a.shared_inbox, '')), MIN(a.inbox)) FROM account a
WHERE NOT a.local AND a.inbox <> '' GROUP BY a.domain
"""
