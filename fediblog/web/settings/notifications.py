"""Which notifications of strangers come into the list."""

from quart import Blueprint, Response

from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.services import notification_policy
from fediblog.services.notification_policy import SORTS, Verdict
from fediblog.web import forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("notification_settings", __name__)

_SENTENCES = {
    "not_following": ("People whom you do not follow", ""),
    "not_followers": (
        "People who do not follow you",
        "Also those who have followed you for less than three days.",
    ),
    "new_accounts": ("Accounts made within the last month", "But not those you follow."),
    "private_mentions": (
        "Private messages from people you do not follow",
        "Answers to what you wrote always come.",
    ),
    "limited_accounts": ("Accounts limited by the moderators of this server", "But not those you follow."),
}
_VERDICTS = (
    (Verdict.ACCEPT.value, "Show them"),
    (Verdict.FILTER.value, "Hold them back as requests"),
    (Verdict.DROP.value, "Throw them away"),
)


@blueprint.get("/settings/notifications")
async def form() -> Response:
    """What holds."""
    return await _page(await _filled(who.member().account))


@blueprint.post("/settings/notifications")
async def save() -> Response:
    """Change it."""
    sent = submitted.form()
    try:
        await notification_policy.edit(who.member().account, **{sort: sent.text(sort) for sort in SORTS})
    except Invalid as error:
        filled = forms.typed(sent, *SORTS)
        filled.refuse(error)
        return await _page(filled)
    return frame.saved("notifications")


async def _page(filled: Filled) -> Response:
    sorts = [(sort, *_SENTENCES[sort]) for sort in SORTS]
    return await frame.page("notifications", filled=filled, sorts=sorts, verdicts=_VERDICTS)


async def _filled(account: Account) -> Filled:
    policy = await notification_policy.get(account)
    return Filled(**{sort: getattr(policy, sort).value for sort in SORTS})
