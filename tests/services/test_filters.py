"""Filters: what they match, whose they are, and how soon a change of them is seen."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Visibility
from fediblog.services import deletion, filters, matching, posts
from fediblog.services.composing import Draft as PostDraft
from fediblog.services.filters import Draft, KeywordDraft
from fediblog.services.matching import Action, Context, Filter, Keyword, Matcher, Writing
from tests.harness.statements import recorded
from tests.people import user_of
from tests.services import making


def looking_for(*words: str, whole: bool = True) -> Filter:
    keywords = tuple(Keyword(number, word, whole) for number, word in enumerate(words))
    return Filter(1, "x", (Context.HOME,), Action.WARN, None, keywords, ())


def found(words: str, *keywords: str, whole: bool = True) -> list[str]:
    hits = Matcher([looking_for(*keywords, whole=whole)]).hits(matching.words_in(words), (), 0)
    return [word for hit in hits for word in hit.keywords]


@pytest.mark.parametrize(
    ("keyword", "there", "not_there"),
    [
        ("cat", "A CAT, yes", "concatenate cats"),
        ("Straße", "die STRASSE", "Straßen"),
        ("#cats", "I like#cats!", "#catsofinstagram"),
        ("two  words", "these Two\nwords", "two other words"),
        ("c++", "in c++11", "in c+"),
        (":)", "well:)done", ": )"),
        ("cat_", "cat_", "cat_s"),
        ("हिन्द", "यह हिन्द है", "हिन्दी"),
    ],
)
def test_a_whole_word_ends_where_a_word_ends(keyword: str, there: str, not_there: str) -> None:
    assert found(there, keyword) == [keyword]
    assert found(not_there, keyword) == []


def test_a_part_of_a_word_matches_anywhere_and_each_keyword_is_named() -> None:
    assert found("Concatenate the dogs", "cat", "dog", "bird", whole=False) == ["cat", "dog"]
    assert found("catcat cat", "cat") == ["cat"]


def test_a_thousand_keywords_hold_nobody_up() -> None:
    # Each of them is found at each of 5,000 places, and is a word of its own at none.
    began = time.process_time()
    assert found("a" * 5_000, *("a" * (number % 500 + 1) for number in range(1_000))) == []
    assert time.process_time() - began < 1


def test_words_are_those_of_text_warning_options_and_descriptions() -> None:
    content = (
        '<p>One &amp; <a href="https://x.example/hidden" class="mention hashtag">#<span>Two</span></a></p>'
    )
    writing = Writing(content, "Three", ["Four"], ["Five"])
    assert matching.words_of(1, 1, lambda: writing).line == "three one & #two four five"


async def blocked(account: Account, *words: str, **options: Any) -> Filter:
    draft = Draft("x", ("home",), keywords=[KeywordDraft(word) for word in words], **options)
    return await filters.create(account, draft)


async def hits(account: Account, words: str, *post_ids: int) -> list[int]:
    matcher = await matching.matcher(account)
    return (
        [hit.filter.id for hit in matcher.hits(matching.words_in(words), post_ids, moments.now())]
        if matcher
        else []
    )


async def test_every_change_is_seen_at_once(alice: Account, bob: Account) -> None:
    assert await hits(alice, "cat dog") == []
    made = await blocked(alice, "cat")
    assert await hits(alice, "cat") == [made.id]
    assert await hits(bob, "cat") == []

    added = await filters.add_keyword(alice, made.id, "dog", True)
    assert await hits(alice, "dog") == [made.id]
    await filters.edit_keyword(alice, added.id, KeywordDraft("bird"))
    assert (await hits(alice, "dog"), await hits(alice, "bird")) == ([], [made.id])
    await filters.delete_keyword(alice, added.id)
    assert await hits(alice, "bird") == []
    post = await making.post(bob)
    marked = await filters.mark(alice, made.id, post.id)
    assert await hits(alice, "", post.id) == [made.id]
    await filters.unmark(alice, marked.id)
    assert await hits(alice, "", post.id) == []
    await filters.delete(alice, made.id)
    assert await hits(alice, "cat") == []


async def test_what_another_process_changes_is_seen_when_the_look_is_over(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "_SECONDS", 0.0)
    monkeypatch.setattr(matching, "forget", lambda account_id: None)
    one, two = await blocked(alice, "cat"), await blocked(alice, "dog")
    assert await hits(alice, "cat dog") == [one.id, two.id]
    await filters.edit(alice, one.id, Draft(keywords=[KeywordDraft("bird")]))
    assert await hits(alice, "bird") == [one.id]
    await filters.delete(alice, one.id)
    three = await blocked(alice, "bird")
    assert await hits(alice, "bird dog") == [two.id, three.id]


async def test_looking_costs_a_statement_now_and_then_and_filters_are_read_once(
    alice: Account, queries: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with queries() as sent:
        for _ in range(3):
            assert await matching.matcher(alice) is None
    assert len(sent) == 1, sent.sql
    await blocked(alice, "cat", "dog")
    with queries() as sent:
        ready = await matching.matcher(alice)
    assert len(sent) == 2, sent.sql
    matching._states.drop(alice.id)
    with queries() as sent:
        assert await matching.matcher(alice) is ready
    assert len(sent) == 1, sent.sql


async def test_what_was_read_while_somebody_changed_filters_is_not_remembered(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = db.row
    changed: list[Filter] = []

    async def slowly(sql: str, *values: Any) -> Any:
        found = await look(sql, *values)
        if sql == matching._STATE and not changed:
            changed.append(await blocked(alice, "cat"))
        return found

    monkeypatch.setattr(db, "row", slowly)
    assert await hits(alice, "cat") == []
    assert await hits(alice, "cat") == [changed[0].id]


async def test_of_a_filter_that_blurs_the_first_version_knows_that_it_does_not_hide(alice: Account) -> None:
    made = await blocked(alice, "cat", action="blur")
    word = made.keywords[0].id
    same, _ = await filters.edit_single(alice, word, Draft(action="warn", keywords=[KeywordDraft("dog")]))
    assert same.action is Action.BLUR
    other, _ = await filters.edit_single(alice, word, Draft(action="hide", keywords=[KeywordDraft()]))
    assert other.action is Action.HIDE


async def test_a_filter_that_has_expired_matches_nothing_and_may_begin_again(alice: Account) -> None:
    made = await blocked(alice, "cat", seconds=3600)
    matcher = await matching.matcher(alice)
    assert matcher and made.expires_at
    assert len(matcher.hits(matching.words_in("cat"), (), made.expires_at - 1)) == 1
    assert matcher.hits(matching.words_in("cat"), (), made.expires_at) == []
    assert (await filters.edit(alice, made.id, Draft("y"))).expires_at == made.expires_at
    assert (await filters.edit(alice, made.id, Draft(seconds=0))).expires_at is None


async def test_filters_are_their_owners_alone(alice: Account, bob: Account) -> None:
    made = await blocked(alice, "cat")
    mine = await blocked(bob, "dog")
    word = made.keywords[0]
    marked = await filters.mark(alice, made.id, (await making.post(bob)).id)
    for verb in (
        filters.get(bob, made.id),
        filters.edit(bob, made.id, Draft("mine")),
        filters.delete(bob, made.id),
        filters.keyword(bob, word.id),
        filters.add_keyword(bob, made.id, "dog", True),
        filters.edit_keyword(bob, word.id, KeywordDraft("dog")),
        filters.delete_keyword(bob, word.id),
        filters.edit(bob, mine.id, Draft(keywords=[KeywordDraft("stolen", id=word.id)])),
        filters.edit(bob, mine.id, Draft(keywords=[KeywordDraft(id=word.id, gone=True)])),
        filters.edit_single(bob, word.id, Draft(keywords=[KeywordDraft("dog")])),
        filters.delete_single(bob, word.id),
        filters.mark(bob, made.id, marked.post_id),
        filters.marked(bob, marked.id),
        filters.unmark(bob, marked.id),
    ):
        with pytest.raises(NotFound):
            await verb
    assert await filters.listing(alice) == [made._replace(posts=(marked,))]
    assert await filters.listing(bob) == [mine]


async def test_a_post_that_one_may_not_see_cannot_be_named(alice: Account, bob: Account) -> None:
    made = await blocked(alice)
    private = await posts.publish(bob, PostDraft("psst", visibility=Visibility.FOLLOWERS))
    for wrong in (private.id, 4711):
        with pytest.raises(NotFound):
            await filters.mark(alice, made.id, wrong)
    public = await making.post(bob)
    first = await filters.mark(alice, made.id, public.id)
    assert await filters.mark(alice, made.id, public.id) == first


@pytest.mark.parametrize(
    "wrong",
    [
        Draft("", ("home",)),
        Draft("x" * 257, ("home",)),
        Draft("x"),
        Draft("x", ("home", "everywhere")),
        Draft("x", ("home",), "shout"),
        Draft("x", ("home",), seconds=-1),
        Draft("x", ("home",), seconds=1 << 60),
        Draft("x", ("home",), keywords=[KeywordDraft(" ")]),
        Draft("x", ("home",), keywords=[KeywordDraft("x" * 513)]),
    ],
)
async def test_faults_are_refused_and_nothing_is_kept(alice: Account, wrong: Draft) -> None:
    with pytest.raises(Invalid):
        await filters.create(alice, wrong)
    assert await filters.listing(alice) == []


async def test_far_too_many_keywords_are_refused_before_one_is_written(alice: Account) -> None:
    with recorded() as statements, pytest.raises(Invalid):
        await blocked(alice, *("cat" for _ in range(2 * filters.MOST_KEYWORDS + 1)))
    assert len(statements) == 0


async def test_there_are_bounds(alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_FILTERS", "MOST_KEYWORDS", "MOST_POSTS"):
        monkeypatch.setattr(filters, name, 1)
    made = await blocked(alice, "cat")
    one, two = await making.post(bob), await making.post(bob)
    await filters.mark(alice, made.id, one.id)
    for too_much in (
        blocked(alice, "dog"),
        filters.add_keyword(alice, made.id, "dog", True),
        filters.mark(alice, made.id, two.id),
    ):
        with pytest.raises(Invalid):
            await too_much
    assert [each.post_id for each in (await filters.get(alice, made.id)).posts] == [one.id]


async def test_a_deleted_account_leaves_no_filter_behind(alice: Account) -> None:
    await blocked(alice, "cat")
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    assert await db.column("SELECT id FROM filter UNION SELECT id FROM filter_keyword") == []
