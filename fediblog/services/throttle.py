"""How often is too often: counters in the database, so that they hold over processes and restarts.

A bucket counts within a fixed window that starts with its first hit. `failed` and `check` are for guessing:
after ten failures each further one makes the next wait longer. `limits.rate_limits = false` switches all of
it off. Call these outside of transactions: a refusal would undo its own count.
"""

from ipaddress import IPv6Address, ip_address

from fediblog import db, keys, moments
from fediblog.config import settings
from fediblog.errors import TooMany

FREE_FAILURES = 10

# The wait after the tenth failure, the eleventh, and so on; the last one stays. An attacker who locks
# somebody out has to keep at it, and whoever knows the password waits a quarter of an hour at most.
_WAITS: tuple[int, ...] = tuple(minutes * moments.MINUTE for minutes in (1, 2, 4, 8, 15))
_MEMORY = moments.HOUR

_HIT = """
INSERT INTO throttle (bucket, hits, expires_at) VALUES ($1, 1, $2)
ON CONFLICT (bucket) DO UPDATE SET
  hits = CASE WHEN throttle.expires_at <= $3 THEN 1 ELSE throttle.hits + 1 END,
  expires_at = CASE WHEN throttle.expires_at <= $3 THEN excluded.expires_at ELSE throttle.expires_at END
RETURNING hits, expires_at
"""

# A failure is remembered for an hour after the last one: `expires_at` is pushed on each time.
_FAIL = """
INSERT INTO throttle (bucket, hits, expires_at) VALUES ($1, 1, $2)
ON CONFLICT (bucket) DO UPDATE SET
  hits = CASE WHEN throttle.expires_at <= $3 THEN 1 ELSE throttle.hits + 1 END,
  expires_at = excluded.expires_at
"""


def bucket(purpose: str, subject: str) -> str:
    """The name of a counter. What it counts for is hashed with our secret, since addresses can be guessed."""
    return f"{purpose}:{keys.sign(settings().secret, 'throttle', f'{purpose} {subject}')}"


def network(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that one IPv6 subscriber has to herself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


async def hit(bucket: str, most: int, seconds: int) -> None:
    """Count once. Raises TooMany when that makes more than `most` within the window of `seconds`."""
    wait = await _count(bucket, most, seconds)
    if wait > 0:
        raise TooMany(retry_after=_seconds(wait))


async def allowed(bucket: str, most: int, seconds: int) -> bool:
    """The same for what is left out silently when it is too often. This one may stand in a transaction."""
    return await _count(bucket, most, seconds) <= 0


async def clear(bucket: str) -> None:
    """Forget what was counted."""
    if await db.value("SELECT 1 FROM throttle WHERE bucket = $1", bucket) is None:
        return  # The usual case, and it costs no commit.
    async with db.transaction():
        await db.execute("DELETE FROM throttle WHERE bucket = $1", bucket)


async def check(*buckets: str) -> None:
    """Raises TooMany while one of these must wait because of its failures. Counts nothing."""
    if not settings().limits.rate_limits:
        return
    now = moments.now()
    waits = [await _wait(name, now) for name in buckets]
    if max(waits) > 0:
        raise TooMany("Too many failed attempts. Please wait a little.", retry_after=_seconds(max(waits)))


async def failed(*buckets: str) -> None:
    """Remember a failure in each of these."""
    now = moments.now()
    async with db.transaction():
        for name in buckets:
            await db.execute(_FAIL, name, now + _MEMORY, now)


async def _count(bucket: str, most: int, seconds: int) -> int:
    """How long to wait (milliseconds); 0 when nobody has to."""
    if not settings().limits.rate_limits:
        return 0
    now = moments.now()
    async with db.transaction():
        found = await db.row(_HIT, bucket, now + seconds * moments.SECOND, now)
    assert found is not None  # An upsert gives its row back.
    return int(found["expires_at"]) - now if found["hits"] > most else 0


async def _wait(bucket: str, now: int) -> int:
    found = await db.row("SELECT hits, expires_at FROM throttle WHERE bucket = $1", bucket)
    if found is None or found["hits"] < FREE_FAILURES:
        return 0
    wait = _WAITS[min(found["hits"] - FREE_FAILURES, len(_WAITS) - 1)]
    last_failure = int(found["expires_at"]) - _MEMORY
    return int(last_failure + wait - now)


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // moments.SECOND))
