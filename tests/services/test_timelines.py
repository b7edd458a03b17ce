"""Timelines: who is on them, in which order, at which price."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    bookmarks,
    boosts,
    follows,
    home,
    likes,
    mutes,
    pins,
    posts,
    timelines,
    views,
)
from fediblog.services.composing import Draft
from fediblog.services.lists import Replies
from fediblog.services.polls import PollDraft
from fediblog.services.views import Listing
from tests.harness import statements
from tests.people import person
from tests.services.making import file_of

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def post(author: Account, source: str = "hi", **options: Any) -> Post:
    made = await posts.publish(author, Draft(source, **options))
    await home.fan_out(made.id)
    return made


async def follow(follower: Account, target: Account) -> None:
    await follows.follow(follower, target)
    await home.backfill(follower.id, target.id)


def shown(listing: Listing) -> list[int]:
    return [entry.id for entry in listing.entries]


async def test_home_shows_those_followed_and_oneself_newest_first(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follow(alice, bob)
    first, mine = await post(bob), await post(alice)
    await post(carol)
    last = await post(bob)

    assert shown(await timelines.home(alice, P20)) == [last.id, mine.id, first.id]


async def test_following_somebody_brings_their_newest_posts(alice: Account, bob: Account) -> None:
    old = [await post(bob, str(number)) for number in range(45)]
    await follow(alice, bob)

    stored = await db.value("SELECT count(*) FROM home_entry WHERE account_id = $1", alice.id)
    assert stored == 40
    assert shown(await timelines.home(alice, P20)) == [made.id for made in reversed(old)][:20]


async def test_below_the_stored_rows_home_goes_on_author_by_author(
    alice: Account, bob: Account, carol: Account
) -> None:
    old = [await post(author, str(number)) for number in range(30) for author in (bob, carol)]
    await follow(alice, bob)
    await follow(alice, carol)
    async with db.transaction():
        await db.execute(
            "DELETE FROM home_entry WHERE account_id = $1 AND post_id < $2", alice.id, old[50].id
        )

    seen: list[int] = []
    page = P20
    while listing := shown(await timelines.home(alice, page)):
        seen += listing
        page = Page(20, max_id=listing[-1])
    assert seen == [made.id for made in reversed(old)]


async def test_unfollowing_muting_and_blocking_change_home_at_once(
    alice: Account, bob: Account, carol: Account
) -> None:
    for other in (bob, carol):
        await follow(alice, other)
        await post(other)
    await mutes.mute(alice, carol)
    assert [e.author_id for e in (await timelines.home(alice, P20)).entries] == [bob.id]
    await follows.unfollow(alice, bob)
    assert shown(await timelines.home(alice, P20)) == []
    await mutes.unmute(alice, carol)
    await blocks.block(carol, alice)
    assert shown(await timelines.home(alice, P20)) == []


async def test_a_boost_brings_a_strangers_post_unless_boosts_or_the_stranger_are_hidden(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follow(alice, bob)
    original = await post(carol)
    boost = await boosts.boost(bob, original)
    await home.fan_out(boost.id)

    (entry,) = (await timelines.home(alice, P20)).entries
    assert (entry.id, entry.post_id, entry.is_boost) == (boost.id, original.id, True)
    assert (entry.boosts, entry.boosted) == (1, False)

    await follows.follow(alice, bob, show_boosts=False)
    assert shown(await timelines.home(alice, P20)) == []
    await follows.follow(alice, bob, show_boosts=True)
    await mutes.mute(alice, carol)
    assert shown(await timelines.home(alice, P20)) == []


async def test_a_boost_of_what_was_on_home_lately_adds_nothing(
    alice: Account, bob: Account, carol: Account
) -> None:
    dave = await person("dave")
    for other in (bob, carol, dave):
        await follow(alice, other)
    original = await post(carol)
    for booster in (bob, dave):
        await home.fan_out((await boosts.boost(booster, original)).id)
    assert shown(await timelines.home(alice, P20)) == [original.id]

    for number in range(40):
        await post(carol, str(number))
    await boosts.unboost(bob, original)
    again = await boosts.boost(bob, original)
    await home.fan_out(again.id)
    assert shown(await timelines.home(alice, P20))[0] == again.id


async def test_a_reply_is_on_home_only_for_those_who_know_both(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follow(alice, bob)
    root = await post(carol)
    reply = await post(bob, "@carol hm", reply_to_id=root.id)
    assert reply.id not in shown(await timelines.home(alice, P20))

    await follow(alice, carol)
    answer = await post(bob, "@carol again", reply_to_id=root.id)
    thread = await post(bob, "to myself", reply_to_id=reply.id)
    assert {answer.id, thread.id} <= set(shown(await timelines.home(alice, P20)))


async def test_followers_only_posts_reach_followers_and_direct_ones_no_home(
    alice: Account, bob: Account
) -> None:
    await follow(alice, bob)
    private = await post(bob, "psst", visibility=Visibility.FOLLOWERS)
    await post(bob, "@alice you alone", visibility=Visibility.DIRECT)
    assert shown(await timelines.home(alice, P20)) == [private.id]


async def test_public_holds_public_posts_that_are_neither_replies_nor_boosts(
    alice: Account, bob: Account
) -> None:
    public = await post(alice)
    await post(alice, "quiet", visibility=Visibility.UNLISTED)
    await post(alice, "private", visibility=Visibility.FOLLOWERS)
    await post(bob, "@alice re", reply_to_id=public.id)
    await boosts.boost(bob, public)

    assert shown(await timelines.public(None, P20)) == [public.id]
    assert shown(await timelines.public(bob, P20, local=True)) == [public.id]
    await blocks.block(alice, bob)
    assert shown(await timelines.public(bob, P20)) == []


async def test_public_leaves_out_those_who_are_silenced_or_suspended(alice: Account, bob: Account) -> None:
    await post(alice)
    await post(bob)
    await Account.filter(id=alice.id).update(silenced_at=moments.now())
    await Account.filter(id=bob.id).update(suspended_at=moments.now())
    assert shown(await timelines.public(None, P20)) == []


async def test_a_tag_finds_public_posts_whatever_the_case_and_an_unknown_tag_finds_none(
    alice: Account,
) -> None:
    tagged = await post(alice, "#Straße")
    await post(alice, "#strasse hidden", visibility=Visibility.UNLISTED)
    assert shown(await timelines.tag("STRASSE", None, P20)) == [tagged.id]
    assert shown(await timelines.tag("never", None, P20)) == []


async def test_an_account_shows_each_viewer_what_that_viewer_may_see(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = {level: await post(alice, "x", visibility=level) for level in Visibility}
    await follow(bob, alice)

    async def levels(viewer: Account | None) -> set[Visibility]:
        seen = set(shown(await timelines.account(alice, viewer, P20)))
        return {level for level, item in made.items() if item.id in seen}

    assert await levels(None) == {Visibility.PUBLIC, Visibility.UNLISTED}
    assert await levels(carol) == {Visibility.PUBLIC, Visibility.UNLISTED}
    assert await levels(bob) == {Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS}
    assert await levels(alice) == set(Visibility)
    await blocks.block(alice, carol)
    assert await levels(carol) == set()


async def test_an_account_without_replies_keeps_answers_to_oneself(alice: Account, bob: Account) -> None:
    other = await post(bob)
    root = await post(alice, "1/2")
    thread = await post(alice, "2/2", reply_to_id=root.id)
    reply = await post(alice, "@bob re", reply_to_id=other.id)
    boost = await boosts.boost(alice, other)

    async def which(**options: bool) -> list[int]:
        return shown(await timelines.account(alice, bob, P20, **options))

    assert await which() == [boost.id, reply.id, thread.id, root.id]
    assert await which(replies=False) == [boost.id, thread.id, root.id]
    assert await which(boosts=False) == [reply.id, thread.id, root.id]
    assert await which(replies=False, boosts=False) == [thread.id, root.id]
    assert await which(media=True) == []


async def test_bookmarks_and_likes_page_by_their_own_order_and_forget_what_became_invisible(
    alice: Account, bob: Account
) -> None:
    one, two = await post(bob), await post(bob, "psst @alice", visibility=Visibility.FOLLOWERS)
    for made in (two, one):
        await bookmarks.bookmark(alice, made)
        await likes.like(alice, made)
    for read in (timelines.bookmarks, timelines.likes):
        listing = await read(alice, P20)
        assert shown(listing) == [one.id, two.id]
        older = await read(alice, Page(20, max_id=listing.cursors[0]))
        assert shown(older) == [two.id]
    await blocks.block(bob, alice)
    assert shown(await timelines.bookmarks(alice, P20)) == []


async def test_pins_are_shown_newest_first(alice: Account) -> None:
    one, two = await post(alice), await post(alice)
    await pins.pin(alice, two)
    await pins.pin(alice, one)
    assert shown(await timelines.pinned(alice, None)) == [one.id, two.id]


async def test_pages_meet_without_gap_or_overlap_in_both_directions(alice: Account) -> None:
    made = [(await post(alice, str(number))).id for number in range(11)]

    down = shown(await timelines.public(None, Page(4)))
    next_down = shown(await timelines.public(None, Page(4, max_id=down[-1])))
    up = shown(await timelines.public(None, Page(4, min_id=next_down[0])))
    newest = shown(await timelines.public(None, Page(4, since_id=made[2])))
    assert down == made[::-1][:4]
    assert next_down == made[::-1][4:8]
    assert up == down
    assert newest == made[::-1][:4]


async def test_flags_and_counters_are_the_viewers_own(alice: Account, bob: Account) -> None:
    made = await post(alice, "choose", poll=PollDraft(("a", "b"), 3600))
    await likes.like(bob, made)
    await bookmarks.bookmark(bob, made)
    await boosts.boost(bob, made)

    mine = (await views.entries([made.id], alice))[made.id]
    his = (await views.entries([made.id], bob))[made.id]
    assert (mine.liked, mine.bookmarked, mine.boosted) == (False, False, False)
    assert (his.liked, his.bookmarked, his.boosted) == (True, True, True)
    assert (his.likes, his.boosts) == (1, 1)
    assert his.ballot == views.Ballot([0, 0], 0, False, None)


async def test_a_home_is_trimmed_to_its_newest_rows_and_a_full_one_is_not_written_to(
    alice: Account, bob: Account, queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_KEPT", 5)
    await follow(alice, bob)
    made = [(await post(bob, str(number))).id for number in range(8)]

    assert await home.trim_all() == 2
    kept = await db.column("SELECT post_id FROM home_entry WHERE account_id = $1 ORDER BY post_id", alice.id)
    assert kept == made[-5:]
    assert shown(await timelines.home(alice, P20)) == made[::-1]
    with queries() as sent:
        await home.trim(alice.id)
    assert not sent.writes


async def suspend(account: Account) -> None:
    await Account.filter(id=account.id).update(suspended_at=moments.now())


async def test_those_who_are_suspended_take_no_room_on_any_page(
    alice: Account, bob: Account, carol: Account
) -> None:
    """A page without posts has no next one, so what is left out must not empty it."""
    for other in (bob, carol):
        await follow(alice, other)
    wanted = await post(carol, "#tag")
    strange = [await post(bob, "#tag") for _ in range(5)]
    for made in strange:
        await home.fan_out((await boosts.boost(carol, made)).id)
        await bookmarks.bookmark(alice, made)
    await suspend(bob)

    three = Page(limit=3)
    assert shown(await timelines.home(alice, three)) == [wanted.id]
    assert shown(await timelines.public(alice, three)) == [wanted.id]
    assert shown(await timelines.tag("tag", None, three)) == [wanted.id]
    assert shown(await timelines.account(carol, alice, three)) == [wanted.id]
    assert shown(await timelines.account(carol, None, three)) == [wanted.id]
    assert shown(await timelines.account(bob, alice, three)) == []
    assert shown(await timelines.bookmarks(alice, three)) == []
    async with db.transaction():
        await db.execute("DELETE FROM home_entry WHERE account_id = $1", alice.id)
    assert shown(await timelines.home(alice, three)) == [wanted.id]


async def test_below_the_stored_rows_those_who_are_hidden_keep_nobody_away(
    alice: Account, bob: Account
) -> None:
    """Many who are muted, or whose boosts are not wanted, wrote last; who is wanted wrote before them."""
    await follow(alice, bob)
    wanted = [await post(bob), await post(bob)]
    loud = [await person(f"loud{number}") for number in range(22)]
    for number, other in enumerate(loud):
        await follow(alice, other)
        await post(other)
        if number % 2:
            await mutes.mute(alice, other)
        else:
            await follows.follow(alice, other, show_boosts=False)
            await boosts.boost(other, wanted[0])
            await Post.filter(author_id=other.id, boost_of_id=None).delete()
    async with db.transaction():
        await db.execute("DELETE FROM home_entry WHERE account_id = $1", alice.id)

    assert shown(await timelines.home(alice, P20)) == [made.id for made in reversed(wanted)]


@pytest.mark.parametrize("limit", [1, 7, 19, 20, 21, 39])
async def test_a_page_has_as_many_posts_as_were_asked_for(alice: Account, limit: int) -> None:
    made = [(await post(alice, str(number))).id for number in range(45)][::-1]
    assert shown(await timelines.public(None, Page(limit))) == made[:limit]
    assert shown(await timelines.home(alice, Page(limit))) == made[:limit]
    assert shown(await timelines.public(None, Page(limit, min_id=made[-1]))) == made[-1 - limit : -1]
    between = Page(limit, min_id=made[40], max_id=made[3])
    assert shown(await timelines.public(None, between)) == made[4:40][-limit:]
    both = Page(limit, since_id=made[40], max_id=made[3])
    assert shown(await timelines.public(None, both)) == made[4:40][:limit]


async def test_public_and_tags_tell_here_from_elsewhere_and_find_files(alice: Account) -> None:
    here = await post(alice, "#tag")
    file = await file_of(alice)
    picture = await post(alice, "#tag", media_ids=(file.id,))
    far = await post(alice, "#tag")
    await Post.filter(id=far.id).update(local=False)

    for read in (
        lambda **which: timelines.public(None, P20, **which),
        lambda **which: timelines.tag("tag", None, P20, **which),
    ):
        assert shown(await read()) == [far.id, picture.id, here.id]
        assert shown(await read(local=True)) == [picture.id, here.id]
        assert shown(await read(remote=True)) == [far.id]
        assert shown(await read(media=True)) == [picture.id]


# ------------------------------------------------------------------------------------------- the price


async def _full_page(author: Account, reader: Account, number: int) -> None:
    """Posts with everything a page can hold: polls, mentions, hashtags, boosts."""
    for count in range(number):
        match count % 4:
            case 0:
                await post(author, f"@alice #tag {count}", poll=PollDraft(("a", "b", "c"), 3600))
            case 1:
                await post(author, f"plain {count}", summary="careful")
            case 2:
                made = await post(reader, f"to boost {count}")
                await home.fan_out((await boosts.boost(author, made)).id)
            case _:
                await post(author, f"#more {count}")


@pytest.mark.parametrize("number", [20, 200])
async def test_a_page_takes_one_statement_and_three_with_all_bodies(
    alice: Account, bob: Account, queries: Any, number: int
) -> None:
    await follow(alice, bob)
    await _full_page(bob, alice, number)
    reads: list[Callable[[], Awaitable[Listing]]] = [
        lambda: timelines.home(alice, P20),
        lambda: timelines.public(alice, P20),
        lambda: timelines.public(None, P20),
        lambda: timelines.tag("tag", alice, Page(5)),
        lambda: timelines.account(bob, alice, P20),
        lambda: timelines.account(bob, None, P20),
    ]
    for read in reads:
        with queries() as sent:
            listing = await read()
            assert len(sent) == 1, sent.sql
            assert len(listing.entries) in (5, 20) or number == 20
            wanted = {number for entry in listing.entries for number in (entry.id, entry.post_id)}
            await views.bodies(wanted)
            await views.cards({entry.author_id for entry in listing.entries})
        assert len(sent) == 3, sent.sql


async def _many_rows(reader: Account, number: int) -> None:
    """Rows in bulk, for the planner's eyes: small tables it rightly reads whole."""
    start = moments.now() - number * 10
    given = [ids.at(start + count * 10) for count in range(number)]
    number_of = "row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS all_n"
    people = f"(SELECT id, {number_of} FROM account) a"
    source = f"{db.unnest('$1')} JOIN {people} ON given.id % a.all_n = a.n"
    name = "x.id || '/' || y.id"
    async with db.transaction():
        await db.execute(
            "INSERT INTO post (id, uri, author_id, thread_id, visibility, local, hashtags, created_at)"
            f" SELECT given.id, 'u' || given.id, a.id, given.id, given.id % 3, TRUE, '[]', 1 FROM {source}",
            db.array(given),
        )
        await db.execute(f"INSERT INTO home_entry SELECT {reader.id}, id FROM post")
        await db.execute(
            "INSERT INTO post_tag SELECT t.id, p.id FROM tag t JOIN post p ON p.id % 7 = t.id % 7"
        )
        await db.execute("INSERT INTO followed_tag SELECT a.id, t.id, t.id FROM account a, tag t")
        for table in ("bookmark", "pin"):
            await db.execute(
                f"INSERT INTO {table} (account_id, post_id, id) SELECT author_id, id, id FROM post"
            )
        await db.execute(
            "INSERT INTO post_like (account_id, post_id, id, created_at)"
            " SELECT author_id, id, id, id FROM post"
        )
        await db.execute("INSERT INTO thread_mute SELECT author_id, id FROM post")
        await db.execute("INSERT INTO mention (post_id, account_id) SELECT id, author_id FROM post")
        await db.execute("INSERT INTO hidden SELECT x.id, y.id FROM account x, account y WHERE y.id % 3 = 1")
        await db.execute(
            "INSERT INTO block (account_id, target_id, id, uri, created_at)"
            f" SELECT x.id, y.id, y.id, {name}, 1 FROM account x, account y WHERE y.id % 3 = 1"
        )
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
            f" SELECT x.id, y.id, y.id, {name}, 1 FROM account x, account y"
        )
        await db.execute(
            "INSERT INTO mute (account_id, target_id, id, created_at)"
            " SELECT x.id, y.id, y.id, 1 FROM account x, account y WHERE y.id % 3 = 1"
        )
        await db.execute(
            "INSERT INTO hidden_domain (account_id, domain, id)"
            " SELECT x.id, y.username_key, y.id FROM account x, account y WHERE y.id % 3 = 1"
        )
        # People who have said something about themselves fill more pages than these rows would.
        await db.execute("UPDATE account SET note = $1", "x" * 700)
        await db.execute(
            "INSERT INTO list (id, account_id, title, exclusive)"
            " SELECT id, author_id, 'x', id % 90 = 1 FROM post WHERE id % 9 = 1"
        )
        await db.execute(
            "INSERT INTO list_member (list_id, account_id, id)"
            " SELECT l.id, a.id, a.id FROM list l, account a WHERE a.id % 9 = l.id % 5"
        )
        await db.execute("INSERT INTO poll (id, multiple) SELECT id, FALSE FROM post WHERE id % 4 = 1")
        await db.execute(
            "INSERT INTO poll_option (poll_id, position, title) SELECT p.id, n.n, 'x' FROM poll p"
            " CROSS JOIN (SELECT 0 AS n UNION SELECT 1) n"
        )
        await db.execute(
            "INSERT INTO poll_ballot SELECT p.id, o.author_id, 1, 1 FROM poll p JOIN post o ON o.id = p.id"
        )


