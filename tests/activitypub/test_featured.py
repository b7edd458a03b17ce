from typing import Any

import pytest

from fediblog import http
from fediblog.activitypub import errands, featured, resolver
from fediblog.models import Account, Visibility
from fediblog.services import pins
from tests.harness.fediverse import Fediverse, Peer
from tests.services import making

Node = dict[str, Any]


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def rita(peer: Peer) -> Node:
    return peer.actor("rita", featured=f"{peer.base}/users/rita/featured")


def pin(peer: Peer, rita: Node, *items: Any) -> None:
    peer.keep({"id": rita["featured"], "type": "OrderedCollection", "orderedItems": list(items)})


async def pinned(account: Account) -> list[str]:
    return sorted(post.uri for post in await pins.pinned(account))


async def test_what_somebody_has_pinned_is_pinned_here(peer: Peer, rita: Node):
    one, two, three = (peer.note(rita) for _ in range(3))
    pin(peer, rita, one["id"], two)
    await errands.resolve(rita["id"])
    account = await resolver.actor(rita["id"])
    assert await pinned(account) == [one["id"], two["id"]]
    pin(peer, rita, three["id"], one["id"])
    await errands.refresh(account.id)
    assert await pinned(account) == [one["id"], three["id"]]


async def test_a_list_that_cannot_be_had_changes_nothing(peer: Peer, rita: Node):
    pin(peer, rita, peer.note(rita)["id"])
    account = await resolver.actor(rita["id"])
    await featured.read(account)
    peer.down = True
    with pytest.raises(http.Unreachable):
        await featured.read(account)
    assert len(await pinned(account)) == 1


async def test_only_ones_own_posts_are_pinned(fediverse: Fediverse, peer: Peer, rita: Node, alice: Account):
    other = fediverse.server("other.example")
    ours = await making.post(alice)
    direct = peer.note(rita, to=[alice.uri], cc=[])
    mine = peer.note(rita)
    theirs = other.note(other.actor("otto"))
    pin(peer, rita, ours.uri, theirs["id"], direct["id"], f"{peer.base}/none", mine["id"])
    account = await resolver.actor(rita["id"])
    await featured.read(account)
    assert await pinned(account) == [mine["id"]]
    assert ours.visibility == Visibility.PUBLIC


async def test_a_list_on_another_host_is_not_read(fediverse: Fediverse, rita: Node):
    other = fediverse.server("other.example")
    rita["featured"] = f"{other.base}/featured"
    account = await resolver.actor(rita["id"])
    await featured.read(account)
    assert other.asked == []


async def test_ten_thousand_pins_are_a_few(peer: Peer, rita: Node):
    pin(peer, rita, *(peer.note(rita)["id"] for _ in range(200)))
    account = await resolver.actor(rita["id"])
    peer.asked.clear()
    await featured.read(account)
    assert len(await pinned(account)) == 5
    assert len(peer.asked) == 6
