"""Redirects: each hop is a request of its own, judged, signed and counted."""

from collections.abc import Awaitable, Callable

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.http import Outgoing, Refused, TooMuch, Unwelcome
from tests.http.conftest import Names
from tests.http.peers import ACTIVITY, Peer, moved, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]


async def fetch(url: str, **wishes: object) -> http.Fetched:
    return await http.fetch(url, accept=[ACTIVITY], **wishes)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_document_that_has_moved_is_found(lab: Config, serve: Serve, status: int) -> None:
    peer = await serve({"/a": moved("/b?c#d", status), "/b": reply(b"[]")})
    fetched = await fetch(f"http://social.example:{peer.port}/a")
    assert (fetched.body, fetched.url_final) == (b"[]", f"http://social.example:{peer.port}/b?c")


async def test_another_host_is_asked_by_its_own_name_and_with_its_own_signature(
    lab: Config, serve: Serve, names: Names
) -> None:
    def signer(outgoing: Outgoing) -> dict[str, str]:
        return {"Signature": f"for {outgoing.method} {outgoing.url}"}

    peer = await serve({"/b": reply()})
    peer.answers["/a"] = moved(f"http://other.example:{peer.port}/b")
    fetched = await fetch(f"http://social.example:{peer.port}/a", signer=signer)
    assert fetched.url_final == f"http://other.example:{peer.port}/b"
    assert names.asked == ["social.example", "other.example"]
    assert [(asked.headers["host"], asked.headers["signature"]) for asked in peer.asked] == [
        (f"social.example:{peer.port}", f"for GET http://social.example:{peer.port}/a"),
        (f"other.example:{peer.port}", f"for GET http://other.example:{peer.port}/b"),
    ]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://private.example:PORT/b", "private"),
        ("http://127.0.0.9:PORT/b", "loopback"),
        ("//127.0.0.9:PORT/b", "loopback"),
        ("http://[::1]:PORT/b", "loopback"),
        ("http://[::ffff:127.0.0.1]:PORT/b", "embedded"),
        ("http://0.0.0.0:PORT/b", "unspecified"),
        ("http://2130706433:PORT/b", "host"),
        ("http://social.example:22/b", "port"),
        ("http://user:word@social.example:PORT/b", "url"),
        ("http://social.example\\@other.example:PORT/b", "url"),
        ("http://[::1", "url"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://social.example/b", "scheme"),
        ("gopher://social.example:PORT/b", "scheme"),
        ("data:application/activity+json,{}", "scheme"),
        ("javascript:alert(1)", "scheme"),
    ],
)
async def test_a_redirect_to_where_we_do_not_go_is_refused(
    lab: Config, serve: Serve, names: Names, dials: list[str], location: str, reason: str
) -> None:
    names.says["private.example"] = ["10.0.0.1"]
    peer = await serve({"/b": reply()})
    peer.answers["/a"] = moved(location.replace("PORT", str(peer.port)))
    with pytest.raises(Refused) as caught:
        await fetch(f"http://social.example:{peer.port}/a")
    assert (caught.value.reason, len(peer.asked), dials) == (reason, 1, ["127.0.0.1"])


async def test_plain_http_is_no_way_on(wild: Config, lab_peer: Peer) -> None:
    with pytest.raises(Refused) as caught:
        await fetch(f"https://social.example:{lab_peer.port}/a")
    assert caught.value.reason == "scheme"


@pytest.fixture
async def lab_peer(
    serve: Serve, authority: "object", configure: Callable[..., Config], wild: Config, names: Names
) -> Peer:
    """A peer on https that sends on to http, and a client that may reach it and not use http."""
    await http.close()
    config = configure(
        federation__allow_networks='["127.0.0.1/32"]',
        federation__ca_file=authority.file,  # type: ignore[attr-defined]
    )
    await http.open(config, look_up=names)
    peer = await serve({"/b": reply()}, authority.context("social.example"))  # type: ignore[attr-defined]
    peer.answers["/a"] = moved(f"http://social.example:{peer.port}/b")
    return peer


async def test_a_loop_ends_when_a_url_comes_again(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": moved("/b"), "/b": moved("/c"), "/c": moved("/b")})
    with pytest.raises(TooMuch) as caught:
        await fetch(f"http://social.example:{peer.port}/a")
    assert (caught.value.reason, [asked.target for asked in peer.asked]) == ("redirects", ["/a", "/b", "/c"])


async def test_five_redirects_are_followed_and_a_sixth_is_not(lab: Config, serve: Serve) -> None:
    peer = await serve({f"/{number}": moved(f"/{number + 1}") for number in range(9)} | {"/9": reply()})
    await fetch(f"http://social.example:{peer.port}/4")
    peer.asked.clear()
    with pytest.raises(TooMuch):
        await fetch(f"http://social.example:{peer.port}/3")
    assert len(peer.asked) == 6


async def test_none_are_followed_where_none_are_wanted(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": moved("/b"), "/b": reply()})
    with pytest.raises(TooMuch):
        await fetch(f"http://social.example:{peer.port}/a", redirects=0)
    assert len(peer.asked) == 1


async def test_a_redirect_to_nowhere_is_a_loop(lab: Config, serve: Serve) -> None:
    peer = await serve({"/a": reply(b"", 302)})
    with pytest.raises(TooMuch):
        await fetch(f"http://social.example:{peer.port}/a")


@pytest.mark.parametrize("status", [204, 300, 304, 401, 404, 410, 418, 429, 500, 503])
async def test_any_other_status_is_no_document(lab: Config, serve: Serve, status: int) -> None:
    answer = reply(b"", status, retry_after="7", content_type="text/plain")
    peer = await serve({"/a": answer})
    with pytest.raises(Unwelcome) as caught:
        await fetch(f"http://social.example:{peer.port}/a")
    error = caught.value
    assert (error.status, error.wait) == (status, None if status == 204 else 7)
    assert error.message == "The other server gave no answer that could be used."
