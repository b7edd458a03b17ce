"""Statuses: publishing, reading, editing, deleting, and what one does with them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quart import Blueprint, Response, request

from fediblog import moments, paging, uris
from fediblog.api import answers, auth, entities, forms, rendering, scheduled_statuses
from fediblog.api.auth import deleting, reads, scope
from fediblog.errors import NotFound
from fediblog.models import Post, Quotable, Visibility
from fediblog.services import (
    bookmarks,
    boosts,
    edits,
    likes,
    pins,
    posts,
    scheduled,
    thread_mutes,
    threads,
    views,
)
from fediblog.services.composing import Draft
from fediblog.services.media import Words
from fediblog.services.polls import PollDraft
from fediblog.services.views import Entry

blueprint = Blueprint("statuses", __name__, url_prefix="/api/v1/statuses")

_MOST_AT_ONCE = 40


@blueprint.post("")
@scope("write:statuses")
async def create() -> Response:
    """POST /api/v1/statuses. The same `Idempotency-Key` by the same token gives the first status.

    With `scheduled_at` it is a ScheduledStatus, and published then.
    """
    given = await forms.parameters()
    key = request.headers.get("Idempotency-Key", "")[:200]
    owner = f"token {auth.bearer().token_id}"
    draft = _draft(given, key, owner)
    if given.get("scheduled_at") in (None, ""):
        return await _answer(await posts.publish(auth.account(), draft))
    at = forms.moment(given["scheduled_at"], "scheduled_at")
    later = await scheduled.schedule(auth.account(), draft, at, auth.bearer().app_id)
    return answers.json(scheduled_statuses.entity(later))


@blueprint.get("")
@reads("read:statuses")
async def several() -> Response:
    """GET /api/v1/statuses?id[]=: those that the viewer may see, in the order asked for."""
    given = await forms.parameters()
    wanted = forms.ids(given.get("id"))[:_MOST_AT_ONCE]
    viewer = auth.viewer()
    rendered = await rendering.by_id(list((await posts.entries(wanted, viewer)).values()), viewer)
    return answers.json(rendering.listing(rendered[number] for number in wanted if number in rendered))


@blueprint.get("/<int:post_id>")
@reads("read:statuses")
async def show(post_id: int) -> Response:
    """GET /api/v1/statuses/:id."""
    return await _shown(await posts.entries([post_id], auth.viewer()))


@blueprint.put("/<int:post_id>")
@scope("write:statuses")
async def edit(post_id: int) -> Response:
    """PUT /api/v1/statuses/:id: files left out of `media_ids` go, `media_attributes` change their texts."""
    return await _answer(await posts.edit(auth.account(), post_id, _revision(await forms.parameters())))


@blueprint.delete("/<int:post_id>")
@scope("write:statuses")
@deleting
async def delete(post_id: int) -> Response:
    """DELETE /api/v1/statuses/:id: gives the text back, so that it can be written again."""
    entry = (await posts.entries([post_id], auth.account())).get(post_id)
    rendered = await rendering.statuses([entry], auth.account()) if entry else []
    deleted = await posts.delete(auth.account(), post_id)
    if not rendered:
        raise NotFound
    return answers.json(rendered[0][:-1] + b"," + entities.dump({"text": deleted.source})[1:])


@blueprint.get("/<int:post_id>/context")
@reads("read:statuses")
async def context(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/context."""
    viewer = auth.viewer()
    found = await threads.context(await posts.original(post_id, viewer), viewer)
    rendered = await rendering.by_id([*found.ancestors, *found.descendants], viewer)
    above, below = (
        rendering.listing(rendered[entry.id] for entry in part if entry.id in rendered) for part in found
    )
    return answers.json(b'{"ancestors":' + above + b',"descendants":' + below + b"}")


