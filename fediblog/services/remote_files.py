"""Files of other servers that rows of ours name: which may be shown, to whom, and what to make of each.

Only an address that stands in a row is ever fetched, none from a request. Nothing is shown of somebody who is
suspended, nor of a server that is blocked or whose media the staff does not want. What hangs on a post is for
those who may see the post, and for whoever has been shown its address and so holds its key (uris.remote).
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fediblog import db, http, uris
from fediblog.errors import NotFound
from fediblog.http import Refused
from fediblog.models import Account, Media, Post
from fediblog.paging import BIGGEST
from fediblog.services import domains, visibility


class Recipe(StrEnum):
    """What is made of a file: stands in `cached_file.kind`."""

    PICTURE = "picture"
    AVATAR = "avatar"
    HEADER = "header"
    EMOJI = "emoji"
    FILM = "film"  # And sounds: kept as they came.


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that may be shown. `keyed`: whoever asks had been shown exactly this address."""

    url: str
    recipe: Recipe
    small: bool = False
    keyed: bool = False


async def attachment(media_id: int, small: bool, viewer: Account | None, key: str) -> Wanted:
    """A file on a post, or the small picture that stands for it. Raises NotFound."""
    media = await Media.get_or_none(id=media_id) if media_id <= BIGGEST else None
    if media is None or media.post_id is None or media.file:
        raise NotFound
    keyed = _is_key(key, "attachments", media.id, media.remote_url)
    author = await _author(media.post_id, viewer, keyed)
    url, recipe = media.remote_url, Recipe.FILM
    if media.kind == "image":
        recipe = Recipe.PICTURE
    elif small:
        url, recipe = media.remote_preview_url, Recipe.PICTURE
    elif media.kind == "unknown":
        raise NotFound
    return await _allowed(Wanted(url, recipe, small, keyed), author)


async def avatar(account_id: int, key: str) -> Wanted:
    """Somebody's picture. Raises NotFound."""
    account = await _account(account_id)
    keyed = _is_key(key, "avatars", account.id, account.avatar_remote_url)
    return await _allowed(Wanted(account.avatar_remote_url, Recipe.AVATAR, keyed=keyed), account)


async def header(account_id: int, key: str) -> Wanted:
    """Somebody's banner. Raises NotFound."""
    account = await _account(account_id)
    keyed = _is_key(key, "headers", account.id, account.header_remote_url)
    return await _allowed(Wanted(account.header_remote_url, Recipe.HEADER, keyed=keyed), account)


async def emoji_of_account(account_id: int, shortcode: str, key: str) -> Wanted:
    """An emoji in somebody's name or profile. Raises NotFound."""
    account = await _account(account_id)
    url = _url_of(account.emojis, shortcode)
    keyed = _is_key(key, "emoji/accounts", account.id, url)
    return await _allowed(Wanted(url, Recipe.EMOJI, keyed=keyed), account)


async def emoji_of_post(post_id: int, shortcode: str, viewer: Account | None, key: str) -> Wanted:
    """An emoji in the text of a post. Raises NotFound."""
    post = await Post.get_or_none(id=post_id) if post_id <= BIGGEST else None
    url = _url_of(post.emojis, shortcode) if post else ""
    keyed = _is_key(key, "emoji/posts", post_id, url)
    author = await _author(post_id, viewer, keyed)
    return await _allowed(Wanted(url, Recipe.EMOJI, keyed=keyed), author)


async def card(card_id: int, key: str) -> Wanted:
    """The picture of a page that a post links to, for whoever has been shown its address. Raises NotFound."""
    found = await db.row(_CARD, card_id) if card_id <= BIGGEST else None
    if found is None or not _is_key(key, "cards", card_id, found["image_url"]):
        raise NotFound
    await _check_hosts({_host(found["url"]), _host(found["image_url"])})
    return Wanted(found["image_url"], Recipe.PICTURE, small=True, keyed=True)


async def _allowed(wanted: Wanted, owner: Account) -> Wanted:
    """The same, where the rules about all servers allow it: the owner's, also where the handle names another
    one (FEDERATION §1.4), and the one that has the file.
    """
    if not wanted.url or owner.local or owner.suspended_at is not None or owner.deleted_at is not None:
        raise NotFound
    await _check_hosts({owner.domain, _host(owner.uri), _host(wanted.url)})
    return wanted


async def _check_hosts(hosts: Iterable[str]) -> None:
    for host in hosts:
        policy = await domains.policy(host)
        if policy.refused or policy.reject_media:
            raise NotFound


def _host(url: str) -> str:
    try:
        return http.authority(url)
    except Refused:
        raise NotFound from None


async def _account(account_id: int) -> Account:
    account = await Account.get_or_none(id=account_id) if account_id <= BIGGEST else None
    if account is None:
        raise NotFound
    return account


async def _author(post_id: int, viewer: Account | None, keyed: bool) -> Account:
    """Whose post it is, if the viewer may see it or holds the key. Raises NotFound."""
    post = await Post.get_or_none(id=post_id)
    if post is None or not (keyed or await visibility.may_see(viewer, post)):
        raise NotFound
    return await Account.get(id=post.author_id)


def _url_of(emojis: Iterable[Mapping[str, str]], shortcode: str) -> str:
    return next((each["url"] for each in emojis if each["shortcode"] == shortcode), "")


def _is_key(key: str, kind: str, number: int, url: str) -> bool:
    return hmac.compare_digest(key.encode(), uris.remote_key(kind, number, url).encode())


_CARD = "SELECT url, image_url FROM link_card WHERE id = $1 AND image_url <> ''"
