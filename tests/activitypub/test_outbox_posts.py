"""What others hear of posts and boosts: the words, and exactly whose inboxes."""

from typing import Any

import orjson
import pytest

from fediblog import db, moments, uris
from fediblog.activitypub import outbox
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, boosts, events, polls, posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub.posted import followed, letter, letters
from tests.harness.fediverse import Fediverse
from tests.people import person, remote
from tests.services.making import owed, post

RITA, RAOUL = "https://remote.example/users/rita/inbox", "https://other.example/users/raoul/inbox"
REMOTE, OTHER, THIRD = (f"https://{name}.example/inbox" for name in ("remote", "other", "third"))
RELAY = "https://relay.example/inbox"


@pytest.fixture
async def rita(database: None) -> Account:
    """A follower elsewhere."""
    return await remote("rita", "remote.example")


@pytest.fixture
async def raoul(database: None) -> Account:
    """Somebody elsewhere who follows nobody."""
    return await remote("raoul", "other.example")


@pytest.fixture
async def fans(alice: Account, bob: Account, rita: Account) -> None:
    """Followers of alice: two at one server, one here."""
    await followed(alice, rita, await remote("romy", "remote.example"), bob)


@pytest.fixture
async def relay(database: None) -> None:
    """A relay that has let us in, and one that has not."""
    async with db.transaction():
        for number, state in enumerate(("accepted", "asked")):
            await db.execute(
                "INSERT INTO relay (id, inbox, follow_uri, state, created_at) VALUES ($1, $2, $3, $4, 0)",
                *(number + 1, RELAY if state == "accepted" else "https://no.example/inbox", "x", state),
            )


async def write(author: Account, text: str = "Hello", visibility: int = 0, **more: Any) -> Post:
    """A post of somebody here."""
    return await posts.publish(author, Draft(text, visibility=Visibility(visibility), **more))


# ----------------------------------------------------------------------------------------------------- create


async def test_a_public_post_goes_to_followers_named_people_and_relays(
    alice: Account, fans: None, raoul: Account, relay: None
) -> None:
    made = await write(alice, "Hello @raoul@other.example")
    posted = await letter(alice)
    assert posted.kind == "Create"
    assert posted.activity["id"] == uris.create_uri(made.id)
    assert posted.activity["actor"] == alice.uri
    assert posted.activity["object"]["id"] == made.uri
    assert posted.activity["to"] == posted.activity["object"]["to"] == [PUBLIC]
    assert posted.activity["cc"] == posted.activity["object"]["cc"] == [alice.followers_uri, raoul.uri]
    assert posted.inboxes == {REMOTE, OTHER, RELAY}
    assert (posted.for_followers, posted.account_id) == (False, alice.id)


async def test_an_unlisted_post_goes_to_no_relay(
    alice: Account, fans: None, raoul: Account, relay: None
) -> None:
    await write(alice, "Hello @raoul@other.example", 1)
    posted = await letter(alice)
    assert posted.inboxes == {REMOTE, OTHER}
    assert posted.activity["to"] == [alice.followers_uri]
    assert posted.activity["cc"] == [PUBLIC, raoul.uri]


async def test_a_post_for_followers_goes_to_them_and_to_the_named_alone(
    alice: Account, fans: None, rita: Account, raoul: Account, relay: None
) -> None:
    await write(alice, "Hello @raoul@other.example and @rita@remote.example", 2)
    posted = await letter(alice)
    assert posted.inboxes == {REMOTE, RAOUL}
    assert posted.activity["to"] == [alice.followers_uri]
    assert set(posted.activity["cc"]) == {raoul.uri, rita.uri}
    assert posted.for_followers


async def test_a_direct_post_goes_to_the_named_peoples_own_inboxes(
    alice: Account, fans: None, raoul: Account, relay: None
) -> None:
    await write(alice, "Hello @raoul@other.example", 3)
    posted = await letter(alice)
    assert posted.inboxes == {RAOUL}
    assert posted.activity["to"] == [raoul.uri]
    assert "cc" not in posted.activity
    assert not posted.for_followers


