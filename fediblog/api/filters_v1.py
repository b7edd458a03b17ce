"""Filters of the first version, as older apps know them: one for each keyword, with the keyword's id."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response

from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import scope
from fediblog.api.filters import seconds
from fediblog.services import filters, titles
from fediblog.services.filters import Draft, KeywordDraft
from fediblog.services.matching import Action

blueprint = Blueprint("filters_v1_api", __name__, url_prefix="/api/v1/filters")


@blueprint.get("")
@scope("read:filters")
async def listing() -> Response:
    """GET /api/v1/filters: all keywords of all filters."""
    found = await filters.listing(auth.account())
    return answers.json([entities.filter_v1(each, word) for each in found for word in each.keywords])


@blueprint.post("")
@scope("write:filters")
async def create() -> Response:
    """POST /api/v1/filters: `phrase`, `context[]`, `irreversible`, `whole_word`, `expires_in`."""
    made = await filters.create(auth.account(), _draft(await forms.parameters(), phrase=""))
    return answers.json(entities.filter_v1(made, made.keywords[0]))


@blueprint.get("/<int:keyword_id>")
@scope("read:filters")
async def show(keyword_id: int) -> Response:
    """GET /api/v1/filters/:id."""
    return answers.json(entities.filter_v1(*await filters.keyword(auth.account(), keyword_id)))


@blueprint.put("/<int:keyword_id>")
@scope("write:filters")
async def edit(keyword_id: int) -> Response:
    """PUT /api/v1/filters/:id: what is not given stays; of a filter with more keywords only this one."""
    draft = _draft(await forms.parameters())
    return answers.json(entities.filter_v1(*await filters.edit_single(auth.account(), keyword_id, draft)))


@blueprint.delete("/<int:keyword_id>")
@scope("write:filters")
async def delete(keyword_id: int) -> Response:
    """DELETE /api/v1/filters/:id."""
    await filters.delete_single(auth.account(), keyword_id)
    return answers.json({})


def _draft(given: Mapping[str, Any], phrase: str | None = None) -> Draft:
    """A filter whose title is its keyword; `phrase` is what stands for one that is not given."""
    phrase = forms.text(given["phrase"]) if "phrase" in given else phrase
    hides = forms.switch(given.get("irreversible"))
    return Draft(
        title=phrase[: titles.LONGEST] if phrase else phrase,
        contexts=forms.texts(given["context"]) if "context" in given else None,
        action=None if hides is None else (Action.HIDE if hides else Action.WARN).value,
        seconds=seconds(given.get("expires_in")),
        keywords=[KeywordDraft(phrase, forms.switch(given.get("whole_word")))],
    )
