"""Faces: the few things about an account that stand beside everything it does."""

from typing import NamedTuple

from fediblog import uris
from fediblog.models import Account
from fediblog.services import views
from fediblog.services.views import Card


class Face(NamedTuple):
    """An account as lists show it."""

    id: int
    name: str
    handle: str
    href: str
    avatar: str  # A storage key, empty for those without a picture.


def face_of(account: Account | Card) -> Face:
    """The face of an account, however it was read."""
    return Face(
        account.id,
        account.display_name or account.username,
        account.handle,
        uris.profile_path(account.username, account.domain),
        account.avatar,
    )


async def faces(account_ids: list[int]) -> list[Face]:
    """Faces in the order of the ids, without accounts that are gone."""
    cards = await views.cards(account_ids)
    return [face_of(cards[number]) for number in account_ids if number in cards]
