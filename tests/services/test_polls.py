"""Polls: what may be asked, that nobody votes twice or where they may not, and what happens at the end."""

import asyncio
from contextvars import Context
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, boosts, follows, polls, views
from fediblog.services.polls import PollDraft
from tests.conftest import DATABASE
from tests.people import person, remote
from tests.services.making import owed, post, told

pytestmark = pytest.mark.usefixtures("database")

HOUR = 3600


async def ask(author: Account, *options: str, multiple: bool = False, **columns: Any) -> Post:
    made = await post(author, **columns)
    async with db.transaction():
        await polls.create(made.id, PollDraft(options or ("yes", "no", "maybe"), HOUR, multiple))
    return made


async def votes(made: Post) -> tuple[list[int], int]:
    """Votes for each option, voters."""
    tally = await db.column("SELECT votes FROM poll_option WHERE poll_id = $1 ORDER BY position", made.id)
    return tally, await db.value("SELECT voters FROM poll WHERE id = $1", made.id)


async def end(made: Post) -> None:
    """Let the time of a poll run out."""
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = $2 WHERE id = $1", made.id, moments.now() - 1)


# --------------------------------------------------------------------------------------------- asking


async def test_a_poll_is_stored_with_its_options_and_owes_its_end(alice: Account) -> None:
    made = await post(alice)
    async with db.transaction():
        await polls.create(made.id, PollDraft((" yes ", "no\x00"), HOUR, multiple=True, hide_totals=True))

    body = (await views.bodies([made.id]))[made.id]
    assert body.poll is not None
    assert (body.poll.options, body.poll.multiple, body.poll.hide_totals) == (("yes", "no"), True, True)
    until = body.poll.expires_at
    assert until is not None and moments.now() < until <= moments.now() + HOUR * 1000
    assert await owed("close_poll") == [str(made.id)]
    assert await db.column("SELECT not_before FROM work") == [until]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("one",), "at least two"),
        ((), "at least two"),
        (tuple(str(number) for number in range(9)), "at most 8"),
        (("a", "b", "a "), "the same"),
        (("a", " \u202e "), "empty"),
        (("a", "x" * 101), "longer than 100"),
    ],
)
async def test_options_that_break_a_rule_are_refused_with_the_reason(
    database: None, options: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as fault:
        polls.check(PollDraft(options, HOUR))
    assert list(fault.value.fields) == ["poll_options"]


@pytest.mark.parametrize(
    ("seconds", "sentence"), [(299, "five minutes"), (30 * 86400 + 1, "30 days"), (-1, "five minutes")]
)
async def test_times_that_are_too_short_or_too_long_are_refused(
    database: None, seconds: int, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as fault:
        polls.check(PollDraft(("a", "b"), seconds))
    assert list(fault.value.fields) == ["poll_seconds"]


async def test_all_faults_are_told_at_once(database: None) -> None:
    with pytest.raises(Invalid) as fault:
        polls.check(PollDraft(("a",), 1))
    assert set(fault.value.fields) == {"poll_options", "poll_seconds"}


async def test_what_is_just_within_the_limits_passes(database: None) -> None:
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    for options in (("x" * 100, family * 100), tuple(str(number) for number in range(8))):
        for seconds in (300, 30 * 86400):
            assert polls.check(PollDraft(options, seconds)).options == options


async def test_a_broken_draft_stores_nothing(alice: Account) -> None:
    made = await post(alice)
    with pytest.raises(Invalid):
        async with db.transaction():
            await polls.create(made.id, PollDraft(("a",), HOUR))
    assert await db.rows("SELECT 1 FROM poll") == [] == await db.rows("SELECT 1 FROM work")


# --------------------------------------------------------------------------------------------- voting


async def test_a_vote_is_counted_and_remembered(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    await polls.vote(bob, made, [1])

    assert await votes(made) == ([0, 1, 0], 1)
    entry = (await views.entries([made.id], bob))[made.id]
    assert entry.ballot == views.Ballot([0, 1, 0], 1, False, [1])
    assert (await Post.get(id=made.id)).version == 1
    assert await told(alice) == []


async def test_several_choices_count_one_voter(alice: Account, bob: Account, carol: Account) -> None:
    made = await ask(alice, multiple=True)
    await polls.vote(bob, made, [2, 0, 2])
    await polls.vote(carol, made, [2])
    assert await votes(made) == ([1, 0, 2], 2)
    entry = (await views.entries([made.id], bob))[made.id]
    assert entry.ballot is not None and entry.ballot.choices == [0, 2]


@pytest.mark.parametrize("choices", [[], [3], [-1], [0, 1], [0, 70], [10**20]])
async def test_no_choice_too_many_and_options_that_do_not_exist_are_refused(
    alice: Account, bob: Account, choices: list[int]
) -> None:
    made = await ask(alice)
    with pytest.raises(Invalid) as fault:
        await polls.vote(bob, made, choices)
    assert "choices" in fault.value.fields
    assert await votes(made) == ([0, 0, 0], 0)
    assert await db.rows("SELECT 1 FROM poll_ballot") == []


async def test_nobody_votes_twice(alice: Account, bob: Account) -> None:
    made = await ask(alice, multiple=True)
    await polls.vote(bob, made, [0])
    for choices in ([0], [1], [0, 1, 2]):
        with pytest.raises(Invalid, match="already voted"):
            await polls.vote(bob, made, choices)
    assert await votes(made) == ([1, 0, 0], 1)


async def test_nobody_votes_twice_at_the_same_time(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    done = await asyncio.gather(
        *(polls.vote(bob, made, [number % 3]) for number in range(9)), return_exceptions=True
    )
    assert sum(result is None for result in done) == 1
    tally, voters = await votes(made)
    assert (sum(tally), voters) == (1, 1)


async def test_many_voters_at_once_are_counted_right(alice: Account) -> None:
    made = await ask(alice)
    people = [await person(f"p{number}") for number in range(6)]
    await asyncio.gather(*(polls.vote(voter, made, [n % 3]) for n, voter in enumerate(people)))
    assert await votes(made) == ([2, 2, 2], 6)


async def test_nobody_votes_on_their_own_poll(alice: Account) -> None:
    made = await ask(alice)
    with pytest.raises(Invalid, match="your own"):
        await polls.vote(alice, made, [0])
    assert await votes(made) == ([0, 0, 0], 0)


async def test_nobody_votes_after_the_end(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    await end(made)
    for _ in range(2):
        with pytest.raises(Invalid, match="already ended"):
            await polls.vote(bob, made, [0])
        await polls.close(made.id)
    assert await votes(made) == ([0, 0, 0], 0)


@pytest.mark.skipif(DATABASE == "sqlite", reason="there nobody closes it meanwhile")
async def test_a_vote_that_meets_the_end_is_refused_and_not_counted(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await ask(alice)
    may_vote = polls._may_vote

    async def close() -> None:
        await end(made)
        await polls.close(made.id)

    async def slowly(*given: Any) -> None:
        await may_vote(*given)
        await asyncio.create_task(close(), context=Context())

    monkeypatch.setattr(polls, "_may_vote", slowly)
    with pytest.raises(Invalid, match="ended"):
        await polls.vote(bob, made, [0])
    assert await votes(made) == ([0, 0, 0], 0)


async def test_nobody_votes_where_there_is_no_poll(alice: Account, bob: Account) -> None:
    with pytest.raises(NotFound):
        await polls.vote(bob, await post(alice), [0])


async def test_nobody_votes_across_a_block(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    await blocks.block(alice, bob)
    with pytest.raises(NotFound):
        await polls.vote(bob, made, [0])
    await blocks.unblock(alice, bob)
    await blocks.block(bob, alice)
    with pytest.raises(Forbidden):
        await polls.vote(bob, made, [0])
    assert await votes(made) == ([0, 0, 0], 0)


async def test_voting_on_a_boost_is_voting_on_the_original(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    await polls.vote(bob, await boosts.boost(bob, made), [2])
    assert await votes(made) == ([0, 0, 1], 1)


# --------------------------------------------------------------------------------------------- the end


async def test_the_end_is_told_to_author_and_voters_here_and_makes_one_new_version(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = await ask(alice)
    dave = await remote("dave", "far.example")
    for voter in (bob, dave):
        await polls.vote(voter, made, [0])
    await end(made)
    for _ in range(2):
        await polls.close(made.id)

    for person_ in (alice, bob):
        assert await told(person_) == [("poll", alice.id, made.id)]
    assert await told(carol) == [] == await told(dave)
    assert (await Post.get(id=made.id)).version == 2
    entry = (await views.entries([made.id], bob))[made.id]
    assert entry.ballot is not None and entry.ballot.closed


async def test_a_notice_of_the_end_that_was_dismissed_does_not_come_back(
    alice: Account, bob: Account
) -> None:
    made = await ask(alice)
    await polls.vote(bob, made, [0])
    await end(made)
    await polls.close(made.id)
    async with db.transaction():
        await db.execute("DELETE FROM notification")
    await polls.close(made.id)
    assert await told(bob) == [] == await told(alice)


async def test_closing_too_early_waits_for_the_end(alice: Account) -> None:
    made = await ask(alice)
    async with db.transaction():
        await db.execute("DELETE FROM work")
    await polls.close(made.id)

    assert await db.column("SELECT closed_at FROM poll") == [None]
    assert await owed("close_poll") == [str(made.id)]
    assert await db.value("SELECT not_before FROM work") == await db.value("SELECT expires_at FROM poll")


async def test_a_poll_that_is_gone_or_never_ends_is_not_closed(alice: Account) -> None:
    made = await ask(alice)
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = NULL")
    await polls.close(made.id)
    assert await db.column("SELECT closed_at FROM poll") == [None]
    await made.delete()
    await polls.close(made.id)
    await polls.close(4711)


async def test_the_end_of_a_private_poll_is_not_told_to_who_may_no_longer_see_it(
    alice: Account, bob: Account
) -> None:
    await follows.follow(bob, alice)
    made = await ask(alice, visibility=Visibility.FOLLOWERS)
    await polls.vote(bob, made, [0])
    await follows.unfollow(bob, alice)
    await end(made)
    await polls.close(made.id)
    assert await told(bob) == []


async def test_crowds_are_told_in_a_few_statements(alice: Account, queries: Any) -> None:
    made = await ask(alice)
    voters = [await person(f"v{number}") for number in range(30)]
    for voter in voters:
        await polls.vote(voter, made, [0])
    await end(made)
    with queries() as sent:
        await polls.close(made.id)
    assert len(sent) <= 11, sent.sql
    assert await db.value("SELECT count(*) FROM notification WHERE kind = 'poll'") == 31


# --------------------------------------------------------------------------------------------- editing


async def change(made: Post, draft: PollDraft | None) -> None:
    async with db.transaction():
        await polls.replace(made.id, draft)


async def test_the_same_question_keeps_its_votes_and_its_end(alice: Account, bob: Account) -> None:
    made = await ask(alice, "a", "b")
    await polls.vote(bob, made, [1])
    until = await db.value("SELECT expires_at FROM poll")
    await change(made, PollDraft(("a ", "b"), 9 * HOUR, hide_totals=True))

    assert await votes(made) == ([0, 1], 1)
    assert await db.value("SELECT expires_at FROM poll") == until
    assert await db.value("SELECT hide_totals FROM poll")


@pytest.mark.parametrize(
    "draft", [PollDraft(("a", "c"), HOUR), PollDraft(("b", "a"), HOUR), PollDraft(("a", "b"), HOUR, True)]
)
async def test_another_question_begins_without_votes(alice: Account, bob: Account, draft: PollDraft) -> None:
    made = await ask(alice, "a", "b")
    await polls.vote(bob, made, [1])
    await change(made, draft)

    assert await votes(made) == ([0, 0], 0)
    await polls.vote(bob, made, [0])
    assert await votes(made) == ([1, 0], 1)


async def test_an_edit_may_remove_or_add_a_poll(alice: Account) -> None:
    made = await ask(alice)
    await change(made, None)
    for table in ("poll", "poll_option", "poll_ballot"):
        assert await db.rows(f"SELECT 1 FROM {table}") == []
    await change(made, None)
    await change(made, PollDraft(("x", "y"), HOUR))
    assert await votes(made) == ([0, 0], 0)


async def test_a_broken_edit_leaves_the_poll_as_it_was(alice: Account, bob: Account) -> None:
    made = await ask(alice)
    await polls.vote(bob, made, [0])
    with pytest.raises(Invalid):
        await change(made, PollDraft(("x",), HOUR))
    assert await votes(made) == ([1, 0, 0], 1)
