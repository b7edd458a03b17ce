"""What others hear of likes, votes, follows, blocks, profiles, moves and reports: words and inboxes."""

from typing import Any

import orjson
import pytest

from fediblog import db, uris
from fediblog.activitypub import compact
from fediblog.activitypub.outbox import forwarding
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.errors import Conflict, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import (
    accounts,
    blocks,
    deletion,
    events,
    follows,
    likes,
    migration,
    moderation,
    pins,
    polls,
    posts,
    receiving,
    relays,
)
from fediblog.services.accounts import Profile
from fediblog.services.events import Event
from fediblog.services.polls import PollDraft
from tests.activitypub.posted import followed, letter, letters
from tests.people import remote, user_of
from tests.services.elsewhere import said
from tests.services.making import post

RITA, REMOTE = "https://remote.example/users/rita/inbox", "https://remote.example/inbox"
THEIRS = "https://remote.example/follows/1"


@pytest.fixture
async def rita(database: None) -> Account:
    """Somebody elsewhere."""
    return await remote("rita", "remote.example")


def activity(
    kind: str, actor: Account, thing: Any, target: Account, uri: str | None = None
) -> dict[str, Any]:
    """An activity to one person, as it should be."""
    made = {"type": kind, "actor": actor.uri, "object": thing, "to": [target.uri]}
    return made if uri is None else {"id": uri, **made}


# ----------------------------------------------------------------------------------------- likes and votes


async def test_a_like_and_its_undo_go_to_the_author_alone(alice: Account, rita: Account) -> None:
    fan = await remote("fan", "fan.example")
    await followed(alice, fan)
    theirs = await post(rita, uri="https://remote.example/notes/1")
    await likes.like(alice, theirs)
    like = await letter(alice)
    number = await db.value("SELECT id FROM post_like")
    assert like.activity == activity("Like", alice, theirs.uri, rita, uris.like_uri(number))
    assert like.inboxes == {RITA}
    await likes.unlike(alice, theirs)
    undo = await letter(alice)
    assert undo.activity.pop("id") != like.activity["id"]
    assert undo.activity == activity("Undo", alice, like.activity, rita)
    assert undo.inboxes == {RITA}


async def test_a_like_of_what_is_gone_is_not_told(alice: Account, rita: Account) -> None:
    theirs = await post(rita)
    await likes.like(alice, theirs)
    await posts.remove(theirs)
    assert await letters(alice) == []


async def test_a_vote_goes_to_the_author_alone_and_says_nothing_more(alice: Account, rita: Account) -> None:
    await followed(alice, await remote("fan", "fan.example"))
    theirs = await post(rita, uri="https://remote.example/notes/1")
    async with db.transaction():
        await polls.create(theirs.id, PollDraft(("tea", "coffee"), 3600, multiple=True))
    await polls.vote(alice, theirs, [0, 1])
    votes = await letters(alice)
    assert [vote.inboxes for vote in votes] == [{RITA}, {RITA}]
    assert len({vote.activity["id"] for vote in votes}) == 2
    for vote, name in zip(votes, ("tea", "coffee"), strict=True):
        note = vote.activity["object"]
        assert vote.activity["type"] == "Create"
        assert vote.activity["to"] == note["to"] == [rita.uri]
        assert (note["type"], note["name"], note["attributedTo"]) == ("Note", name, alice.uri)
        assert note["inReplyTo"] == theirs.uri
        assert "content" not in note
        assert PUBLIC not in orjson.dumps(vote.activity).decode()


# --------------------------------------------------------------------------------------- follows and blocks


async def test_a_follow_and_its_undo(alice: Account, rita: Account) -> None:
    await follows.follow(alice, rita)
    follow = await letter(alice)
    uri = await db.value("SELECT uri FROM follow_request")
    assert follow.activity == activity("Follow", alice, rita.uri, rita, uri)
    assert follow.inboxes == {RITA}
    await follows.unfollow(alice, rita)
    undo = await letter(alice)
    undo.activity.pop("id")
    assert undo.activity == activity("Undo", alice, follow.activity, rita)


