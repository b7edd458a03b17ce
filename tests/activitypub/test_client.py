"""Asking other servers for documents."""

import pytest

from fediblog import http
from fediblog.activitypub import client
from fediblog.activitypub.ownership import Forged
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
