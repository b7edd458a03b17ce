"""Hashtags as things of their own: how much one is used, and who follows it."""

from collections.abc import Sequence
from typing import NamedTuple

from fediblog import db, ids, text
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import hashtags, locks, uses
from fediblog.services.uses import Thing, Use

# Nobody reads that many, and each is looked at for every post that comes.
_MOST_FOLLOWED = 500


class Tag(NamedTuple):
    """A hashtag as one viewer sees it. `uses` are the last seven days, today first.

    The id is 0 for one that nobody has used yet.
    """

    id: int
    name: str
    uses: tuple[Use, ...]
    following: bool = False
    featuring: bool = False


class Followed(NamedTuple):
    """A page of hashtags, the last followed first, and the ids of the relation rows to page by."""

    tags: list[Tag]
    cursors: list[int]


def tidy(name: str) -> str:
    """A hashtag as it was asked for, without its sign. Raises NotFound for what can be none."""
    name = text.tidy(name).removeprefix("#")
    if text.scan(f"#{name}").hashtags != (name,):
        raise NotFound
    return name


async def get(name: str, viewer: Account | None) -> Tag:
    """The hashtag of this name, also one that nobody has used. Raises NotFound for what can be none."""
    name = tidy(name)
    found = await db.row(_GET, text.tag_key(name), viewer.id if viewer else 0)
    if found is None:
        return Tag(0, name, uses.none())
    return (await _with_uses([found]))[0]


async def follow(account: Account, name: str) -> Tag:
    """Let public posts with a hashtag come onto one's home from now on; twice is the same as once.

    Raises NotFound for what can be none, Invalid for too many.
    """
    name = tidy(name)
    async with db.transaction():
        await locks.hold(f"followed tags:{account.id}")
        number = await hashtags.number(name)
        await db.execute(_FOLLOW, account.id, number, ids.new())
        if await db.value(_COUNT, account.id) > _MOST_FOLLOWED:
            raise Invalid(f"You can follow {_MOST_FOLLOWED} hashtags at most.")
    return await get(name, account)


async def unfollow(account: Account, name: str) -> Tag:
    """End that; posts that are on one's home for this alone are not shown any more. Not followed: nothing."""
    name = tidy(name)
    async with db.transaction():
        await db.execute(_UNFOLLOW, account.id, text.tag_key(name))
    return await get(name, account)


async def followed(account: Account, page: Page) -> Followed:
    """The hashtags that an account follows, in two statements."""
    found = await db.rows(_followed_sql(page), page.before, page.after, account.id)
    found = sorted(found[: page.limit], key=lambda line: -line["cursor"])
    return Followed(await _with_uses(found), [line["cursor"] for line in found])


async def several(tag_ids: Sequence[int], viewer: Account | None) -> list[Tag]:
    """Hashtags in the order of these ids, in two statements."""
    viewer_id = viewer.id if viewer else 0
    found = await db.rows(_SEVERAL.format(given=db.unnest("$1")), db.array(tag_ids), viewer_id)
    known = {tag.id: tag for tag in await _with_uses(found)}
    return [known[number] for number in tag_ids if number in known]


async def _with_uses(found: Sequence[db.Row]) -> list[Tag]:
    used = await uses.by_day(Thing.TAG, [line["id"] for line in found])
    return [
        Tag(line["id"], line["name"], used[line["id"]], bool(line["following"]), bool(line["featuring"]))
        for line in found
    ]


def _followed_sql(page: Page) -> str:
    return (
        f"SELECT g.id, g.name, TRUE AS following, {_FEATURED.format('$3')} AS featuring, x.id AS cursor"
        " FROM followed_tag x JOIN tag g ON g.id = x.tag_id"
        f" WHERE x.account_id = $3 AND x.id < $1 AND x.id > $2 ORDER BY x.id {page.order} LIMIT {page.rows}"
    )


_FEATURED = "EXISTS (SELECT 1 FROM featured_tag f WHERE f.account_id = {} AND f.tag_id = g.id)"
_SEEN = f"""SELECT g.id, g.name, {_FEATURED.format("$2")} AS featuring,
  EXISTS (SELECT 1 FROM followed_tag f WHERE f.account_id = $2 AND f.tag_id = g.id) AS following"""
_GET = f"{_SEEN} FROM tag g WHERE g.key = $1"
_SEVERAL = f"{_SEEN} FROM {{given}} JOIN tag g ON g.id = given.id"
_COUNT = "SELECT count(*) FROM followed_tag WHERE account_id = $1"
_FOLLOW = "INSERT INTO followed_tag (account_id, tag_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_UNFOLLOW = """
DELETE FROM followed_tag WHERE account_id = $1 AND tag_id = (SELECT id FROM tag WHERE key = $2)
"""
