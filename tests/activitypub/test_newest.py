"""The newest posts of somebody elsewhere, read from their outbox."""

from typing import Any

import pytest

from fediblog import http
from fediblog.activitypub import budgets, errands, newest, resolver
from fediblog.activitypub.budgets import Budget, Pace
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.services import work
from tests.harness.fediverse import Fediverse, Peer
from tests.services import making

Node = dict[str, Any]


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def rita(peer: Peer) -> Node:
    return peer.actor("rita")


def outbox(peer: Peer, rita: Node, *items: Any, **more: Any) -> None:
    """An outbox whose first page stands for itself, as most have it."""
    first = f"{rita['outbox']}?page=true"
    peer.keep({"id": rita["outbox"], "type": "OrderedCollection", "first": first})
    peer.keep({"id": first, "type": "OrderedCollectionPage", "orderedItems": list(items), **more})


async def posts() -> list[str]:
    return sorted(post.uri for post in await Post.filter(local=False))


async def test_whoever_is_looked_at_comes_with_what_they_wrote(peer: Peer, rita: Node):
    notes = [peer.note(rita) for _ in range(4)]
    created = peer.keep(peer.activity("Create", rita, notes[1]["id"]))
    outbox(peer, rita, peer.activity("Create", rita, notes[0]), created["id"], notes[2]["id"], notes[3])
    await errands.resolve(rita["id"])
    assert await posts() == [note["id"] for note in notes]


async def test_what_is_known_is_not_asked_for_again(peer: Peer, rita: Node):
    note = peer.note(rita)
    outbox(peer, rita, peer.activity("Create", rita, note))
    account = await resolver.actor(rita["id"])
    await newest.read(account, Budget())
    peer.asked.clear()
    await newest.read(account, Budget())
    assert note["id"] not in [str(request.url) for request in peer.asked]


async def test_of_what_is_embedded_nothing_is_believed(fediverse: Fediverse, peer: Peer, rita: Node):
    note = peer.note(rita, "<p>As it is</p>")
    other = fediverse.server("other.example")
    theirs = other.note(other.actor("otto"))
    outbox(
        peer,
        rita,
        peer.activity("Create", rita, {**note, "content": "<p>Invented</p>"}),
        peer.activity("Create", rita, {**theirs, "attributedTo": rita["id"]}),
        peer.activity("Announce", rita, theirs["id"]),
        peer.activity("Create", rita, f"{peer.base}/none"),
        "no address",
        7,
    )
    await errands.resolve(rita["id"])
    assert [post.content for post in await Post.filter(local=False)] == ["<p>As it is</p>"]
    assert not other.asked


async def test_only_the_first_page_is_read_and_not_all_of_it(peer: Peer, rita: Node):
    notes = [peer.note(rita) for _ in range(newest.MOST + 2)]
    old = peer.note(rita)
    older = {"id": f"{rita['outbox']}?page=2", "type": "OrderedCollectionPage", "orderedItems": [old["id"]]}
    outbox(peer, rita, *(note["id"] for note in notes), next=peer.keep(older)["id"])
    await errands.resolve(rita["id"])
    assert len(await posts()) == newest.MOST
    outbox(peer, rita, notes[0]["id"], next=older["id"])
    await errands.resolve(rita["id"])
    assert old["id"] not in await posts()


async def test_an_outbox_is_read_on_its_owners_host_alone(fediverse: Fediverse, peer: Peer):
    other = fediverse.server("other.example")
    otto = other.actor("otto")
    outbox(other, otto, other.note(otto)["id"])
    rita = peer.actor("rita", outbox=otto["outbox"])
    await errands.resolve(rita["id"])
    assert await posts() == []
    assert not other.asked


async def test_who_hides_their_pins_may_still_show_their_posts(peer: Peer):
    rita = peer.actor("rita", featured=f"{peer.base}/users/rita/featured")
    note = peer.note(rita)
    outbox(peer, rita, note["id"])
    await errands.resolve(rita["id"])
    assert await posts() == [note["id"]]


async def test_a_list_that_cannot_be_had_is_told(peer: Peer, rita: Node):
    account = await resolver.actor(rita["id"])
    with pytest.raises(http.Unwelcome):
        await newest.read(account, Budget())


async def test_a_server_is_not_asked_for_more_than_it_should_be(
    peer: Peer, rita: Node, monkeypatch: pytest.MonkeyPatch
):
    outbox(peer, rita, *(peer.note(rita)["id"] for _ in range(6)))
    monkeypatch.setattr(budgets.memory(), "hosts", Pace(4))
    await errands.resolve(rita["id"])
    assert len(await posts()) == 4


async def test_what_is_looked_at_is_owed_a_look_once_in_a_while(peer: Peer, rita: Node, alice: Account):
    account = await resolver.actor(rita["id"])
    assert await resolver.look_around(account)
    assert not await resolver.look_around(account)
    assert [row.kind for row in await work.heaps()] == [Job.RESOLVE]


async def test_for_what_is_ours_or_for_few_nobody_is_asked(peer: Peer, rita: Node, alice: Account):
    secret = peer.note(rita, to=[rita["followers"]], cc=[])
    post = await resolver.post(secret["id"])
    assert post is not None
    assert not await resolver.look_around(post)
    assert not await resolver.look_around(alice)
    assert not await resolver.look_around(await making.post(alice))
    assert await work.heaps() == []
