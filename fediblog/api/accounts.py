"""Accounts: who one is, who others are, and what stands between the two."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, entities, forms, rendering, uploads
from fediblog.api.auth import reads, scope
from fediblog.api.entities import VISIBILITIES
from fediblog.api.timelines import answer
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import (
    accounts,
    blocks,
    follows,
    mutes,
    preferences,
    relationships,
    timelines,
    views,
)
from fediblog.services.accounts import Profile
from fediblog.services.people import People
from fediblog.services.preferences import Preferences
from fediblog.services.relationships import Relationship

blueprint = Blueprint("accounts_api", __name__, url_prefix="/api/v1")

_LEVELS = {name: level for level, name in VISIBILITIES.items()}


@blueprint.get("/accounts/verify_credentials")
@scope("read:accounts")
async def verify_credentials() -> Response:
    """GET /api/v1/accounts/verify_credentials."""
    return await _credentials(auth.account())


@blueprint.patch("/accounts/update_credentials")
@scope("write:accounts")
async def update_credentials() -> Response:
    """PATCH /api/v1/accounts/update_credentials: what is not given stays as it is."""
    given = await forms.parameters()
    owner = await accounts.edit_profile(auth.account(), _profile(given))
    source = forms.mapping(given.get("source"))
    if source:
        await preferences.edit(auth.user(), _preferences(source))
    for field, change in (("avatar", accounts.set_avatar), ("header", accounts.set_header)):
        if path := await uploads.receive(field):
            owner = await change(owner, path)
    await auth.user().refresh_from_db()
    return await _credentials(owner)


@blueprint.get("/accounts/lookup")
@reads("read:accounts")
async def lookup() -> Response:
    """GET /api/v1/accounts/lookup?acct=."""
    return await _account(await accounts.lookup(request.args.get("acct", "")))


@blueprint.get("/accounts/relationships")
@scope("read:follows")
async def relations() -> Response:
    """GET /api/v1/accounts/relationships?id[]=; unknown ids are left out."""
    given = await forms.parameters()
    wanted = [number for item in forms.texts(given.get("id")) if (number := forms.number(item)) is not None]
    found = await relationships.between(auth.account(), wanted)
    return answers.json([_relationship(found[number]) for number in found])


@blueprint.get("/accounts/<int:account_id>")
@reads("read:accounts")
async def show(account_id: int) -> Response:
    """GET /api/v1/accounts/:id, also of somebody blocked."""
    return await _account(await accounts.get(account_id))


@blueprint.get("/accounts/<int:account_id>/statuses")
@reads("read:statuses")
async def statuses(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/statuses."""
    owner = await accounts.get(account_id)
    page = paging.parse(request.args)
    if _flag("pinned"):
        return await answer(await timelines.pinned(owner, auth.viewer()), page)
    found = await timelines.account(
        owner,
        auth.viewer(),
        page,
        replies=not _flag("exclude_replies"),
        boosts=not _flag("exclude_reblogs"),
        media=_flag("only_media"),
        tagged=request.args.get("tagged", ""),
    )
    return await answer(found, page)


