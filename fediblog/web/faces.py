"""Faces: the few things about an account that stand beside everything it does."""

from typing import NamedTuple

from markupsafe import Markup

from fediblog import uris
from fediblog.models import Account
from fediblog.services import views
from fediblog.services.views import Card
from fediblog.web import emoji


class Face(NamedTuple):
    """An account as lists show it."""

    id: int
    name: str
    handle: str
    href: str
    avatar: str  # A path, empty for those without a picture.
    shown: Markup  # The name with its emoji.


def face_of(account: Account | Card) -> Face:
    """The face of an account, however it was read."""
    name = account.display_name or account.username
    avatar, emojis = (account.avatar, account.emojis) if isinstance(account, Card) else views.looks(account)
    return Face(
        account.id,
        name,
        account.handle,
        uris.profile_path(account.username, account.domain),
        avatar,
        emoji.named(name, emojis),
    )


async def faces(account_ids: list[int]) -> list[Face]:
    """Faces in the order of the ids, without accounts that are gone."""
    cards = await views.cards(account_ids)
    return [face_of(cards[number]) for number in account_ids if number in cards]
