"""Connections: how many there are, how long they stay, and that none is left behind."""

import asyncio
import resource
import socket
import threading
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fediblog import http
from fediblog.config import Config, ConfigError
from fediblog.http import Unreachable, engine, names, opening, turns
from fediblog.http.engine import Kept
from tests.http.authority import Authority
from tests.http.conftest import Names
from tests.http.peers import ACTIVITY, Asked, Peer, hang, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


# ---------------------------------------------------------------------------------------------------- keeping


async def test_asyncio_still_has_the_attribute_that_makes_its_buffers_small(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(SSLProtocol.max_size, int)
    monkeypatch.setattr(SSLProtocol, "max_size", 256 * 1024)
    await http.open(config)
    await http.close()
    assert SSLProtocol.max_size == 16_640


async def test_idle_connections_are_kept_for_so_many_origins(
    configure: Callable[..., Config], names: Names, serve: Serve, monkeypatch: pytest.MonkeyPatch, lab: Config
) -> None:
    await http.close()
    monkeypatch.setattr(engine, "MOST_KEPT_ORIGINS", 2)
    await http.open(lab, look_up=names)
    peer = await serve({"/inbox": reply()})
    for name in ("a", "b", "c", "d", "a"):
        await http.post(f"http://{name}.example:{peer.port}/inbox", b"", {})
    await until(lambda: peer.open == 2)
    assert [asked.connection for asked in peer.asked] == [1, 2, 3, 4, 1]


def test_a_place_is_given_up_when_its_connections_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(engine.time, "monotonic", lambda: now)
    kept = Kept(2, 20)
    assert [kept.has_room_for(name) for name in ("a", "b", "c")] == [True, True, False]
    now = 115.0
    assert kept.has_room_for("a")
    now = 121.0
    assert [kept.has_room_for(name) for name in ("c", "b", "a")] == [True, False, True]


async def test_cancelled_requests_leave_no_descriptor(
    lab: Config, serve: Serve, authority: Authority
) -> None:
    plain = await serve({"/a": hang})
    secure = await serve({"/a": hang}, authority.context("*.social.example"))
    before = _descriptors()
    urls = [f"http://a{number}.social.example:{plain.port}/a" for number in range(50)]
    urls += [f"https://a{number}.social.example:{secure.port}/a" for number in range(50)]
    tasks = [asyncio.create_task(http.fetch(url, accept=[ACTIVITY])) for url in urls]
    await until(lambda: len(plain.asked) == len(secure.asked) == 50)
    assert _descriptors() >= before + 200
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError)
        for end in await asyncio.gather(*tasks, return_exceptions=True)
    )
    await until(lambda: _descriptors() <= before)


