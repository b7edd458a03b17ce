"""Collections of other servers, read page by page, however they are written and however long they may be.

FEDERATION §6: items inline or behind addresses, from the host of what they belong to and from no other.
"""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.budgets import Budget
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import as_list, id_of


async def items(
    collection: Any, owner_uri: str, budget: Budget, most_pages: int, most_items: int
) -> AsyncIterator[str]:
    """The ids in a collection, given as a document or an address: no page twice, and no more than so many.

    Only the host of `owner_uri` is asked. Raises as `resolver.document` does.
    """
    async for item in parts(collection, owner_uri, budget, most_pages, most_items):
        if uri := id_of(item):
            yield uri


async def parts(
    collection: Any, owner_uri: str, budget: Budget, most_pages: int, most_items: int
) -> AsyncIterator[Any]:
    """The same as they stand there: addresses and documents, of which nothing is believed yet."""
    page, left, passed = collection, most_items, set[str]()
    # The collection itself may be a page, or only lead to the first.
    for _ in range(2 * most_pages):
        part = await _page(page, owner_uri, passed, budget)
        if part is None:
            return
        for item in islice(_items(part), left):
            left -= 1
            yield item
        page = part.get("first", part.get("next"))
        if not left or len(passed) > most_pages:
            return


async def _page(page: Any, owner_uri: str, passed: set[str], budget: Budget) -> Node | None:
    if isinstance(page, dict):
        return page
    if not isinstance(page, str) or page in passed or not ownership.same_origin(page, owner_uri):
        return None
    passed.add(page)
    return await resolver.document(page, budget)


def _items(part: Node) -> list[Any]:
    listed = [*as_list(part.get("orderedItems")), *as_list(part.get("items"))]
    return [item for item in listed if id_of(item)]
