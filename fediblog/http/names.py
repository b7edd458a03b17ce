"""Looking up names: the system's own way, in threads that hold nobody up.

`getaddrinfo` blocks, for half a minute when a name server is silent, and cannot be ended from outside. The
loop's executor would share its few threads with everything else and make the process wait for them at its
end. So each look-up has a daemon thread, and there is a bound on how many there are.

Whoever is met is asked for a document and for a handle and is written to, all within a moment. So an answer
is remembered for that long; the guard judges its addresses anew for each connection.
"""

import _thread
import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from fediblog.http.errors import Unreachable
from fediblog.remembering import Recent

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""A name and a port to the addresses behind them, as text. Raises Unreachable when there are none."""

# As many as a delivery worker has slots: names that hang must not starve those that do not.
_MOST_AT_ONCE = 64
_KEPT, _MOST_KEPT = 10.0, 1_000


class System:
    """Look-ups by `getaddrinfo`: the hosts file, DNS, whatever this machine is set up for."""

    def __init__(self, most_at_once: int = _MOST_AT_ONCE) -> None:
        self._free = asyncio.Semaphore(most_at_once)
        self._kept: Recent[list[str]] = Recent(_MOST_KEPT)

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a host. A caller who gives up leaves the thread, and its place, until it ends."""
        addresses = self._kept.get(host)
        if addresses is None:
            addresses = await self._look_up(host, port)
            self._kept.put(host, addresses, _KEPT)
        return list(addresses)

    async def _look_up(self, host: str, port: int) -> list[str]:
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def done(addresses: list[str]) -> None:
            self._free.release()
            if not found.done():
                found.set_result(addresses)

        def work() -> None:
            addresses = _addresses(host, port)
            # The loop may be gone by now, and nobody waits then.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(done, addresses)

        try:
            # `threading` would wait until the thread runs, which under load takes longer than the look-up.
            _thread.start_new_thread(work, ())
        except RuntimeError as error:
            self._free.release()
            raise Unreachable("name") from error
        if not (addresses := await found):
            raise Unreachable("name")
        return addresses


def _addresses(host: str, port: int) -> list[str]:
    """Without repetition, in the order of RFC 6724; none when the name has none, or nobody could say."""
    try:
        # AI_ADDRCONFIG: no IPv6 addresses where this machine has no IPv6.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
