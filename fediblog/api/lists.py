"""Lists: gathering people whom one follows, to read them apart."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, entities, forms, rendering
from fediblog.api.auth import scope
from fediblog.paging import Page
from fediblog.services import accounts, lists, timelines
from fediblog.services.lists import AccountList, Replies

blueprint = Blueprint("lists_api", __name__, url_prefix="/api/v1")


@blueprint.get("/lists")
@scope("read:lists")
async def listing() -> Response:
    """GET /api/v1/lists: all of them."""
    return _answer(await lists.listing(auth.account()))


@blueprint.post("/lists")
@scope("write:lists")
async def create() -> Response:
    """POST /api/v1/lists: `title`, `replies_policy`, `exclusive`."""
    given = await forms.parameters()
    made = await lists.create(
        auth.account(),
        forms.text(given.get("title")),
        _policy(given) or Replies.LIST,
        forms.boolean(given.get("exclusive")),
    )
    return answers.json(_entity(made))


@blueprint.get("/lists/<int:list_id>")
@scope("read:lists")
async def show(list_id: int) -> Response:
    """GET /api/v1/lists/:id."""
    return answers.json(_entity(await lists.get(auth.account(), list_id)))


@blueprint.put("/lists/<int:list_id>")
@scope("write:lists")
async def edit(list_id: int) -> Response:
    """PUT /api/v1/lists/:id: what is not given stays as it is."""
    given = await forms.parameters()
    changed = await lists.edit(
        auth.account(),
        list_id,
        forms.text(given["title"]) if "title" in given else None,
        _policy(given),
        forms.switch(given.get("exclusive")),
    )
    return answers.json(_entity(changed))


@blueprint.delete("/lists/<int:list_id>")
@scope("write:lists")
async def delete(list_id: int) -> Response:
    """DELETE /api/v1/lists/:id."""
    await lists.delete(auth.account(), list_id)
    return answers.json({})


@blueprint.get("/lists/<int:list_id>/accounts")
@scope("read:lists")
async def members(list_id: int) -> Response:
    """GET /api/v1/lists/:id/accounts; with `limit=0` all of them at once."""
    if request.args.get("limit") == "0":
        found = await lists.members(auth.account(), list_id, Page(lists.MOST_MEMBERS))
        rendered = await rendering.accounts(found.ids)
        return answers.json(rendering.listing(rendered[one] for one in found.ids if one in rendered))
    page = paging.parse(request.args, 40, 80)
    return await answers.people(await lists.members(auth.account(), list_id, page), page)


@blueprint.post("/lists/<int:list_id>/accounts")
@scope("write:lists")
async def add(list_id: int) -> Response:
    """POST /api/v1/lists/:id/accounts: `account_ids[]`; 404 for who is not followed."""
    given = await forms.parameters()
    await lists.add(auth.account(), list_id, forms.ids(given.get("account_ids")))
    return answers.json({})


@blueprint.delete("/lists/<int:list_id>/accounts")
@scope("write:lists")
async def remove(list_id: int) -> Response:
    """DELETE /api/v1/lists/:id/accounts: `account_ids[]`, in the query or in a body."""
    given = await forms.parameters()
    await lists.remove(auth.account(), list_id, forms.ids(given.get("account_ids")))
    return answers.json({})


@blueprint.get("/accounts/<int:account_id>/lists")
@scope("read:lists")
async def holding(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/lists: those of one's own lists that somebody is on."""
    member = await accounts.get(account_id)
    return _answer(await lists.holding(auth.account(), member.id))


@blueprint.get("/timelines/list/<int:list_id>")
@scope("read:lists")
async def timeline(list_id: int) -> Response:
    """GET /api/v1/timelines/list/:list_id."""
    page = paging.parse(request.args)
    which = await lists.get(auth.account(), list_id)
    return await answers.statuses(await timelines.members(auth.account(), which, page), page)


def _policy(given: Mapping[str, Any]) -> str | None:
    """The word for which replies are shown; None when it is not given. The service knows the words."""
    return forms.text(given.get("replies_policy")) or None


def _answer(found: list[AccountList]) -> Response:
    return answers.json([_entity(one) for one in found])


def _entity(found: AccountList) -> entities.Json:
    return {
        "id": str(found.id),
        "title": found.title,
        "replies_policy": found.replies.value,
        "exclusive": found.exclusive,
    }
