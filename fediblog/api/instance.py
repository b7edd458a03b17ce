"""What this server is: the first thing every app asks."""

from quart import Blueprint, Response

from fediblog import __version__, config, uris
from fediblog.api import answers, entities
from fediblog.services import census, featured_tags, polls, push_subscriptions, settings
from fediblog.services.media import DESCRIPTION_CHARACTERS
from fediblog.services.settings import Mode, Site

blueprint = Blueprint("instance_api", __name__, url_prefix="/api")

# Apps read the leading number to know what they may call; the words in brackets are who we are. The level of
# the API is the highest whose endpoints are all there (CLIENT-API §3.10).
VERSION = f"4.5.0 (compatible; fediblog {__version__})"
_API_LEVEL = 7

_MEGABYTE = 1024 * 1024
_LINK_LENGTH = 23
_MATRIX = 33_000_000
_TYPES = (
    "image/jpeg image/png image/gif image/webp video/mp4 video/webm video/quicktime audio/mpeg audio/ogg"
    " audio/wav audio/flac audio/mp4"
)


@blueprint.get("/v1/instance")
async def version_one() -> Response:
    """GET /api/v1/instance."""
    site, numbers = await settings.get(), await census.get()
    return answers.json(
        {
            "uri": config.settings().domain,
            "title": site.title,
            "short_description": site.short_description,
            "description": site.description_html,
            "email": site.contact_email,
            "version": VERSION,
            "urls": {"streaming_api": _websocket()},
            "stats": {
                "user_count": numbers.people,
                "status_count": numbers.posts,
                "domain_count": numbers.known_servers,
            },
            "thumbnail": uris.header(""),
            "languages": [],
            "registrations": site.registration in (Mode.OPEN, Mode.APPROVAL),
            "approval_required": site.registration is Mode.APPROVAL,
            "invites_enabled": site.registration is Mode.INVITE,
            "configuration": _configuration(),
            "contact_account": None,
            "rules": await _rules(),
        }
    )


@blueprint.get("/v2/instance")
async def version_two() -> Response:
    """GET /api/v2/instance."""
    site, numbers = await settings.get(), await census.get()
    return answers.json(
        {
            "domain": config.settings().domain,
            "title": site.title,
            "version": VERSION,
            "source_url": "",
            "description": site.short_description,
            "usage": {"users": {"active_month": numbers.active_month}},
            "thumbnail": {"url": uris.header("")},
            "icon": [],
            "languages": [],
            "configuration": await _configuration_two(site),
            "registrations": {
                "enabled": site.registration in (Mode.OPEN, Mode.APPROVAL),
                "approval_required": site.registration is Mode.APPROVAL,
                "reason_required": site.registration is Mode.APPROVAL,
                "message": None,
                "min_age": None,
                "url": uris.absolute("/auth/sign_up"),
            },
            "contact": {"email": site.contact_email, "account": None},
            "rules": await _rules(),
            "api_versions": {"mastodon": _API_LEVEL},
        }
    )


@blueprint.get("/v1/instance/rules")
async def rules() -> Response:
    """GET /api/v1/instance/rules."""
    return answers.json(await _rules())


async def _rules() -> list[entities.Json]:
    return [{"id": str(rule.id), "text": rule.text, "hint": rule.hint} for rule in await settings.rules()]


def _websocket() -> str:
    return config.settings().origin.replace("http", "ws", 1)


def _configuration() -> entities.Json:
    limits = config.settings().limits
    image, video = limits.image_megabytes * _MEGABYTE, limits.video_megabytes * _MEGABYTE
    return {
        "accounts": {"max_featured_tags": featured_tags.MOST, "max_pinned_statuses": limits.max_pins},
        "statuses": {
            "max_characters": limits.max_characters,
            "max_media_attachments": limits.max_media,
            "characters_reserved_per_url": _LINK_LENGTH,
        },
        "media_attachments": {
            "supported_mime_types": _TYPES.split(),
            "description_limit": DESCRIPTION_CHARACTERS,
            "image_size_limit": image,
            "image_matrix_limit": _MATRIX,
            "video_size_limit": video,
            "video_frame_rate_limit": 120,
            "video_matrix_limit": _MATRIX,
        },
        "polls": {
            "max_options": limits.max_poll_options,
            "max_characters_per_option": polls.OPTION_CHARACTERS,
            "min_expiration": polls.SHORTEST_SECONDS,
            "max_expiration": polls.LONGEST_SECONDS,
        },
    }


async def _configuration_two(site: Site) -> entities.Json:
    access = "authenticated" if site.members_only else "public"
    return {
        **_configuration(),
        "urls": {
            "streaming": _websocket(),
            "status": None,
            "about": uris.absolute("/about"),
            "privacy_policy": None,
            "terms_of_service": None,
        },
        "vapid": {"public_key": await push_subscriptions.public_key()},
        "translation": {"enabled": False},
        "limited_federation": site.allow_list,
        "timelines_access": {
            "live_feeds": {"local": access, "remote": access},
            "hashtag_feeds": {"local": access, "remote": access},
            "trending_link_feeds": {"local": "disabled", "remote": "disabled"},
        },
    }
