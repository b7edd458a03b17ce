"""Light, dark, or as the system says."""

from quart import Blueprint, Response

from fediblog.errors import Invalid
from fediblog.services import preferences
from fediblog.services.preferences import Preferences
from fediblog.web import forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("appearance_settings", __name__)

_THEMES = (
    ("auto", "As my system says", ""),
    ("light", "Light", ""),
    ("dark", "Dark", ""),
)


@blueprint.get("/settings/appearance")
async def form() -> Response:
    """The themes."""
    return await _page(Filled(theme=who.member().user.theme))


@blueprint.post("/settings/appearance")
async def save() -> Response:
    """Change it, for the account and for this browser when nobody is signed in."""
    filled = forms.typed(submitted.form(), "theme")
    try:
        user = await preferences.edit(who.member().user, Preferences(theme=filled.value("theme")))
    except Invalid as error:
        filled.refuse(error)
        return await _page(filled)
    who.write(who.THEME, user.theme)
    return frame.saved("appearance")


async def _page(filled: Filled) -> Response:
    return await frame.page("appearance", filled=filled, themes=_THEMES)
