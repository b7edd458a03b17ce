"""Asking other servers for documents."""

import httpx
import pytest

from fediblog import http
from fediblog.activitypub import client
from fediblog.activitypub.ownership import Forged
from fediblog.services import servers
from tests.harness.fediverse import Fediverse


async def test_a_document_is_fetched_signed_by_the_server_itself(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    rita = peer.actor("rita")
    document = await client.get(rita["id"])
    assert document["preferredUsername"] == "rita"
    assert 'keyId="http://localhost:8000/ap/actor#main-key"' in peer.asked[0].headers["signature"]


async def test_a_document_under_another_address_is_fetched_from_its_own(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    rita = peer.actor("rita")
    peer.documents["https://remote.example/@rita"] = rita
    assert (await client.get("https://remote.example/@rita"))["id"] == rita["id"]


async def test_a_document_that_another_server_hands_out_is_not_believed(fediverse: Fediverse):
    rita = fediverse.server("remote.example").actor("rita")
    evil = fediverse.server("evil.example")
    evil.documents["https://evil.example/copy"] = {**rita, "name": "Eve"}
    assert (await client.get("https://evil.example/copy"))["name"] == "Rita"
    evil.documents["https://evil.example/note"] = {
        "id": "https://evil.example/note",
        "type": "Note",
        "attributedTo": rita["id"],
    }
    with pytest.raises(Forged):
        await client.get("https://evil.example/note")


async def test_what_is_gone_is_told_by_its_status(fediverse: Fediverse):
    fediverse.server("remote.example")
    with pytest.raises(http.Unwelcome) as caught:
        await client.get("https://remote.example/users/nobody")
    assert caught.value.status == 404


async def test_another_signature_is_tried_when_one_is_refused_and_remembered(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
):
    peer = fediverse.server("remote.example")
    rita = peer.actor("rita")
    seen = []
    usual = peer.answer

    def picky(request: httpx.Request) -> httpx.Response:
        seen.append("signature-input" in request.headers)
        return usual(request) if seen[-1] else httpx.Response(401)

    monkeypatch.setattr(peer, "answer", picky)
    await client.get(rita["id"])
    await client.get(rita["id"])
    assert seen == [False, True, True]
    assert await servers.scheme("remote.example") == "rfc9421"


async def test_who_likes_no_signature_is_asked_twice_and_no_more(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    peer.answers["https://remote.example/x"] = (401, "text/plain", b"")
    with pytest.raises(http.Unwelcome) as caught:
        await client.get("https://remote.example/x")
    assert caught.value.status == 401
    assert len(peer.asked) == 2
    assert await servers.scheme("remote.example") == ""


async def test_a_server_that_is_shut_out_is_not_asked_nor_believed(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
):
    async def refused(domain: str) -> bool:
        return domain == "blocked.example"

    monkeypatch.setattr(client.domains, "refused", refused)
    blocked = fediverse.server("blocked.example")
    eve = blocked.actor("eve")
    fediverse.server("remote.example").documents["https://remote.example/eve"] = eve
    for url in (eve["id"], "https://remote.example/eve"):
        with pytest.raises(http.Refused) as caught:
            await client.get(url)
        assert caught.value.reason == "policy"
    assert blocked.asked == []
