"""What else this server tells of itself: whom it knows, how busy it is, its long texts."""

from quart import Blueprint, Response

from fediblog import moments
from fediblog.api import answers, auth, entities
from fediblog.api.auth import reads
from fediblog.errors import NotFound
from fediblog.services import peers, settings, statistics
from fediblog.services.domains import Level
from fediblog.text import language_names

blueprint = Blueprint("server_api", __name__, url_prefix="/api/v1/instance")

_WEEKS = 12
_SEVERITIES = {Level.SUSPEND: "suspend", Level.SILENCE: "silence"}


@blueprint.get("/peers")
async def known() -> Response:
    """GET /api/v1/instance/peers: the names alone; 404 where the staff keeps them to itself."""
    return answers.json(await peers.listing())


@blueprint.get("/domain_blocks")
@reads("read")
async def blocked() -> Response:
    """GET /api/v1/instance/domain_blocks: 404 for those to whom the staff does not show it."""
    return answers.json(
        [
            {
                "domain": rule.domain,
                "digest": rule.digest,
                "severity": _SEVERITIES[rule.level],
                "comment": rule.comment,
            }
            for rule in await peers.rules(auth.viewer())
        ]
    )


@blueprint.get("/activity")
async def activity() -> Response:
    """GET /api/v1/instance/activity: the last twelve weeks, this one first."""
    today = moments.day(moments.now())
    # The first day of 1970 was a Thursday.
    monday = today - (today + 3) % 7
    return answers.json([await _week(monday - 7 * back) for back in range(_WEEKS)])


@blueprint.get("/languages")
async def offered() -> Response:
    """GET /api/v1/instance/languages: those that a post may be said to be in, by their own names."""
    return answers.json([{"code": code, "name": name} for code, name in language_names.NAMES.items()])


@blueprint.get("/extended_description")
async def extended_description() -> Response:
    """GET /api/v1/instance/extended_description."""
    return answers.json(_text((await settings.get()).description_html))


@blueprint.get("/privacy_policy")
async def privacy_policy() -> Response:
    """GET /api/v1/instance/privacy_policy: 404 when there is none."""
    site = await settings.get()
    if not site.privacy_policy:
        raise NotFound
    return answers.json(_text(site.privacy_policy_html))


@blueprint.get("/terms_of_service")
async def terms_of_service() -> Response:
    """GET /api/v1/instance/terms_of_service: 404 when there are none."""
    site = await settings.get()
    if not site.terms:
        raise NotFound
    return answers.json(
        {"effective_date": None, "effective": True, "content": site.terms_html, "succeeded_by": None}
    )


@blueprint.get("/translation_languages")
async def translation_languages() -> Response:
    """GET /api/v1/instance/translation_languages: nothing is translated here."""
    return answers.json({})


async def _week(first: int) -> entities.Json:
    days = await statistics.server_days(first, first + 6)
    return {
        "week": str(moments.day_start(first) // moments.SECOND),
        "statuses": str(sum(day.posts + day.replies for day in days)),
        "logins": str(await statistics.active_people(first, first + 6)),
        "registrations": str(sum(day.sign_ups for day in days)),
    }


def _text(html: str) -> entities.Json:
    """A long text. When it was changed is not kept."""
    return {"updated_at": None, "content": html}
