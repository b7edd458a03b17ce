"""From an act here to another server's inbox, over the rows in between."""

import pytest

from fediblog import db
from fediblog.activitypub import delivery, outbox
from fediblog.models import Account, Visibility
from fediblog.services import deletion, follows, posts
from fediblog.services.composing import Draft
from tests.activitypub.posted import followed
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote, user_of


@pytest.fixture
async def peer(fediverse: Fediverse, alice: Account) -> Peer:
    """A server where somebody follows alice; it knows her key."""
    fediverse.knows(alice.key_id, alice.public_key)
    peer = fediverse.server("remote.example")
    await followed(alice, await remote("rita", "remote.example"))
    await delivery.drain()
    assert [each.activity["type"] for each in peer.received] == ["Accept"]
    peer.received.clear()
    return peer


async def arrived(alice: Account, peer: Peer) -> list[str]:
    """What comes there now, in order."""
    before = len(peer.received)
    await outbox.federate(alice.id)
    await delivery.drain()
    return [each.activity["type"] for each in peer.received[before:]]


async def test_a_post_its_edit_and_its_end_arrive_in_order(alice: Account, peer: Peer) -> None:
    made = await posts.publish(alice, Draft("Hello"))
    assert await arrived(alice, peer) == ["Create"]
    await posts.edit(alice, made.id, Draft("Hello again"))
    await posts.delete(alice, made.id)
    assert await arrived(alice, peer) == ["Delete"]
    assert await arrived(alice, peer) == []


async def test_what_is_tried_again_is_the_same_to_the_byte(alice: Account, peer: Peer) -> None:
    made = await posts.publish(alice, Draft("Hello"))
    peer.inbox_status = 500
    assert await arrived(alice, peer) == []
    # What has become of the post since is another letter.
    async with db.transaction():
        await db.execute("UPDATE post SET content = '<p>Else</p>' WHERE id = $1", made.id)
        await db.execute("UPDATE server SET next_at = 0")
    peer.inbox_status = 202
    assert await arrived(alice, peer) == ["Create"]
    body = await db.value("SELECT body FROM activity WHERE kind = 'Create'")
    assert peer.received[-1].body == bytes(body)
    assert peer.received[-1].activity["object"]["content"] == "<p>Hello</p>"


async def test_deliveries_for_followers_say_whom_we_take_for_one(alice: Account, peer: Peer) -> None:
    await posts.publish(alice, Draft("For you", visibility=Visibility.FOLLOWERS))
    await posts.publish(alice, Draft("For all"))
    assert await arrived(alice, peer) == ["Create", "Create"]
    private, public = peer.received
    assert alice.followers_uri in private.headers["collection-synchronization"]
    assert "collection-synchronization" not in public.headers


async def test_the_end_of_an_account_is_still_signed_by_it(alice: Account, peer: Peer) -> None:
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    assert await arrived(alice, peer) == ["Delete"]
    assert peer.received[-1].key_id == alice.key_id


async def test_a_follow_from_here_arrives_in_the_persons_inbox(alice: Account, peer: Peer) -> None:
    romy = await remote("romy", "remote.example")
    await follows.follow(alice, romy)
    assert await arrived(alice, peer) == ["Follow"]
    assert peer.received[-1].inbox == romy.inbox
