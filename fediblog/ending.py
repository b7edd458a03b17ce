"""Ending tasks for certain."""

import asyncio

# Seconds until a task that goes on is told once more. Its own clearing up, which that would break off, takes
# less.
_AGAIN = 5.0


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks until they have ended. What they raise at their end is nobody's business any more.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which redis's client uses, loses a cancellation
    that comes together with what it waits for.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
