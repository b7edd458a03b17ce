"""Visibility <-> `to` and `cc`, in both directions (FEDERATION §3 and §5, addressing)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fediblog.activitypub.vocabulary import PUBLIC, PUBLICS, as_list, id_of
from fediblog.models import Visibility

# More than these are dropped (SECURITY §4).
MOST_ADDRESSED = 1_000


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may see a post, and who is named beside the public and the followers."""

    visibility: Visibility
    named: tuple[str, ...] = ()


def address(
    visibility: Visibility, followers: str, mentioned: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """`to` and `cc` of a post or boost of ours. The activity carries the same as its object."""
    people = list(dict.fromkeys(mentioned))
    match visibility:
        case Visibility.PUBLIC:
            return [PUBLIC], [followers, *people]
        case Visibility.UNLISTED:
            return [followers], [PUBLIC, *people]
        case Visibility.FOLLOWERS:
            return [followers], people
        case Visibility.DIRECT:
            return people, []


def read(thing: dict[str, Any], activity: dict[str, Any] | None, followers: str | None) -> Audience:
    """The audience of an object; of the activity around it when the object says nothing.

    `followers` is the author's own collection as the author's actor names it: another's does not count.
    """
    source = thing if activity is None or "to" in thing or "cc" in thing else activity
    to, cc = _addresses(source.get("to")), _addresses(source.get("cc"))
    known = PUBLICS | {followers}
    named = (each for each in dict.fromkeys(to + cc) if each not in known)
    return Audience(_visibility(to, cc, followers), tuple(islice(named, MOST_ADDRESSED)))


def _visibility(to: Sequence[str], cc: Sequence[str], followers: str | None) -> Visibility:
    """Whoever is addressed without the public and the followers is addressed directly, mentioned or not."""
    if not PUBLICS.isdisjoint(to):
        return Visibility.PUBLIC
    if not PUBLICS.isdisjoint(cc):
        return Visibility.UNLISTED
    if followers in to or followers in cc:
        return Visibility.FOLLOWERS
    return Visibility.DIRECT


def _addresses(value: Any) -> list[str]:
    return [found for each in as_list(value) if (found := id_of(each))]
