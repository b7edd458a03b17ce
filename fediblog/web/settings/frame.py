"""The frame around the settings: their tabs."""

from quart import Response

from fediblog.web import answers

_TABS = (
    ("profile", "Profile"),
    ("posting", "Posting"),
    ("appearance", "Appearance"),
    ("mail", "Mail"),
    ("password", "Password"),
    ("sessions", "Sessions"),
    ("statistics", "Statistics"),
    ("invites", "Invites"),
)


async def page(tab: str, status: int = 200, **values: object) -> Response:
    """A page of the settings."""
    return await answers.page(
        f"settings/{tab}.html",
        status=status,
        tab=dict(_TABS)[tab],
        tabs=tuple((f"/settings/{name}", words, name == tab) for name, words in _TABS),
        **values,
    )


def saved(tab: str) -> Response:
    """Back to the page, with a word that it is done."""
    return answers.see_other(f"/settings/{tab}", done="saved")
