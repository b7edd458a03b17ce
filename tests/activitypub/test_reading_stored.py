"""What is read of every family can be kept: its people, posts, edits and polls, on both databases."""

import pytest

from fediblog import db
from fediblog.activitypub import compact, reading
from fediblog.activitypub.vocabulary import as_list
from fediblog.models import Account, Media, Post
from fediblog.services import receiving, remote_accounts
from fediblog.services.incoming import IncomingPost, IncomingVote
from tests.activitypub import families
from tests.people import person
from tests.services.making import post


def read(family: str, name: str, swap: dict[str, str]) -> list[IncomingPost | IncomingVote]:
    activity = families.read(family, name, swap)
    things: list[compact.Node] = as_list(activity["object"])
    return [reading.post(thing, activity, families.followers(family)) for thing in things]


async def received(author: Account, family: str, name: str, swap: dict[str, str]) -> Post:
    [incoming] = read(family, name, swap)
    assert isinstance(incoming, IncomingPost)
    found = await receiving.receive(author, incoming)
    assert found is not None and found.uri == incoming.uri
    return await Post.get(id=found.id)


@pytest.mark.parametrize("family", families.names())
async def test_a_family_moves_in(database: None, family: str):
    alice = await person("alice")
    hers = await post(alice)
    swap = {families.ALICE: alice.uri, families.POST: hers.uri}
    author = await remote_accounts.store(reading.account(families.read(family, "actor")))
    assert (author.domain, author.local) == (f"{family}.example", False)

    first = await received(author, family, "post", swap)
    assert first.author_id == author.id and first.content and not first.local
    if "edit" in families.payloads(family):
        [edited] = read(family, "edit", swap)
        assert isinstance(edited, IncomingPost)
        after = await receiving.edit(author, first, edited)
        assert after.content == edited.content and after.edited_at == edited.edited_at

    if "reply" in families.payloads(family):
        answer = await received(author, family, "reply", swap)
        assert answer.reply_to_id == hers.id and answer.thread_id == hers.thread_id
        assert await db.column("SELECT account_id FROM mention WHERE post_id = $1", answer.id) == [alice.id]

    if "poll" in families.payloads(family):
        asked = await received(author, family, "poll", swap)
        titles = await db.column(
            "SELECT title FROM poll_option WHERE poll_id = $1 ORDER BY position", asked.id
        )
        assert titles == ["Tea", "Coffee"]


async def test_an_album_keeps_its_order_and_its_descriptions(database: None):
    author = await remote_accounts.store(reading.account(families.read("pixelfed", "actor")))
    album = await received(author, "pixelfed", "post", {})
    kept = await Media.filter(post_id=album.id).order_by("position")
    assert [each.description for each in kept] == [f"Picture {number}" for number in range(1, 7)]
    assert {(each.kind, each.mime, each.width) for each in kept} == {("image", "image/jpeg", 1080)}
