"""Names, addresses and where connections really go (SECURITY §3). `dials` watches the sockets themselves."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.http import Refused, Unreachable
from tests.http.authority import Authority
from tests.http.conftest import Names
from tests.http.peers import ACTIVITY, Peer, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]
PUBLIC = "93.184.216.34"


async def test_the_name_in_the_url_is_the_host_that_is_asked(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": reply(b'{"a": 1}')})
    fetched = await http.fetch(f"http://social.example:{peer.port}/a", accept=[ACTIVITY])
    assert (fetched.status, fetched.body, fetched.content_type.essence) == (200, b'{"a": 1}', ACTIVITY)
    assert fetched.url_final == f"http://social.example:{peer.port}/a"
    assert peer.asked[0].headers["host"] == f"social.example:{peer.port}"


async def test_the_name_is_the_one_that_tls_asks_for_and_checks(
    lab: Config, serve: Serve, authority: Authority
) -> None:
    peer = await serve({"/a": reply()}, authority.context("social.example"))
    await http.fetch(f"https://social.example:{peer.port}/a", accept=[ACTIVITY])
    assert peer.names == ["social.example"]
    assert peer.asked[0].headers["host"] == f"social.example:{peer.port}"


async def test_who_we_are_and_nothing_else_is_said(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": reply(set_cookie="a=b")})
    for _ in range(2):
        await http.fetch(f"http://social.example:{peer.port}/a", accept=[ACTIVITY, "text/html"])
    assert [sorted(asked.headers) for asked in peer.asked] == [
        ["accept", "accept-encoding", "host", "user-agent"]
    ] * 2
    assert peer.asked[1].headers["accept"] == f"{ACTIVITY}, text/html"
    assert peer.asked[1].headers["accept-encoding"] == "gzip"
    assert peer.asked[1].headers["user-agent"] == "fediblog/0.1.0 (+http://localhost:8000)"


async def test_the_environment_brings_no_proxy(
    lab: Config, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    peer = await serve({"/a": reply()})
    assert (await http.fetch(f"http://social.example:{peer.port}/a", accept=[ACTIVITY])).status == 200


async def test_the_target_on_the_wire_is_the_one_that_is_signed(lab: Config, serve: Serve) -> None:
    signed: list[str] = []

    def signer(outgoing: http.Outgoing) -> dict[str, str]:
        signed.append(outgoing.url)
        return {"Signature": "mine"}

    peer = await serve({})
    base = f"http://social.example:{peer.port}"
    targets = [
        "/ü b/%7Ec/%c3?q=ä&r=%2F",
        "/a/../b?",
        "/a;b=c|^`{}[]\"<>?x='+,",
        "?a=b",
        "//a//b",
        "/%2e%2e/a",
    ]
    for target in targets:
        with pytest.raises(http.Unwelcome):
            await http.fetch(base + target, accept=[ACTIVITY], signer=signer)
    assert [base + asked.target for asked in peer.asked] == signed
    assert all(asked.headers["signature"] == "mine" for asked in peer.asked)


# ------------------------------------------------------------------------------------------------ refusals

REFUSED = [
    ["10.0.0.1"],
    ["127.0.0.1"],
    ["169.254.169.254"],
    ["0.0.0.0"],
    ["::1"],
    ["fd00::1"],
    ["::ffff:127.0.0.1"],
    [f"::ffff:{PUBLIC}"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::"],
    [PUBLIC, "10.0.0.1"],
    [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
]


@pytest.mark.parametrize("addresses", REFUSED)
async def test_one_bad_address_behind_a_name_is_enough(
    wild: Config, names: Names, dials: list[str], addresses: list[str]
) -> None:
    names.says["evil.example"] = addresses
    started = time.monotonic()
    with pytest.raises(Refused) as caught:
        await http.fetch("https://evil.example/", accept=[ACTIVITY])
    with pytest.raises(Refused):
        await http.post("https://evil.example/inbox", b"{}", {})
    assert time.monotonic() - started < 15
    assert dials == []
    assert not any(address in str(caught.value) for address in addresses)


LITERALS = ["127.0.0.9", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.mark.parametrize("host", [*LITERALS, "127.0.0.1", "2130706433", "127.1", "0x7f000001", "0177.0.0.1"])
async def test_an_address_in_the_url_is_refused(
    wild: Config, names: Names, dials: list[str], host: str
) -> None:
    for ask in (
        http.fetch(f"https://{host}/", accept=[ACTIVITY]),
        http.post(f"https://{host}:8443/inbox", b"{}", {}),
    ):
        with pytest.raises(Refused):
            await ask
    assert (dials, names.asked) == ([], [])


@pytest.mark.parametrize("host", [*LITERALS, "10.0.0.1"])
async def test_the_last_gate_needs_no_help(
    wild: Config, dials: list[str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp looks up no literals: should a URL ever get past the first check, the socket is refused."""
    for module in ("fetching", "posting"):
        monkeypatch.setattr(f"fediblog.http.{module}.check_url", lambda url: url)
    with pytest.raises(Refused):
        await http.fetch(f"https://{host}/", accept=[ACTIVITY])
    with pytest.raises(Refused):
        await http.post(f"http://{host}:8443/", b"", {})
    assert dials == []


