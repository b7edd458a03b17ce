"""A few of the verbs from the request on: signed, kept, handled."""

from collections.abc import Awaitable, Callable

import pytest
from quart import Quart

from fediblog import db
from fediblog.activitypub.inbox import processing
from fediblog.config import Config
from fediblog.models import Account, Post
from tests.activitypub.handlers.stage import Someone, befriend, found
from tests.harness import apps
from tests.harness.fediverse import Node
from tests.services.making import post

Bring = Callable[..., Awaitable[int]]
PUBLIC = ["as:Public"]


@pytest.fixture
def app(config: Config, database: None) -> Quart:
    return apps.shared(config)


@pytest.fixture
def bring(app: Quart) -> Bring:
    async def send(sender: Someone, activity: Node) -> int:
        status = await sender.peer.send(app, sender.document, activity)
        await processing.drain()
        return status

    return send


async def test_a_reaction_a_boost_and_their_ends(rita, alice: Account, bring):
    made = await post(alice)
    like, boost = (
        rita.activity("EmojiReact", made.uri, content="🎉"),
        rita.activity("Announce", made.uri, to=PUBLIC),
    )
    for activity in (like, boost, like, boost):
        assert await bring(rita, activity) == 202
    there = await found(made.uri)
    assert (there.likes, there.boosts) == (1, 1)

    for activity in (like, boost):
        assert await bring(rita, rita.activity("Undo", activity)) == 202
    there = await found(made.uri)
    assert (there.likes, there.boosts) == (0, 0)


async def test_what_a_neighbour_sends_in_another_name_is_refused_at_the_door(rita, nora, alice, bring):
    made = await post(alice)
    assert await bring(nora, rita.activity("Like", made.uri)) in (401, 403)
    assert (await found(made.uri)).likes == 0


async def test_what_nobody_may_do_is_acknowledged_and_has_no_effect(rita, nora, alice, bring):
    await befriend(alice, rita.account)
    note = rita.note()
    assert await bring(rita, rita.activity("Create", note)) == 202
    for activity in (nora.activity("Delete", note["id"]), nora.activity("Update", {**note, "content": "x"})):
        assert await bring(nora, activity) == 202
    assert (await Post.get(uri=note["id"])).content == "<p>Hello</p>"
    assert await db.column("SELECT reason FROM dropped ORDER BY reason") == ["forbidden", "forged: owner"]


async def test_unknown_activities_are_taken_and_dropped(rita, alice, bring):
    for kind in ("View", "Read", "Dislike"):
        assert await bring(rita, rita.activity(kind, alice.uri)) == 202
    assert await db.column("SELECT reason FROM dropped ORDER BY reason") == ["dislike", "unknown activity"]