async def _hot_statements(alice: Account, bob: Account) -> dict[str, tuple[str, list[Any]]]:
    """The statements as the timelines send them, with their values, caught on their way."""
    caught: dict[str, tuple[str, list[Any]]] = {}
    reads: dict[str, Callable[[], Awaitable[Listing]]] = {
        "home": lambda: timelines.home(alice, P20),
        "public": lambda: timelines.public(alice, P20),
        "local": lambda: timelines.public(alice, P20, local=True),
        "tag": lambda: timelines.tag("t1", alice, P20),
        "account": lambda: timelines.account(bob, alice, P20),
        "account main": lambda: timelines.account(bob, None, P20, replies=False, boosts=False),
        "bookmarks": lambda: timelines.bookmarks(alice, P20),
        "likes": lambda: timelines.likes(alice, P20),
    }
    for name, read in reads.items():
        with pytest.MonkeyPatch.context() as patch:

            async def catch(sql: str, *values: Any, name: str = name) -> list[dict[str, Any]]:
                caught.setdefault(name, (sql, list(values)))
                return []

            patch.setattr(db, "rows", catch)
            await read()
    return caught


# Reading what the statement itself has just made is no scan of a table.
_OWN = ("SCAN page", "SCAN (subquery")
DRIVING = {
    "home": ("SEARCH e USING PRIMARY KEY (account_id=?", "home_entry_pkey"),
    "public": ("post_public", "post_public"),
    "local": ("post_public_local", "post_public_local"),
    "tag": ("SEARCH t USING PRIMARY KEY (tag_id=?", "post_tag_pkey"),
    "account": ("post_author", "post_author"),
    "account main": ("post_author_main", "post_author_main"),
    "bookmarks": ("bookmark_list", "bookmark_list"),
    "likes": ("post_like_list", "post_like_list"),
}


