"""What came in and had no effect, counted by reason and day: nothing is put aside in silence."""

from fediblog import db, moments

# So long it can be seen what came in and why it was dropped.
KEPT = 400 * moments.DAY


async def count(reason: str, number: int = 1) -> None:
    """Count something that was put aside today. A reason is a word or two of ours, never a stranger's."""
    async with db.transaction():
        await db.execute(_COUNT, moments.day(moments.now()), reason, number)


async def numbers(first: int, last: int) -> dict[str, int]:
    """How much was put aside on the days from `first` to `last`, by reason, the most frequent first."""
    found = await db.rows(
        "SELECT reason, sum(number) AS total FROM dropped WHERE day BETWEEN $1 AND $2"
        " GROUP BY reason ORDER BY total DESC, reason",
        first,
        last,
    )
    return {row["reason"]: int(row["total"]) for row in found}


_COUNT = """
INSERT INTO dropped (day, reason, number) VALUES ($1, $2, $3)
ON CONFLICT (day, reason) DO UPDATE SET number = dropped.number + excluded.number
"""
