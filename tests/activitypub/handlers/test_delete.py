"""Delete: only one's own, and once for all."""

import pytest

from fediblog import db
from fediblog.activitypub.ownership import Forged
from fediblog.errors import Forbidden
from fediblog.models import Account
from tests.activitypub.handlers.stage import befriend, found, handle
from tests.services.making import owed, post


async def graves() -> list[tuple[str, int]]:
    lines = await db.rows("SELECT uri, account_id FROM tombstone ORDER BY uri")
    return [(line["uri"], line["account_id"]) for line in lines]


@pytest.fixture
async def note(rita, alice: Account) -> dict:
    await befriend(alice, rita.account)
    made = rita.note()
    await rita.does("Create", made)
    return made


@pytest.mark.parametrize("shape", ["address", "tombstone", "whole"])
async def test_a_post_goes_in_whatever_shape_it_is_named(rita, note, shape):
    thing = {"address": note["id"], "tombstone": {"id": note["id"], "type": "Tombstone"}, "whole": note}[
        shape
    ]
    gone = await rita.does("Delete", thing)
    await handle(gone, rita.account)
    assert await found(note["id"]) is None
    assert await graves() == [(note["id"], rita.account.id)]


async def test_a_boost_goes_and_its_original_stays(rita, note, alice):
    made = await post(alice)
    boost = await rita.does("Announce", made.uri, to=["as:Public"])
    await rita.does("Delete", boost["id"])
    assert await found(boost["id"]) is None
    assert (await found(made.uri)).boosts == 0


async def test_what_is_unknown_is_remembered_for_its_own_author_only(rita, nora, alice):
    await befriend(alice, rita.account)
    note = rita.note()
    await nora.does("Delete", note["id"])
    await rita.does("Create", note)
    assert await found(note["id"]) is not None


async def test_what_lives_elsewhere_is_not_even_remembered(rita, otto, alice):
    for uri in (otto.note()["id"], (await post(alice)).uri, "http://localhost:8000/ap/posts/9"):
        with pytest.raises(Forged):
            await rita.does("Delete", uri)
    assert await graves() == []


async def test_a_neighbour_deletes_nothing(nora, note):
    for thing in (note["id"], {"id": note["id"], "type": "Tombstone"}, note):
        with pytest.raises(Forbidden):
            await nora.does("Delete", thing)
    assert await found(note["id"]) is not None
    assert await graves() == []


async def test_an_account_that_goes_takes_everything_along(rita, note):
    gone = await rita.does("Delete", rita.account.uri)
    await handle(gone, rita.account)
    left = await Account.get(id=rita.account.id)
    assert left.deleted_at is not None and left.suspended_at is not None
    assert await owed("erase") == [str(rita.account.id)]
    assert rita.peer.asked == []


async def test_nobody_deletes_the_account_of_another(rita, nora, otto, alice):
    for other, victim in ((nora, rita.account), (otto, rita.account), (rita, alice)):
        with pytest.raises(Forged):
            await other.does("Delete", victim.uri)
    assert await Account.filter(deleted_at__isnull=True).count() == 4
    assert await graves() == []
