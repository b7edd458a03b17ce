"""What this server is, in words and in figures; and the addresses that programs look for."""

from quart import Blueprint, Response, request

from fediblog import moments, uris
from fediblog.services import settings, statistics
from fediblog.services.statistics import ServerDay
from fediblog.web import answers, charts

blueprint = Blueprint("about", __name__)

SPANS = ((30, "30 days"), (90, "90 days"), (365, "A year"))
_ROBOTS = """User-agent: *
Disallow: /auth/
Disallow: /settings/
Disallow: /admin/
Disallow: /home
Disallow: /notifications
Disallow: /unsubscribe
"""
_SHOWN = (
    ("posts", "Posts"),
    ("replies", "Replies"),
    ("boosts", "Boosts"),
    ("likes", "Favourites"),
    ("follows", "New follows"),
    ("active_people", "Active people"),
    ("sign_ups", "Sign-ups"),
)


@blueprint.get("/about")
async def about() -> Response:
    """Who runs it, and by which rules."""
    return await answers.page("about.html", rules=await settings.rules(), domain=uris.absolute(""))


@blueprint.get("/about/stats")
async def stats() -> Response:
    """The days of this server as pictures and as a table."""
    span = asked_span()
    days = await _days(span)
    return await answers.page(
        "stats.html",
        charts=[charts.bars(label, _series(days, name), name != "active_people") for name, label in _SHOWN],
        days=days[::-1],
        columns=_SHOWN,
        totals=statistics.totals(days),
        active=await statistics.active_people(days[0].day, days[-1].day),
        spans=spans(span),
        csv=f"/about/stats.csv?days={span}",
    )


@blueprint.get("/about/stats.csv")
async def stats_csv() -> Response:
    """The same as a table for programs."""
    return csv(statistics.csv(await _days(asked_span())), "statistics.csv")


@blueprint.get("/robots.txt")
async def robots() -> Response:
    """What search engines need not look at."""
    return Response(_ROBOTS, content_type="text/plain; charset=utf-8")


@blueprint.get("/.well-known/change-password")
async def change_password() -> Response:
    """Where password managers find the form (W3C, A Well-Known URL for Changing Passwords)."""
    return answers.see_other("/settings/password")


def asked_span() -> int:
    """How many days the address asks for: one of those on offer."""
    wanted = request.args.get("days", "")
    return next((days for days, _ in SPANS if str(days) == wanted), SPANS[0][0])


def spans(chosen: int) -> list[tuple[str, str, bool]]:
    """The tabs between them."""
    return [(f"{request.path}?days={days}", words, days == chosen) for days, words in SPANS]


def csv(table: str, name: str) -> Response:
    """A file to keep."""
    response = Response(table, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _days(span: int) -> list[ServerDay]:
    today = moments.day(moments.now())
    return await statistics.server_days(today - span + 1, today)


def _series(days: list[ServerDay], name: str) -> list[tuple[int, int]]:
    return [(day.day, getattr(day, name)) for day in days]
