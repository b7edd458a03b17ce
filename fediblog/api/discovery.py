"""Finding people: several by id, the directory, suggestions, and followers whom one knows."""

from collections.abc import Iterable

from quart import Blueprint, Response, request

from fediblog.api import answers, auth, forms, rendering
from fediblog.api.auth import reads, scope
from fediblog.services import accounts, directory, suggestions
from fediblog.services.directory import Order
from fediblog.services.suggestions import Source

blueprint = Blueprint("discovery_api", __name__, url_prefix="/api")

_MOST_AT_ONCE = 40
_FURTHEST = 10_000
# The words of version 2, which were fewer.
_OLD_WORDS = {Source.FRIENDS: b"past_interactions", Source.POPULAR: b"global"}


@blueprint.get("/v1/accounts")
@reads("read:accounts")
async def several() -> Response:
    """GET /api/v1/accounts?id[]=: those that are there, in the order asked for."""
    return answers.json(rendering.listing((await _cards(await _asked())).values()))


@blueprint.get("/v1/accounts/familiar_followers")
@scope("read:follows")
async def familiar_followers() -> Response:
    """GET /api/v1/accounts/familiar_followers?id[]=."""
    found = await directory.familiar_followers(auth.account(), await _asked())
    cards = await rendering.accounts(list({number for people in found.values() for number in people}))
    return answers.json(
        rendering.listing(
            b'{"id":"%d","accounts":%b}'
            % (number, rendering.listing(cards[one] for one in people if one in cards))
            for number, people in found.items()
        )
    )


@blueprint.get("/v1/accounts/<int:account_id>/identity_proofs")
@scope("read:accounts")
async def identity_proofs(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/identity_proofs: there are none any more, here as elsewhere."""
    await accounts.get(account_id)
    return answers.json([])


@blueprint.get("/v1/directory")
@reads("read:accounts")
async def listing() -> Response:
    """GET /api/v1/directory: `order` (active, new), `local`, `limit`, `offset`."""
    await auth.members_only()
    order = Order.NEW if request.args.get("order") == "new" else Order.ACTIVE
    limit, offset = forms.stretch(40, 80, _FURTHEST)
    found = await directory.listing(auth.viewer(), order, forms.asked("local"), limit, offset)
    return answers.json(rendering.listing((await _cards(found)).values()))


@blueprint.get("/v1/suggestions")
@scope("read")
async def suggested() -> Response:
    """GET /api/v1/suggestions: accounts alone."""
    found = await suggestions.listing(auth.account(), *forms.stretch(40, 80, _FURTHEST))
    return answers.json(rendering.listing((await _cards(one.id for one in found)).values()))


@blueprint.get("/v2/suggestions")
@scope("read")
async def suggested_with_reasons() -> Response:
    """GET /api/v2/suggestions: each with the reason."""
    found = await suggestions.listing(auth.account(), *forms.stretch(40, 80, _FURTHEST))
    cards = await _cards(one.id for one in found)
    return answers.json(
        rendering.listing(
            b'{"source":"%b","sources":["%b"],"account":%b}'
            % (_OLD_WORDS[one.source], one.source.encode(), cards[one.id])
            for one in found
            if one.id in cards
        )
    )


@blueprint.delete("/v1/suggestions/<int:account_id>")
@scope("read")
async def dismiss(account_id: int) -> Response:
    """DELETE /api/v1/suggestions/:account_id."""
    await suggestions.dismiss(auth.account(), account_id)
    return answers.json({})


async def _asked() -> list[int]:
    """The ids in `id[]` that are there. What is no id is nobody's."""
    given = await forms.parameters()
    wanted = [number for item in forms.texts(given.get("id")) if (number := forms.number(item)) is not None]
    return await accounts.several(wanted[:_MOST_AT_ONCE])


async def _cards(account_ids: Iterable[int]) -> dict[int, bytes]:
    """Rendered accounts, in order."""
    wanted = list(account_ids)
    found = await rendering.accounts(wanted)
    return {number: found[number] for number in wanted if number in found}
