"""Search: people, hashtags, posts, and what an address or a handle names anywhere in the fediverse."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.activitypub import resolver
from fediblog.api import answers, auth, entities, forms, rendering, tags
from fediblog.api.auth import reads, scope
from fediblog.errors import FediblogError, Invalid, Unauthenticated
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services import posts, search
from fediblog.services.tags import Tag
from fediblog.services.views import Entry

blueprint = Blueprint("search_api", __name__, url_prefix="/api")

_TYPES = ("accounts", "statuses", "hashtags")


@dataclass(slots=True)
class _Found:
    """What was found: accounts by id, posts as lines of a list, hashtags."""

    accounts: list[int] = field(default_factory=list)
    statuses: list[Entry] = field(default_factory=list)
    hashtags: list[Tag] = field(default_factory=list)


@blueprint.get("/v2/search")
@reads("read:search")
async def find() -> Response:
    """GET /api/v2/search: `q`, `type`, `resolve`, `limit`, `offset`, `following`, and for posts `account_id`,
    `min_id`, `max_id`. All three lists, always. Hashtags are not reviewed here: `exclude_unreviewed` is the
    same as none.
    """
    typed = _typed()
    kinds = [kind] if (kind := request.args.get("type", "")) in _TYPES else list(_TYPES)
    page, offset = paging.parse(request.args, 20, 40), forms.number(request.args.get("offset")) or 0
    resolve = forms.asked("resolve")
    if (resolve or offset) and auth.viewer() is None:
        raise Unauthenticated("This method requires an authenticated user")
    found = _Found()
    if not offset:
        await _name(typed, resolve, found)
    if not found.statuses:
        await _search(typed, kinds, page, offset, found)
    return await _answer(found, kinds, page.limit)


@blueprint.get("/v1/accounts/search")
@scope("read:accounts")
async def find_accounts() -> Response:
    """GET /api/v1/accounts/search: `q`, `resolve`, `following`, `limit`, `offset`."""
    typed = _typed()
    page, offset = paging.parse(request.args, 40, 80), forms.number(request.args.get("offset")) or 0
    found, following = _Found(), forms.asked("following")
    if not offset and not following:
        await _name(typed, forms.asked("resolve"), found)
    found.accounts += await search.accounts(typed, auth.viewer(), page.limit, offset, following)
    wanted = list(dict.fromkeys(found.accounts))[: page.limit]
    rendered = await rendering.accounts(wanted)
    return answers.json(rendering.listing(rendered[one] for one in wanted if one in rendered))


async def _search(typed: str, kinds: Sequence[str], page: Page, offset: int, found: _Found) -> None:
    viewer = auth.viewer()
    if "accounts" in kinds:
        following = forms.asked("following") and viewer is not None
        found.accounts += await search.accounts(typed, viewer, page.limit, offset, following)
    if "hashtags" in kinds:
        found.hashtags = await search.hashtags(typed, viewer, page.limit, offset)
    if "statuses" in kinds and viewer is not None:
        author = forms.number(request.args.get("account_id"))
        listing = await search.posts(typed, viewer, page, offset, author)
        found.statuses = listing.entries


def _typed() -> str:
    typed = request.args.get("q", "").strip()
    if not typed:
        raise Invalid("Tell what to search for.", "q")
    if len(typed) > search.LONGEST:
        raise Invalid(f"Search for {search.LONGEST} characters at most.", "q")
    return typed


async def _name(typed: str, resolve: bool, found: _Found) -> None:
    """Put the one thing that an address or a whole handle names into its list.

    Nobody is asked without `resolve`, and what cannot be had is not found: searching goes on without it.
    """
    if not resolve:
        return
    try:
        named = await resolver.find(typed, auth.viewer())
    except FediblogError:
        return
    if isinstance(named, Account):
        found.accounts.append(named.id)
    elif isinstance(named, Post):
        found.statuses += (await posts.entries([named.id], auth.viewer())).values()


async def _answer(found: _Found, kinds: list[str], limit: int) -> Response:
    people = list(dict.fromkeys(found.accounts))[:limit] if "accounts" in kinds else []
    cards = await rendering.accounts(people)
    entries = found.statuses if "statuses" in kinds else []
    return answers.json(
        b'{"accounts":%b,"statuses":%b,"hashtags":%b}'
        % (
            rendering.listing(cards[one] for one in people if one in cards),
            rendering.listing(await rendering.statuses(entries, auth.viewer())),
            rendering.listing(entities.dump(tags.entity(tag)) for tag in found.hashtags),
        )
    )