@blueprint.get("/accounts/<int:account_id>/followers")
@reads("read:accounts")
async def followers(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/followers."""
    page = paging.parse(request.args, 40, 80)
    owner = await accounts.get(account_id)
    return await _people(await follows.followers(owner, auth.viewer(), page), page)


@blueprint.get("/accounts/<int:account_id>/following")
@reads("read:accounts")
async def following(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/following."""
    page = paging.parse(request.args, 40, 80)
    owner = await accounts.get(account_id)
    return await _people(await follows.following(owner, auth.viewer(), page), page)


@blueprint.post("/accounts/<int:account_id>/follow")
@scope("write:follows")
async def follow(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/follow: `reblogs`, `notify`, `languages[]`; again changes only these."""
    given = await forms.parameters()
    target = await accounts.get(account_id)
    await follows.follow(
        auth.account(),
        target,
        show_boosts=_optional(given, "reblogs"),
        notify=_optional(given, "notify"),
        languages=forms.texts(given["languages"]) if "languages" in given else None,
    )
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/unfollow")
@scope("write:follows")
async def unfollow(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unfollow."""
    target = await accounts.get(account_id)
    await follows.unfollow(auth.account(), target)
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/remove_from_followers")
@scope("write:follows")
async def remove_from_followers(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/remove_from_followers."""
    target = await accounts.get(account_id)
    await follows.remove_follower(auth.account(), target.id)
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/block")
@scope("write:blocks")
async def block(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/block: ends follows both ways."""
    target = await accounts.get(account_id)
    await blocks.block(auth.account(), target)
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/unblock")
@scope("write:blocks")
async def unblock(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unblock."""
    target = await accounts.get(account_id)
    await blocks.unblock(auth.account(), target)
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/mute")
@scope("write:mutes")
async def mute(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/mute: `notifications`, `duration` in seconds (0: for ever)."""
    given = await forms.parameters()
    target = await accounts.get(account_id)
    quiet = forms.boolean(given.get("notifications"), True)
    await mutes.mute(auth.account(), target, quiet, forms.number(given.get("duration")))
    return await _related(target)


@blueprint.post("/accounts/<int:account_id>/unmute")
@scope("write:mutes")
async def unmute(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unmute."""
    target = await accounts.get(account_id)
    await mutes.unmute(auth.account(), target)
    return await _related(target)


@blueprint.get("/follow_requests")
@scope("read:follows")
async def follow_requests() -> Response:
    """GET /api/v1/follow_requests."""
    page = paging.parse(request.args, 40, 80)
    return await _people(await follows.requests(auth.account(), page), page)


@blueprint.post("/follow_requests/<int:account_id>/authorize")
@scope("write:follows")
async def authorize(account_id: int) -> Response:
    """POST /api/v1/follow_requests/:account_id/authorize."""
    await follows.accept(auth.account(), account_id)
    return await _related(await accounts.get(account_id))


@blueprint.post("/follow_requests/<int:account_id>/reject")
@scope("write:follows")
async def reject(account_id: int) -> Response:
    """POST /api/v1/follow_requests/:account_id/reject."""
    await follows.reject(auth.account(), account_id)
    return await _related(await accounts.get(account_id))


@blueprint.get("/blocks")
@scope("read:blocks")
async def blocked() -> Response:
    """GET /api/v1/blocks."""
    page = paging.parse(request.args, 40, 80)
    return await _people(await blocks.blocked(auth.account(), page), page)


@blueprint.get("/mutes")
@scope("read:mutes")
async def muted() -> Response:
    """GET /api/v1/mutes."""
    page = paging.parse(request.args, 40, 80)
    return await _people(await mutes.muted(auth.account(), page), page)


@blueprint.get("/bookmarks")
@scope("read:bookmarks")
async def bookmarks() -> Response:
    """GET /api/v1/bookmarks."""
    page = paging.parse(request.args)
    return await answer(await timelines.bookmarks(auth.account(), page), page)


@blueprint.get("/favourites")
@scope("read:favourites")
async def favourites() -> Response:
    """GET /api/v1/favourites."""
    page = paging.parse(request.args)
    return await answer(await timelines.likes(auth.account(), page), page)


# ---------------------------------------------------------------------------------------------- helpers


async def _account(found: Account) -> Response:
    rendered = await rendering.accounts([found.id])
    if found.id not in rendered:
        raise NotFound
    return answers.json(rendered[found.id])


async def _people(found: People, page: Page) -> Response:
    rendered = await rendering.accounts(found.ids)
    return answers.listing([rendered[n] for n in found.ids if n in rendered], page, found.cursors)


async def _credentials(owner: Account) -> Response:
    card = (await views.cards([owner.id]))[owner.id]
    counts = (await views.counts([owner.id]))[owner.id]
    waiting = await follows.count_requests(owner)
    return answers.json(entities.credential_account(card, counts, owner, auth.user(), waiting))


async def _related(target: Account) -> Response:
    found = await relationships.between(auth.account(), [target.id])
    return answers.json(_relationship(found[target.id]))


def _relationship(found: Relationship) -> entities.Json:
    entity = asdict(found)
    showing = entity.pop("showing_boosts")
    expires = found.muting_expires_at
    return {
        **entity,
        "id": str(found.id),
        "showing_reblogs": showing,
        "languages": list(found.languages) if found.languages else None,
        "muting_expires_at": moments.iso(expires) if expires else None,
    }


def _flag(name: str) -> bool:
    return forms.boolean(request.args.get(name))


def _optional(given: Mapping[str, Any], name: str) -> bool | None:
    return forms.boolean(given[name]) if name in given else None


def _words(given: Mapping[str, Any], name: str) -> str | None:
    return forms.text(given[name]) if name in given else None


def _profile(given: Mapping[str, Any]) -> Profile:
    return Profile(
        display_name=_words(given, "display_name"),
        note=_words(given, "note"),
        fields=_fields(given.get("fields_attributes")),
        locked=_optional(given, "locked"),
        bot=_optional(given, "bot"),
        discoverable=_optional(given, "discoverable"),
        indexable=_optional(given, "indexable"),
        hide_collections=_optional(given, "hide_collections"),
    )


def _fields(value: Any) -> list[tuple[str, str]] | None:
    """Rows of a profile as a list, or as a map with numbers for names. Rows without a name are left out."""
    if value is None:
        return None
    rows = [forms.mapping(row) for row in (value if isinstance(value, list) else [value])]
    pairs = [(forms.text(row.get("name")), forms.text(row.get("value"))) for row in rows]
    return [pair for pair in pairs if pair[0].strip()]


def _preferences(source: Mapping[str, Any]) -> Preferences:
    privacy = _words(source, "privacy")
    if privacy is not None and privacy not in _LEVELS:
        raise Invalid("Validation failed: Privacy is not included in the list", "privacy")
    return Preferences(
        default_visibility=_LEVELS[privacy] if privacy is not None else None,
        default_sensitive=_optional(source, "sensitive"),
        default_language=_words(source, "language"),
    )