@blueprint.get("/<int:post_id>/source")
@scope("read:statuses")
async def source(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/source, for the author."""
    post = await posts.original(post_id, auth.account())
    if post.author_id != auth.account().id:
        raise NotFound
    return answers.json({"id": str(post.id), "text": post.source, "spoiler_text": post.summary})


@blueprint.get("/<int:post_id>/history")
@reads("read:statuses")
async def history(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/history: all versions, the original first."""
    post = await posts.original(post_id, auth.viewer())
    author = (await rendering.accounts([post.author_id]))[post.author_id]
    versions = [_version(version, author) for version in await edits.history(post, auth.viewer())]
    return answers.json(rendering.listing(versions))


@blueprint.post("/<int:post_id>/favourite")
@scope("write:favourites")
async def favourite(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/favourite."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await likes.like(auth.account(), post))


@blueprint.post("/<int:post_id>/unfavourite")
@scope("write:favourites")
async def unfavourite(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/unfavourite."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await likes.unlike(auth.account(), post))


@blueprint.post("/<int:post_id>/reblog")
@scope("write:statuses")
async def reblog(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/reblog: the boost, the same one when repeated."""
    given = await forms.parameters()
    post = await posts.original(post_id, auth.account())
    return await _answer(await boosts.boost(auth.account(), post, forms.visibility(given.get("visibility"))))


@blueprint.post("/<int:post_id>/unreblog")
@scope("write:statuses")
@deleting
async def unreblog(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/unreblog: the original."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await boosts.unboost(auth.account(), post))


@blueprint.post("/<int:post_id>/bookmark")
@scope("write:bookmarks")
async def bookmark(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/bookmark."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await bookmarks.bookmark(auth.account(), post))


@blueprint.post("/<int:post_id>/unbookmark")
@scope("write:bookmarks")
async def unbookmark(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/unbookmark."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await bookmarks.unbookmark(auth.account(), post))


@blueprint.post("/<int:post_id>/pin")
@scope("write:accounts")
async def pin(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/pin."""
    post = await posts.get(post_id, auth.account())
    await pins.pin(auth.account(), post)
    return await _answer(post)


@blueprint.post("/<int:post_id>/unpin")
@scope("write:accounts")
async def unpin(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/unpin."""
    post = await posts.get(post_id, auth.account())
    await pins.unpin(auth.account(), post)
    return await _answer(post)


@blueprint.post("/<int:post_id>/mute")
@scope("write:mutes")
async def mute(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/mute: no notifications from its thread."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await thread_mutes.mute(auth.account(), post))


@blueprint.post("/<int:post_id>/unmute")
@scope("write:mutes")
async def unmute(post_id: int) -> Response:
    """POST /api/v1/statuses/:id/unmute."""
    post = await posts.original(post_id, auth.account())
    return await _answer(await thread_mutes.unmute(auth.account(), post))


@blueprint.get("/<int:post_id>/favourited_by")
@reads("read:accounts")
async def favourited_by(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/favourited_by."""
    page = paging.parse(request.args, 40, 80)
    post = await posts.original(post_id, auth.viewer())
    return await answers.people(await likes.liked_by(post, auth.viewer(), page), page)


@blueprint.get("/<int:post_id>/reblogged_by")
@reads("read:accounts")
async def reblogged_by(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/reblogged_by."""
    page = paging.parse(request.args, 40, 80)
    post = await posts.original(post_id, auth.viewer())
    return await answers.people(await boosts.boosted_by(post, auth.viewer(), page), page)


# ---------------------------------------------------------------------------------------------- helpers


async def _answer(post: Post) -> Response:
    return await _shown(await views.entries([post.id], auth.viewer()))


async def _shown(found: Mapping[int, Entry]) -> Response:
    """The only status that was looked up. Raises NotFound when it was not there."""
    rendered = await rendering.statuses(list(found.values()), auth.viewer())
    if not rendered:
        raise NotFound
    return answers.json(rendered[0])


def _draft(given: Mapping[str, Any], key: str, owner: str) -> Draft:
    """The parameters of a new status as a draft; what is not given is as usual for the author."""
    user = auth.user()
    return replace(
        _revision(given, user.default_sensitive),
        visibility=forms.visibility(given.get("visibility")),
        usual=Visibility(user.default_visibility),
        language=forms.text(given.get("language")) or user.default_language,
        reply_to_id=_one(given.get("in_reply_to_id")),
        quoted_id=_one(given.get("quoted_status_id")),
        usual_quote_policy=Quotable(user.default_quote_policy),
        application=auth.bearer().app_name,
        idempotency_key=key,
        idempotency_owner=owner,
    )


def _revision(given: Mapping[str, Any], sensitive: bool = False) -> Draft:
    """What an edit may say: what is not given is gone, but for the language and who may quote it."""
    return Draft(
        source=forms.text(given.get("status")),
        summary=forms.text(given.get("spoiler_text")),
        sensitive=forms.boolean(given.get("sensitive"), sensitive),
        language=forms.text(given.get("language")),
        media_ids=tuple(forms.ids(given.get("media_ids"))),
        words=_words(given.get("media_attributes")),
        poll=_poll(given.get("poll")),
        quote_policy=forms.quote_policy(given.get("quote_approval_policy")),
    )


def _one(value: Any) -> int | None:
    if value in (None, ""):
        return None
    number = forms.number(value)
    if number is None:
        raise NotFound
    return number


def _poll(value: Any) -> PollDraft | None:
    given = forms.mapping(value)
    if not given:
        return None
    return PollDraft(
        options=tuple(forms.texts(given.get("options"))),
        seconds=forms.number(given.get("expires_in")) or 0,
        multiple=forms.boolean(given.get("multiple")),
        hide_totals=forms.boolean(given.get("hide_totals")),
    )


def _words(value: Any) -> dict[int, Words]:
    """What is said about files, by their ids. Raises Invalid for what is no id."""
    changes = [forms.mapping(change) for change in (value if isinstance(value, list) else [value])]
    return {
        number: Words(
            forms.text(change["description"]) if "description" in change else None,
            forms.focus(change.get("focus")),
        )
        for change in changes
        for number in forms.ids(change.get("id"))
    }


def _version(version: edits.Version, author: bytes) -> bytes:
    entity = entities.dump(
        {
            "content": version.content,
            "spoiler_text": version.summary,
            "sensitive": version.sensitive,
            "created_at": moments.iso(version.created_at),
            "media_attachments": [_old_file(found) for found in version.media],
            "emojis": [],
            **({"poll": {"options": [{"title": t} for t in version.options]}} if version.options else {}),
        }
    )
    return entity[:-1] + b',"account":' + author + b"}"


def _old_file(found: Mapping[str, Any]) -> entities.Json:
    return {
        "id": str(found["id"]),
        "type": found["kind"],
        "url": uris.media(found["file"]) if found["file"] else None,
        "preview_url": uris.media(found["small_file"]) if found["small_file"] else None,
        "remote_url": None,
        "description": found["description"] or None,
        "blurhash": None,
        "meta": {},
    }
