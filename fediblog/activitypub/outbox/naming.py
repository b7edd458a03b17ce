"""Handles in a post that nobody here knew when it was written: their servers are asked before it goes out."""

import asyncio

from fediblog.activitypub import resolver
from fediblog.errors import Unavailable
from fediblog.services import posts
from fediblog.services.events import Happened

# For all of a text together: whoever cannot be found meanwhile stays a word in it.
_SECONDS = 15.0


async def settle(event: Happened) -> None:
    """Find those whom the event calls unknown, then link and address them in its post."""
    handles = event.detail.get("unknown", [])
    if not handles or event.post_id is None:
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await asyncio.gather(*map(_find, handles))
    except TimeoutError:
        pass
    await posts.name_people(event.post_id)


async def _find(handle: str) -> None:
    try:
        await resolver.account(handle)
    except (*resolver.TROUBLE, Unavailable):
        # One that cannot be found, or not now, is nobody whom the post could reach.
        return
