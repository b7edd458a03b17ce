"""What a new post starts with."""

from quart import Blueprint, Response

from fediblog.errors import Invalid
from fediblog.models import Quotable, User, Visibility
from fediblog.services import preferences, quotable
from fediblog.services.preferences import Preferences
from fediblog.text import language_names
from fediblog.web import drafts, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("posting_settings", __name__)

_NONE_OF_THEM = -1


@blueprint.get("/settings/posting")
async def form() -> Response:
    """The defaults as they are."""
    return await _page(_filled(who.member().user))


@blueprint.post("/settings/posting")
async def save() -> Response:
    """Change them."""
    sent = submitted.form()
    filled = forms.typed(
        sent, "default_visibility", "default_language", "default_sensitive", "default_quote_policy"
    )
    level = sent.number("default_visibility")
    draft = Preferences(
        default_visibility=Visibility.DIRECT if level is None else level,
        default_sensitive=sent.flag("default_sensitive"),
        default_language=sent.text("default_language"),
        default_quote_policy=quotable.CHOICES.get(sent.text("default_quote_policy"), _NONE_OF_THEM),
    )
    try:
        await preferences.edit(who.member().user, draft)
    except Invalid as error:
        filled.refuse(error)
        return await _page(filled)
    return frame.saved("posting")


async def _page(filled: Filled) -> Response:
    levels = [(str(level.value), name) for level, name in drafts.LEVELS if level != Visibility.DIRECT]
    return await frame.page(
        "posting",
        filled=filled,
        levels=levels,
        quoters=drafts.QUOTERS,
        languages=language_names.choices(filled.value("default_language")),
    )


def _filled(user: User) -> Filled:
    return Filled(
        default_visibility=str(user.default_visibility),
        default_language=user.default_language,
        default_quote_policy=quotable.choice(Quotable(user.default_quote_policy)),
        **forms.ticked({"default_sensitive": user.default_sensitive}),
    )
