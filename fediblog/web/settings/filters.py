"""Filters: words and phrases whose posts are folded or left out."""

from collections.abc import Sequence

from quart import Blueprint, Response

from fediblog import moments
from fediblog.errors import Invalid
from fediblog.services import filters, matching
from fediblog.services.filters import Draft, KeywordDraft
from fediblog.services.matching import Action, Context, Filter
from fediblog.web import forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame
from fediblog.web.submitted import Form

blueprint = Blueprint("filter_settings", __name__)

_PLACES = (
    (Context.HOME, "Home"),
    (Context.NOTIFICATIONS, "Notifications"),
    (Context.PUBLIC, "This server, everywhere, hashtags"),
    (Context.THREAD, "Conversations"),
    (Context.ACCOUNT, "Profiles"),
)
_ACTIONS = (
    (Action.WARN.value, "Fold the post under the title of the filter"),
    (Action.HIDE.value, "Leave the post out"),
)
_BLUR = (Action.BLUR.value, "Hide its pictures (in apps that can; here the post is folded)")
_KEEP = ("keep", "As it is")
_LASTS = (
    ("", "For good"),
    ("1800", "30 minutes"),
    ("3600", "1 hour"),
    ("21600", "6 hours"),
    ("86400", "1 day"),
    ("604800", "1 week"),
)
_FIELDS = ("title", "keyword", "whole_word", "filter_action", "expires_in", *(place for place, _ in _PLACES))


@blueprint.get("/settings/filters")
async def listed() -> Response:
    """All of them, and a form for another one."""
    who.member()
    return await _page(Filled(whole_word="1", filter_action=Action.WARN.value, home="1", public="1"))


@blueprint.post("/settings/filters")
async def create() -> Response:
    """Make one."""
    account, sent = who.member().account, submitted.form()
    try:
        await filters.create(account, _draft(sent, _fresh(sent)))
    except Invalid as error:
        return await _page(_refused(sent, error))
    return frame.saved("filters")


@blueprint.get("/settings/filters/<int:filter_id>")
async def show(filter_id: int) -> Response:
    """One of them, to be changed."""
    found = await filters.get(who.member().account, filter_id)
    return await _page(_filled(found), found)


@blueprint.post("/settings/filters/<int:filter_id>")
async def save(filter_id: int) -> Response:
    """Change it."""
    account, sent = who.member().account, submitted.form()
    found = await filters.get(account, filter_id)
    try:
        await filters.edit(account, filter_id, _draft(sent, _changed(found, sent)))
    except Invalid as error:
        return await _page(_refused(sent, error), found)
    return frame.saved("filters")


@blueprint.post("/settings/filters/<int:filter_id>/delete")
async def delete(filter_id: int) -> Response:
    """Take it away."""
    await filters.delete(who.member().account, filter_id)
    return frame.saved("filters")


async def _page(filled: Filled, found: Filter | None = None) -> Response:
    blurs = found is not None and found.action is Action.BLUR
    return await frame.page(
        "filters",
        filled=filled,
        editing=found,
        given=() if found else await filters.listing(who.member().account),
        places=_PLACES,
        actions=(*_ACTIONS, _BLUR) if blurs else _ACTIONS,
        lasts=(_KEEP, *_LASTS) if found else _LASTS,
        now=moments.now(),
    )


def _filled(found: Filter) -> Filled:
    return Filled(
        title=found.title,
        keyword="\n".join(word.keyword for word in found.keywords),
        filter_action=found.action.value,
        expires_in="keep",
        **forms.ticked({"whole_word": _is_whole(found), **{place.value: True for place in found.contexts}}),
    )


def _refused(sent: Form, error: Invalid) -> Filled:
    filled = forms.typed(sent, *_FIELDS)
    filled.refuse(error)
    return filled


def _draft(sent: Form, keywords: Sequence[KeywordDraft]) -> Draft:
    return Draft(
        title=sent.text("title"),
        contexts=[place.value for place, _ in _PLACES if sent.flag(place)],
        action=sent.text("filter_action"),
        seconds=_seconds(sent.text("expires_in")),
        keywords=keywords,
    )


def _seconds(chosen: str) -> int | None:
    """What is no number is refused as too long a time."""
    if chosen == "keep":
        return None
    number = submitted.whole(chosen) if chosen else 0
    return -1 if number is None else number


def _words(sent: Form) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in sent.text("keyword").splitlines() if line.strip()))


def _fresh(sent: Form) -> list[KeywordDraft]:
    words = _words(sent)
    if not words:
        raise Invalid("There is no word to look for.", "keyword")
    return [KeywordDraft(word, sent.flag("whole_word")) for word in words]


def _changed(found: Filter, sent: Form) -> list[KeywordDraft]:
    """What is to be done to the keywords of a filter, so that those which are typed are left.

    Where some were whole words and some were not, each stays as it is unless the box was changed.
    """
    whole = sent.flag("whole_word")
    same_box = whole == _is_whole(found)
    typed = {matching.folded(word): word for word in _words(sent)}
    drafts = []
    for word in found.keywords:
        kept = typed.pop(matching.folded(word.keyword), None)
        drafts.append(KeywordDraft(kept, None if same_box else whole, word.id, gone=kept is None))
    return drafts + [KeywordDraft(word, whole) for word in typed.values()]


def _is_whole(found: Filter) -> bool:
    return all(word.whole_word for word in found.keywords)
