"""Saying what has happened to those who listen at this moment, in whichever process.

Only ids go round, and whom they concern. Whoever holds a listener's connection reads for that listener
(channels.py): nothing is told here that would have to be kept from anybody. It is said after the commit of
its cause, costs nothing when nobody hears, and may get lost: it is news, and rows are the truth.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from fediblog import bus, db
from fediblog.models import Post, Visibility

# Of a post that was passed on very often, only so many boosts are taken back before everybody's eyes.
_MOST_BOOSTS = 200


class Kind(StrEnum):
    """What has happened."""

    POST = "post"  # A post or boost is here.
    HOME = "home"  # It stands on the homes of `account_ids`.
    EDIT = "edit"
    DELETE = "delete"  # Those of `account_ids` were addressed.
    NOTICE = "notice"  # `account_ids` were told, each the one of `numbers` that has the same place.
    CONVERSATION = "conversation"  # The same with conversations and their numbers.
    MERGED = "merged"  # `account_ids` have let in what had been held back.
    FILTERS = "filters"  # `account_ids` have changed their filters.
    ANNOUNCED = "announced"  # The one announcement in `numbers` is for everybody here.
    WITHDRAWN = "withdrawn"  # It is so no more.
    REACTED = "reacted"  # Somebody reacted to it, or no longer does, with the name in `tags`.


@dataclass(frozen=True, slots=True)
class News:
    """What goes round. All but ids is about what is gone and cannot be read any more."""

    kind: Kind
    post_id: int = 0
    account_ids: Sequence[int] = ()
    numbers: Sequence[int] = ()
    author_id: int = 0
    visibility: int = Visibility.DIRECT.value
    tags: Sequence[str] = ()


def published(post_id: int) -> None:
    """A post or a boost is new here."""
    _say(News(Kind.POST, post_id))


def brought(post_id: int, account_ids: Sequence[int]) -> None:
    """It stands on these homes, where it did not stand before."""
    if account_ids:
        _say(News(Kind.HOME, post_id, account_ids))


def edited(post_id: int) -> None:
    """A post says something else now."""
    _say(News(Kind.EDIT, post_id))


async def deleted(post: Post, boosts: Sequence[db.Row] = ()) -> None:
    """A post is being deleted, with these boosts (id, author_id); to be said before its rows are gone."""
    if not bus.heard():
        return
    addressed = await db.column("SELECT account_id FROM mention WHERE post_id = $1", post.id)
    _say(News(Kind.DELETE, post.id, addressed, (), post.author_id, post.visibility, post.hashtags))
    for boost in boosts[-_MOST_BOOSTS:]:
        taken_back(boost["id"], boost["author_id"], Visibility.FOLLOWERS)


def taken_back(boost_id: int, author_id: int, visibility: int) -> None:
    """A boost is gone. It was on homes and lists at most, whoever could see it."""
    level = max(visibility, Visibility.UNLISTED.value)
    _say(News(Kind.DELETE, boost_id, author_id=author_id, visibility=level))


def notified(told: Collection[db.Row]) -> None:
    """Somebody was told something: rows of `id` and `account_id`."""
    _say_each(Kind.NOTICE, told)


def conversed(found: Collection[db.Row]) -> None:
    """Somebody's conversation has a new post: the same rows."""
    _say_each(Kind.CONVERSATION, found)


def merged(account_id: int) -> None:
    """An account's list of notices has more in it than before, and not only at its top."""
    _say(News(Kind.MERGED, account_ids=[account_id]))


def filters_changed(account_id: int) -> None:
    """An account's filters are not what they were."""
    _say(News(Kind.FILTERS, account_ids=[account_id]))


def announced(number: int) -> None:
    """The staff tells everybody something."""
    _say(News(Kind.ANNOUNCED, numbers=[number]))


def withdrawn(number: int) -> None:
    """It is taken back, or deleted."""
    _say(News(Kind.WITHDRAWN, numbers=[number]))


def reacted(number: int, name: str) -> None:
    """A reaction to an announcement is not counted as it was."""
    _say(News(Kind.REACTED, numbers=[number], tags=[name]))


def understood(tell: Callable[[News], None]) -> bus.Hearer:
    """Makes somebody who hears of News one who hears what goes round."""

    def hear(message: bytes) -> None:
        said = orjson.loads(message)
        tell(News(**{**said, "kind": Kind(said["kind"])}))

    return hear


def _say_each(kind: Kind, found: Collection[db.Row]) -> None:
    if found:
        numbers = [line["id"] for line in found]
        _say(News(kind, account_ids=[line["account_id"] for line in found], numbers=numbers))


def _say(news: News) -> None:
    if bus.heard():
        message = orjson.dumps(news)
        db.after_commit(lambda: bus.say(message))
