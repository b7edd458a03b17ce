"""From the request of another server to what people here see: the whole way in, with nothing pretended."""

import asyncio

import pytest
from quart import Quart

from fediblog import db
from fediblog.activitypub.inbox import processing
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.config import Config
from fediblog.models import Account, Post
from fediblog.services import inbox_items
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node, Peer


@pytest.fixture
def app(config: Config, database: None) -> Quart:
    return apps.shared(config)


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def rita(peer: Peer) -> Node:
    """A stranger, until she sends something."""
    return peer.actor("rita")


async def bring(app: Quart, peer: Peer, actor: Node, *activities: Node) -> None:
    for activity in activities:
        assert await peer.send(app, actor, activity) == 202
    await processing.drain()
    assert await inbox_items.waiting() == 0


def to_alice(alice: Account, rita: Node) -> dict[str, object]:
    mention = {"type": "Mention", "href": alice.uri, "name": "@alice@localhost:8000"}
    return {"to": [PUBLIC], "cc": [alice.uri, rita["followers"]], "tag": [mention]}


async def test_a_post_to_somebody_here_is_there_and_she_is_told(app, peer, rita, alice):
    note = peer.note(rita, "<p>Hello @alice</p>", **to_alice(alice, rita))
    create = peer.activity("Create", rita, note)
    await bring(app, peer, rita, create, create)
    post = await Post.get(uri=note["id"])
    assert post.content == "<p>Hello @alice</p>"
    told = await db.column("SELECT kind FROM notification WHERE account_id = $1", alice.id)
    assert told == ["mention"]


async def test_create_edit_and_deletion_in_one_batch_come_out_in_order(app, peer, rita, alice):
    note = peer.note(rita, "<p>One</p>", **to_alice(alice, rita))
    edited = {**note, "content": "<p>Two</p>", "updated": "2026-11-02T12:00:00Z"}
    stays = peer.note(rita, "<p>Stays</p>", **to_alice(alice, rita))
    await bring(
        app,
        peer,
        rita,
        peer.activity("Create", rita, note),
        peer.activity("Create", rita, stays),
        peer.activity("Update", rita, edited),
    )
    assert (await Post.get(uri=note["id"])).content == "<p>Two</p>"
    await bring(app, peer, rita, peer.activity("Delete", rita, note["id"]))
    assert [post.uri for post in await Post.all()] == [stays["id"]]


async def test_a_follow_comes_and_goes(app, peer, rita, alice):
    follow = peer.activity("Follow", rita, alice.uri)
    await bring(app, peer, rita, follow)
    assert await db.value("SELECT count(*) FROM follow WHERE target_id = $1", alice.id) == 1
    await bring(app, peer, rita, peer.activity("Undo", rita, follow))
    assert await db.value("SELECT count(*) FROM follow WHERE target_id = $1", alice.id) == 0


async def test_the_same_post_by_many_ways_at_once_is_one_post(app, peer, rita, alice):
    note = peer.note(rita, "<p>Once</p>", **to_alice(alice, rita))
    copies = [peer.activity("Create", rita, note) for _ in range(10)]
    inboxes = ["/ap/inbox", f"/ap/accounts/{alice.id}/inbox"] * 5
    await asyncio.gather(
        *(peer.send(app, rita, copy, inbox=inbox) for copy, inbox in zip(copies, inboxes, strict=True))
    )
    await asyncio.gather(processing.drain(), processing._Drain("another process").run())
    assert await Post.filter(uri=note["id"]).count() == 1
    assert await inbox_items.quarantined() == []


async def test_what_embeds_the_words_of_others_puts_nothing_into_their_mouths(
    app, peer, rita, alice, fediverse
):
    vera = fediverse.server("victim.example").actor("vera")
    forged = peer.note(rita, "<p>I never said that</p>", **to_alice(alice, rita))
    for owner, uri in (
        (vera["id"], forged["id"]),
        (vera["id"], "https://victim.example/notes/1"),
        (rita["id"], "https://victim.example/notes/2"),
        (alice.uri, "http://localhost:8000/ap/posts/1"),
    ):
        await bring(
            app,
            peer,
            rita,
            peer.activity("Create", rita, {**forged, "attributedTo": owner, "id": uri}),
        )
    assert await Post.all().count() == 0