async def test_an_answer_goes_to_whom_it_answers_only_if_it_is_for_everybody(
    alice: Account, raoul: Account
) -> None:
    parent = await post(raoul)
    for visibility, inboxes in ((0, {OTHER}), (1, {OTHER}), (2, set()), (3, set())):
        await write(alice, "Well", visibility, reply_to_id=parent.id)
        posted = await letters(alice)
        assert [each.inboxes for each in posted] == ([inboxes] if inboxes else [])
        assert all(each.activity["object"]["inReplyTo"] == parent.uri for each in posted)


async def test_what_is_for_nobody_elsewhere_makes_no_letter(alice: Account, bob: Account) -> None:
    await followed(alice, bob)
    for visibility in range(4):
        await write(alice, "Hello @bob", visibility)
    assert await letters(alice) == []
    assert await events.waiting(alice.id, 10) == []


async def test_a_server_without_a_shared_inbox_gets_one_letter_for_each_person(alice: Account) -> None:
    people = [await remote(name, "small.example", shared_inbox="") for name in ("ann", "abe")]
    await followed(alice, *people)
    await write(alice)
    assert (await letter(alice)).inboxes == {person.inbox for person in people}


async def test_blocked_and_suspended_people_and_servers_get_nothing(
    alice: Account, rita: Account, raoul: Account
) -> None:
    blocked = await remote("ben", "remote.example")
    gone = await remote("gus", "gone.example", suspended_at=moments.now())
    ruled = await remote("rob", "refused.example")
    for account in (blocked, gone, ruled):
        async with db.transaction():
            await db.execute(
                "INSERT INTO follow (follower_id, target_id, id, uri, created_at) VALUES ($1, $2, $1, $3, 0)",
                *(account.id, alice.id, f"{account.uri}/f"),
            )
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, $1, 'suspend', 0)",
            "refused.example",
        )
    await blocks.block(alice, blocked)
    await blocks.block(raoul, alice)
    await letters(alice)
    await write(alice, "@ben@remote.example @raoul@other.example @gus@gone.example @rob@refused.example", 3)
    await write(alice, "@ben@remote.example @raoul@other.example", 0)
    assert await letters(alice) == []


async def test_our_own_inbox_is_never_among_them(alice: Account) -> None:
    liar = await remote("liar", "liar.example", inbox=uris.shared_inbox(), shared_inbox=uris.shared_inbox())
    await followed(alice, liar)
    await write(alice)
    assert await letters(alice) == []


async def test_a_post_that_is_gone_meanwhile_makes_no_letter(alice: Account, fans: None) -> None:
    made = await write(alice)
    await posts.delete(alice, made.id)
    assert [each.kind for each in await letters(alice)] == ["Delete"]


# --------------------------------------------------------------------------------------------- unknown names


async def test_unknown_names_are_asked_for_before_the_letter_is_made(
    alice: Account, fediverse: Fediverse
) -> None:
    nina = fediverse.server("new.example").actor("nina")
    made = await write(alice, "Hello @nina@new.example and @nobody@new.example, @x@dead.example", 3)
    posted = await letter(alice)
    assert posted.inboxes == {nina["inbox"]}
    assert posted.activity["to"] == [nina["id"]]
    assert [tag["href"] for tag in posted.activity["object"]["tag"]] == [nina["id"]]
    assert f'href="{nina["url"]}"' in posted.activity["object"]["content"]
    assert "@nobody@new.example" in (await Post.get(id=made.id)).content


async def test_names_in_an_edit_are_asked_for_too(alice: Account, fediverse: Fediverse) -> None:
    nina = fediverse.server("new.example").actor("nina")
    made = await write(alice, "Hello")
    await posts.edit(alice, made.id, Draft("Hello @nina@new.example"))
    [update] = await letters(alice)
    assert update.kind == "Update"
    assert update.inboxes == {nina["endpoints"]["sharedInbox"]}
    assert await db.column("SELECT since FROM mention") == [(await Post.get(id=made.id)).edited_at]


# --------------------------------------------------------------------------------------- update and delete


