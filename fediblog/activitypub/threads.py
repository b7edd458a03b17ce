"""Reading on where a thread goes on elsewhere: the answers to a post, as its own server lists them.

Upwards, to what a post answers, `resolver` goes on its own. Both keep the budget of one event (SECURITY §4).
"""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import structlog

from fediblog import http
from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.budgets import MOST_PAGES, MOST_REPLIES, Budget, memory
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import as_list, id_of
from fediblog.errors import Unavailable
from fediblog.models import Post
from fediblog.queue import Job
from fediblog.services import work

log = structlog.get_logger()

# A server that is away for longer than some minutes loses only what nobody here has asked for by name.
_MOST_TRIES = 10


async def resolve(uri: str) -> None:
    """Take in what has this address: an account, or a post with its thread. What cannot be had is let be.

    Raises Unavailable when its server cannot be reached, to be tried again, a few times.
    """
    try:
        await _resolve(uri)
    except http.Unreachable as error:
        if await work.tries(Job.RESOLVE, uri) < _MOST_TRIES:
            raise Unavailable(error.message, error.retry_after) from error
    except resolver.TROUBLE as error:
        log.info("not to be had", uri=uri, reason=str(error))


async def _resolve(uri: str) -> None:
    if ownership.is_ours(uri):
        return
    budget = Budget()
    node = await resolver.document(uri, budget)
    if isinstance(await resolver.take(node, budget), Post):
        await _answers(node, budget)


async def _answers(node: Node, budget: Budget) -> None:
    """Take in the answers to a post, one after the other. One that cannot be had keeps no other out."""
    async for uri in _listed(node, budget):
        try:
            if memory().hosts.take(ownership.origin(uri)):
                await resolver.post(uri, budget)
        except resolver.TROUBLE as error:
            log.debug("answer not to be had", uri=uri, reason=str(error))


async def _listed(node: Node, budget: Budget) -> AsyncIterator[str]:
    """The answers that the post's own server lists: three pages, sixty of them, no page twice."""
    page, left, passed = node.get("replies"), MOST_REPLIES, set[str]()
    for _ in range(2 * MOST_PAGES):  # The collection itself may be a page, or only lead to the first.
        part = await _page(page, node["id"], passed, budget)
        if part is None:
            return
        for uri in islice(_items(part), left):
            left -= 1
            yield uri
        page = part.get("first", part.get("next"))
        if not left or len(passed) > MOST_PAGES:
            return


async def _page(page: Any, post_uri: str, passed: set[str], budget: Budget) -> Node | None:
    """A collection or a page of it, embedded or fetched; from nowhere but the post's own host."""
    if isinstance(page, dict):
        return page
    if not isinstance(page, str) or page in passed or not ownership.same_origin(page, post_uri):
        return None
    passed.add(page)
    return await resolver.document(page, budget)


def _items(part: Node) -> list[str]:
    items = [*as_list(part.get("orderedItems")), *as_list(part.get("items"))]
    return [found for item in items if (found := id_of(item))]
