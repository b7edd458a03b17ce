"""Filling homes: in batches, by the languages of a follow, and who is rung for."""

from typing import Any

import pytest

from fediblog import db
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import boosts, follows, home, languages, notifications, posts, relationships, timelines
from fediblog.services.composing import Draft
from tests.people import person, remote
from tests.services.making import owed, told
from tests.services.making import post as write

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def publish(author: Account, language: str = "", fanned_out: bool = True) -> Post:
    made = await posts.publish(author, Draft("Hello", language=language))
    if fanned_out:
        await home.fan_out(made.id)
    return made


async def shown(account: Account) -> list[int]:
    return [entry.id for entry in reversed((await timelines.home(account, P20)).entries)]


async def crowd(target: Account, number: int, notify: bool) -> list[Account]:
    people = [await person(f"reader{place}") for place in range(number)]
    for one in people:
        await follows.follow(one, target, notify=notify)
    return people


# ------------------------------------------------------------------------------------------- who is rung for


async def test_those_who_asked_for_it_hear_of_a_new_post_once(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(bob, alice, notify=True)
    await follows.follow(carol, alice)
    made = await publish(alice)
    await home.fan_out(made.id)
    reply = await posts.publish(alice, Draft("more", reply_to_id=made.id))
    await home.fan_out(reply.id)
    await home.fan_out((await boosts.boost(alice, made)).id)
    assert await told(bob) == [("post", alice.id, made.id)]
    assert await told(carol) == []


async def test_many_are_rung_for_in_batches(alice: Account, queries, monkeypatch: pytest.MonkeyPatch) -> None:
    people = await crowd(alice, 5, notify=True)
    monkeypatch.setattr(home, "_BATCH", 2)
    made = await publish(alice, fanned_out=False)
    with queries() as sent:
        await home.fan_out(made.id)
    assert sum("INTO notification" in sql for sql in sent.sql) == 3
    for one in people:
        assert await told(one) == [("post", alice.id, made.id)]


async def test_who_passed_a_post_on_hears_of_its_edit_in_batches(
    alice: Account, queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await crowd(alice, 5, notify=False)
    made = await publish(alice)
    for one in people:
        await boosts.boost(one, made)
    monkeypatch.setattr(notifications, "_BATCH", 2)
    with queries() as sent:
        await posts.edit(alice, made.id, Draft("Better"))
    assert sum("INTO notification" in sql for sql in sent.sql) == 3
    for one in people:
        assert await told(one) == [("edit", alice.id, made.id)]


# ---------------------------------------------------------------------------------- what comes from elsewhere


async def rows() -> set[tuple[int, int]]:
    return {(row["account_id"], row["post_id"]) for row in await db.rows("SELECT * FROM home_entry")}


async def bring(post: Post) -> None:
    async with db.transaction():
        await db.execute("DELETE FROM home_entry")
        await home.bring(post.id)


async def elsewhere(*followers: Account, **options: Any) -> Account:
    rita = await remote("rita", "remote.example")
    for one in followers:
        await follows.follow(one, rita, **options)
        await follows.accept(rita, one.id)
    return rita


async def test_what_comes_for_few_is_on_their_homes_with_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    rita = await elsewhere(alice, bob)
    made = await write(rita)
    await bring(made)
    assert await rows() == {(alice.id, made.id), (bob.id, made.id)}
    assert await owed("fan_out") == []


async def test_what_comes_for_nobody_or_not_for_all_followers_is_on_no_home(alice: Account) -> None:
    rita, otto = await elsewhere(alice), await remote("otto", "remote.example")
    for made in (await write(otto), await write(rita, visibility=Visibility.DIRECT)):
        await bring(made)
    assert (await rows(), await owed("fan_out")) == (set(), [])


async def test_where_many_follow_a_worker_brings_it(
    alice: Account, bob: Account, carol: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_FEW", 2)
    rita = await elsewhere(alice, bob)
    made = await write(rita)
    await bring(made)
    assert (len(await rows()), await owed("fan_out")) == (2, [])
    await follows.follow(carol, rita)
    await follows.accept(rita, carol.id)
    await bring(made)
    assert (await rows(), await owed("fan_out")) == (set(), [str(made.id)])
    await home.fan_out(made.id)
    assert len(await rows()) == 3


async def test_who_wants_to_be_told_of_it_gets_it_from_a_worker(alice: Account) -> None:
    made = await write(await elsewhere(alice, notify=True))
    await bring(made)
    assert await owed("fan_out") == [str(made.id)]
    await home.fan_out(made.id)
    assert await told(alice) == [("post", made.author_id, made.id)]


async def test_a_worker_would_bring_it_to_the_same_homes(
    alice: Account, bob: Account, carol: Account
) -> None:
    rita, otto = await elsewhere(alice, languages=["de"]), await remote("otto", "remote.example")
    await follows.follow(bob, rita, show_boosts=False)
    await follows.accept(rita, bob.id)
    await follows.follow(carol, rita)
    await follows.accept(rita, carol.id)
    root = await write(otto)
    seen = await write(rita)
    they = [
        await write(rita, language="en"),
        await write(rita, reply_to_id=root.id, reply_to_author_id=otto.id),
        await write(rita, reply_to_id=seen.id, reply_to_author_id=rita.id),
        await boosts.boost(rita, root, uri="https://remote.example/boosts/1"),
        await boosts.boost(rita, seen, uri="https://remote.example/boosts/2"),
    ]
    for made in they:
        await bring(made)
        at_once = await rows()
        async with db.transaction():
            await db.execute("DELETE FROM home_entry")
        await home.fan_out(made.id)
        assert at_once == await rows()
    await home.fan_out(seen.id)
    async with db.transaction():
        await home.bring(they[-1].id)
    assert {post_id for _, post_id in await rows()} == {seen.id, they[-1].id}


# --------------------------------------------------------------------------------------------- the languages


async def test_a_follow_for_some_languages_brings_those_and_what_has_none(
    alice: Account, bob: Account
) -> None:
    await follows.follow(bob, alice, notify=True, languages=["de", "pt", "zh-TW"])
    made = {code: await publish(alice, code) for code in ("de", "en", "", "pt-BR", "zh-CN", "zh-TW", "eo")}
    wanted = [made[code].id for code in ("de", "", "pt-BR", "zh-TW")]

    assert await shown(bob) == wanted
    stored = await db.column("SELECT post_id FROM home_entry WHERE account_id = $1", bob.id)
    assert sorted(stored) == wanted
    assert [post_id for _, _, post_id in await told(bob)] == wanted
    assert len(await shown(alice)) == 7


async def test_the_languages_are_asked_again_at_reading(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    german, english = await publish(alice, "de"), await publish(alice, "en")
    await follows.follow(bob, alice, languages=["de"])
    assert await shown(bob) == [german.id]
    await follows.follow(bob, alice, languages=[])
    assert await shown(bob) == [german.id, english.id]
    assert (await relationships.between(bob, [alice.id]))[alice.id].languages is None


async def test_below_the_stored_rows_the_languages_count_too(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice, languages=["de"])
    german, _ = await publish(alice, "de", fanned_out=False), await publish(alice, "en", fanned_out=False)
    assert await shown(bob) == [german.id]
    await home.backfill(bob.id, alice.id)
    assert await shown(bob) == [german.id]


async def test_of_a_boost_counts_what_it_passes_on(alice: Account, bob: Account, carol: Account) -> None:
    await follows.follow(bob, alice, languages=["de"])
    passed_on = [await boosts.boost(alice, await publish(carol, code)) for code in ("de", "en", "")]
    for one in passed_on:
        await home.fan_out(one.id)
    assert await shown(bob) == [passed_on[0].id, passed_on[2].id]


@pytest.mark.parametrize(
    "code", ["", "english", "EN", "e", "en-", "en\n", "en-x", "../etc", "en-a1-b2-c3-d4"]
)
async def test_what_is_no_code_of_a_language(alice: Account, bob: Account, code: str) -> None:
    assert not languages.known(code)
    with pytest.raises(Invalid) as refused:
        await follows.follow(bob, alice, languages=["de", code])
    assert set(refused.value.fields) == {"languages"}