async def test_an_edit_also_goes_to_all_who_got_or_boosted_the_post(
    alice: Account, fans: None, rita: Account, raoul: Account
) -> None:
    made = await write(alice, "Hello @raoul@other.example")
    await letters(alice)
    await boosts.boost(await remote("tess", "third.example"), made)
    await posts.edit(alice, made.id, Draft("Hello"))
    [update] = await letters(alice)
    assert update.kind == "Update"
    assert update.activity["id"].startswith(uris.absolute("/ap/activities/"))
    assert update.activity["object"]["updated"]
    assert update.inboxes == {REMOTE, OTHER, THIRD}
    await posts.delete(alice, made.id)
    [delete] = await letters(alice)
    assert delete.kind == "Delete"
    assert delete.activity["object"] == {"id": made.uri, "type": "Tombstone"}
    assert delete.inboxes == {REMOTE, OTHER, THIRD}
    assert delete.activity["to"] == [PUBLIC]


async def test_who_heard_of_a_post_by_a_boost_from_here_hears_of_its_edit_and_its_end(
    alice: Account, bob: Account, raoul: Account
) -> None:
    await followed(bob, raoul)
    made = await write(alice)
    await boosts.boost(bob, made)
    assert (await letter(bob)).inboxes == {OTHER}
    await posts.edit(alice, made.id, Draft("Again"))
    assert (await letter(alice)).inboxes == {OTHER}
    await posts.delete(alice, made.id)
    assert (await letter(alice)).inboxes == {OTHER}


