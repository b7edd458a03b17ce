"""Activities by their ids, for those whom they were meant for."""

from typing import Any

import orjson

from fediblog import db, ids, moments, uris
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account, Post
from fediblog.services import follows, posts
from fediblog.services.composing import Draft
from tests.people import remote


async def letter(author: Account | None, thing: Post | None = None, **activity: Any) -> str:
    """An activity that was sent."""
    number = ids.new()
    uri = activity.setdefault("id", uris.activity_uri(number))
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, post_id, kind, body, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, 0)",
            *(number, uri, author and author.id, thing and thing.id, activity["type"]),
            orjson.dumps(activity),
        )
    return uri


async def test_a_public_activity_is_there_for_everybody(asker, alice):
    uri = await letter(alice, type="Update", to=[PUBLIC], cc=[])
    assert (await asker.get(uri))["type"] == "Update"
    await asker.get(uris.activity_uri(12), status=404)


async def test_any_other_activity_is_there_for_those_it_names(asker, alice, rita, as_rita):
    accept = await letter(alice, type="Accept", to=[rita.uri])
    other = await letter(alice, type="Accept", to=["https://remote.example/users/sam"])
    like = await letter(alice, id=uris.like_uri(7), type="Like", to=[rita.uri])
    block = await letter(alice, id=uris.absolute("/ap/blocks/7"), type="Block", to=[rita.uri])
    for uri in (accept, other, like, block):
        await asker.get(uri, status=404)
    for uri in (accept, like, block):
        assert (await asker.get(uri, as_rita))["id"] == uri
    await asker.get(other, as_rita, status=404)


async def test_what_was_said_of_a_post_goes_with_it(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    update = await letter(alice, thing, type="Update", to=[PUBLIC])
    delete = await letter(alice, thing, type="Delete", to=[PUBLIC])
    await asker.get(update)
    await posts.delete(alice, thing.id)
    await asker.get(update, status=404)
    await asker.get(delete)
    await Account.filter(id=alice.id).update(suspended_at=moments.now())
    await asker.get(delete, status=404)


async def test_a_follow_is_there_for_whom_it_concerns(asker, alice, rita, as_rita):
    await follows.follow(alice, rita)
    uri = await db.value("SELECT uri FROM follow_request")
    await asker.get(uri, status=404)
    made = await asker.get(uri, as_rita)
    assert (made["type"], made["actor"], made["object"]) == ("Follow", alice.uri, rita.uri)
    await remote("sam", "remote.example")
    await asker.get(uri, asker.peer.actor("sam"), status=404)
    await follows.accept(rita, alice.id)
    assert (await asker.get(uri, as_rita))["id"] == uri


async def test_what_an_edit_has_taken_back_is_not_read_in_an_older_update(asker, alice):
    old = {"id": alice.uri, "type": "Person", "summary": "My number is 555"}
    uri = await letter(alice, type="Update", object=old, to=[PUBLIC])
    assert (await asker.get(uri))["object"] == alice.uri