async def test_a_name_that_changes_its_mind_reaches_nothing(
    wild: Config, names: Names, dials: list[str]
) -> None:
    names.turning["evil.example"] = [[PUBLIC], ["127.0.0.1"], [PUBLIC], ["10.0.0.1"]]
    outcomes = []
    for _ in range(4):
        with pytest.raises(http.Outside) as caught:
            await http.fetch("https://evil.example/", accept=[ACTIVITY])
        outcomes.append(type(caught.value))
    assert outcomes == [Unreachable, Refused, Unreachable, Refused]
    assert dials == [PUBLIC, PUBLIC]
    assert names.asked == ["evil.example"] * 4


async def test_a_connection_has_one_look_up_and_stays_where_it_was_judged(
    lab: Config, names: Names, serve: Serve, dials: list[str]
) -> None:
    peer = await serve({"/a": reply(), "/close": reply(connection="close")})
    base = f"http://evil.example:{peer.port}"
    names.turning["evil.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    for path in ("/a", "/a", "/close"):
        await http.fetch(base + path, accept=[ACTIVITY])
    assert (names.asked, dials) == (["evil.example"], ["127.0.0.1"])
    with pytest.raises(Refused):
        await http.fetch(base + "/a", accept=[ACTIVITY])
    assert (names.asked, dials) == (["evil.example"] * 2, ["127.0.0.1"])


async def test_of_many_addresses_a_few_are_tried(wild: Config, names: Names, dials: list[str]) -> None:
    names.says["many.example"] = [f"93.184.216.{last}" for last in range(1, 200)]
    with pytest.raises(Unreachable):
        await http.fetch("https://many.example/", accept=[ACTIVITY])
    assert len(set(dials)) == 8


async def test_a_name_without_addresses_is_unreachable(wild: Config, names: Names) -> None:
    names.says["nowhere.example"] = []
    with pytest.raises(Unreachable) as caught:
        await http.fetch("https://nowhere.example/", accept=[ACTIVITY])
    assert (caught.value.reason, caught.value.http_status, caught.value.retry_after) == ("name", 503, 60)


# ----------------------------------------------------------------------------------------------- certificates


async def test_a_certificate_of_another_name_is_refused(
    lab: Config, serve: Serve, authority: Authority
) -> None:
    peer = await serve({"/a": reply()}, authority.context("other.example"))
    with pytest.raises(Unreachable) as caught:
        await http.fetch(f"https://social.example:{peer.port}/a", accept=[ACTIVITY])
    assert (caught.value.reason, peer.asked) == ("certificate", [])


async def test_a_certificate_for_an_address_is_none_for_a_name(
    lab: Config, serve: Serve, authority: Authority
) -> None:
    peer = await serve({"/a": reply()}, authority.context("127.0.0.1"))
    with pytest.raises(Unreachable) as caught:
        await http.post(f"https://social.example:{peer.port}/a", b"{}", {})
    assert (caught.value.reason, peer.asked) == ("certificate", [])


async def test_a_certificate_that_has_expired_is_refused(
    lab: Config, serve: Serve, authority: Authority
) -> None:
    peer = await serve({"/a": reply()}, authority.context("social.example", days=-1))
    with pytest.raises(Unreachable) as caught:
        await http.fetch(f"https://social.example:{peer.port}/a", accept=[ACTIVITY])
    assert (caught.value.reason, peer.asked) == ("certificate", [])


async def test_an_authority_that_nobody_named_is_refused(
    lab: Config, serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "A stranger")
    peer = await serve({"/a": reply()}, stranger.context("social.example"))
    with pytest.raises(Unreachable) as caught:
        await http.fetch(f"https://social.example:{peer.port}/a", accept=[ACTIVITY])
    assert (caught.value.reason, peer.asked) == ("certificate", [])


async def test_what_speaks_no_tls_is_unreachable(lab: Config) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await http.fetch(f"https://social.example:{port}/a", accept=[ACTIVITY])
