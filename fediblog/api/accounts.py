"""Accounts: who one is, who others are, and what stands between the two."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, entities, forms, relations, rendering, uploads
from fediblog.api.auth import reads, scope
from fediblog.errors import NotFound
from fediblog.models import Account
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
from fediblog.services.preferences import Preferences
from fediblog.services.relationships import Relationship

blueprint = Blueprint("accounts_api", __name__, url_prefix="/api/v1")

_MOST_AT_ONCE = 200


@blueprint.get("/accounts/verify_credentials")
@scope("read:accounts")
async def verify_credentials() -> Response:
    """GET /api/v1/accounts/verify_credentials."""
    return await credentials(auth.account())


@blueprint.patch("/accounts/update_credentials")
@scope("write:accounts")
async def update_credentials() -> Response:
    """PATCH /api/v1/accounts/update_credentials: what is not given stays as it is."""
    return await credentials(await update())


@blueprint.get("/accounts/lookup")
@reads("read:accounts")
async def lookup() -> Response:
    """GET /api/v1/accounts/lookup?acct=."""
    return await _account(await accounts.lookup(request.args.get("acct", "")))


@blueprint.get("/accounts/relationships")
@scope("read:follows")
async def relationships_to() -> Response:
    """GET /api/v1/accounts/relationships?id[]=; unknown ids are left out."""
    given = await forms.parameters()
    wanted = [number for item in forms.texts(given.get("id")) if (number := forms.number(item)) is not None]
    found = await relationships.between(auth.account(), wanted[:_MOST_AT_ONCE])
    return answers.json([relations.entity(found[number]) for number in found])


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
    if forms.asked("pinned"):
        return await answers.statuses(await timelines.pinned(owner, auth.viewer(), page), page)
    found = await timelines.account(
        owner,
        auth.viewer(),
        page,
        replies=not forms.asked("exclude_replies"),
        boosts=not forms.asked("exclude_reblogs"),
        media=forms.asked("only_media"),
        tagged=request.args.get("tagged", ""),
    )
    return await answers.statuses(found, page)


@blueprint.get("/accounts/<int:account_id>/followers")
@reads("read:accounts")
async def followers(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/followers."""
    page = paging.parse(request.args, 40, 80)
    owner = await accounts.get(account_id)
    return await answers.people(await follows.followers(owner, auth.viewer(), page), page)


