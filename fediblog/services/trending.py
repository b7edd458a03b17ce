"""Counting what many talk about, by the clock. What is shown of it is said in `trends`.

People are counted, not posts: who uses a hashtag a hundred times is one. Counted is what stands in public
lists, by accounts that are neither suspended nor silenced.
"""

from collections.abc import Mapping
from enum import StrEnum

from fediblog import db, ids, moments

# Fewer people than this are no trend.
FEW = 3
_MOST = 100
_DAYS = 7
# A post is half as remarkable after this time, and not at all after some of them.
_HALF_LIFE = 12 * moments.HOUR
_POSTS_SINCE = 3 * moments.DAY
# What the staff has said of a link or post is kept so long after it was last talked about; of a tag for ever.
_REMEMBERED = 30 * moments.DAY


class Kind(StrEnum):
    """What can be a trend."""

    TAG = "tag"
    LINK = "link"
    POST = "post"


async def compute() -> dict[Kind, int]:
    """Count all kinds anew. Tells how many there are of each; doing it twice is the same as once."""
    now = moments.now()
    async with db.freely_planned():
        scores = {
            Kind.TAG: await _talked_about(_TAGS, now),
            Kind.LINK: await _talked_about(_LINKS, now),
            Kind.POST: await _posts(now),
        }
    for kind, found in scores.items():
        await _keep(kind, _best(found), now)
    return {kind: len(found) for kind, found in scores.items()}


async def _talked_about(uses: str, now: int) -> dict[int, float]:
    """Things that more people use today than on the six days before, in one statement."""
    found = await db.rows(
        _COUNTED.format(uses=uses), ids.floor(now - _DAYS * moments.DAY), ids.floor(now - moments.DAY)
    )
    return {line["id"]: surprise(line["today"], line["before"] / (_DAYS - 1)) for line in found}


async def _posts(now: int) -> dict[int, float]:
    since = ids.floor(now - _POSTS_SINCE)
    found = await db.rows(_POSTS, since)
    return {line["id"]: line["points"] * _freshness(now - ids.moment_of(line["id"])) for line in found}


def surprise(today: float, usually: float) -> float:
    """How much more than usual: the square of the excess against what was expected, 0 for no excess.

    What is used every day is no trend, whatever its number.
    """
    expected = max(usually, 1.0)
    return (today - expected) ** 2 / expected if today >= FEW and today > expected else 0.0


def _freshness(age: int) -> float:
    return float(0.5 ** (max(age, 0) / _HALF_LIFE))


def _best(scores: Mapping[int, float]) -> dict[int, float]:
    ranked = sorted(scores.items(), key=lambda item: (-item[1], -item[0]))
    return {number: score for number, score in ranked[:_MOST] if score > 0}


async def _keep(kind: Kind, scores: Mapping[int, float], now: int) -> None:
    """Write the new scores; what is no trend any more goes, but for what the staff has said of it."""
    async with db.transaction():
        for number, score in scores.items():
            await db.execute(_UPSERT, kind.value, number, score, now)
        await db.execute(_FORGET, kind.value, now)
        await db.execute("UPDATE trend SET score = 0 WHERE kind = $1 AND computed_at < $2", kind.value, now)
        if kind is not Kind.TAG:
            await db.execute(
                "DELETE FROM trend WHERE kind = $1 AND computed_at < $2", kind.value, now - _REMEMBERED
            )


_UPSERT = """
INSERT INTO trend (kind, subject_id, score, computed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, subject_id) DO UPDATE SET score = excluded.score, computed_at = excluded.computed_at
"""
_FORGET = "DELETE FROM trend WHERE kind = $1 AND computed_at < $2 AND allowed IS NULL"

_STANDING = "a.suspended_at IS NULL AND a.silenced_at IS NULL AND a.deleted_at IS NULL"
_PUBLIC = f"p.visibility = 0 AND p.boost_of_id IS NULL AND {_STANDING}"
# One line for each person on each day.
_USES = f"""
SELECT DISTINCT {{subject}} AS id, p.author_id, p.id > $2 AS today,
  CASE WHEN p.id > $2 THEN 0 ELSE p.created_at / {moments.DAY} END AS day
FROM post p JOIN {{table}} x ON x.post_id = p.id {{more}} JOIN account a ON a.id = p.author_id
WHERE p.id > $1 AND {_PUBLIC}
"""
_TAGS = _USES.format(subject="x.tag_id", table="post_tag", more="")
_LINKS = _USES.format(
    subject="x.card_id",
    table="post_card",
    more="JOIN link_card l ON l.id = x.card_id AND l.title <> ''",
)
_COUNTED = f"""
SELECT id, sum(CASE WHEN today THEN 1 ELSE 0 END) AS today, sum(CASE WHEN today THEN 0 ELSE 1 END) AS before
FROM ({{uses}}) u GROUP BY id HAVING sum(CASE WHEN today THEN 1 ELSE 0 END) >= {FEW}
"""
# Who does not want to be found is not held up to everybody, and nothing that its author has covered.
_POSTS = f"""
SELECT p.id, p.likes + 2 * p.boosts AS points FROM post p JOIN account a ON a.id = p.author_id
WHERE p.id > $1 AND {_PUBLIC} AND p.reply_to_id IS NULL AND NOT p.sensitive AND p.summary = ''
AND a.discoverable AND p.likes + p.boosts >= {FEW}
ORDER BY p.likes + 2 * p.boosts DESC LIMIT {5 * _MOST}
"""
