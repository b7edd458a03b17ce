"""What is not for everybody is in no document that everybody can ask for (SECURITY §1.3, §6).

One world in which everything private hangs on something public; then every address of it is asked for by a
stranger, by somebody who signs and follows nobody, and, where only strangers' things may be, by a follower.
"""

from dataclasses import dataclass

import orjson
import pytest

from fediblog import uris
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account, Post, Visibility
from fediblog.services import boosts, likes, pins, posts
from fediblog.services.composing import Draft
from tests.activitypub.asking import Asker, follow
from tests.harness.fediverse import Node
from tests.people import remote
from tests.services.making import mention, post

PRIVATE = (Visibility.FOLLOWERS, Visibility.DIRECT)


@dataclass
class World:
    """Alice and what she and others wrote around her public post."""

    alice: Account
    public: Post
    hidden: list[Post]

    @property
    def lists(self) -> list[str]:
        """Every collection there is, the pages too."""
        mine = [
            f"{self.alice.uri}/{name}" for name in ("outbox", "featured", "tags", "followers", "following")
        ]
        posts = [
            f"{each.uri}/{name}"
            for each in [self.public, *self.hidden]
            if each.local
            for name in ("replies", "likes", "shares", "context")
        ]
        pages = [
            f"{uri}?page=true{more}" for uri in [*mine, *posts] for more in ("", "&others=true", "&min_id=1")
        ]
        return [*mine, *posts, *pages]

    @property
    def things(self) -> list[str]:
        """Every post by each of its addresses."""
        ids = [uris.post_uri(each.id) + more for each in self.hidden for more in ("", "/create")]
        return ids + [f"/@{name}/{each.id}" for each in self.hidden for name in ("alice", "bob")]


@pytest.fixture
async def world(asker: Asker, alice: Account, bob: Account, rita: Account) -> World:
    public = await posts.publish(alice, Draft("Hello"))
    hidden = []
    for visibility in PRIVATE:
        hidden.append(await posts.publish(alice, Draft("Psst @bob", visibility=visibility)))
        own = Draft("Psst", visibility=visibility, reply_to_id=public.id)
        hidden.append(await posts.publish(alice, own))
        hidden.append(await posts.publish(bob, own))
        # An answer to what is private, as wide as it may be.
        hidden.append(await posts.publish(bob, Draft("Psst", reply_to_id=hidden[-3].id)))
        theirs = await post(
            rita,
            visibility,
            uri=f"https://remote.example/notes/{visibility.value}",
            reply_to_id=public.id,
            thread_id=public.id,
        )
        await mention(theirs, alice)
        hidden.append(theirs)
    await pins.pin(alice, public)
    await pins.pin(alice, hidden[0])
    hidden.append(await boosts.boost(alice, hidden[0]))
    hidden.append(await boosts.boost(bob, public, Visibility.FOLLOWERS))
    await likes.like(bob, hidden[0])
    return World(alice, public, hidden)


def told(body: bytes, world: World) -> list[str]:
    """What of the hidden posts stands in an answer."""
    return [
        each.uri
        for each in world.hidden
        if f'{each.uri}"'.encode() in body or f"{each.uri}/".encode() in body
    ]


async def test_no_list_tells_a_stranger_anything_private(asker, world):
    for path in world.lists:
        answer = await asker.send(path)
        assert answer.status_code in (200, 404), path
        assert not told(await answer.get_data(), world), path


async def test_no_id_leads_a_stranger_to_anything_private(asker, world):
    for path in world.things:
        await asker.get(path, status=404)


@pytest.mark.parametrize("name", ["sam", "unheard-of"])
async def test_a_signature_alone_opens_nothing(asker, world, name):
    if name == "sam":
        await remote("sam", "remote.example")
    signer = asker.peer.actor(name)
    for path in world.things:
        await asker.get(path, signer, status=404)
    for path in world.lists:
        assert not told(await (await asker.send(path, signer)).get_data(), world), path


async def test_lists_hold_what_strangers_may_see_whoever_asks(asker, world, rita):
    """They are kept by others and passed on, so a follower reads the same."""
    await follow(rita, world.alice)
    signer: Node = asker.peer.actor("rita")
    for path in (world.alice.outbox, f"{world.alice.outbox}?page=true", world.alice.featured_uri):
        assert not told(await (await asker.send(path, signer)).get_data(), world), path
    public = world.public
    for path in (f"{public.uri}/replies?page=true", f"{public.uri}/replies?page=true&others=true"):
        assert not told(await (await asker.send(path, signer)).get_data(), world), path


async def test_the_lists_of_a_private_post_are_as_private_as_it_is(asker, world, rita):
    thing = world.hidden[0]
    signer = asker.peer.actor("rita")
    paths = [f"{thing.uri}/{name}" for name in ("replies", "likes", "shares", "context", "create")]
    for path in paths:
        await asker.get(path, signer, status=404)
    await follow(rita, world.alice)
    for path in paths:
        await asker.get(path, signer)


async def test_what_is_for_everybody_is_told(asker, world):
    """So that the sentences above are about something."""
    assert [item["id"] for item in await asker.all(world.alice.outbox)] == [uris.create_uri(world.public.id)]
    assert (await asker.get(world.alice.featured_uri))["orderedItems"] == [world.public.uri]
    assert (await asker.get(world.public.uri))["to"] == [PUBLIC]
    body = orjson.dumps([world.hidden[0].uri])
    assert told(body, world) == [world.hidden[0].uri]
