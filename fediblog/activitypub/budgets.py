"""What one event may make us ask of others, so that nobody leads us through endless threads (SECURITY §4)."""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from fediblog.config import Config, settings
from fediblog.http import TooMuch
from fediblog.remembering import Together

MOST_FETCHES = 100
MOST_PARENTS = 50
MOST_PAGES = 3
MOST_REPLIES = 60
MOST_PER_HOST = 30  # In a minute, for threads alone.
# A thread on slow servers is not worth more: others wait behind it, and a job ends after a minute.
SECONDS = 20.0
# Between two looks at the answers to one post, or at what somebody has pinned.
BETWEEN_LOOKS = 15 * 60.0

_MINUTE = 60.0
_MOST_HOSTS = 1_000


@dataclass(slots=True)
class Budget:
    """What is left for one event: an activity that came in, a search, a thread that is read."""

    fetches: int = MOST_FETCHES
    parents: int = MOST_PARENTS
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def spend(self) -> None:
        """Take one fetch. Raises http.TooMuch when none is left, or no time."""
        self.fetches -= 1
        if self.fetches < 0 or time.monotonic() > self.until:
            raise TooMuch("budget")


class Pace:
    """How often something is done to what has a name: at most so many times within so many seconds."""

    def __init__(self, most: int = MOST_PER_HOST, seconds: float = _MINUTE, names: int = _MOST_HOSTS) -> None:
        self._most = most
        self._seconds = seconds
        self._names = names
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str) -> bool:
        """Do it once more. False when it would be too often: then it does not count either."""
        now = time.monotonic()
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while times and times[0] <= now - self._seconds:
            times.popleft()
        # Who is forgotten has been quiet for longer than a thousand others.
        while len(self._times) > self._names:
            self._times.popitem(last=False)
        if len(times) >= self._most:
            return False
        times.append(now)
        return True


class Memory:
    """What one process remembers of what it asks others for, for one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.documents: Together[dict[str, Any]] = Together()
        self.hosts = Pace()
        # What somebody whom nobody here follows makes us ask of third ones: a pace of its own, so that they
        # take nothing away from threads.
        self.led = Pace()
        # Each is a letter to all servers where somebody follows.
        self.forwarded = Pace()
        self.looks = Pace(1, BETWEEN_LOOKS)


_memory: Memory | None = None


def memory() -> Memory:
    """The memory of this process. With another configuration it begins anew."""
    global _memory
    if _memory is None or _memory.config is not settings():
        _memory = Memory(settings())
    return _memory