async def test_an_accept_and_a_reject_carry_the_whole_follow(alice: Account, rita: Account) -> None:
    await follows.follow(rita, alice, uri=THEIRS)
    accept = await letter(alice)
    asked = activity("Follow", rita, alice.uri, alice, THEIRS)
    assert accept.activity == activity("Accept", alice, asked, rita, accept.activity["id"])
    assert accept.inboxes == {RITA}
    await follows.remove_follower(alice, rita.id)
    reject = await letter(alice)
    assert reject.activity == activity("Reject", alice, asked, rita, reject.activity["id"])
    assert reject.inboxes == {RITA}


async def test_a_block_goes_to_its_target(alice: Account, rita: Account) -> None:
    await blocks.block(alice, rita)
    block = await letter(alice)
    uri = await db.value("SELECT uri FROM block")
    assert block.activity == activity("Block", alice, rita.uri, rita, uri)
    assert block.inboxes == {RITA}
    await blocks.unblock(alice, rita)
    undo = await letter(alice)
    assert undo.activity["object"] == block.activity


async def test_a_refused_server_gets_nothing_even_in_person(alice: Account, rita: Account) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, $1, 'suspend', 0)",
            "remote.example",
        )
    await follows.follow(alice, rita)
    assert await letters(alice) == []


# --------------------------------------------------------------------------------------------------- people


async def test_a_new_profile_goes_to_the_followers_once(alice: Account, rita: Account) -> None:
    await followed(alice, rita)
    await accounts.edit_profile(alice, Profile(display_name="Alice"))
    await accounts.edit_profile(alice, Profile(display_name="Alice Liddell", locked=True))
    update = await letter(alice)
    assert (update.kind, update.activity["to"]) == ("Update", [PUBLIC])
    assert update.activity["object"]["name"] == "Alice Liddell"
    assert update.activity["object"]["manuallyApprovesFollowers"] is True
    assert update.inboxes == {REMOTE}


async def test_who_is_suspended_is_told_to_be(alice: Account, rita: Account) -> None:
    await followed(alice, rita)
    await moderation.suspend(alice, None)
    update = await letter(alice)
    assert update.activity["object"]["suspended"] is True
    assert update.activity["object"]["name"] == ""


async def test_all_servers_hear_that_an_account_is_deleted(alice: Account, rita: Account) -> None:
    await remote("romy", "remote.example")
    small = [await remote(name, "small.example", shared_inbox="") for name in ("abe", "bea")]
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    delete = await letter(alice)
    assert (delete.kind, delete.activity["object"], delete.activity["actor"]) == (
        "Delete",
        alice.uri,
        alice.uri,
    )
    assert delete.inboxes == {REMOTE, small[0].inbox}
    # It must be signed yet.
    assert await db.value("SELECT private_key FROM account WHERE id = $1", alice.id)


async def test_pins_go_to_the_followers(alice: Account, rita: Account) -> None:
    await followed(alice, rita)
    mine = await post(alice)
    await pins.pin(alice, mine)
    await pins.unpin(alice, mine)
    add, remove = await letters(alice)
    assert [add.kind, remove.kind] == ["Add", "Remove"]
    for each in (add, remove):
        assert (each.activity["object"], each.activity["target"]) == (mine.uri, alice.featured_uri)
        assert each.activity["to"] == [alice.followers_uri]
        assert each.inboxes == {REMOTE}


async def test_a_move_is_told_to_the_followers_after_the_profile(alice: Account, rita: Account) -> None:
    await followed(alice, rita)
    new = await remote("alice", "new.example", also_known_as=[alice.uri])
    await migration.move(alice, new)
    update, move = await letters(alice)
    assert update.activity["object"]["movedTo"] == new.uri
    assert move.activity == {
        "id": move.activity["id"],
        "type": "Move",
        "actor": alice.uri,
        "object": alice.uri,
        "target": new.uri,
        "to": [alice.followers_uri],
    }
    assert move.inboxes == {REMOTE}


# ------------------------------------------------------------------------------------------------- the server


async def test_a_report_names_nobody_who_made_it_and_tells_nobody_but_the_server(rita: Account) -> None:
    detail = {"posts": ["https://remote.example/notes/1"], "comment": "Rude."}
    await events.record(Event.REPORTED, None, target_id=rita.id, detail=detail)
    flag = await letter(None)
    assert flag.activity == {
        "id": flag.activity["id"],
        "type": "Flag",
        "actor": uris.server_uri(),
        "object": [rita.uri, "https://remote.example/notes/1"],
        "content": "Rude.",
    }
    assert (flag.inboxes, flag.account_id) == ({REMOTE}, None)


