"""The policy: which notices of strangers come through, wait, or are never told; and no mail of what waits."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.config import Config
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    deletion,
    follows,
    notification_policy,
    notification_requests,
    notifications,
)
from fediblog.services.notification_policy import Policy, Verdict
from fediblog.services.notifications import Kind
from tests.people import person, user_of
from tests.services.making import mention, post, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)
LONG_AGO = moments.now() - 90 * moments.DAY


async def tell(kind: Kind, to: Account, from_: Account, made: Post | None = None) -> None:
    async with db.transaction():
        await notifications.tell(kind, to.id, from_, made.id if made else None)


async def fate(receiver: Account, sender: Account, kind: Kind = Kind.FOLLOW, made: Post | None = None) -> str:
    """What becomes of one notice: it is thrown away again."""
    await tell(kind, receiver, sender, made)
    found = await db.value("SELECT filtered FROM notification WHERE account_id = $1", receiver.id)
    async with db.transaction():
        await db.execute("DELETE FROM notification")
        await db.execute("DELETE FROM notification_request")
    return "drop" if found is None else "filter" if found else "accept"


async def mentioned(author: Account, receiver: Account, **columns: Any) -> Post:
    made = await post(author, **columns)
    await mention(made, receiver)
    return made


# ------------------------------------------------------------------------------------------------ choosing


async def test_a_policy_is_changed_sort_by_sort(alice: Account, bob: Account) -> None:
    assert await notification_policy.get(alice) == Policy()
    await notification_policy.edit(alice, not_following="drop")
    now = await notification_policy.edit(alice, new_accounts="filter")
    assert now == Policy(not_following=Verdict.DROP, new_accounts=Verdict.FILTER)
    assert await notification_policy.get(alice) == now
    assert await notification_policy.get(bob) == Policy()
    for wrong in ({"not_following": "maybe"}, {"strangers": "drop"}):
        with pytest.raises(Invalid):
            await notification_policy.edit(alice, **wrong)
    assert await notification_policy.get(alice) == now


# ------------------------------------------------------------------------------------------------ verdicts


@pytest.mark.parametrize("verdict", ["accept", "filter", "drop"])
async def test_who_is_not_followed(alice: Account, bob: Account, verdict: str) -> None:
    await notification_policy.edit(alice, not_following=verdict)
    assert await fate(alice, bob) == verdict
    await follows.follow(alice, bob)
    assert await fate(alice, bob) == "accept"


async def test_who_has_followed_for_less_than_three_days_is_no_follower(alice: Account, bob: Account) -> None:
    await notification_policy.edit(alice, not_followers="filter")
    await follows.follow(alice, bob)
    assert await fate(alice, bob) == "filter", "to follow them does not make them a follower"
    await follows.follow(bob, alice)
    assert await fate(alice, bob) == "filter"
    async with db.transaction():
        await db.execute("UPDATE follow SET created_at = $1", moments.now() - 4 * moments.DAY)
    assert await fate(alice, bob) == "accept"


async def test_accounts_of_the_last_month_are_new_unless_followed(alice: Account, bob: Account) -> None:
    await notification_policy.edit(alice, new_accounts="filter")
    assert await fate(alice, bob) == "filter"
    assert await fate(alice, await person("old", created_at=LONG_AGO)) == "accept"
    await follows.follow(alice, bob)
    assert await fate(alice, bob) == "accept"


async def test_private_mentions_are_those_of_strangers_out_of_nowhere(alice: Account, bob: Account) -> None:
    await notification_policy.edit(alice, private_mentions="filter")
    message = await mentioned(bob, alice, visibility=Visibility.DIRECT)
    answer = await mentioned(bob, alice, visibility=Visibility.DIRECT, reply_to_author_id=alice.id)
    public = await mentioned(bob, alice)
    assert await fate(alice, bob, Kind.MENTION, message) == "filter"
    assert await fate(alice, bob, Kind.MENTION, answer) == "accept"
    assert await fate(alice, bob, Kind.MENTION, public) == "accept"
    await follows.follow(alice, bob)
    assert await fate(alice, bob, Kind.MENTION, message) == "accept"


async def test_who_is_silenced_waits_at_first_and_is_heard_by_those_who_want_it(
    alice: Account, carol: Account
) -> None:
    loud = await person("loud", silenced_at=moments.now())
    assert await fate(alice, loud) == "filter"
    for verdict in Verdict:
        await notification_policy.edit(alice, limited_accounts=verdict.value)
        assert await fate(alice, loud) == verdict
    await notification_policy.edit(alice, limited_accounts="accept")
    await tell(Kind.FOLLOW, alice, loud)
    assert len(await notifications.listing(alice, P20)) == 1
    await notification_policy.edit(alice, limited_accounts="filter")
    assert await notifications.listing(alice, P20) == []
    await follows.follow(carol, loud)
    assert await fate(carol, loud) == "accept"


async def test_the_hardest_verdict_wins(alice: Account, bob: Account) -> None:
    await notification_policy.edit(alice, not_following="filter", new_accounts="drop")
    assert await fate(alice, bob) == "drop"
    assert await fate(alice, await person("old", created_at=LONG_AGO)) == "filter"


async def test_what_comes_of_ones_own_doing_is_always_told(alice: Account, bob: Account) -> None:
    await notification_policy.edit(alice, not_following="drop")
    made = await post(bob)
    for kind in (Kind.POLL, Kind.EDIT):
        assert await fate(alice, bob, kind, made) == "accept"
    for kind in (Kind.ADMIN_REPORT, Kind.ADMIN_SIGN_UP):
        assert await fate(alice, bob, kind) == "accept"


async def test_many_are_told_by_the_policy_of_each_in_two_statements(alice: Account, queries: Any) -> None:
    others = [await person(f"p{number}") for number in range(12)]
    for number, verdict in enumerate(("filter", "filter", "filter", "drop")):
        await notification_policy.edit(others[number], not_following=verdict)
    made = await post(alice)
    with queries() as sent:
        async with db.transaction():
            await notifications.tell_all(Kind.STATUS, [one.id for one in others], alice, made.id)
    assert len(sent) == 2
    assert await db.value("SELECT count(*) FROM notification") == 11
    assert await db.value("SELECT count(*) FROM notification_request") == 3


# ------------------------------------------------------------------------------------------------ mails


async def test_no_mail_tells_of_what_waits_or_was_dropped(
    alice: Account, bob: Account, configure: Callable[..., Config]
) -> None:
    configure(mail__url="smtp://mail.example")
    for verdict in ("filter", "drop"):
        await notification_policy.edit(alice, not_following=verdict)
        await tell(Kind.MENTION, alice, bob, await mentioned(bob, alice))
    assert await db.rows("SELECT 1 FROM mail") == []
    (asked,) = await notification_requests.listing(alice, P20)
    await notification_requests.accept(alice, [asked.id])
    assert await db.rows("SELECT 1 FROM mail") == []
    await tell(Kind.MENTION, alice, bob, await mentioned(bob, alice))
    assert len(await db.rows("SELECT 1 FROM mail_item")) == 1


# ------------------------------------------------------------------------------------------------ requests


async def test_what_is_blocked_suspended_or_taken_back_asks_no_more(
    alice: Account, bob: Account, carol: Account
) -> None:
    await notification_policy.edit(alice, not_following="filter")
    gone = await person("gone")
    for one in (bob, carol, gone):
        await tell(Kind.FOLLOW, alice, one)
    assert len(await notification_requests.listing(alice, P20)) == 3
    await blocks.block(alice, bob)
    await Account.filter(id=gone.id).update(suspended_at=moments.now())
    (asked,) = await notification_requests.listing(alice, P20)
    assert (asked.from_id, asked.notices, asked.post_id) == (carol.id, 1, None)
    async with db.transaction():
        await notifications.take_back(Kind.FOLLOW, alice.id, carol.id)
    assert await notification_requests.listing(alice, P20) == []
    assert await notification_requests.summary(alice) == (0, 0)
    with pytest.raises(NotFound):
        await notification_requests.get(alice, asked.id)


async def test_clearing_the_list_leaves_what_waits(alice: Account, bob: Account, carol: Account) -> None:
    await tell(Kind.FOLLOW, alice, bob)
    await notification_policy.edit(alice, not_following="filter")
    await tell(Kind.FOLLOW, alice, carol)
    await notifications.clear(alice)
    assert await told(alice) == [("follow", carol.id, None)]
    assert len(await notification_requests.listing(alice, P20)) == 1


async def test_nothing_of_it_is_left_of_a_deleted_account(
    alice: Account, bob: Account, carol: Account
) -> None:
    for receiver in (alice, carol):
        await notification_policy.edit(receiver, not_following="filter")
    for receiver, sender in ((alice, bob), (alice, carol), (carol, alice), (carol, bob)):
        await tell(Kind.FOLLOW, receiver, sender)
    newest, _ = await notification_requests.listing(alice, P20)
    await notification_requests.accept(alice, [newest.id])
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    for table in ("policy", "permission", "request"):
        assert await db.column(f"SELECT account_id FROM notification_{table}") == (
            [] if table == "permission" else [carol.id]
        )
    (left,) = await notification_requests.listing(carol, P20)
    assert left.from_id == bob.id
