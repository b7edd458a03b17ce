"""One's own figures, for one's own eyes."""

from quart import Blueprint, Response

from fediblog import moments
from fediblog.services import statistics
from fediblog.services.statistics import AccountDay
from fediblog.web import about, charts, who
from fediblog.web.settings import frame

blueprint = Blueprint("statistics_settings", __name__)

_SHOWN = (
    ("posts", "Posts"),
    ("replies", "Replies"),
    ("boosts", "Boosts"),
    ("likes", "Favourites given"),
    ("boosts_received", "Boosts received"),
    ("likes_received", "Favourites received"),
    ("new_followers", "New followers"),
)


@blueprint.get("/settings/statistics")
async def show() -> Response:
    """Pictures and a table."""
    span = about.asked_span()
    days = await _days(span)
    return await frame.page(
        "statistics",
        charts=[
            charts.bars(label, [(day.day, getattr(day, name)) for day in days]) for name, label in _SHOWN
        ],
        days=days[::-1],
        columns=_SHOWN,
        totals=statistics.totals(days),
        spans=about.spans(span),
        csv=f"/settings/statistics.csv?days={span}",
    )


@blueprint.get("/settings/statistics.csv")
async def table() -> Response:
    """The same as a table for programs."""
    return about.csv(statistics.csv(await _days(about.asked_span())), "my-statistics.csv")


async def _days(span: int) -> list[AccountDay]:
    today = moments.day(moments.now())
    return await statistics.account_days(who.member().account, today - span + 1, today)
