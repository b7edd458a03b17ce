"""Reading on where a thread goes on elsewhere: the answers to a post, as its own server lists them.

Upwards, to what a post answers, `resolver` goes on its own. Both keep the budget of one event (SECURITY §4).
"""

import structlog

from fediblog.activitypub import listings, ownership, resolver
from fediblog.activitypub.budgets import MOST_PAGES, MOST_REPLIES, Budget, memory
from fediblog.activitypub.compact import Node

log = structlog.get_logger()


async def read(node: Node, budget: Budget) -> None:
    """Take in the answers to a fetched post, one after the other. One that cannot be had keeps no other out.

    Raises as `resolver.document` does when a list of them cannot be had.
    """
    listed = listings.items(node.get("replies"), node["id"], budget, MOST_PAGES, MOST_REPLIES)
    async for uri in listed:
        try:
            if memory().hosts.take(ownership.origin(uri)):
                await resolver.post(uri, budget)
        except resolver.TROUBLE as error:
            log.debug("answer not to be had", uri=uri, reason=str(error))
