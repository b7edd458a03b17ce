"""Update: an edit is its author's alone, and a profile is asked for where it lives."""

import pytest

from fediblog import db, http
from fediblog.activitypub.ownership import Forged
from fediblog.models import Account, Visibility
from fediblog.services.notifications import Kind
from tests.activitypub.handlers.stage import NOW, Someone, befriend, drops, found, handle
from tests.services.making import told


@pytest.fixture
async def note(rita: Someone, alice: Account) -> dict:
    """A post of rita's, whom alice follows."""
    await befriend(alice, rita.account)
    made = rita.note("<p>First</p>")
    await rita.does("Create", made)
    return made


def poll(rita: Someone, red: int, **more) -> dict:
    options = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
        for name, votes in (("Red", red), ("Blue", 0))
    ]
    return rita.note("<p>Which?</p>", type="Question", oneOf=options, endTime="2099-01-01T00:00:00Z", **more)


async def test_an_edit_is_taken_over_and_the_version_before_is_kept(rita, note):
    await rita.does("Update", {**note, "content": "<p>Second</p>", "updated": NOW})

    post = await found(note["id"])
    assert post.content == "<p>Second</p>" and post.edited_at is not None
    assert await db.column("SELECT content FROM post_edit") == ["<p>First</p>"]


async def test_an_edit_that_comes_twice_or_late_changes_nothing(rita, note):
    new = {**note, "content": "<p>Second</p>", "updated": NOW}
    first = await rita.does("Update", new)
    await handle(first, rita.account)
    await rita.does("Update", {**note, "content": "<p>Between</p>", "updated": "2026-11-20T12:00:00Z"})
    await rita.does("Update", {**note, "content": "<p>Without a date</p>"})

    assert (await found(note["id"])).content == "<p>Second</p>"
    assert await db.value("SELECT count(*) FROM post_edit") == 1


async def test_an_edit_never_widens_who_sees_a_post(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note(to=[rita.account.followers_uri], cc=[])
    await rita.does("Create", note)
    public = "https://www.w3.org/ns/activitystreams#Public"
    await rita.does("Update", {**note, "to": [public], "updated": NOW})
    assert (await found(note["id"])).visibility == Visibility.FOLLOWERS


async def test_an_edit_of_which_only_the_address_comes_is_fetched(rita, note):
    rita.peer.keep({**note, "content": "<p>Fetched</p>", "updated": NOW})
    await rita.does("Update", note["id"])
    assert (await found(note["id"])).content == "<p>Fetched</p>"


async def test_who_is_newly_named_hears_of_an_edit(rita, note, bob):
    tag = {"type": "Mention", "href": bob.uri, "name": "@bob"}
    await rita.does("Update", {**note, "cc": [*note["cc"], bob.uri], "tag": [tag], "updated": NOW})
    post = await found(note["id"])
    assert await told(bob) == [(Kind.MENTION.value, rita.account.id, post.id)]


async def test_new_numbers_of_a_poll_are_no_edit(rita, alice):
    await befriend(alice, rita.account)
    first = poll(rita, 1)
    await rita.does("Create", first)
    await rita.does("Update", {**poll(rita, 5), "id": first["id"]})

    assert await db.column("SELECT votes FROM poll_option ORDER BY position") == [5, 0]
    assert await db.value("SELECT count(*) FROM post_edit") == 0


async def test_the_edit_of_an_unknown_post_is_as_its_first_version_if_somebody_wants_it(rita, otto, alice):
    await befriend(alice, rita.account)
    wanted, unwanted = rita.note(updated=NOW), otto.note(updated=NOW)
    await rita.does("Update", wanted)
    await otto.does("Update", unwanted)
    assert await found(wanted["id"]) is not None
    assert await found(unwanted["id"]) is None
    assert await drops() == {"not relevant": 1}


async def test_a_neighbour_edits_nothing(nora, note):
    changed = {**note, "content": "<p>Mine</p>", "updated": NOW}
    for thing in (changed, note["id"], {**changed, "attributedTo": nora.account.uri}):
        with pytest.raises(Forged):
            await nora.does("Update", thing)
    assert (await found(note["id"])).content == "<p>First</p>"


async def test_a_post_of_ours_is_not_edited_from_outside(rita, note, alice):
    with pytest.raises(Forged):
        await rita.does("Update", {**note, "id": "http://localhost:8000/ap/posts/1", "updated": NOW})


async def test_a_boost_does_not_become_a_text(rita, note):
    boost = await rita.does("Announce", note["id"], to=["as:Public"])
    await rita.does("Update", {**note, "id": boost["id"], "content": "<p>Text</p>", "updated": NOW})
    assert (await found(boost["id"])).content == ""
    assert await drops() == {"unknown object": 1}


# ------------------------------------------------------------------------------------------------ profiles


async def test_a_changed_profile_is_asked_for_and_not_believed(rita):
    rita.peer.keep({**rita.document, "name": "Rita the True"})
    for thing in ({**rita.document, "name": "Rita the False"}, rita.account.uri):
        await rita.does("Update", thing)
        assert (await Account.get(id=rita.account.id)).display_name == "Rita the True"


async def test_a_profile_that_cannot_be_had_stays_as_it_is(rita):
    rita.peer.down = True
    with pytest.raises(http.Unreachable):
        await rita.does("Update", {**rita.document, "name": "Other"})
    assert (await Account.get(id=rita.account.id)).display_name == "Rita"


async def test_nobody_changes_the_profile_of_another(rita, nora, otto, alice):
    rita.peer.keep({**rita.document, "name": "Changed"})
    for other in (nora, otto):
        with pytest.raises(Forged):
            await other.does("Update", {**rita.document, "name": "Hacked"})
    with pytest.raises(Forged):
        await otto.does("Update", {"id": alice.uri, "type": "Person", "name": "Hacked"})
    assert (await Account.get(id=rita.account.id)).display_name == "Rita"


async def test_a_profile_of_a_neighbour_that_nobody_knows_is_not_taken_in(rita, fediverse):
    stranger = fediverse.server("remote.example").actor("stranger")
    with pytest.raises(Forged):
        await rita.does("Update", stranger)
    assert await Account.get_or_none(uri=stranger["id"]) is None
