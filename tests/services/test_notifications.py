"""Notifications: who is told what, once; who is not; and what is shown of it later."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.config import Config
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    follows,
    likes,
    mutes,
    notification_groups,
    notification_requests,
    notifications,
    thread_mutes,
)
from fediblog.services.notifications import EVERYTHING, Choice, Kind
from tests.harness.statements import analyse
from tests.people import person, remote
from tests.services.making import mention, post, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def tell(kind: Kind, to: Account, from_: Account, made: Post | None = None) -> None:
    async with db.transaction():
        await notifications.tell(kind, to.id, from_, made.id if made else None)


async def shown(account: Account, **options: Any) -> list[tuple[str, int, int | None]]:
    """What is read, oldest first as `told` gives it."""
    found = await notifications.listing(account, P20, **options)
    return [(notice.kind.value, notice.from_id, notice.post_id) for notice in reversed(found)]


# --------------------------------------------------------------------------------------------- telling


async def test_the_same_thing_is_told_once(alice: Account, bob: Account) -> None:
    made = await post(alice)
    for _ in range(2):
        await tell(Kind.LIKE, alice, bob, made)
        await tell(Kind.FOLLOW, alice, bob)
    assert await told(alice) == [("like", bob.id, made.id), ("follow", bob.id, None)]
    assert await shown(alice) == await told(alice)


async def test_mails_are_owed_in_one_order(
    alice: Account, bob: Account, carol: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed: list[int] = []

    async def note(_: int, account_id: int) -> None:
        owed.append(account_id)

    monkeypatch.setattr(notifications.mail, "mentioned", note)
    made = await post(alice)
    async with db.transaction():
        await notifications.tell_all(Kind.MENTION, [carol.id, bob.id], alice, made.id)
    assert owed == [bob.id, carol.id]


async def test_an_edit_is_news_each_time_and_the_newest_stays(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await tell(Kind.EDIT, bob, alice, made)
    (first,) = await notifications.listing(bob, P20)
    await tell(Kind.EDIT, bob, alice, made)
    (second,) = await notifications.listing(bob, P20)
    assert second.id > first.id


async def test_nobody_is_told_of_what_they_do_themselves_but_the_end_of_their_poll(alice: Account) -> None:
    made = await post(alice)
    for kind in (Kind.LIKE, Kind.BOOST, Kind.MENTION, Kind.POLL):
        await tell(kind, alice, alice, made)
    assert await told(alice) == [("poll", alice.id, made.id)] == await shown(alice)


async def test_accounts_elsewhere_suspended_and_deleted_ones_are_not_told(alice: Account) -> None:
    gone = [await person("s", suspended_at=moments.now()), await person("d", deleted_at=moments.now())]
    for receiver in (await remote("dave", "far.example"), *gone):
        await tell(Kind.FOLLOW, receiver, alice)
        assert await told(receiver) == []


async def test_nothing_is_told_across_a_block(alice: Account, bob: Account) -> None:
    await blocks.block(alice, bob)
    await tell(Kind.FOLLOW, alice, bob)
    await tell(Kind.FOLLOW, bob, alice)
    assert await told(alice) == [] == await told(bob)


async def test_a_mute_silences_unless_it_leaves_notifications_alone(
    alice: Account, bob: Account, carol: Account
) -> None:
    await mutes.mute(alice, bob)
    await mutes.mute(alice, carol, notifications=False)
    for other in (bob, carol):
        await tell(Kind.FOLLOW, alice, other)
        await tell(Kind.FOLLOW, other, alice)
    assert await told(alice) == [("follow", carol.id, None)] == await shown(alice)
    assert await told(bob) == [("follow", alice.id, None)]


async def test_a_muted_conversation_is_not_told(alice: Account, bob: Account) -> None:
    made = await post(bob)
    await mention(made, alice)
    await thread_mutes.mute(alice, made)
    await tell(Kind.MENTION, alice, bob, made)
    assert await told(alice) == []


async def test_nobody_is_told_of_a_post_they_may_not_see(
    alice: Account, bob: Account, carol: Account
) -> None:
    private, direct = await post(alice, Visibility.FOLLOWERS), await post(alice, Visibility.DIRECT)
    await mention(direct, carol)
    await follows.follow(bob, alice)
    for receiver in (bob, carol):
        for made in (private, direct):
            await tell(Kind.STATUS, receiver, alice, made)
    assert await told(bob) == [("post", alice.id, private.id)]
    assert await told(carol) == [("post", alice.id, direct.id)]


async def test_nobody_is_told_of_a_post_that_is_gone(alice: Account, bob: Account) -> None:
    async with db.transaction():
        await notifications.tell(Kind.LIKE, alice.id, bob, 4711)
    assert await told(alice) == []


async def test_many_are_told_in_one_statement_each_by_their_own_rule(
    alice: Account, bob: Account, carol: Account, queries: Any
) -> None:
    made = await post(alice)
    await blocks.block(bob, alice)
    others = [await person(f"p{number}") for number in range(20)]
    with queries() as sent:
        async with db.transaction():
            receivers = [alice.id, bob.id, carol.id, 4711, *(other.id for other in others)]
            await notifications.tell_all(Kind.STATUS, receivers, alice, made.id)
    assert len(sent) == 1
    assert await db.value("SELECT count(*) FROM notification") == 21
    assert await told(bob) == [] == await told(alice)
    assert await told(carol) == [("post", alice.id, made.id)]


async def test_nothing_is_told_when_what_happened_fails(alice: Account, bob: Account) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await notifications.tell(Kind.FOLLOW, alice.id, bob)
            raise ZeroDivisionError
    assert await told(alice) == []


async def test_a_mention_owes_a_mail_and_other_kinds_do_not(
    alice: Account, bob: Account, configure: Callable[..., Config]
) -> None:
    configure(mail__url="smtp://mail.example")
    made = await post(bob)
    await mention(made, alice)
    await tell(Kind.LIKE, alice, bob, made)
    await tell(Kind.FOLLOW, alice, bob)
    assert await db.rows("SELECT 1 FROM mail") == []
    for _ in range(2):
        await tell(Kind.MENTION, alice, bob, made)
    found = await db.value("SELECT id FROM notification WHERE kind = 'mention'")
    assert await db.column("SELECT notification_id FROM mail_item") == [found]


async def test_what_is_taken_back_can_be_told_again(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await tell(Kind.LIKE, alice, bob, made)
    await tell(Kind.BOOST, alice, bob, made)
    async with db.transaction():
        await notifications.take_back(Kind.LIKE, alice.id, bob.id, made.id)
    assert await told(alice) == [("boost", bob.id, made.id)]
    await tell(Kind.LIKE, alice, bob, made)
    assert len(await told(alice)) == 2


async def test_with_a_post_go_its_notices(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await likes.like(bob, made)
    await made.delete()
    assert await told(alice) == []


# --------------------------------------------------------------------------------------------- reading


async def test_what_was_told_before_a_block_or_a_mute_is_hidden_after_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    for other in (bob, carol):
        await tell(Kind.FOLLOW, alice, other)
    await mutes.mute(alice, bob, notifications=False)
    assert len(await shown(alice)) == 2
    await mutes.mute(alice, bob)
    await blocks.block(carol, alice)
    assert await shown(alice) == []
    assert await notifications.unread(alice) == 0
    await mutes.unmute(alice, bob)
    assert await shown(alice) == [("follow", bob.id, None)]


async def test_notices_of_who_is_suspended_are_hidden(alice: Account, bob: Account) -> None:
    await tell(Kind.FOLLOW, alice, bob)
    await Account.filter(id=bob.id).update(suspended_at=moments.now())
    assert await shown(alice) == []


async def test_notices_of_posts_that_became_invisible_are_hidden(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    await tell(Kind.STATUS, bob, alice, await post(alice, Visibility.FOLLOWERS))
    assert len(await shown(bob)) == 1
    await follows.unfollow(bob, alice)
    assert await shown(bob) == []


async def test_the_list_pages_in_both_directions(alice: Account) -> None:
    others = [await person(f"p{number}") for number in range(5)]
    for other in others:
        await tell(Kind.FOLLOW, alice, other)

    async def page(**bounds: int) -> list[notifications.Notice]:
        return await notifications.listing(alice, Page(2, **bounds))

    first = await page()
    assert [notice.from_id for notice in first] == [others[4].id, others[3].id]
    older = await page(max_id=first[-1].id)
    assert [notice.from_id for notice in older] == [others[2].id, others[1].id]
    assert await page(min_id=older[0].id) == first == await page(since_id=older[0].id)


async def test_kinds_can_be_chosen_and_left_out(alice: Account, bob: Account) -> None:
    made = await post(alice)
    for kind in (Kind.LIKE, Kind.BOOST):
        await tell(kind, alice, bob, made)
    await tell(Kind.FOLLOW, alice, bob)

    async def kinds(**options: Any) -> list[str]:
        return [kind for kind, *_ in await shown(alice, **options)]

    assert await kinds(kinds=[Kind.LIKE]) == ["like"]
    assert await kinds(kinds=[Kind.FOLLOW, Kind.LIKE, Kind.POLL]) == ["like", "follow"]
    assert await kinds(without=[Kind.LIKE]) == ["boost", "follow"]
    assert await kinds(kinds=[Kind.LIKE, Kind.BOOST], without=[Kind.LIKE]) == ["boost"]
    assert await kinds(kinds=[Kind.LIKE], without=[Kind.LIKE]) == []


async def test_one_notice_is_for_its_receiver_alone(alice: Account, bob: Account, carol: Account) -> None:
    await tell(Kind.FOLLOW, alice, bob)
    (notice,) = await notifications.listing(alice, P20)
    assert await notifications.get(alice, notice.id) == notice
    assert abs(notice.created_at - moments.now()) < 60_000
    for attempt in (notifications.get, notifications.dismiss):
        with pytest.raises(NotFound):
            await attempt(bob, notice.id)
        with pytest.raises(NotFound):
            await attempt(alice, 4711)
    await blocks.block(bob, alice)
    with pytest.raises(NotFound):
        await notifications.get(alice, notice.id)


async def test_notices_are_dismissed_one_by_one_or_all(alice: Account, bob: Account, carol: Account) -> None:
    for receiver in (alice, carol):
        await tell(Kind.FOLLOW, receiver, bob)
        await tell(Kind.FOLLOW_REQUEST, receiver, bob)
    newest, _ = await notifications.listing(alice, P20)
    await notifications.dismiss(alice, newest.id)
    assert await told(alice) == [("follow", bob.id, None)]
    with pytest.raises(NotFound):
        await notifications.dismiss(alice, newest.id)
    await notifications.clear(alice)
    assert await told(alice) == []
    assert len(await told(carol)) == 2


async def test_what_is_unread_is_counted_from_the_marker_and_not_without_end(alice: Account) -> None:
    for number in range(5):
        await tell(Kind.FOLLOW, alice, await person(f"p{number}"))
    found = await notifications.listing(alice, P20)
    assert await notifications.unread(alice) == 5
    assert await notifications.unread(alice, most=3) == 3
    await notifications.mark_read(alice, found[1].id)
    assert await notifications.unread(alice) == 1
    await notifications.mark_read(alice, found[4].id)
    assert await notifications.unread(alice) == 1


async def test_likes_and_boosts_of_a_post_and_follows_are_told_together(alice: Account) -> None:
    one, two = await post(alice), await post(alice)
    first, second, third = [await person(name) for name in ("first", "second", "third")]
    await tell(Kind.LIKE, alice, first, one)
    await tell(Kind.FOLLOW, alice, first)
    await tell(Kind.LIKE, alice, second, two)
    await tell(Kind.BOOST, alice, first, one)
    await mention(two, alice)
    await tell(Kind.MENTION, alice, second, two)
    await tell(Kind.LIKE, alice, third, one)
    await tell(Kind.FOLLOW, alice, third)

    page = await notifications.grouped(alice, P20)
    assert [(group.kind.value, group.post_id, group.from_ids) for group in page.groups] == [
        ("follow", None, [third.id, first.id]),
        ("like", one.id, [third.id, first.id]),
        ("mention", two.id, [second.id]),
        ("boost", one.id, [first.id]),
        ("like", two.id, [second.id]),
    ]
    assert page.cursors == sorted(page.cursors, reverse=True) and len(page.cursors) == 7
    assert sorted(number for group in page.groups for number in group.ids) == sorted(page.cursors)
    older = await notifications.grouped(alice, Page(20, max_id=page.cursors[1]))
    assert older.groups[-1].kind is Kind.LIKE and len(older.cursors) == 5


async def many(account: Account, number: int) -> None:
    """Notices of some kinds from some people about some posts, without detours."""
    senders = [await person(f"s{n}") for n in range(4)]
    about = [await post(account) for _ in range(4)]
    async with db.transaction():
        for n in range(number):
            kind = ("like", "boost", "like", "follow")[n % 4]
            await db.execute(
                "INSERT INTO notification (id, account_id, kind, from_id, post_id, key, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, 1)",
                *(ids.new(), account.id, kind, senders[n % 4].id),
                *(None if kind == "follow" else about[n % 4].id, f"{n}"),
            )


@pytest.mark.parametrize("limit", [20, 200])
async def test_a_list_is_one_statement_whatever_it_holds(alice: Account, queries: Any, limit: int) -> None:
    await many(alice, 210)
    for read in (notifications.listing, notifications.grouped):
        with queries() as sent:
            await read(alice, Page(limit))
        assert len(sent) == 1
    with queries() as sent:
        assert await notifications.unread(alice) == 100
    assert len(sent) == 1


async def town(alice: Account) -> None:
    """A thousand accounts with a post each; many have told a hundred of them things, and know them."""
    made = [
        Account(
            id=ids.new(), username=f"t{n}", username_key=f"t{n}", local=True, uri=f"https://t.example/{n}"
        )
        for n in range(1000)
    ]
    await Account.bulk_create(made)
    pairs = "FROM account a JOIN account b ON a.id <> b.id WHERE a.id % 10 = 0 AND b.id % 5 = 0"
    async with db.transaction():
        await db.execute(
            "INSERT INTO post (id, uri, author_id, thread_id, visibility, local, hashtags, created_at)"
            " SELECT id, uri, id, id, 0, local, '[]', 1 FROM account"
        )
        await db.execute(
            "INSERT INTO notification"
            " (id, account_id, kind, from_id, post_id, key, created_at, group_key, filtered)"
            " SELECT row_number() OVER (ORDER BY b.id, a.id), a.id,"
            " CASE b.id % 3 WHEN 0 THEN 'like' ELSE 'boost' END, b.id, a.id,"
            f" CAST(b.id AS TEXT), 1, 'like-' || (b.id % 90), b.id % 4 > 0 {pairs}"
        )
        await db.execute("INSERT INTO notification_policy SELECT id, 1, 1, 1, 1, 1 FROM account")
        await db.execute(
            "INSERT INTO notification_request SELECT account_id, from_id, min(id), 1, 1 FROM notification"
            " WHERE filtered GROUP BY account_id, from_id"
        )
        for table, columns in (
            ("block", "account_id, target_id, id, uri, created_at"),
            ("mute", "account_id, target_id, id, created_at"),
            ("follow", "follower_id, target_id, id, uri, created_at"),
            ("mention", "post_id, account_id"),
            ("notification_permission", "account_id, from_id"),
        ):
            number = ", b.id" if ", id" in columns else ""
            uri = ", 'u' || a.id || '-' || b.id" if "uri" in columns else ""
            now = ", 1" if "created_at" in columns else ""
            await db.execute(f"INSERT INTO {table} ({columns}) SELECT a.id, b.id{number}{uri}{now} {pairs}")
        await db.execute(f"INSERT INTO hidden_domain SELECT a.id, 'x' || b.id, b.id {pairs}")


async def test_lists_walk_their_index_and_neither_scan_nor_sort(alice: Account, explain: Any) -> None:
    await town(alice)
    await analyse()
    page = Page(20)
    for kinds, index in (
        ([Kind.LIKE], "notification_kind"),
        ([Kind.LIKE, Kind.FOLLOW], "notification_list"),
        (list(Kind), "notification_list"),
    ):
        sql = notifications.statement(page, kinds)
        plan = "\n".join(await explain(sql, alice.id, page.before, page.after))
        assert index in plan, plan
        for bad in (*_SCANS, "Sort", "TEMP B-TREE"):
            assert bad not in plan, plan
    for sql, index in (
        (notifications.select("$3", "DESC LIMIT 20", Choice(held=True)), "notification_list"),
        (notification_groups.statement(page, EVERYTHING), "notification_group"),
        (notification_requests.statement(page), "notification_request_list"),
    ):
        plan = "\n".join(await explain(sql, alice.id, page.before, page.after))
        assert index in plan, plan
        for bad in _SCANS:
            assert bad not in plan, plan


_SCANS = ("Hash", "hashed", "Merge Join", "Seq Scan", "SCAN n", "SCAN o", "SCAN r")
