"""What is asked of other servers in the background: what somebody came across, and profiles that grow old."""

import structlog

from fediblog import http
from fediblog.activitypub import featured, newest, ownership, resolver, threads
from fediblog.activitypub.budgets import Budget
from fediblog.errors import FediblogError, Unavailable
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.services import dropped, remote_accounts, work

log = structlog.get_logger()

# A server that is away for longer than some minutes loses only what nobody here has asked for by name.
_MOST_TRIES = 10


async def resolve(uri: str) -> None:
    """Take in what has this address: an account with its pins and what is new, or a post with its thread.

    What cannot be had is let be. Raises Unavailable when its server cannot be reached, to be tried again, a
    few times.
    """
    try:
        await _take_in(uri)
    except http.Unreachable as error:
        if await work.tries(Job.RESOLVE, uri) < _MOST_TRIES:
            raise Unavailable(error.message, error.retry_after) from error
        await _let_be(uri, error)
    except resolver.TROUBLE as error:
        await _let_be(uri, error)


async def refresh(account_id: int) -> None:
    """Look at an account elsewhere anew. Whatever its server says then, it is left in peace for a day."""
    known = await Account.get_or_none(id=account_id, local=False, deleted_at=None)
    if known is None:
        return
    try:
        await featured.read(await resolver.actor(known.uri, refresh=True))
    except resolver.TROUBLE as error:
        log.info("not to be had", uri=known.uri, reason=error.message)
        await remote_accounts.looked_at(known)


async def _let_be(uri: str, error: FediblogError) -> None:
    log.info("not to be had", uri=uri, reason=error.message)
    await dropped.count("not to be had")


async def _take_in(uri: str) -> None:
    if ownership.is_ours(uri):
        return
    budget = Budget()
    node = await resolver.document(uri, budget)
    match await resolver.take(node, budget):
        case Post():
            await threads.read(node, budget)
        case Account() as account:
            await _read_on(account, budget)


async def _read_on(account: Account, budget: Budget) -> None:
    """The pins, and what is new also when those are not to be had: not every server shows them."""
    try:
        await featured.read(account, budget)
    except http.Unreachable:
        raise
    except resolver.TROUBLE as error:
        log.info("pins not to be had", uri=account.uri, reason=error.message)
    await newest.read(account, budget)
