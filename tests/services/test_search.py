"""Searching posts by their words: which are found, by whom, and what is never found."""

import re
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    accounts,
    asked,
    blocks,
    bookmarks,
    boosts,
    deletion,
    follows,
    indexed,
    likes,
    media,
    mutes,
    posts,
    receiving,
    remote_accounts,
    search,
    tags,
    views,
)
from fediblog.services.accounts import Profile
from fediblog.services.composing import Draft
from fediblog.services.incoming import Attachment
from fediblog.services.polls import PollDraft
from tests.harness import statements
from tests.people import person, remote
from tests.services.elsewhere import profile, said
from tests.services.making import file_of

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def found(viewer: Account, typed: str, page: Page = P20, offset: int = 0, **more: Any) -> list[int]:
    return [entry.id for entry in (await search.posts(typed, viewer, page, offset, **more)).entries]


async def write(author: Account, source: str, **options: Any) -> Post:
    return await posts.publish(author, Draft(source, **options))


@pytest.fixture
async def rita() -> Account:
    return await remote("rita", "remote.example", indexable=True)


# ---------------------------------------------------------------------------------------------- words


async def test_words_are_found_whatever_their_case_and_accents_and_by_their_beginning(alice: Account):
    post = await write(alice, "Crème BRÛLÉE at the café, don't miss it; ＷＩＤＥ foo_bar")
    for typed in ("creme", "CRÈME brulee", "caf", "don't", "dont miss", "wide", "#foo_bar", "brûlée crème"):
        assert await found(alice, typed) == ([] if typed == "dont miss" else [post.id]), typed
    assert await found(alice, "eme") == await found(alice, "fe") == []


@pytest.mark.parametrize(
    ("source", "typed", "missing"),
    [
        ("今日は東京都に行きました", "東京", "京東"),
        ("今日は東京都に行きました", "都に行", "行都"),
        ("今日は東京都", "都", "北"),
        ("오늘은 한국어로 씁니다", "한국어", "한어"),
        ("สวัสดีชาวโลก", "ชาวโลก", "โลกชาว"),
        ("iPhone東京hello", "東京 iphone", "東京 android"),
        ("हिन्दी में", "हिन्दी", "हन्दी"),
        ("Жёлтый кот", "желтый", "кит"),
    ],
)
async def test_languages_without_blanks_are_found_by_any_two_letters(
    alice: Account, source: str, typed: str, missing: str
):
    post = await write(alice, source)
    assert await found(alice, typed) == [post.id]
    assert await found(alice, missing) == []


async def test_phrases_stand_together_and_unwanted_words_keep_a_post_out(alice: Account):
    one, other = await write(alice, "the quick brown fox"), await write(alice, "the brown quick dog")
    assert await found(alice, '"quick brown"') == [one.id]
    assert await found(alice, "quick brown") == [other.id, one.id]
    assert await found(alice, "quick -fox") == [other.id]
    assert await found(alice, 'quick -"brown quick"') == [one.id]
    assert await found(alice, "-fox") == []


async def test_warnings_descriptions_and_choices_are_searched_too(alice: Account):
    file = await file_of(alice, description="a heron in the reeds")
    pictured = await write(alice, "look", summary="birds", media_ids=[file.id])
    asked_for = await write(alice, "choose", poll=PollDraft(("marmalade", "honey"), 3600))
    assert await found(alice, "heron") == await found(alice, "birds") == [pictured.id]
    assert await found(alice, "marmalade") == [asked_for.id]

    await media.edit(alice, file.id, "an egret")
    assert await found(alice, "heron") == []
    assert await found(alice, "egret") == [pictured.id]


async def test_the_index_keeps_step_with_edits_and_deletions(alice: Account):
    post = await write(alice, "before")
    await posts.edit(alice, post.id, Draft("afterwards"))
    assert await found(alice, "before") == []
    assert await found(alice, "afterwards") == [post.id]

    await posts.delete(alice, post.id)
    assert await found(alice, "afterwards") == []
    assert await db.value("SELECT count(*) FROM post_search") == 0


