"""The guard between a name and a socket: every address is judged twice, and only judged ones are dialled.

aiohttp asks it for the addresses of a name (`resolve`) and for the socket just before it connects
(`socket`). The second is needed: aiohttp looks up no literals, so they never meet the first. No judgement is
remembered, so a new connection is a new one, and a name that changes its mind between looking up and
connecting gains nothing: what was judged is what is dialled (SECURITY §3; EGRESS §1.2).
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from fediblog.http.addresses import Network, refusal
from fediblog.http.errors import Refused, Unreachable
from fediblog.http.names import LookUp

# Of a name with hundreds of addresses all are judged, and so many are tried.
_MOST_DIALLED = 8

_dialled: ContextVar[list[str] | None] = ContextVar("dialled", default=None)


class Guard(AbstractResolver):
    """Knows which networks a lab allows, and how to look a name up."""

    def __init__(self, look_up: LookUp, allowed: Sequence[Network] = ()) -> None:
        self._look_up = look_up
        self._allowed = tuple(allowed)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, if every single one may be contacted. Raises Refused, Unreachable."""
        addresses = await self._look_up(host, port)
        for address in addresses:
            self._judge(address)
        if not addresses:
            raise Unreachable("name")
        return [_result(host, address, port) for address in addresses[:_MOST_DIALLED]]

    async def close(self) -> None:
        """There is nothing to close."""

    def socket(self, address: AddrInfoType) -> socket.socket:
        """A socket for this address and no other. Raises Refused before there is one."""
        family, kind, protocol, _, (host, *_) = address
        self._judge(str(host))
        if (dialled := _dialled.get()) is not None:
            dialled.append(str(host))
        return socket.socket(family, kind, protocol)

    def _judge(self, address: str) -> None:
        if why := refusal(address, self._allowed):
            raise Refused(why)


@contextmanager
def dialling() -> Iterator[list[str]]:
    """The addresses dialled within the block, also by tasks that are started in it.

    None means that a connection from before was used.
    """
    dialled: list[str] = []
    token = _dialled.set(dialled)
    try:
        yield dialled
    finally:
        _dialled.reset(token)


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
