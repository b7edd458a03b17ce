"""Waiting in a thread, for programs that know no event loop."""

import time
from collections.abc import Callable
from typing import Any

_SOON = 20.0


def until(true: Callable[[], Any]) -> Any:
    """Ask until it is true: what workers do comes a moment later."""
    deadline = time.monotonic() + _SOON
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found
