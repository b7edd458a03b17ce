"""The table of forgeries: every activity by every wrong actor changes nothing (SECURITY §2).

What is true stands in the stage: rita has written, liked, boosted, pinned, followed, asked and blocked; alice
lives here. Then each activity that would be rita's or alice's to send is sent by her neighbour nora, by otto
of another server; and then in rita's and in alice's name by each of them. Every table but those that count
what came in is compared, row by row.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from fediblog import db
from fediblog.activitypub.handlers import HANDLERS
from fediblog.errors import FediblogError
from fediblog.models import Account
from fediblog.services import follows
from tests.activitypub.handlers.stage import NOW, Someone, befriend, found, handle, meet
from tests.harness.contents import Contents, contents
from tests.harness.fediverse import Fediverse, Node
from tests.services.making import post

pytestmark = pytest.mark.once

PUBLIC = ["as:Public"]
# What came in, what was dropped, and the key that the server signs with when it asks.
BESIDE = {"inbox_item", "dropped", "setting"}


@dataclass
class Stage:
    """What is true before anybody lies."""

    fediverse: Fediverse
    alice: Account
    rita: Someone
    new: Someone  # Where rita might move to.
    note: Node
    done: dict[str, Node]
    asked: str


@pytest.fixture
async def stage(fediverse: Fediverse, rita: Someone, nora: Someone, otto: Someone, alice: Account) -> Stage:
    made = await post(alice)
    new = await meet(fediverse, "rita", "new.example", alsoKnownAs=[rita.account.uri])
    await befriend(alice, rita.account)
    for liar in (nora, otto):
        # Whoever is followed here is believed more: they are.
        await befriend(alice, liar.account)
    note = rita.note()
    await rita.does("Create", note)
    await rita.does("Add", note["id"], target=rita.account.featured_uri)
    done = {
        "Like": await rita.does("Like", made.uri),
        "Announce": await rita.does("Announce", made.uri, to=PUBLIC),
        "Follow": await rita.does("Follow", alice.uri),
    }
    bob = await meet(fediverse, "vera", "third.example")
    await follows.follow(alice, bob.account)
    asked = await db.value("SELECT uri FROM follow_request")
    return Stage(fediverse, alice, rita, new, note, done, asked)


def forged(stage: Stage, kind: str) -> list[tuple[Any, dict[str, Any]]]:
    """What a liar might send of this kind: objects, and more properties of the activity."""
    rita, alice, note = stage.rita, stage.alice, stage.note
    unseen = rita.note("<p>Not sent yet</p>")
    follow = {
        "id": stage.asked,
        "type": "Follow",
        "actor": alice.uri,
        "object": "https://third.example/users/vera",
    }
    ours = {
        "id": stage.done["Like"]["object"],
        "type": "Note",
        "attributedTo": alice.uri,
        "content": "x",
        "to": PUBLIC,
    }
    changed = {**note, "content": "<p>Forged</p>", "updated": NOW}
    featured = {"target": rita.account.featured_uri}
    table: dict[str, list[tuple[Any, dict[str, Any]]]] = {
        "Create": [(unseen, {}), (unseen["id"], {}), (ours, {}), ([unseen, ours], {})],
        "Update": [
            *((thing, {}) for thing in (changed, note["id"], ours, unseen)),
            *((thing, {}) for thing in ({**rita.document, "name": "Forged"}, rita.account.uri, alice.uri)),
            ({"id": alice.uri, "type": "Person", "name": "Forged"}, {}),
        ],
        "Delete": [(note["id"], {}), (rita.account.uri, {}), (alice.uri, {}), (ours["id"], {}), (note, {})],
        "Accept": [(stage.asked, {}), (follow, {}), ({**follow, "id": "https://third.example/x"}, {})],
        "Reject": [(stage.asked, {}), (follow, {}), (f"{alice.uri}#{rita.account.id}", {})],
        "Undo": [(thing, {}) for each in stage.done.values() for thing in (each, each["id"])],
        "Add": [(note["id"], featured), (unseen["id"], featured)],
        "Remove": [(note["id"], featured)],
        "Move": [
            (rita.account.uri, {"target": stage.new.account.uri}),
            (alice.uri, {"target": stage.new.account.uri}),
        ],
        "Announce": [
            ({**ours, "id": unseen["id"] + "0"}, {"to": PUBLIC}),
            (stage.done["Like"], {"to": PUBLIC}),
        ],
        "Dislike": [(note["id"], {})],
        "QuoteRequest": [
            (ours["id"], {"instrument": {**unseen, "quote": ours["id"]}}),
            (ours["id"], {"instrument": note["id"]}),
            (note["id"], {"instrument": ours}),
        ],
    }
    own = (alice.uri, {}) if kind in ("Follow", "Block", "Flag") else (note["id"], {})
    return table.get(kind, [own])


# These are anybody's to send in their own name.
ANYBODYS = {"Follow", "Block", "Flag", "Like", "EmojiReact"}


async def dump() -> Contents:
    """Every row of every table that may not change."""
    return await contents(BESIDE)


async def lie(activity: Node, signer: Account) -> None:
    """What comes of it does not matter, as long as it is one of our answers and not a fault."""
    try:
        await handle(activity, signer)
    except FediblogError as refusal:
        assert refusal.http_status != FediblogError.http_status, refusal


def everything(stage: Stage, kind: str, sender: Someone) -> list[Node]:
    return [sender.activity(kind, thing, **more) for thing, more in forged(stage, kind)]


async def test_the_table_has_every_verb_and_sees_every_change(stage):
    assert set(HANDLERS) >= ANYBODYS and len(HANDLERS) == 17
    before = await dump()
    assert {"account", "post", "follow", "tombstone", "event", "work", "undone"} <= set(before)
    await stage.rita.does("Undo", stage.done["Like"])
    assert await dump() != before


@pytest.mark.parametrize("kind", sorted(set(HANDLERS) - ANYBODYS))
@pytest.mark.parametrize("liar", ["neighbour", "other server"])
async def test_in_ones_own_name_nobody_does_what_is_others_to_do(stage, nora, otto, kind, liar):
    sender = nora if liar == "neighbour" else otto
    activities = everything(stage, kind, sender)
    before = await dump()
    for activity in activities:
        await lie(activity, sender.account)
    assert await dump() == before


@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_in_anothers_name_nobody_does_anything(stage, nora, otto, kind):
    """The activity says that it is rita's, or alice's; a neighbour, another or somebody here has signed."""
    activities = everything(stage, kind, stage.rita)
    before = await dump()
    for activity, signer in product(activities, (nora.account, otto.account, stage.alice)):
        for claimed in (activity["actor"], stage.alice.uri):
            for name in (activity["id"], stage.alice.uri + "/activities/1", None):
                await lie({**activity, "actor": claimed, "id": name}, signer)
    assert await dump() == before


@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_a_name_of_another_server_is_no_name(stage, rita, kind):
    """A neighbour's name may be taken by nobody either, but that nobody can tell from the name."""
    thing, more = forged(stage, kind)[0]
    before = await dump()
    for name in ("https://other.example/activities/1", f"{stage.alice.uri}/activities/1", "acct:x", "x"):
        await lie(rita.activity(kind, thing, **{**more, "id": name}), rita.account)
    assert await dump() == before


async def test_an_object_that_is_believed_is_the_actors_in_every_word(stage, nora):
    """One's own address with another's name on it, and the other way round."""
    mine = nora.note()
    for thing in (
        {**mine, "attributedTo": stage.rita.account.uri},
        {**mine, "attributedTo": [nora.account.uri, stage.rita.account.uri]},
        {**stage.note, "attributedTo": nora.account.uri},
    ):
        nora.peer.documents.pop(mine["id"], None)
        before = await dump()
        await lie(nora.activity("Create", thing), nora.account)
        await lie(nora.activity("Update", {**thing, "updated": NOW}), nora.account)
        assert await dump() == before
    assert (await found(stage.note["id"])).content == "<p>Hello</p>"