async def test_requests_that_take_too_long_leave_no_descriptor(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": hang})
    before = _descriptors()
    asks = [
        http.fetch(f"http://{number}.example:{peer.port}/a", accept=[ACTIVITY], seconds=0.3)
        for number in range(100)
    ]
    ends = await asyncio.gather(*asks, return_exceptions=True)
    assert all(isinstance(end, Unreachable) for end in ends)
    await until(lambda: _descriptors() <= before)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# ------------------------------------------------------------------------------------------------------ turns


async def test_a_host_has_four_requests_at_a_time(lab: Config, serve: Serve) -> None:
    let_go = asyncio.Event()

    async def wait(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        writer.write(reply())

    peer = await serve({"/inbox": wait, "/a": reply()})
    base = f"social.example:{peer.port}/inbox"
    posts = [asyncio.create_task(http.post(f"http://{base}", b"", {})) for _ in range(10)]
    await until(lambda: len(peer.asked) == 4)
    await http.fetch(f"http://other.example:{peer.port}/a", accept=[ACTIVITY])
    assert len(peer.asked) == 5
    let_go.set()
    assert {answered.status for answered in await asyncio.gather(*posts)} == {200}


async def test_there_is_a_ceiling_over_all_hosts_and_a_busy_host_takes_no_place_of_others() -> None:
    line = turns.Turns(per_host=1, overall=2)
    entered: list[str] = []
    let_go = asyncio.Event()

    async def stay(host: str) -> None:
        async with line.of(host):
            entered.append(host)
            await let_go.wait()

    tasks = [asyncio.create_task(stay(host)) for host in ("a", "a", "a", "b", "c")]
    await asyncio.sleep(0.01)
    assert entered == ["a", "b"]
    let_go.set()
    await asyncio.gather(*tasks)
    assert sorted(entered) == ["a", "a", "a", "b", "c"]
    assert line._lines == {}


async def test_who_is_cancelled_in_the_line_gives_the_place_up() -> None:
    line = turns.Turns(per_host=1)
    async with line.of("a"):
        waiting = asyncio.create_task(line.of("a").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), line.of("a"):
        pass
    assert line._lines == {}


async def test_waiting_for_a_turn_counts_for_a_fetch(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": hang})
    url = f"http://social.example:{peer.port}/a"
    busy = [asyncio.create_task(http.fetch(url, accept=[ACTIVITY])) for _ in range(4)]
    await until(lambda: len(peer.asked) == 4)
    with pytest.raises(Unreachable) as caught:
        await http.fetch(url, accept=[ACTIVITY], seconds=0.3)
    assert (caught.value.reason, len(peer.asked)) == ("time", 4)
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


# ------------------------------------------------------------------------------------------------- life cycle


async def test_what_is_not_open_cannot_be_used(config: Config) -> None:
    await http.close()
    with pytest.raises(RuntimeError):
        await http.fetch("https://social.example/", accept=[ACTIVITY])


async def test_it_is_opened_once(lab: Config) -> None:
    with pytest.raises(RuntimeError):
        await http.open(lab)


async def test_closing_ends_every_connection(lab: Config, serve: Serve, authority: Authority) -> None:
    before = _descriptors()
    peer = await serve({"/a": reply()}, authority.context("social.example"))
    await http.fetch(f"https://social.example:{peer.port}/a", accept=[ACTIVITY])
    await http.close()
    await until(lambda: peer.open == 0)
    await until(lambda: _descriptors() <= before + 1)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_file_of_authorities_that_cannot_be_used_is_said(
    configure: Callable[..., Config], tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"federation\.ca_file"):
        await http.open(configure(federation__ca_file=file))


def test_public_authorities_are_trusted_beside_ours(authority: Authority) -> None:
    ours = opening.trust(str(authority.file)).cert_store_stats()["x509_ca"]
    assert ours == opening.trust("").cert_store_stats()["x509_ca"] + 1 > 50


async def test_there_may_be_as_many_descriptors_as_the_system_allows(config: Config) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    try:
        await http.open(config)
        await http.close()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ------------------------------------------------------------------------------------------------- the system


async def test_the_system_is_asked_for_names() -> None:
    look_up = names.System()
    assert await look_up("127.0.0.1", 443) == ["127.0.0.1"]
    assert set(await look_up("localhost", 443)) <= {"127.0.0.1", "::1"}
    with pytest.raises(Unreachable):
        await look_up("nowhere.invalid", 443)


async def test_an_answer_is_remembered_for_a_moment_and_its_absence_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answering(host: str, *args: object, **options: object) -> list[object]:
        asked.append(host)
        if host == "nowhere.example":
            raise OSError
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", answering)
    monkeypatch.setattr(names, "_MOST_KEPT", 1)
    look_up = names.System()
    for port in (443, 80):
        assert await look_up("quick.example", port) == ["93.184.216.34"]
        with pytest.raises(Unreachable):
            await look_up("nowhere.example", port)
    assert asked == ["quick.example", "nowhere.example", "nowhere.example"]
    await look_up("other.example", 443)
    await look_up("quick.example", 443)
    monkeypatch.setattr(names, "_KEPT", 0.0)
    await look_up("other.example", 443)
    await look_up("other.example", 443)
    assert asked[3:] == ["other.example", "quick.example", "other.example", "other.example"]


async def test_a_look_up_that_hangs_holds_up_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def slow(host: str, *args: object, **options: object) -> list[object]:
        if host == "slow.example":
            let_go.wait(5)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    look_up = names.System(most_at_once=2)
    hanging = asyncio.create_task(look_up("slow.example", 443))
    await asyncio.sleep(0.01)
    hanging.cancel()
    for number in range(3):
        assert await look_up(f"quick{number}.example", 443) == ["93.184.216.34"]
    let_go.set()
    await until(lambda: look_up._free._value == 2)
