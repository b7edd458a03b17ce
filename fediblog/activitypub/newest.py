"""The newest posts of somebody elsewhere: read when somebody looks at their page, which is empty otherwise.

Servers send posts only to those who follow; what came before the first follow nobody ever sends.
"""

from collections.abc import Iterable
from typing import Any

import structlog

from fediblog.activitypub import listings, ownership, resolver
from fediblog.activitypub.budgets import Budget, memory
from fediblog.activitypub.vocabulary import POSTS, id_of
from fediblog.models import Account, Post

log = structlog.get_logger()

MOST = 20


async def read(account: Account, budget: Budget) -> None:
    """Take in what the first page of an account's outbox names, each post from its own address.

    Boosts are left out: as they stand there nothing proves when they were made. What cannot be had keeps
    nothing else out. Raises as `resolver.document` does when the list itself cannot be had.
    """
    listed = [item async for item in listings.parts(account.outbox, account.uri, budget, 1, MOST)]
    for uri in await _new(filter(None, map(_post_uri, listed))):
        if not ownership.same_origin(uri, account.uri):
            continue
        # All of them are on one host: who has had enough of us is left in peace until the next look.
        if not memory().hosts.take(ownership.origin(uri)):
            return
        try:
            await resolver.post(uri, budget)
        except resolver.TROUBLE as error:
            log.debug("post not to be had", uri=uri, reason=error.message)


def _post_uri(item: Any) -> str | None:
    """What to ask for: the post in a Create, or what stands there by itself."""
    if not isinstance(item, dict) or item.get("type") in POSTS:
        return id_of(item)
    return id_of(item.get("object")) if item.get("type") == "Create" else None


async def _new(uris: Iterable[str]) -> list[str]:
    """Those that we do not have, each once."""
    wanted = list(dict.fromkeys(uris))
    known = {post.uri for post in await Post.filter(uri__in=wanted).only("uri")}
    return [uri for uri in wanted if uri not in known]
