"""The frame around the settings: their tabs."""

from typing import Any

from quart import Response

from fediblog.web import answers
from fediblog.web.forms import Filled

_TABS = (
    ("profile", "Profile"),
    ("posting", "Posting"),
    ("appearance", "Appearance"),
    ("filters", "Filters"),
    ("notifications", "Notifications"),
    ("mail", "Mail"),
    ("email", "Address"),
    ("password", "Password"),
    ("security", "Security"),
    ("sessions", "Sessions"),
    ("applications", "Apps"),
    ("statistics", "Statistics"),
    ("invites", "Invites"),
    ("moving", "Moving"),
)


async def page(tab: str, filled: Filled | None = None, template: str = "", **values: Any) -> Response:
    """A page of the settings; a tab has one template of its name, and may have others."""
    return await answers.form(
        f"settings/{template or tab}.html",
        filled or Filled(),
        tab=dict(_TABS)[tab],
        tabs=tuple((f"/settings/{name}", words, name == tab) for name, words in _TABS),
        **values,
    )


def saved(tab: str) -> Response:
    """Back to the page, with a word that it is done."""
    return answers.see_other(f"/settings/{tab}", done="saved")
