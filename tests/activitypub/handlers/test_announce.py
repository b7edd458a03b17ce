"""Announce: what is passed on is never believed; boosts, and relays."""

import pytest

from fediblog import db
from fediblog.activitypub.ownership import Forged
from fediblog.errors import Forbidden, Invalid, Malformed, NotFound
from fediblog.http import Unwelcome
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, relay_answers, relays
from tests.activitypub.handlers.stage import NOW, Someone, befriend, drops, found, handle, meet
from tests.services.making import owed, post, told

PUBLIC = ["as:Public"]


async def boosts() -> list[Post]:
    return await Post.filter(boost_of_id__isnull=False).order_by("id")


# -------------------------------------------------------------------------------------------------- boosts


async def test_a_post_of_ours_is_boosted_by_anybody_and_that_counts_once(rita, alice: Account):
    made = await post(alice)
    first = await rita.does("Announce", made.uri, to=PUBLIC)
    await handle(first, rita.account)
    await rita.does("Announce", made.uri, to=PUBLIC)

    [boost] = await boosts()
    assert (boost.uri, boost.author_id, boost.local) == (first["id"], rita.account.id, False)
    assert (await found(made.uri)).boosts == 1
    assert await told(alice) == [("boost", rita.account.id, made.id)]
    # Nobody's home waits for what a stranger passes on.
    assert await owed("fan_out") == []


async def test_who_is_followed_here_boosts_what_nobody_knew(rita, otto, alice):
    await befriend(alice, rita.account)
    note = otto.note("<p>Far away</p>")
    await rita.does("Announce", note["id"], to=PUBLIC)

    original = await found(note["id"])
    assert original.content == "<p>Far away</p>"
    assert (await Account.get(id=original.author_id)).uri == otto.account.uri
    assert [boost.boost_of_id for boost in await boosts()] == [original.id]


async def test_boosts_of_strangers_are_dropped_without_a_fetch(rita, otto, alice):
    await rita.does("Announce", otto.note()["id"], to=PUBLIC)
    theirs = await post(otto.account, uri="https://other.example/notes/known")
    await rita.does("Announce", theirs.uri, to=PUBLIC)
    assert await boosts() == []
    assert otto.peer.asked == []
    assert await drops() == {"not relevant": 2}


async def test_what_is_embedded_in_a_boost_is_not_believed(rita, otto, alice):
    await befriend(alice, rita.account)
    note = otto.note("<p>True</p>")
    await rita.does("Announce", {**note, "content": "<p>False</p>"}, to=PUBLIC)
    assert (await found(note["id"])).content == "<p>True</p>"

    with pytest.raises(Unwelcome):
        await rita.does("Announce", {**note, "id": "https://other.example/notes/invented"}, to=PUBLIC)
    assert len(await boosts()) == 1


