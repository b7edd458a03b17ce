"""Filters of the second version: a title, where and what to do, and any number of keywords and statuses."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response

from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import scope
from fediblog.errors import Invalid, NotFound
from fediblog.services import filters
from fediblog.services.filters import Draft, KeywordDraft

blueprint = Blueprint("filters_api", __name__, url_prefix="/api/v2/filters")


@blueprint.get("")
@scope("read:filters")
async def listing() -> Response:
    """GET /api/v2/filters: all of them."""
    return answers.json([entities.filter_(found) for found in await filters.listing(auth.account())])


@blueprint.post("")
@scope("write:filters")
async def create() -> Response:
    """POST /api/v2/filters: `title`, `context[]`, `filter_action`, `expires_in`, `keywords_attributes[]`."""
    draft = _draft(await forms.parameters())
    return answers.json(entities.filter_(await filters.create(auth.account(), draft)))


@blueprint.get("/<int:filter_id>")
@scope("read:filters")
async def show(filter_id: int) -> Response:
    """GET /api/v2/filters/:id."""
    return answers.json(entities.filter_(await filters.get(auth.account(), filter_id)))


@blueprint.put("/<int:filter_id>")
@scope("write:filters")
async def edit(filter_id: int) -> Response:
    """PUT /api/v2/filters/:id: what is not given stays; keywords with an `id` change, or go by `_destroy`."""
    draft = _draft(await forms.parameters())
    return answers.json(entities.filter_(await filters.edit(auth.account(), filter_id, draft)))


@blueprint.delete("/<int:filter_id>")
@scope("write:filters")
async def delete(filter_id: int) -> Response:
    """DELETE /api/v2/filters/:id."""
    await filters.delete(auth.account(), filter_id)
    return answers.json({})


@blueprint.get("/<int:filter_id>/keywords")
@scope("read:filters")
async def keywords(filter_id: int) -> Response:
    """GET /api/v2/filters/:filter_id/keywords."""
    found = await filters.get(auth.account(), filter_id)
    return answers.json([entities.filter_keyword(word) for word in found.keywords])


@blueprint.post("/<int:filter_id>/keywords")
@scope("write:filters")
async def add_keyword(filter_id: int) -> Response:
    """POST /api/v2/filters/:filter_id/keywords: `keyword`, `whole_word`."""
    given = await forms.parameters()
    word = await filters.add_keyword(
        auth.account(),
        filter_id,
        forms.text(given.get("keyword")),
        forms.boolean(given.get("whole_word"), True),
    )
    return answers.json(entities.filter_keyword(word))


@blueprint.get("/keywords/<int:keyword_id>")
@scope("read:filters")
async def keyword(keyword_id: int) -> Response:
    """GET /api/v2/filters/keywords/:id."""
    _, word = await filters.keyword(auth.account(), keyword_id)
    return answers.json(entities.filter_keyword(word))


@blueprint.put("/keywords/<int:keyword_id>")
@scope("write:filters")
async def edit_keyword(keyword_id: int) -> Response:
    """PUT /api/v2/filters/keywords/:id."""
    draft = _keyword(await forms.parameters())
    return answers.json(
        entities.filter_keyword(await filters.edit_keyword(auth.account(), keyword_id, draft))
    )


@blueprint.delete("/keywords/<int:keyword_id>")
@scope("write:filters")
async def delete_keyword(keyword_id: int) -> Response:
    """DELETE /api/v2/filters/keywords/:id."""
    await filters.delete_keyword(auth.account(), keyword_id)
    return answers.json({})


@blueprint.get("/<int:filter_id>/statuses")
@scope("read:filters")
async def statuses(filter_id: int) -> Response:
    """GET /api/v2/filters/:filter_id/statuses."""
    found = await filters.get(auth.account(), filter_id)
    return answers.json([entities.filter_status(marked) for marked in found.posts])


@blueprint.post("/<int:filter_id>/statuses")
@scope("write:filters")
async def mark(filter_id: int) -> Response:
    """POST /api/v2/filters/:filter_id/statuses: `status_id`."""
    number = forms.number((await forms.parameters()).get("status_id"))
    if number is None:
        raise NotFound
    return answers.json(entities.filter_status(await filters.mark(auth.account(), filter_id, number)))


@blueprint.get("/statuses/<int:marked_id>")
@scope("read:filters")
async def marked(marked_id: int) -> Response:
    """GET /api/v2/filters/statuses/:id."""
    return answers.json(entities.filter_status(await filters.marked(auth.account(), marked_id)))


@blueprint.delete("/statuses/<int:marked_id>")
@scope("write:filters")
async def unmark(marked_id: int) -> Response:
    """DELETE /api/v2/filters/statuses/:id."""
    await filters.unmark(auth.account(), marked_id)
    return answers.json({})


# ---------------------------------------------------------------------------------------------- helpers


def seconds(value: Any) -> int | None:
    """How long a filter lasts: None when not given; an empty text, as apps send it, is never."""
    if value is None:
        return None
    found = 0 if value == "" else forms.number(value)
    if found is None:
        raise Invalid("That is not a number of seconds.", "expires_in")
    return found


def _draft(given: Mapping[str, Any]) -> Draft:
    value = given.get("keywords_attributes")
    rows = value if isinstance(value, list) else [] if value is None else [value]
    return Draft(
        title=forms.text(given["title"]) if "title" in given else None,
        contexts=forms.texts(given["context"]) if "context" in given else None,
        action=forms.text(given.get("filter_action")) or None,
        seconds=seconds(given.get("expires_in")),
        keywords=[_keyword(forms.mapping(row)) for row in rows],
    )


def _keyword(given: Mapping[str, Any]) -> KeywordDraft:
    number = forms.ids(given.get("id"))
    return KeywordDraft(
        keyword=forms.text(given["keyword"]) if given.get("keyword") is not None else None,
        whole_word=forms.switch(given.get("whole_word")),
        id=number[0] if number else None,
        gone=forms.boolean(given.get("_destroy")),
    )
