"""Finding people: suggestions, the directory, followers whom one knows, notes and recommendations."""

import pytest

from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    directory,
    endorsements,
    follows,
    mutes,
    notes,
    relationships,
    suggestions,
)
from fediblog.services.directory import Order
from fediblog.services.suggestions import Source
from tests.harness.statements import recorded
from tests.people import person, remote

pytestmark = pytest.mark.usefixtures("database")


async def suggested(viewer: Account) -> list[tuple[int, Source]]:
    return [(one.id, one.source) for one in await suggestions.listing(viewer, 20)]


async def test_friends_of_friends_come_before_those_whom_many_follow(
    alice: Account, bob: Account, carol: Account
) -> None:
    dave, erin = await person("dave", last_post_at=1, followers_count=9), await person("erin")
    await follows.follow(alice, bob)
    await follows.follow(alice, carol)
    for friend, others in ((bob, (erin, carol, alice)), (carol, (erin, bob))):
        for other in others:
            await follows.follow(friend, other)
    with recorded() as statements:
        found = await suggested(alice)
    assert found == [(erin.id, Source.FRIENDS), (dave.id, Source.POPULAR)] and len(statements) == 2
    assert [one.id for one in await suggestions.listing(alice, 1, offset=1)] == [dave.id]
    await suggestions.dismiss(alice, erin.id)
    await suggestions.dismiss(alice, erin.id)
    await suggestions.dismiss(alice, 4711)
    assert await suggested(alice) == [(dave.id, Source.POPULAR)]


@pytest.mark.parametrize(
    "columns",
    [{"discoverable": False}, {"silenced_at": 1}, {"suspended_at": 1}, {"moved_to_id": 0}],
)
async def test_who_does_not_want_or_ought_not_to_be_found_is_in_no_list(
    alice: Account, bob: Account, columns: dict[str, object]
) -> None:
    if "moved_to_id" in columns:
        columns = {"moved_to_id": alice.id}
    await Account.filter(id=bob.id).update(last_post_at=1, followers_count=3)
    assert await suggested(alice) == [(bob.id, Source.POPULAR)]
    assert await directory.listing(alice, Order.ACTIVE, True, 20) == [bob.id]
    await Account.filter(id=bob.id).update(**columns)
    assert await suggested(alice) == []
    for order in Order:
        assert bob.id not in await directory.listing(alice, order, False, 20)


async def test_who_is_hidden_asked_or_secretive_is_not_suggested(
    alice: Account, bob: Account, carol: Account
) -> None:
    dave = await person("dave", locked=True)
    erin = await person("erin")
    await follows.follow(alice, bob)
    await follows.follow(bob, dave)
    await follows.follow(bob, erin)
    await follows.follow(alice, dave)
    await mutes.mute(alice, erin)
    assert await suggested(alice) == []
    await mutes.unmute(alice, erin)
    assert await suggested(alice) == [(erin.id, Source.FRIENDS)]
    await Account.filter(id=bob.id).update(hide_collections=True)
    assert await suggested(alice) == []


async def test_the_directory_is_in_its_order_and_tells_here_from_elsewhere(
    alice: Account, bob: Account
) -> None:
    far = await remote("far", "far.example", discoverable=True, last_post_at=5)
    await Account.filter(id=alice.id).update(last_post_at=9)
    await Account.filter(id=bob.id).update(last_post_at=7)
    assert await directory.listing(None, Order.ACTIVE, False, 20) == [alice.id, bob.id, far.id]
    assert await directory.listing(None, Order.ACTIVE, True, 1, offset=1) == [bob.id]
    assert await directory.listing(None, Order.NEW, False, 20) == [far.id, bob.id, alice.id]
    await blocks.block(bob, alice)
    assert await directory.listing(alice, Order.ACTIVE, True, 20) == [alice.id]


async def test_familiar_followers_are_those_one_follows_as_far_as_both_sides_show_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    dave, erin = await person("dave"), await person("erin")
    for friend in (bob, carol):
        await follows.follow(alice, friend)
        await follows.follow(friend, dave)
    await follows.follow(erin, dave)
    with recorded() as statements:
        found = await directory.familiar_followers(alice, [dave.id, erin.id])
    assert found == {dave.id: [carol.id, bob.id], erin.id: []} and len(statements) == 1
    await Account.filter(id=bob.id).update(hide_collections=True)
    await mutes.mute(alice, carol)
    assert await directory.familiar_followers(alice, [dave.id]) == {dave.id: []}
    await mutes.unmute(alice, carol)
    await Account.filter(id=dave.id).update(hide_collections=True)
    assert await directory.familiar_followers(alice, [dave.id]) == {dave.id: []}
    assert await directory.familiar_followers(alice, []) == {}


async def test_recommending_needs_a_follow_and_ends_with_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    with pytest.raises(Invalid):
        await endorsements.endorse(alice, bob)
    for target in (bob, carol):
        await follows.follow(alice, target)
        await endorsements.endorse(alice, target)
        await endorsements.endorse(alice, target)
    assert (await endorsements.endorsed(alice, None, Page())).ids == [carol.id, bob.id]
    assert (await relationships.between(alice, [bob.id]))[bob.id].endorsed
    assert not (await relationships.between(bob, [alice.id]))[alice.id].endorsed
    await follows.unfollow(alice, bob)
    await follows.follow(alice, bob)
    assert (await endorsements.endorsed(alice, alice, Page())).ids == [carol.id]
    await endorsements.unendorse(alice, carol)
    assert (await endorsements.endorsed(alice, alice, Page())).ids == []


async def test_whom_somebody_recommends_is_not_told_to_who_is_blocked_and_not_of_the_suspended(
    alice: Account, bob: Account, carol: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await follows.follow(alice, bob)
    await endorsements.endorse(alice, bob)
    await blocks.block(alice, carol)
    assert (await endorsements.endorsed(alice, carol, Page())).ids == []
    monkeypatch.setattr(endorsements, "_MOST", 1)
    dave = await person("dave")
    await follows.follow(alice, dave)
    with pytest.raises(Invalid):
        await endorsements.endorse(alice, dave)
    alice.suspended_at = 1
    assert (await endorsements.endorsed(alice, None, Page())).ids == []


async def test_a_note_is_ones_own_and_an_empty_one_is_none(alice: Account, bob: Account) -> None:
    async def seen(viewer: Account, target: Account) -> str:
        return (await relationships.between(viewer, [target.id]))[target.id].note

    await notes.write(alice, bob, "met in Graz")
    await notes.write(alice, bob, " met in Linz\x00 ")
    assert (await seen(alice, bob), await seen(bob, alice)) == ("met in Linz", "")
    with pytest.raises(Invalid):
        await notes.write(alice, bob, "x" * (notes.LONGEST + 1))
    await notes.write(alice, bob, "")
    assert await seen(alice, bob) == ""