async def test_hot_statements_walk_their_index_and_neither_scan_nor_sort(
    alice: Account, bob: Account, explain: Any
) -> None:
    for number in range(70):
        await person(f"p{number}")
    async with db.transaction():
        for number in range(7):
            await db.execute("INSERT INTO tag (id, key, name) VALUES ($1, $2, $2)", ids.new(), f"t{number}")
    await _many_rows(alice, 12_000)
    async with db.transaction():
        await db.execute(
            "INSERT INTO tag (id, key, name) SELECT id, 'x' || id, 'x' FROM post WHERE id % 8 = 0"
        )
        await db.execute(
            # Of many servers, as it is: were it one, reading all domains that somebody hides would cost the
            # same as looking for it among them, and chance would decide.
            "INSERT INTO account"
            " (id, username, username_key, domain, local, uri, fields, also_known_as, created_at)"
            " SELECT id, 'x', 'x' || id, 'x' || id, FALSE, 'a' || id, '[]', '[]', 1 FROM post"
            " WHERE id % 8 = 0"
        )
    await statements.analyse()

    up = Page(20, min_id=1)
    listed = await db.value("SELECT id FROM list WHERE account_id = $1", alice.id)
    for ids_sql, page, *values in (
        (timelines._older_ids(P20), P20),
        (timelines._members_ids(Replies.LIST, P20), P20, listed),
        (timelines._members_ids(Replies.FOLLOWED, up), up, listed),
    ):
        plan = "\n".join(await explain(views.statement(ids_sql), alice.id, page.before, page.after, *values))
        for whole_table in ("SCAN p\n", "SCAN f\n", "SCAN m\n", "SCAN l\n", "Seq Scan"):
            assert whole_table not in plan + "\n", plan
        assert "post_author" in plan, plan

    for name, (sql, values) in (await _hot_statements(alice, bob)).items():
        plan = await explain(sql, *values)
        text = "\n".join(plan)
        if db.dialect() == "sqlite":
            assert not [line for line in plan if "TEMP B-TREE" in line], f"{name}: {text}"
            scans = [line for line in plan if line.startswith("SCAN") and not line.startswith(_OWN)]
            assert not scans, f"{name}: {text}"
            assert DRIVING[name][0] in text, f"{name}: {text}"
        else:
            for wrong in ("Seq Scan", "Sort", "Bitmap", "Hash", "Merge Join"):
                assert wrong not in text, f"{name}: {text}"
            assert DRIVING[name][1] in text, f"{name}: {text}"