async def test_an_account_with_much_to_say_gives_others_their_turn(
    alice: Account, fans: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(alice, "one")
    await write(alice, "two")
    async with db.transaction():
        await db.execute("DELETE FROM work")
    monkeypatch.setattr(outbox, "_SPELL", -1.0)
    assert await letters(alice) == []
    assert await owed("federate") == [str(alice.id)]
    monkeypatch.undo()
    assert len(await letters(alice)) == 2


async def test_an_edit_for_followers_reaches_only_those_of_today(
    alice: Account, fans: None, rita: Account
) -> None:
    raoul = await remote("raoul", "other.example")
    await followed(alice, raoul)
    made = await write(alice, "For you", 2)
    assert (await letter(alice)).inboxes == {REMOTE, OTHER}
    await blocks.block(alice, raoul)
    await letters(alice)
    await posts.edit(alice, made.id, Draft("For you alone"))
    assert (await letter(alice)).inboxes == {REMOTE}
    await posts.delete(alice, made.id)
    gone = await letter(alice)
    assert gone.inboxes == {REMOTE, OTHER}
    assert gone.activity["to"] == [alice.followers_uri]


async def test_who_was_once_named_in_a_direct_post_still_gets_its_edits(
    alice: Account, raoul: Account
) -> None:
    made = await write(alice, "Hello @raoul@other.example", 3)
    await letters(alice)
    await posts.edit(alice, made.id, Draft("Hello"))
    update = await letter(alice)
    assert update.inboxes == {RAOUL}
    assert update.activity["to"] == [raoul.uri]
    await posts.delete(alice, made.id)
    gone = await letter(alice)
    assert gone.inboxes == {RAOUL}
    assert PUBLIC not in orjson.dumps(gone.activity).decode()


async def test_letters_of_one_account_keep_their_order(alice: Account, fans: None) -> None:
    made = await write(alice)
    other = await write(alice, "Another")
    await posts.edit(alice, made.id, Draft("Again"))
    await posts.delete(alice, other.id)
    posted = await letters(alice)
    assert [each.kind for each in posted] == ["Create", "Update", "Delete"]
    numbers = await db.column("SELECT activity_id FROM delivery ORDER BY id")
    assert numbers == sorted(numbers)


# ------------------------------------------------------------------------------------------------------ polls


async def test_tallies_travel_as_an_update_that_is_no_edit(alice: Account, bob: Account, fans: None) -> None:
    made = await write(alice, "Tea?", poll=PollDraft(("yes", "no"), 3600))
    await letters(alice)
    await polls.vote(bob, made, [0])
    await polls.tell_tally(made.id)
    await polls.tell_tally(made.id)
    update = await letter(alice)
    question = update.activity["object"]
    assert (update.kind, question["type"]) == ("Update", "Question")
    assert "updated" not in question
    assert [option["replies"]["totalItems"] for option in question["oneOf"]] == [1, 0]
    assert update.inboxes == {REMOTE}
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = $1", moments.now() - 1)
    await polls.close(made.id)
    assert "closed" in (await letter(alice)).activity["object"]


# ----------------------------------------------------------------------------------------------------- boosts


async def test_a_boost_goes_to_followers_and_to_the_author(
    alice: Account, fans: None, raoul: Account, relay: None
) -> None:
    original = await post(raoul)
    boost = await boosts.boost(alice, original)
    announce = await letter(alice)
    assert announce.activity["id"] == boost.uri
    assert announce.activity["object"] == original.uri
    assert announce.activity["to"] == [PUBLIC]
    assert announce.activity["cc"] == [alice.followers_uri, raoul.uri]
    assert announce.inboxes == {REMOTE, OTHER, RELAY}
    await boosts.unboost(alice, original)
    undo = await letter(alice)
    assert undo.kind == "Undo"
    assert undo.activity["object"] == {
        name: announce.activity[name] for name in ("id", "type", "actor", "object", "to", "cc")
    }
    assert undo.inboxes == announce.inboxes


async def test_a_boost_for_followers_goes_to_nobody_else(alice: Account, fans: None, relay: None) -> None:
    mine = await post(alice, Visibility.FOLLOWERS)
    boost = await boosts.boost(alice, mine)
    announce = await letter(alice)
    assert (announce.activity["id"], announce.inboxes) == (boost.uri, {REMOTE})
    assert announce.activity["to"] == [alice.followers_uri]
    assert announce.for_followers


# ------------------------------------------------------------------------------------------------ reliability


async def test_a_letter_is_written_once_and_stays_the_same(alice: Account, fans: None) -> None:
    await write(alice)
    assert len(await letters(alice)) == 1
    before = await db.rows("SELECT id, uri, body FROM activity")
    assert await letters(alice) == []
    assert await db.rows("SELECT id, uri, body FROM activity") == before
    assert await db.value("SELECT count(*) FROM event") == 0


async def test_an_event_that_is_broken_is_put_aside_and_the_others_go_on(alice: Account, fans: None) -> None:
    first, second = await write(alice, "one"), await write(alice, "two")
    async with db.transaction():
        await db.execute("UPDATE event SET kind = 'unboosted' WHERE post_id = $1", first.id)
    posted = await letter(alice)
    assert posted.activity["object"]["id"] == second.uri
    [aside] = await events.quarantined()
    assert aside.error == "KeyError: 'visibility'"
    assert await letters(alice) == []


async def test_a_crash_between_letter_and_event_is_impossible(
    alice: Account, fans: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(alice)

    async def crash(*_: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr("fediblog.services.outgoing.enqueue", crash)
        assert await letters(alice) == []
    assert await db.value("SELECT count(*) FROM activity WHERE kind = 'Create'") == 0
    [aside] = await events.quarantined()
    await events.retry(aside.id)
    assert (await letter(alice)).inboxes == {REMOTE}


async def test_ten_thousand_followers_are_one_statement(alice: Account, queries: Any) -> None:
    await _crowd(alice, 10_000, 40)
    await write(alice)
    assert len((await letter(alice)).inboxes) == 40
    await write(alice)
    with queries() as sent:
        await outbox.federate(alice.id)
    assert len(sent) <= 20, sent.sql


async def _crowd(target: Account, number: int, servers: int) -> None:
    """Followers from many servers, as rows."""
    people = [
        Account(
            id=n,
            username=f"f{n}",
            username_key=f"f{n}",
            domain=f"s{n % servers}.example",
            local=False,
            uri=f"https://s{n % servers}.example/u/{n}",
            inbox=f"https://s{n % servers}.example/u/{n}/inbox",
            shared_inbox=f"https://s{n % servers}.example/inbox",
        )
        for n in range(1, number + 1)
    ]
    await Account.bulk_create(people, batch_size=1_000)
    async with db.transaction():
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
            " SELECT id, CAST($1 AS BIGINT), id, uri || '/f', 0 FROM account WHERE NOT local",
            target.id,
        )


async def test_who_is_deleted_says_no_more(alice: Account, fans: None) -> None:
    await write(alice)
    async with db.transaction():
        await db.execute("UPDATE account SET deleted_at = 1 WHERE id = $1", alice.id)
    assert await letters(alice) == []
    assert (await person("dora")).deleted_at is None