async def test_posts_from_elsewhere_keep_step_too(alice: Account, rita: Account):
    incoming = said(rita, content="<p>Hello <b>lighthouse</b></p>")
    post = await receiving.receive(rita, incoming)
    assert post is not None
    assert await found(alice, "lighthouse") == [post.id]

    changed = said(
        rita,
        uri=incoming.uri,
        content="<p>harbour</p>",
        edited_at=moments.now(),
        attachments=(Attachment("https://remote.example/a.png", "image", description="a pier"),),
    )
    await receiving.edit(rita, post, changed)
    assert await found(alice, "lighthouse") == []
    assert await found(alice, "harbour pier") == [post.id]
    await receiving.delete(rita, incoming.uri)
    assert await found(alice, "harbour") == []


# ------------------------------------------------------------------------------------------ who finds what


async def test_public_posts_are_found_when_their_author_agrees(alice: Account, bob: Account):
    post = await write(bob, "wordy")
    assert await found(alice, "wordy") == []
    assert await found(bob, "wordy") == [post.id]

    await accounts.edit_profile(bob, Profile(indexable=True))
    await write(bob, "wordy", visibility=Visibility.UNLISTED)
    assert await found(alice, "wordy") == [post.id]


async def test_what_one_has_to_do_with_is_found_without_that(alice: Account, bob: Account, carol: Account):
    liked, boosted, kept, answered = [await write(bob, f"wordy {number}") for number in range(4)]
    named = await write(bob, "wordy @alice", visibility=Visibility.DIRECT)
    await likes.like(alice, liked)
    await boosts.boost(alice, boosted)
    await bookmarks.bookmark(alice, kept)
    await write(alice, "re", reply_to_id=answered.id)

    every = [named.id, answered.id, kept.id, boosted.id, liked.id]
    assert await found(alice, "wordy") == await found(alice, "wordy in:library") == every
    assert await found(carol, "wordy") == []


async def test_nothing_is_found_that_may_not_be_seen(alice: Account, bob: Account, carol: Account):
    await accounts.edit_profile(bob, Profile(indexable=True))
    await write(bob, "wordy for followers", visibility=Visibility.FOLLOWERS)
    await write(bob, "wordy for carol @carol", visibility=Visibility.DIRECT)
    post = await write(bob, "wordy for all")
    await follows.follow(alice, bob)
    await likes.like(alice, post)
    assert await found(alice, "wordy") == [post.id]

    await mutes.mute(alice, bob)
    assert await found(alice, "wordy") == []
    await mutes.unmute(alice, bob)
    await blocks.block(bob, alice)
    assert await found(alice, "wordy") == []
    assert await found(carol, "all") == [post.id]
    await bob.filter(id=bob.id).update(silenced_at=1)
    assert await found(carol, "all") == []
    await bob.filter(id=bob.id).update(silenced_at=None, suspended_at=1)
    assert await found(carol, "all") == await found(bob, "wordy") == []


# ---------------------------------------------------------------------------------------------- operators


async def test_operators_narrow_what_is_found(alice: Account, rita: Account):
    theirs = await receiving.receive(rita, said(rita, content="<p>wordy</p>", language="de"))
    assert theirs is not None
    plain = await write(alice, "wordy")
    reply = await write(alice, "wordy", reply_to_id=plain.id)
    picture = await write(alice, "wordy", media_ids=[(await file_of(alice)).id])
    for typed, expected in {
        "from:me wordy": [picture, reply, plain],
        "from:me": [picture, reply, plain],
        "from:@rita@remote.example wordy": [theirs],
        "wordy -from:me": [theirs],
        "from:nobody wordy": [],
        "from:me from:@rita@remote.example wordy": [],
        "wordy has:media": [picture],
        "wordy has:image from:me": [picture],
        "wordy has:poll": [],
        "wordy is:reply": [reply],
        "wordy -is:reply -has:media from:alice": [plain],
        "wordy language:de": [theirs],
    }.items():
        assert await found(alice, typed) == [post.id for post in expected], typed
    assert await found(alice, "wordy", author_id=rita.id) == [theirs.id]
    assert await found(alice, "from:me", author_id=rita.id) == []


