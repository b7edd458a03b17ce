"""Other servers: how they are, and how they want to be spoken to. Each is a host, perhaps with a port."""

from collections.abc import Iterable
from dataclasses import dataclass

from fediblog import db, ids, moments, queue
from fediblog.errors import NotFound
from fediblog.queue import Job

# After so long without an answer nobody waits for one any more (SECURITY §9 R4).
GIVEN_UP = 7 * moments.DAY
_MOMENT = 20 * moments.SECOND


@dataclass(frozen=True, slots=True)
class Failing:
    """A server that does not take what we owe it."""

    domain: str
    fails: int
    failing_since: int
    next_at: int | None
    last_error: str
    waiting: int

    @property
    def given_up(self) -> bool:
        """Whether it is only looked at once a week."""
        return is_given_up(self.failing_since, moments.now())


def is_given_up(failing_since: int | None, now: int) -> bool:
    """Whether a server that has failed since then is taken for dead."""
    return failing_since is not None and failing_since <= now - GIVEN_UP


async def numbers(domains: Iterable[str]) -> dict[str, int]:
    """The rows of servers by domain, made where there is none. Inside a transaction."""
    wanted = sorted(set(domains))
    found = await _find(wanted)
    for domain in [domain for domain in wanted if domain not in found]:
        made = await db.value(_MAKE, ids.new(), domain, moments.now())
        found |= await _find([domain]) if made is None else {domain: made}
    return found


async def heard_from(*domains: str) -> None:
    """Something that was signed has come from there: they live, and all that is owed to them is due at once.

    Not each time when one writes much and takes nothing: after it was tried for that reason it has a moment.
    """
    now = moments.now()
    places = ", ".join(f"${number}" for number in range(3, len(domains) + 3))
    asleep = await db.column(_ASLEEP.format(places=places), now, now - _MOMENT, *domains) if domains else []
    # One by one: who would hold several at once would have to take them in order (locks.py).
    for domain in asleep:
        async with db.transaction():
            if await db.value(_REVIVE, domain, now):
                queue.nudge(Job.DELIVER)


async def scheme(domain: str) -> str:
    """How requests to it are signed, as far as that is known; empty for the usual way."""
    return str(await db.value("SELECT signs FROM server WHERE domain = $1", domain) or "")


async def remember_scheme(domain: str, name: str) -> None:
    """It has understood a signature of this kind after refusing another (FEDERATION §7.3)."""
    async with db.transaction():
        (number,) = (await numbers([domain])).values()
        await db.execute("UPDATE server SET signs = $2 WHERE id = $1", number, name)


async def failing() -> list[Failing]:
    """Those that do not take what we owe them, the longest first, each with how much waits for it."""
    return [Failing(**row) for row in await db.rows(_FAILING)]


async def retry(domain: str) -> None:
    """Try a server now, whatever the plan says. Raises NotFound for one that does not fail."""
    async with db.transaction():
        if not await db.value(_REVIVE, domain, moments.now()):
            raise NotFound("Nothing fails there.")
        queue.nudge(Job.DELIVER)


async def _find(domains: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(domains), 500):
        some = domains[start : start + 500]
        places = ", ".join(f"${number}" for number in range(1, len(some) + 1))
        sql = f"SELECT id, domain FROM server WHERE domain IN ({places})"
        found |= {row["domain"]: row["id"] for row in await db.rows(sql, *some)}
    return found


_MAKE = """
INSERT INTO server (id, domain, first_seen_at) VALUES ($1, $2, $3)
ON CONFLICT (domain) DO NOTHING RETURNING id
"""
_ASLEEP = """
SELECT domain FROM server WHERE domain IN ({places}) AND fails > 0 AND (next_at > $1 OR next_at IS NULL)
  AND (fails = 1 OR failing_since <= $2)
"""
# The plan starts anew, so that one more failure does not put off for hours what was dead for days.
_REVIVE = """
UPDATE server SET next_at = $2, fails = 1, failing_since = $2, round = round + 1
WHERE domain = $1 AND fails > 0 RETURNING id
"""
_FAILING = """
SELECT domain, fails, failing_since, next_at, last_error,
  (SELECT count(*) FROM delivery d WHERE d.server_id = server.id AND d.state = 'due') AS waiting
FROM server WHERE fails > 0 AND failing_since IS NOT NULL ORDER BY failing_since, domain
"""