async def test_even_ones_own_embedded_post_is_fetched(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note("<p>True</p>")
    await rita.does("Announce", {**note, "content": "<p>False</p>"}, to=PUBLIC)
    assert (await found(note["id"])).content == "<p>True</p>"


async def test_who_sees_a_boost_stands_in_its_address(rita, alice):
    made = await post(alice)
    await rita.does("Announce", made.uri, to=[rita.account.followers_uri])
    assert [boost.visibility for boost in await boosts()] == [Visibility.FOLLOWERS]


async def test_a_boost_for_a_few_people_is_refused(rita, alice):
    made = await post(alice)
    with pytest.raises(Invalid):
        await rita.does("Announce", made.uri, to=[alice.uri])
    assert await boosts() == []


@pytest.mark.parametrize("level", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_what_is_private_is_not_passed_on(rita, alice, level):
    made = await post(alice, level)
    await befriend(rita.account, alice)
    with pytest.raises(Forbidden):
        await rita.does("Announce", made.uri, to=PUBLIC)
    assert await boosts() == []


async def test_ones_own_private_post_is_passed_on_to_followers(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note(to=[rita.account.followers_uri], cc=[])
    await rita.does("Create", note)
    await rita.does("Announce", note["id"], to=PUBLIC)
    assert [boost.visibility for boost in await boosts()] == [Visibility.FOLLOWERS]


async def test_somebody_elses_private_post_is_not(rita, otto, alice):
    await befriend(alice, otto.account)
    await befriend(alice, rita.account)
    note = otto.note(to=[otto.account.followers_uri], cc=[])
    await otto.does("Create", note)
    with pytest.raises(Forbidden):
        await rita.does("Announce", note["id"], to=PUBLIC)


async def test_who_is_blocked_boosts_nothing_of_who_blocks(rita, alice):
    made = await post(alice)
    await blocks.block(alice, rita.account)
    with pytest.raises(NotFound):
        await rita.does("Announce", made.uri, to=PUBLIC)


async def test_a_boost_has_a_name_of_its_own_server(rita, otto, alice):
    made = await post(alice)
    nameless = rita.activity("Announce", made.uri, to=PUBLIC)
    del nameless["id"]
    with pytest.raises(Malformed):
        await handle(nameless, rita.account)
    with pytest.raises(Forged):
        await rita.does("Announce", made.uri, id="https://other.example/1", to=PUBLIC)
    assert await boosts() == []


async def test_a_boost_of_what_is_no_post_is_dropped(rita, otto, alice):
    await befriend(alice, rita.account)
    await rita.does("Announce", otto.account.uri, to=PUBLIC)
    await rita.does("Announce", "http://localhost:8000/ap/posts/1", to=PUBLIC)
    assert await drops() == {"boost of what is no post": 2}


async def test_a_group_tells_nobody_that_it_passes_on_what_they_write(fediverse, alice):
    club = await meet(fediverse, "club", "lemmy.example", type="Group")
    made = await post(alice)
    await club.does("Announce", made.uri, to=PUBLIC)
    assert len(await boosts()) == 1
    assert await told(alice) == []


# -------------------------------------------------------------------------------------------------- relays


@pytest.fixture
async def relay(fediverse, database) -> Someone:
    made = await meet(fediverse, "relay", "relay.example", type="Application")
    asked = await relays.add(made.account.inbox)
    assert await relay_answers.take(made.account, asked.follow_uri, "accepted")
    return made


@pytest.mark.parametrize("shape", ["address", "embedded", "activity"])
async def test_what_a_relay_brings_is_kept_and_the_relay_is_no_booster(relay, otto, shape):
    note = otto.note("<p>True</p>")
    false = {**note, "content": "<p>False</p>"}
    thing = {"address": note["id"], "embedded": false, "activity": otto.activity("Create", false)}[shape]
    for _ in range(2):
        await relay.does("Announce", thing, to=PUBLIC)

    assert (await found(note["id"])).content == "<p>True</p>"
    assert await boosts() == []


async def test_what_a_relay_says_of_edits_and_ends_is_asked_of_the_posts_own_server(relay, otto):
    note = otto.note("<p>First</p>")
    await relay.does("Announce", note["id"], to=PUBLIC)
    otto.peer.keep({**note, "content": "<p>Second</p>", "updated": NOW})
    await relay.does("Announce", otto.activity("Update", {**note, "content": "<p>False</p>"}), to=PUBLIC)
    assert (await found(note["id"])).content == "<p>Second</p>"
    await relay.does("Announce", otto.activity("Delete", note["id"]), to=PUBLIC)
    assert await found(note["id"]) is not None


async def test_a_relay_that_has_not_let_us_in_is_a_stranger(relay, otto, fediverse):
    for someone in (await meet(fediverse, "nosy", "relay.example"), relay):
        note = otto.note()
        async with db.transaction():
            await db.execute("UPDATE relay SET state = 'asked'")
        await someone.does("Announce", note["id"], to=PUBLIC)
        assert await found(note["id"]) is None
    assert await drops() == {"not relevant": 2}


async def test_our_own_posts_come_back_from_relays_in_vain(relay, alice):
    made = await post(alice)
    await relay.does("Announce", made.uri, to=PUBLIC)
    assert (await found(made.uri)).boosts == 0
