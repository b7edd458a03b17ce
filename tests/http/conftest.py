"""A network for tests: names of our choice, servers on 127.0.0.1, and a record of every address dialled."""

import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.http import opening
from fediblog.http.errors import Unreachable
from tests.http.authority import Authority
from tests.http.peers import Answer, Peer

LAB = '["127.0.0.1/32"]'


class Names:
    """A name server: every name is 127.0.0.1 until a test says otherwise."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: dict[str, list[str]] = {}
        self.turning: dict[str, list[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if self.turning.get(host):
            return self.turning[host].pop(0)
        found = self.says.get(host, ["127.0.0.1"])
        if not found:
            raise Unreachable("name")
        return found


@pytest.fixture(scope="session", autouse=True)
def _authorities_are_read_once() -> Iterator[None]:
    """Reading the public ones takes a tenth of a second, which is nothing for a server and much for tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "trust", functools.cache(opening.trust))
        yield


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def lab(configure: Callable[..., Config], names: Names, authority: Authority) -> AsyncIterator[Config]:
    """The client, open: plain http and 127.0.0.1 are allowed, no other address; our authority is trusted."""
    config = configure(
        federation__allow_http=True, federation__allow_networks=LAB, federation__ca_file=authority.file
    )
    await http.open(config, look_up=names)
    yield config
    await http.close()


@pytest.fixture
async def wild(configure: Callable[..., Config], names: Names) -> AsyncIterator[Config]:
    """The client as everybody runs it: https only, no network allowed."""
    config = configure()
    await http.open(config, look_up=names)
    yield config
    await http.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """Starts a peer: `await serve({"/note": reply()}, context)`."""
    started: list[Peer] = []

    async def start(answers: dict[str, Answer], context: object = None) -> Peer:
        peer = Peer(answers)
        await peer.start(context)  # type: ignore[arg-type]
        started.append(peer)
        return peer

    yield start
    for peer in started:
        await peer.stop()


@pytest.fixture
def dials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets were told to connect to, at the lowest place that can be watched.

    Nothing in these tests may leave the machine: other addresses than 127.0.0.1 are recorded and not tried.
    """
    dialled: list[str] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: tuple[str, int]) -> None:
        if isinstance(address, tuple):
            dialled.append(address[0])
            if address[0] != "127.0.0.1":
                raise ConnectionRefusedError(111, "not in a test")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched, raising=False)
    return dialled


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where nothing is yet."""
    return tmp_path / "fetched"
