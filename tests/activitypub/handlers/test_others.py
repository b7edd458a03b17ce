"""Block, Flag, pins, and what nobody knows."""

import orjson
import pytest

from fediblog import db
from fediblog.activitypub.handlers import flag
from fediblog.activitypub.ownership import Forged
from fediblog.errors import Malformed, NotFound
from fediblog.models import Account, Role
from fediblog.services import domain_rules
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from tests.activitypub.handlers.stage import asking, befriend, drops, following, found, handle, meet
from tests.people import person
from tests.services.making import post, told

# --------------------------------------------------------------------------------------------------- blocks


async def test_who_is_blocked_elsewhere_is_hidden_and_unfollowed_both_ways(rita, alice: Account):
    await befriend(alice, rita.account)
    await befriend(rita.account, alice)
    first = await rita.does("Block", alice.uri)
    await handle(first, rita.account)

    assert await db.column("SELECT uri FROM block") == [first["id"]]
    assert await db.value("SELECT count(*) FROM follow") == 0
    assert await db.value("SELECT count(*) FROM hidden") == 2
    assert await db.value("SELECT count(*) FROM event") == 0


async def test_nobody_is_blocked_who_does_not_live_here(rita, otto, alice):
    with pytest.raises(NotFound):
        await rita.does("Block", otto.account.uri)
    assert await db.value("SELECT count(*) FROM block") == 0


# ------------------------------------------------------------------------------------------------------ pins


async def test_what_is_featured_is_pinned_and_taken_down(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note()
    target = rita.account.featured_uri
    for _ in range(2):
        await rita.does("Add", note["id"], target=target)
    kept = await found(note["id"])
    assert await db.column("SELECT post_id FROM pin") == [kept.id]

    await rita.does("Remove", note, target=target)
    await rita.does("Remove", "https://remote.example/notes/404", target=target)
    assert await db.column("SELECT post_id FROM pin") == []


async def test_only_ones_own_posts_in_ones_own_collection_are_pinned(rita, nora, otto, alice):
    await befriend(alice, rita.account)
    mine = await post(rita.account, uri="https://remote.example/notes/mine")
    theirs = await post(nora.account, uri="https://remote.example/notes/theirs")
    ours = await post(alice)
    async with db.transaction():
        await db.execute(
            "INSERT INTO pin (account_id, post_id, id) VALUES ($1, $2, 1)", rita.account.id, mine.id
        )
    for thing in (theirs.uri, nora.note()["id"], otto.note()["id"], ours.uri):
        with pytest.raises(Forged):
            await rita.does("Add", thing, target=rita.account.featured_uri)
    for other in (nora, otto):
        await other.does("Add", mine.uri, target=rita.account.featured_uri)
        await other.does("Remove", mine.uri, target=rita.account.featured_uri)
        with pytest.raises(Forged):
            await other.does("Remove", mine.uri, target=other.account.featured_uri)
    assert await db.column("SELECT post_id FROM pin") == [mine.id]
    assert await drops() == {"unknown collection": 4}


async def test_other_collections_are_dropped(rita, alice):
    for target in (None, f"{rita.account.uri}/featured_tags", rita.account.followers_uri):
        await rita.does("Add", "https://remote.example/notes/1", target=target)
    assert await drops() == {"unknown collection": 3}


async def test_pins_of_who_is_not_followed_here_are_not_fetched(rita, alice):
    await rita.does("Add", rita.note()["id"], target=rita.account.featured_uri)
    assert rita.peer.asked == []
    assert await drops() == {"not relevant": 1}


# --------------------------------------------------------------------------------------------------- reports


async def reports() -> list[tuple[int, int, str, list[int]]]:
    lines = await db.rows("SELECT account_id, target_id, comment, post_ids FROM report ORDER BY id")
    return [
        (line["account_id"], line["target_id"], line["comment"], orjson.loads(line["post_ids"]))
        for line in lines
    ]


@pytest.fixture
async def mona(database) -> Account:
    return await person("mona", role=Role.MODERATOR)


async def test_a_report_from_elsewhere_is_filed_once_and_the_staff_is_told(fediverse, alice, bob, mona):
    server = await meet(fediverse, "remote.example", type="Application")
    first, second, other = await post(alice), await post(alice), await post(bob)
    said = await server.does("Flag", [alice.uri, first.uri, second.uri], content="<p>Spam</p>")
    await handle(said, server.account)

    assert await reports() == [(server.account.id, alice.id, "Spam", [first.id, second.id])]
    assert await told(mona) == [("admin.report", server.account.id, None)]
    assert await told(alice) == [] and await told(bob) == []

    await server.does("Flag", other.uri)
    assert (await reports())[1:] == [(server.account.id, bob.id, "", [other.id])]
    assert await told(mona) == [("admin.report", server.account.id, None)]


async def test_a_report_about_several_is_one_for_each(rita, alice, bob, mona):
    said = await rita.does("Flag", [alice.uri, bob.uri])
    await handle(said, rita.account)
    assert [line[1] for line in await reports()] == [alice.id, bob.id]


async def test_one_server_fills_no_book_with_reports(rita, otto, alice, monkeypatch):
    monkeypatch.setattr(flag, "_MOST", 2)
    for _ in range(4):
        await rita.does("Flag", alice.uri)
    await otto.does("Flag", alice.uri)
    assert [reporter for reporter, *_ in await reports()] == [*[rita.account.id] * 2, otto.account.id]
    assert await drops() == {"report, one too many": 2}


async def test_a_report_about_nobody_here_is_dropped(rita, otto, alice, mona):
    await rita.does("Flag", [otto.account.uri, "https://other.example/notes/1", "http://localhost:8000/x"])
    assert await reports() == []
    assert await told(mona) == []
    assert await drops() == {"report about nobody here": 1}


async def test_reports_from_where_none_are_wanted_are_dropped(rita, alice, mona):
    await domain_rules.make(Rule("remote.example", Level.NONE, reject_reports=True), None)
    await rita.does("Flag", alice.uri)
    assert await reports() == []
    assert await drops() == {"report that is not wanted": 1}


# ---------------------------------------------------------------------------------------------- all the rest


@pytest.mark.parametrize("kind", ["View", "Bite", "Read", "Listen", "CacheFile", "x" * 500])
async def test_what_nobody_knows_is_dropped_and_counted(rita, alice, kind):
    await rita.does(kind, alice.uri)
    assert await drops() == {"unknown activity": 1}


@pytest.mark.parametrize(
    "kind", ["Accept", "Announce", "Block", "Create", "Delete", "Flag", "Follow", "Like", "Undo", "Update"]
)
async def test_an_activity_about_nothing_is_refused(rita, kind):
    for thing in (None, [], 7, [[], 7]):
        with pytest.raises(Malformed):
            await rita.does(kind, thing)


async def test_an_activity_is_its_signers_own(rita, nora, otto, alice):
    for claimed in (nora.account.uri, otto.account.uri, alice.uri, rita.account.uri + "/", None):
        with pytest.raises(Forged):
            await handle({**rita.activity("Follow", alice.uri), "actor": claimed}, rita.account)
    assert await following(rita.account, alice) is None and await asking(rita.account, alice) is None
