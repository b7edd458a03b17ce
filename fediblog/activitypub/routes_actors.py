"""People and the server itself, and their collections (FEDERATION §2, §6)."""

from collections.abc import Awaitable, Callable

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.activitypub import (
    askers,
    collections,
    documents,
    ownership,
    senders,
    serving,
    synchronisation,
)
from fediblog.activitypub.documents import Document
from fediblog.errors import Gone, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import accounts, listed, settings

blueprint = Blueprint("actors", __name__)
# Always to be read, by everybody: who must prove who they are asks for the key of whoever wants proof.
server_blueprint = Blueprint("activitypub_server", __name__)
server_blueprint.after_request(serving.dress)

_kept = serving.Kept()


@blueprint.get("/ap/accounts/<int:account_id>")
async def show(account_id: int) -> Response:
    """Somebody here: their actor, or the way to their page."""
    try:
        account = await _local(account_id)
    except Gone:
        return await _gone(account_id)
    return await _actor(account) if serving.wanted() else await serving.page(account.url)


async def by_name(name: str) -> Response:
    """The actor of somebody whose page was asked for. Raises NotFound."""
    account = await accounts.find(name)
    if account is None:
        raise NotFound
    return await _actor(account)


@blueprint.get("/ap/accounts/<int:account_id>/outbox")
async def outbox(account_id: int) -> Response:
    """What they have published and passed on."""
    return await _collection(account_id, collections.outbox)


@blueprint.get("/ap/accounts/<int:account_id>/followers")
async def followers(account_id: int) -> Response:
    """Who follows them."""
    return await _collection(account_id, collections.followers)


@blueprint.get("/ap/accounts/<int:account_id>/followers/synchronisation")
async def followers_of_a_server(account_id: int) -> Response:
    """Who of the asking server follows them: for that server alone, which signs (FEP-8fcf)."""
    asker = await askers.required()
    owner = await _shown(account_id)
    members = await synchronisation.partial(owner, ownership.host(asker.uri))
    return await serving.made(documents.counted(synchronisation.address(owner), members))


@blueprint.get("/ap/accounts/<int:account_id>/following")
async def following(account_id: int) -> Response:
    """Whom they follow."""
    return await _collection(account_id, collections.following)


@blueprint.get("/ap/accounts/<int:account_id>/featured")
async def featured(account_id: int) -> Response:
    """What they have pinned."""
    return await serving.made(await collections.featured(await _shown(account_id)))


@blueprint.get("/ap/accounts/<int:account_id>/tags")
async def tags(account_id: int) -> Response:
    """The hashtags on their page."""
    return await serving.made(await collections.featured_tags(await _shown(account_id)))


@server_blueprint.get("/ap/actor")
async def server() -> Response:
    """The server itself."""
    sender, site = await senders.of_server(), await settings.get()
    return await serving.made(documents.server(sender, site.title))


@server_blueprint.get("/ap/actor/outbox")
async def server_outbox() -> Response:
    """The server says nothing to everybody."""
    sender = await senders.of_server()
    return await serving.made(documents.counted(f"{sender.uri}/outbox", []))


def asked() -> Page | None:
    """The page of a collection that is asked for; None for the collection itself."""
    return paging.parse(request.args) if "page" in request.args else None


async def _collection(
    account_id: int, collect: Callable[[Account, Page | None], Awaitable[Document]]
) -> Response:
    return await serving.made(await collect(await _shown(account_id), asked()))


async def _actor(account: Account) -> Response:
    """Kept as long as the account stays as it is; only where it has moved to is looked up."""
    moved_to = await listed.account_uri(account.moved_to_id)
    key = (account.id, account.version, account.suspended_at, moved_to)
    body = _kept.get(*key)
    if body is None:
        made = documents.suspended(account) if account.suspended_at else documents.actor(account, moved_to)
        body = _kept.put(documents.with_context(made), *key)
    return await serving.document(body)


async def _local(account_id: int) -> Account:
    """Somebody who lives here. Raises NotFound for everybody else, Gone for who has left."""
    account = await accounts.get(account_id)
    if not account.local:
        raise NotFound
    return account


async def _shown(account_id: int) -> Account:
    """The same, unless the staff has put them away."""
    account = await _local(account_id)
    if account.suspended_at is not None:
        raise NotFound
    return account


async def _gone(account_id: int) -> Response:
    buried = await listed.buried_account(account_id)
    if buried is None:
        raise NotFound  # Of another server, which says so itself.
    return await serving.gone(buried)
