"""Taking turns, where a rule spans rows that no unique key holds together.

SQLite has one writer, so a transaction is alone there already. On PostgreSQL those who name the same thing
wait for each other until their transactions end.
"""

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
