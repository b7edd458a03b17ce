"""Taking turns, where a rule spans rows that no unique key holds together.

SQLite has one writer, so a transaction is alone there already. On PostgreSQL those who name the same thing
wait for each other until their transactions end.

So that nobody waits crosswise, rows are locked in one order everywhere: the post that is answered, the post
itself, what hangs on it, and last the accounts in the order of their ids. Whoever writes a row that hangs on
a post begins with `keep`, whoever changes the post with `change`, whoever deletes it with `remove`. Of people
it is the account, its user, and then sessions, tokens and mails. What an account owes to other servers
(events.py) comes after all of these, and servers in the order of their ids are the very last.
"""

from collections.abc import Iterable

from fediblog import db


async def hold(thing: str) -> None:
    """Be alone with the thing of this name until the open transaction ends."""
    if db.dialect() == "postgres":
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", thing)


async def pair(one: int, other: int) -> None:
    """Be alone with what stands between two accounts.

    A follow and a block that cross would each not see the other, and both would stay.
    """
    low, high = sorted((one, other))
    await hold(f"pair:{low}:{high}")


async def keep(post_id: int) -> bool:
    """A post stays until the open transaction ends, while others may count and change it.

    False when it is not there (any more).
    """
    return await _lock(post_id, keeping())


async def change(post_id: int) -> bool:
    """Be the only one who changes or deletes a post. False when it is not there (any more)."""
    return await _lock(post_id, _only_on_postgres("FOR NO KEY UPDATE"))


async def remove(post_id: int) -> bool:
    """Be alone with a post and with all that hangs on it. False when it is not there (any more).

    What it answers comes first, as for everybody else.
    """
    parent_id = await db.value("SELECT reply_to_id FROM post WHERE id = $1", post_id)
    if parent_id is not None:
        await change(parent_id)
    return await _lock(post_id, _only_on_postgres("FOR UPDATE"))


async def accounts(account_ids: Iterable[int]) -> None:
    """Be the only one who counts for several accounts."""
    if db.dialect() == "postgres":
        sql = "SELECT id FROM account WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"
        await db.execute(sql, db.array(sorted(set(account_ids))))


async def servers(server_ids: Iterable[int]) -> None:
    """Be the only one who says of several servers whether something is due there, or how they are."""
    if db.dialect() == "postgres":
        sql = "SELECT id FROM server WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"
        await db.execute(sql, db.array(sorted(set(server_ids))))


async def user(user_id: int) -> None:
    """Be the only one who changes or deletes a user, before what hangs on them is touched."""
    await db.value(f"SELECT id FROM person WHERE id = $1 {_only_on_postgres('FOR NO KEY UPDATE')}", user_id)


def keeping(alias: str = "post") -> str:
    """The end of a SELECT that finds a post and means to `keep` it."""
    return _only_on_postgres(f"FOR KEY SHARE OF {alias}")


async def _lock(post_id: int, strength: str) -> bool:
    return await db.value(f"SELECT id FROM post WHERE id = $1 {strength}", post_id) is not None


def _only_on_postgres(strength: str) -> str:
    return strength if db.dialect() == "postgres" else ""
