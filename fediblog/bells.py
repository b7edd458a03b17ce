"""Waking what is at work in this very process: a flag is enough there, where a message takes a thread's turn.

A message through Celery costs a millisecond and more of a thread that the loop has to share its time with.
"""

import asyncio
import time
from collections.abc import Callable

# Seconds between two wakings: under load there would be one for each letter.
REST = 0.05


class Bell:
    """Rings for one kind of work. `at_work` says whether that is being done here, `wake` tells it of more."""

    def __init__(self, at_work: Callable[[], bool], wake: Callable[[], None]) -> None:
        self._at_work = at_work
        self._wake = wake
        self._quiet_until = 0.0
        self._later: asyncio.TimerHandle | None = None

    def ring(self, otherwise: Callable[[], None]) -> bool:
        """Wake the work, at once or in a moment. False when nobody is at it here.

        `otherwise` is called when it has ended within that moment.
        """
        if not self._at_work():
            return False
        wait = self._quiet_until - time.monotonic()
        if wait <= 0:
            self._now()
        elif self._later is None or self._later.when() < asyncio.get_running_loop().time():
            self._later = asyncio.get_running_loop().call_later(wait, self._then, otherwise)
        return True

    def _now(self) -> None:
        self._quiet_until = time.monotonic() + REST
        self._wake()

    def _then(self, otherwise: Callable[[], None]) -> None:
        self._later = None
        if self._at_work():
            self._now()
        else:
            otherwise()