async def test_a_relay_of_mastodons_kind(database: None) -> None:
    asked = await relays.add("https://relay.example/inbox")
    follow = await letter(None)
    assert follow.activity == {
        "id": asked.follow_uri,
        "type": "Follow",
        "actor": uris.server_uri(),
        "object": PUBLIC,
    }
    assert (follow.inboxes, asked.state) == ({"https://relay.example/inbox"}, "asked")
    with pytest.raises(Conflict):
        await relays.add("https://relay.example/inbox")
    # What an Accept does: its actor becomes known.
    async with db.transaction():
        await db.execute("UPDATE relay SET actor_uri = 'https://relay.example/actor'")
    await relays.remove(asked.id)
    undo = await letter(None)
    assert undo.activity["object"] == follow.activity
    assert await relays.listed() == []


async def test_a_relay_of_litepubs_kind(database: None) -> None:
    actor = "https://relay.example/relay"
    asked = await relays.add("https://relay.example/inbox", actor)
    follow = await letter(None)
    assert (follow.activity["object"], follow.activity["to"]) == (actor, [actor])
    assert follow.inboxes == {"https://relay.example/inbox"}
    await relays.remove(asked.id)
    assert (await letter(None)).activity["object"] == follow.activity
    with pytest.raises(NotFound):
        await relays.remove(asked.id)


# ------------------------------------------------------------------------------------------------- forwarding


@pytest.fixture
async def answered(alice: Account, rita: Account) -> Post:
    """A post of alice's, who has followers at two servers."""
    await followed(alice, rita, await remote("fan", "fan.example"))
    return await post(alice)


async def _answer(rita: Account, to: Post, alice: Account, **more: Any) -> dict[str, Any]:
    """An answer that was taken in, as it came."""
    visibility = more.pop("visibility", Visibility.PUBLIC)
    received = await receiving.receive(rita, said(rita, reply_to_uri=to.uri, visibility=visibility))
    assert received is not None
    note = {"id": received.uri, "type": "Note", "inReplyTo": to.uri, "cc": [alice.followers_uri]}
    return {
        "id": received.uri + "/activity",
        "type": "Create",
        "actor": rita.uri,
        "object": note,
        "signature": {"type": "RsaSignature2017"},
        **more,
    }


async def forward(activity: dict[str, Any]) -> list[tuple[bytes, str]]:
    """Forward it; what goes out."""
    body = orjson.dumps(activity, option=orjson.OPT_INDENT_2)
    await forwarding.forward(compact.read(body), body)
    rows = await db.rows(
        "SELECT a.body, d.inbox FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.uri = $1",
        activity.get("id", ""),
    )
    assert all(bytes(row["body"]) == body for row in rows)
    return [(body, row["inbox"]) for row in rows]


async def test_an_answer_that_proves_itself_is_passed_on_as_it_came(
    alice: Account, rita: Account, answered: Post
) -> None:
    activity = await _answer(rita, answered, alice)
    for _ in range(2):
        assert [inbox for _, inbox in await forward(activity)] == ["https://fan.example/inbox"]
    assert await db.value("SELECT account_id FROM activity WHERE uri = $1", activity["id"]) == alice.id


@pytest.mark.parametrize(
    "more",
    [
        {"signature": None},
        {"signature": "yes"},
        {"type": "Like"},
        {"visibility": Visibility.FOLLOWERS},
        {"visibility": Visibility.DIRECT},
        {"id": None},
        {"object": "https://remote.example/notes/1"},
    ],
)
async def test_other_activities_are_not_passed_on(
    alice: Account, rita: Account, answered: Post, more: dict[str, Any]
) -> None:
    activity = await _answer(rita, answered, alice, **more)
    activity = {name: value for name, value in activity.items() if value is not None}
    assert await forward(activity) == []


async def test_an_answer_to_somebody_else_is_not_passed_on(
    alice: Account, rita: Account, answered: Post
) -> None:
    theirs = await post(rita)
    assert await forward(await _answer(rita, theirs, alice)) == []
    unaddressed = await _answer(rita, answered, alice)
    unaddressed["object"]["cc"] = ["https://remote.example/users/rita/followers"]
    assert await forward(unaddressed) == []