async def test_days_narrow_what_is_found(alice: Account, rita: Account):
    day = 1_767_225_600_000  # 2026-01-01
    one, two = [
        await receiving.receive(rita, said(rita, content="<p>wordy</p>", created_at=at), sent=False)
        for at in (day + 1, day + moments.DAY)
    ]
    assert one is not None
    assert two is not None
    for typed, expected in {
        "after:2026-01-01": [two],
        "before:2026-01-02": [one],
        "during:2026-01-01": [one],
        "after:2025-12-31 before:2026-01-03": [two, one],
        "after:2026-01-02": [],
    }.items():
        assert await found(alice, f"wordy {typed}") == [post.id for post in expected], typed


@pytest.mark.parametrize(
    "typed",
    [
        '"', '""', "-", '-"', "from:", 'from:""', "from:@", "has:", "has:cheese", "before:banana",
        "before:9999-12-31 x", "during:0001-01-01 x", "after:2026-02-30", "AND", "NOT x", "x OR", "NEAR(x y)",
        "x*", "^x", "words:x", "x:*", "!x", "x & | y", "(x", "'x'", "\\", "' OR 1=1", "\0 x", "\ue0001",
        "language:'x'", "{x}", "$1 ?1", "-from:me", "x " * 250, "😀", "-x -y",
    ],
)  # fmt: skip
async def test_nothing_that_people_type_is_an_error(alice: Account, typed: str):
    await search.posts(typed, alice, P20)
    await search.accounts(typed, alice, 20)


# --------------------------------------------------------------------------------------------------- pages


async def test_pages_by_offset_and_by_id(alice: Account):
    made = [(await write(alice, "wordy")).id for _ in range(5)][::-1]
    assert await found(alice, "wordy", Page(limit=2)) == made[:2]
    assert await found(alice, "wordy", Page(limit=2), 2) == made[2:4]
    assert await found(alice, "wordy", Page(limit=2, max_id=made[1])) == made[2:4]
    assert await found(alice, "wordy", Page(limit=2, min_id=made[4])) == made[2:4]
    assert await found(alice, "wordy", Page(limit=2, since_id=made[3])) == made[:2]
    assert await found(alice, "wordy", P20, 10**30) == []


async def test_a_search_is_one_statement_whatever_it_finds(alice: Account, queries: Any):
    for _ in range(3):
        await write(alice, "wordy")
    with queries() as sent:
        await search.posts("wordy -other has:media", alice, P20)
    with queries() as more:
        assert len(await found(alice, "wordy")) == 3
    assert len(sent) == len(more) == 1
    with queries() as sent:
        await search.accounts("alice", alice, 20)
    assert len(sent) == 1


_ONE_ACCOUNT = """
INSERT INTO account (id, username, username_key, local, uri, fields, also_known_as, created_at)
VALUES ($1, 'x', $2, FALSE, $2, '[]', '[]', 1)
"""
_ONE_POST = """
INSERT INTO post (id, uri, author_id, thread_id, visibility, local, hashtags, created_at)
VALUES ($1, $2, $3, $1, 0, FALSE, '[]', 1)
"""


async def test_the_index_leads_and_no_table_is_read_whole(alice: Account):
    async with db.transaction():
        for number in range(1, 1501):
            await db.execute(_ONE_ACCOUNT, number, f"x{number}")
            await db.execute(_ONE_POST, number, f"x{number}", alice.id)
    await indexed.rebuild()
    await statements.analyse()

    typed = asked.read("wordy -other has:media")
    question = indexed.question(typed.wanted, typed.unwanted)
    sql = views.statement(search.posts_sql(typed, P20))
    plan = await _explain(sql, alice.id, P20.before, 0, question, "", 0)
    _looks_up(plan, "post")
    named = indexed.question(typed.wanted)
    plan = await _explain(search.accounts_sql(True, False), "ali", "alj", "", alice.id, 20, 0, named)
    _looks_up(plan, "account")


