"""Who stands at the door goes first: what has been taken in already is on the disk, and can wait a moment.

In one process the door and the work behind it share a loop. A server that is told 202 late tells us less; but
work that never gets a turn would let the tray grow for ever, so it waits for its turn only so long.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds: until the door counts as empty, since those who bring much come again at once; and between looks.
_CALM = 0.01
_LOOK = 0.005


class Crowd:
    """Those who stand at the door of this process at this moment."""

    def __init__(self) -> None:
        self._people = 0
        self._left_at = 0.0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Somebody stands there for the time of the block."""
        self._people += 1
        try:
            yield
        finally:
            self._people -= 1
            self._left_at = time.monotonic()

    async def gone(self, looks: int) -> None:
        """Returns when nobody stands there, or has stood there so many times."""
        for _ in range(looks):
            if not self._is_there():
                return
            await asyncio.sleep(_LOOK)

    def _is_there(self) -> bool:
        return self._people > 0 or time.monotonic() - self._left_at < _CALM


crowd = Crowd()
