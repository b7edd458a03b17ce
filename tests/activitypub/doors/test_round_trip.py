"""What we write, read as another server of our kind reads it: nothing is lost between the two."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import moments, text
from fediblog.activitypub import compact, documents, ownership, reading
from fediblog.config import Config
from fediblog.models import Account, Post, Visibility
from fediblog.services import accounts, boosts, polls, posts, written
from fediblog.services.composing import Draft
from fediblog.services.incoming import IncomingPost
from fediblog.services.polls import PollDraft
from tests.people import person
from tests.services.making import file_of, post


@pytest.fixture
def elsewhere(configure: Callable[..., Config]) -> Callable[[], Config]:
    """From now on we are another server: what was written before is foreign."""
    return lambda: configure(domain="reader.example", base_url="https://reader.example")


def travelled(document: dict[str, Any]) -> compact.Node:
    return compact.read(documents.with_context(document))


async def sent(thing: Post) -> compact.Node:
    found = await documents.load(thing.id)
    assert found is not None
    return travelled(documents.note(found))


def read(node: compact.Node, thing: Post, author: Account) -> IncomingPost:
    ownership.check_fetched(node, thing.uri)
    made = reading.post(node, None, author.followers_uri)
    assert isinstance(made, IncomingPost)
    return made


async def test_a_person_arrives_whole(database, elsewhere):
    account = await person(
        "dora",
        actor_type="Service",
        locked=True,
        indexable=True,
        avatar="ab/cd/ef01.webp",
        header="ab/cd/ef02.jpg",
        also_known_as=["https://old.example/users/dora"],
    )
    account = await accounts.edit_profile(
        account, accounts.Profile(note="I like #Cats", fields=[("Site", "https://dora.example")])
    )
    node = travelled(documents.actor(account, "https://new.example/users/dora"))
    elsewhere()
    ownership.check_fetched(node, account.uri)
    made = reading.account(node)
    assert (made.uri, made.username, made.actor_type) == (account.uri, "dora", "Service")
    assert (made.inbox, made.shared_inbox, made.outbox) == (
        account.inbox,
        account.shared_inbox,
        account.outbox,
    )
    assert (made.followers_uri, made.following_uri) == (account.followers_uri, account.following_uri)
    assert (made.featured_uri, made.url) == (account.featured_uri, account.url)
    assert (made.key_id, made.public_key.strip()) == (account.key_id, account.public_key.strip())
    assert (made.display_name, made.locked, made.indexable) == ("Dora", True, True)
    assert "Cats" in made.note and made.fields[0][0] == "Site"
    assert made.avatar_url.endswith("ef01.webp") and made.header_url.endswith("ef02.jpg")
    assert made.also_known_as == ("https://old.example/users/dora",)
    assert made.moved_to == "https://new.example/users/dora"


async def test_who_is_suspended_arrives_as_that(alice, elsewhere):
    node = travelled(documents.suspended(alice))
    elsewhere()
    assert reading.account(node).suspended is True


async def test_a_post_arrives_whole(alice, bob, elsewhere):
    parent = await posts.publish(bob, Draft("Hello"))
    picture = await file_of(
        alice,
        file="ab/cd/ef01.webp",
        small_file="ab/cd/ef02.webp",
        mime="image/webp",
        description="A cat",
        width=640,
        height=480,
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        focus_x=0.5,
        focus_y=-0.25,
    )
    draft = Draft(
        "Hello @bob #Cats https://a.example/b",
        summary="Pets",
        language="en",
        media_ids=(picture.id,),
        reply_to_id=parent.id,
    )
    thing = await posts.publish(alice, draft)
    node = await sent(thing)
    elsewhere()
    made = read(node, thing, alice)
    assert (made.uri, made.url, made.author_uri) == (thing.uri, thing.url, alice.uri)
    assert made.content == text.clean(thing.content) and made.language == "en"
    assert (made.summary, made.sensitive) == ("Pets", True)
    assert made.created_at == thing.created_at and made.edited_at is None
    assert made.hashtags == ("Cats",) and made.tagged == (bob.uri,)
    assert made.reply_to_uri == parent.uri and made.replies_uri == f"{thing.uri}/replies"
    assert made.conversation == f"{parent.uri}/context"
    file = made.attachments[0]
    assert (file.kind, file.mime, file.description) == ("image", "image/webp", "A cat")
    assert (file.width, file.height, file.focus) == (640, 480, (0.5, -0.25))
    assert file.url.endswith("ef01.webp") and file.blurhash == "LEHV6nWB2yk8pyo0adR*.7kCMdnj"


async def test_an_edit_and_every_audience_arrive(alice, bob, elsewhere):
    things = [await posts.publish(alice, Draft("Hello @bob", visibility=each)) for each in Visibility]
    edited = await posts.edit(alice, things[0].id, Draft("Bye"))
    nodes = [await sent(thing) for thing in things]
    elsewhere()
    made = [read(node, thing, alice) for node, thing in zip(nodes, things, strict=True)]
    assert [each.visibility for each in made] == list(Visibility)
    assert all(each.named == (bob.uri,) for each in made)
    assert [each.edited_at for each in made] == [edited.edited_at, None, None, None]


async def test_a_poll_arrives_with_its_votes(alice, bob, elsewhere):
    thing = await posts.publish(alice, Draft("Which?", poll=PollDraft(("Cats", "Dogs"), 3600, multiple=True)))
    await polls.vote(bob, thing, [1])
    node = await sent(thing)
    elsewhere()
    question = read(node, thing, alice).question
    assert question is not None and question.closed_at is None
    assert question.options == (("Cats", 0), ("Dogs", 1))
    assert (question.multiple, question.voters) == (True, 1)
    assert (question.expires_at or 0) > moments.now()


async def test_a_quote_and_a_conversation_of_others_arrive(alice, elsewhere):
    thing = await post(alice, quote_uri="https://b.example/1", conversation="tag:b.example,2026:1")
    node = await sent(thing)
    elsewhere()
    made = read(node, thing, alice)
    assert (made.quote_uri, made.conversation) == ("https://b.example/1", "tag:b.example,2026:1")


async def test_what_wraps_a_post_is_the_authors(alice, bob, elsewhere):
    thing = await posts.publish(alice, Draft("Hello"))
    found = await documents.load(thing.id)
    assert found is not None
    create = travelled(documents.create(found))
    boost = await boosts.boost(bob, thing)
    announce = travelled(documents.boost((await written.boosts([boost.id]))[boost.id]))
    elsewhere()
    ownership.check_activity(create, alice.uri)
    ownership.check_activity(announce, bob.uri)
    assert announce["object"] == thing.uri