@blueprint.get("/accounts/<int:account_id>/following")
@reads("read:accounts")
async def following(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/following."""
    page = paging.parse(request.args, 40, 80)
    owner = await accounts.get(account_id)
    return await answers.people(await follows.following(owner, auth.viewer(), page), page)


@blueprint.post("/accounts/<int:account_id>/follow")
@scope("write:follows")
async def follow(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/follow: `reblogs`, `notify`, `languages[]`; again changes only these."""
    given = await forms.parameters()
    target = await accounts.get(account_id)
    await follows.follow(
        auth.account(),
        target,
        show_boosts=forms.switch(given.get("reblogs")),
        notify=forms.switch(given.get("notify")),
        languages=forms.texts(given["languages"]) if "languages" in given else None,
    )
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/unfollow")
@scope("write:follows")
async def unfollow(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unfollow."""
    target = await accounts.get(account_id)
    await follows.unfollow(auth.account(), target)
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/remove_from_followers")
@scope("write:follows")
async def remove_from_followers(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/remove_from_followers."""
    target = await accounts.get(account_id)
    await follows.remove_follower(auth.account(), target.id)
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/block")
@scope("write:blocks")
async def block(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/block: ends follows both ways."""
    target = await accounts.get(account_id)
    await blocks.block(auth.account(), target)
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/unblock")
@scope("write:blocks")
async def unblock(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unblock."""
    target = await accounts.get(account_id)
    await blocks.unblock(auth.account(), target)
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/mute")
@scope("write:mutes")
async def mute(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/mute: `notifications`, `duration` in seconds (0: for ever)."""
    given = await forms.parameters()
    target = await accounts.get(account_id)
    quiet = forms.boolean(given.get("notifications"), True)
    await mutes.mute(auth.account(), target, quiet, forms.number(given.get("duration")))
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/unmute")
@scope("write:mutes")
async def unmute(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unmute."""
    target = await accounts.get(account_id)
    await mutes.unmute(auth.account(), target)
    return await relations.related(target)


@blueprint.get("/follow_requests")
@scope("read:follows")
async def follow_requests() -> Response:
    """GET /api/v1/follow_requests."""
    page = paging.parse(request.args, 40, 80)
    return await answers.people(await follows.requests(auth.account(), page), page)


@blueprint.post("/follow_requests/<int:account_id>/authorize")
@scope("write:follows")
async def authorize(account_id: int) -> Response:
    """POST /api/v1/follow_requests/:account_id/authorize."""
    await follows.accept(auth.account(), account_id)
    return await relations.related(await accounts.get(account_id))


@blueprint.post("/follow_requests/<int:account_id>/reject")
@scope("write:follows")
async def reject(account_id: int) -> Response:
    """POST /api/v1/follow_requests/:account_id/reject."""
    await follows.reject(auth.account(), account_id)
    return await relations.related(await accounts.get(account_id))


@blueprint.get("/blocks")
@scope("read:blocks")
async def blocked() -> Response:
    """GET /api/v1/blocks."""
    page = paging.parse(request.args, 40, 80)
    return await answers.people(await blocks.blocked(auth.account(), page), page)


@blueprint.get("/mutes")
@scope("read:mutes")
async def muted() -> Response:
    """GET /api/v1/mutes: each with the time of its end."""
    page = paging.parse(request.args, 40, 80)
    found = await mutes.muted(auth.account(), page)
    ends = await relationships.between(auth.account(), found.ids)
    more = {number: _mute_end(relation) for number, relation in ends.items()}
    return await answers.people(found, page, more)


@blueprint.get("/bookmarks")
@scope("read:bookmarks")
async def bookmarks() -> Response:
    """GET /api/v1/bookmarks."""
    page = paging.parse(request.args)
    return await answers.statuses(await timelines.bookmarks(auth.account(), page), page)


@blueprint.get("/favourites")
@scope("read:favourites")
async def favourites() -> Response:
    """GET /api/v1/favourites."""
    page = paging.parse(request.args)
    return await answers.statuses(await timelines.likes(auth.account(), page), page)


# ---------------------------------------------------------------------------------------------- helpers


async def _account(found: Account) -> Response:
    moved = [found.moved_to_id] if found.moved_to_id else []
    rendered = await rendering.accounts([found.id, *moved])
    if found.id not in rendered:
        raise NotFound
    json = rendered[found.id]
    for there in rendered.keys() & moved:
        json = json[:-1] + b',"moved":' + rendered[there] + b"}"
    return answers.json(json)


async def update() -> Account:
    """Change what the parameters say about oneself; the account as it is afterwards."""
    given = await forms.parameters()
    draft, source = accounts.check(_profile(given)), _preferences(forms.mapping(given.get("source")))
    preferences.check(source)
    owner = auth.account()
    # All that can be wrong comes before the first change, but for pictures that cannot be read.
    for field, change in (("avatar", accounts.set_avatar), ("header", accounts.set_header)):
        if path := await uploads.receive(field):
            owner = await change(owner, path)
    owner = await accounts.edit_profile(owner, draft)
    await preferences.edit(auth.user(), source)
    await auth.user().refresh_from_db()
    return owner


async def credentials(owner: Account) -> Response:
    """One's own account as an answer."""
    card, counts = (await views.people([owner.id]))[owner.id]
    waiting = await follows.count_requests(owner)
    return answers.json(entities.credential_account(card, counts, owner, auth.user(), waiting))


def _mute_end(found: Relationship) -> bytes:
    expires = found.muting_expires_at
    return b"," + entities.dump({"mute_expires_at": moments.iso(expires) if expires else None})[1:]


def _words(given: Mapping[str, Any], name: str) -> str | None:
    return forms.text(given[name]) if name in given else None


def _profile(given: Mapping[str, Any]) -> Profile:
    return Profile(
        display_name=_words(given, "display_name"),
        note=_words(given, "note"),
        fields=_fields(given.get("fields_attributes")),
        locked=forms.switch(given.get("locked")),
        bot=forms.switch(given.get("bot")),
        discoverable=forms.switch(given.get("discoverable")),
        indexable=forms.switch(given.get("indexable")),
        hide_collections=forms.switch(given.get("hide_collections")),
    )


def _fields(value: Any) -> list[tuple[str, str]] | None:
    """Rows of a profile as a list, or as a map with numbers for names. Rows without a name are left out."""
    if value is None:
        return None
    rows = [forms.mapping(row) for row in (value if isinstance(value, list) else [value])]
    pairs = [(forms.text(row.get("name")), forms.text(row.get("value"))) for row in rows]
    return [pair for pair in pairs if pair[0].strip()]


def _preferences(source: Mapping[str, Any]) -> Preferences:
    return Preferences(
        default_visibility=forms.visibility(source.get("privacy")),
        default_sensitive=forms.switch(source.get("sensitive")),
        default_language=_words(source, "language"),
        default_quote_policy=forms.quote_policy(source.get("quote_policy")),
    )