async def _explain(sql: str, *values: Any) -> list[str]:
    """As it is planned for a search."""
    if db.dialect() == "sqlite":
        return await statements.explain(sql, *values)
    async with db.freely_planned():
        return await db.column(f"EXPLAIN (COSTS OFF) {sql}", *values)


def _looks_up(plan: list[str], table: str) -> None:
    text = "\n".join(plan)
    if db.dialect() == "sqlite":
        own = ("SCAN page", "SCAN (subquery", f"SCAN {table}_search VIRTUAL TABLE INDEX", "SCAN n")
        assert not [line for line in plan if line.startswith("SCAN") and not line.startswith(own)], text
        assert f"SCAN {table}_search VIRTUAL TABLE INDEX" in text
        assert table == "account" or "TEMP B-TREE" not in text, text
    else:
        # Tables that are empty here are rightly read whole.
        assert not re.search(r"Seq Scan on (post|account|post_search|account_search)\b", text), text
        assert f"{table}_search_words" in text, text


# ------------------------------------------------------------------------------------------------- people


async def test_people_are_found_by_any_word_of_the_name_they_show(alice: Account, bob: Account):
    await accounts.edit_profile(bob, Profile(display_name="Dr. Élodie Brunner"))
    stored = await remote_accounts.store(profile("rita", display_name="東京のリタ Lighthouse"))
    assert await search.accounts("brunner", alice, 20) == [bob.id]
    assert await search.accounts("elodie bru", alice, 20) == [bob.id]
    assert await search.accounts("東京", alice, 20) == await search.accounts("light", None, 20) == [stored.id]

    await accounts.edit_profile(bob, Profile(display_name="Bob"))
    await remote_accounts.store(profile("rita", display_name="Rita"))
    assert await search.accounts("brunner", alice, 20) == await search.accounts("light", alice, 20) == []


async def test_who_is_gone_leaves_no_name_behind(alice: Account):
    await remote_accounts.store(profile("rita", display_name="Lighthouse"))
    rita = await Account.get(username="rita")
    async with db.transaction():
        await deletion.mark(rita.id)
    assert await search.accounts("lighthouse", alice, 20) == []
    assert await db.value("SELECT count(*) FROM account_search") == 0


async def test_who_is_silenced_is_found_by_followers_and_by_the_whole_handle(alice: Account, bob: Account):
    loud = await person("mallory", silenced_at=1)
    assert await search.accounts("mall", alice, 20) == []
    assert await search.accounts("mallory", alice, 20) == [loud.id]
    await follows.follow(bob, loud)
    assert await search.accounts("mall", bob, 20) == [loud.id]


async def test_our_own_domain_narrows_to_us(alice: Account, config: Any):
    await remote("alice", "remote.example")
    assert await search.accounts(f"@alice@{config.domain}", None, 20) == [alice.id]


# ------------------------------------------------------------------------------------------------ rebuilding


async def test_the_index_can_be_written_anew(alice: Account):
    post = await write(alice, "wordy")
    async with db.transaction():
        await db.execute("DELETE FROM post_search")
    assert await found(alice, "wordy") == []

    assert await indexed.rebuild() == (1, 1)
    assert await indexed.rebuild() == (1, 1)
    assert await found(alice, "wordy") == [post.id]
    assert await search.accounts("alice", None, 20) == [alice.id]


async def test_who_follows_a_hashtag_tells_nobody_of_it(alice: Account, bob: Account):
    await tags.follow(alice, "surprise_for_bob")
    await posts.publish(alice, Draft("#surprise_for_carol", visibility=Visibility.DIRECT))
    assert await search.hashtags("surprise", None, 10) == []
    await posts.publish(bob, Draft("#surprise_for_bob"))
    assert [tag.name for tag in await search.hashtags("surprise", None, 10)] == ["surprise_for_bob"]
