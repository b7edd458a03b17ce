"""Writing posts: what is stored, what is refused, and that nothing is stored twice."""

import asyncio
import secrets
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import edits, follows, media, posts, views
from fediblog.services.composing import Draft
from fediblog.services.media import Words
from fediblog.services.polls import PollDraft
from tests.people import person, remote
from tests.services.making import file_of

pytestmark = pytest.mark.usefixtures("database")


async def fresh(account: Account) -> Account:
    return await Account.get(id=account.id)


async def body(post: Post) -> views.Body:
    return (await views.bodies([post.id]))[post.id]


async def test_a_post_is_rendered_counted_and_addressed_by_an_opaque_id(alice: Account) -> None:
    post = await posts.publish(alice, Draft("Hello #Fediverse & all"))

    stored = await body(post)
    assert stored.uri == f"http://localhost:8000/ap/posts/{post.id}"
    assert stored.url == f"http://localhost:8000/@alice/{post.id}"
    assert "Hello" in stored.content and "&amp; all" in stored.content
    assert stored.hashtags == ("Fediverse",)
    assert stored.visibility is Visibility.PUBLIC
    author = await fresh(alice)
    assert (author.posts_count, author.last_post_at) == (1, post.created_at)


async def test_a_mention_links_to_people_we_know_and_tells_those_who_live_here(
    alice: Account, bob: Account
) -> None:
    far = await remote("dave", "far.example")
    post = await posts.publish(alice, Draft("@bob @BOB@localhost:8000 @dave@far.example @nobody hi"))

    stored = await body(post)
    assert {person.id for person in stored.mentions} == {bob.id, far.id}
    assert "@nobody" in stored.content
    told = await db.rows("SELECT account_id, kind, from_id FROM notification")
    assert told == [{"account_id": bob.id, "kind": "mention", "from_id": alice.id}]


async def test_mentioning_oneself_tells_nobody(alice: Account) -> None:
    await posts.publish(alice, Draft("note to @alice"))
    assert await db.rows("SELECT 1 FROM notification") == []


async def test_a_reply_joins_the_thread_and_is_no_wider_than_what_it_answers(
    alice: Account, bob: Account
) -> None:
    root = await posts.publish(alice, Draft("@bob quietly", visibility=Visibility.FOLLOWERS))
    reply = await posts.publish(bob, Draft("@alice yes", reply_to_id=root.id))

    assert (reply.thread_id, reply.reply_to_author_id) == (root.thread_id, alice.id)
    assert reply.visibility is Visibility.FOLLOWERS


async def test_public_replies_are_counted_and_private_ones_are_not(alice: Account, bob: Account) -> None:
    root = await posts.publish(alice, Draft("root"))
    await posts.publish(bob, Draft("one", reply_to_id=root.id))
    await posts.publish(bob, Draft("@alice two", reply_to_id=root.id, visibility=Visibility.DIRECT))

    assert (await Post.get(id=root.id)).replies == 1
    assert (await fresh(bob)).posts_count == 1


async def test_nobody_answers_what_they_may_not_see(alice: Account, bob: Account) -> None:
    private = await posts.publish(alice, Draft("secret", visibility=Visibility.FOLLOWERS))
    with pytest.raises(NotFound):
        await posts.publish(bob, Draft("I saw that", reply_to_id=private.id))
    with pytest.raises(NotFound):
        await posts.publish(bob, Draft("Hm", reply_to_id=12345))
    assert await Post.filter(author_id=bob.id).count() == 0


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(""), "source"),
        (Draft(" \n\t "), "source"),
        (Draft("\x00\u202e"), "source"),
        (Draft("x" * 501), "source"),
        (Draft("x" * 400, summary="y" * 101), "source"),
        (Draft("a" + "\u200d\U0001f469" * 30_000), "source"),
        (Draft("hi", poll=PollDraft(("a" + "\u200d\U0001f469" * 1500, "b"), 3600)), "poll_options"),
        (Draft("hi", language="klingon!"), "language"),
        (Draft("hi", language="en\n"), "language"),
        (Draft("hi", media_ids=(1,), words={2: Words("not on it")}), "media"),
        (Draft("hi", media_ids=(1, 2, 3, 4, 5)), "media"),
        (Draft("hi", media_ids=(1,), poll=PollDraft(("a", "b"), 3600)), "media"),
    ],
)
async def test_a_draft_that_breaks_a_rule_is_refused_at_its_field_and_changes_nothing(
    alice: Account, draft: Draft, field: str
) -> None:
    with pytest.raises(Invalid) as fault:
        await posts.publish(alice, draft)
    assert field in fault.value.fields
    assert await db.value("SELECT count(*) FROM post") == 0
    assert (await fresh(alice)).posts_count == 0


async def test_other_peoples_files_cannot_be_attached_and_leave_no_post_behind(
    alice: Account, bob: Account
) -> None:
    with pytest.raises(Invalid):
        await posts.publish(alice, Draft("look", media_ids=(4711,)))
    assert await db.value("SELECT count(*) FROM post") == 0
    assert await db.value("SELECT count(*) FROM work") == 0


async def test_control_characters_never_reach_the_database(alice: Account) -> None:
    post = await posts.publish(alice, Draft("a\x00b\u202ec\r\nd", summary="w\x07\u2066x"))
    assert (post.source, post.summary) == ("abc\nd", "wx")
    assert post.sensitive


async def test_the_same_key_makes_one_post_also_for_twins_at_once(alice: Account) -> None:
    key = secrets.token_hex(8)
    draft = Draft("only once", idempotency_key=key, idempotency_owner="token 1")
    made = await asyncio.gather(*(posts.publish(alice, draft) for _ in range(8)))
    again = await posts.publish(alice, draft)

    assert {post.id for post in made} == {again.id}
    assert await db.value("SELECT count(*) FROM post") == 1
    assert (await fresh(alice)).posts_count == 1


async def test_the_same_key_of_somebody_else_is_another_post(alice: Account, bob: Account) -> None:
    one = await posts.publish(alice, Draft("hi", idempotency_key="k", idempotency_owner="token 1"))
    two = await posts.publish(bob, Draft("hi", idempotency_key="k", idempotency_owner="token 2"))
    assert one.id != two.id


async def test_a_key_whose_post_failed_can_be_used_again(alice: Account) -> None:
    with pytest.raises(Invalid):
        await posts.publish(alice, Draft("x", media_ids=(4711,), idempotency_key="k", idempotency_owner="t"))
    post = await posts.publish(alice, Draft("x", idempotency_key="k", idempotency_owner="t"))
    assert post.source == "x"


async def test_an_edit_keeps_every_version_and_what_the_first_said(alice: Account) -> None:
    post = await posts.publish(alice, Draft("first #one"))
    await posts.edit(alice, post.id, Draft("second #two", summary="careful"))
    edited = await posts.edit(alice, post.id, Draft("third"))

    versions = await edits.history(await Post.get(id=post.id), alice)
    assert ["first" in versions[0].content, "second" in versions[1].content] == [True, True]
    assert [version.summary for version in versions] == ["", "careful", ""]
    assert [version.created_at for version in versions] == sorted({v.created_at for v in versions})
    assert versions[0].created_at == post.created_at
    stored = await body(edited)
    assert ((await Post.get(id=post.id)).version, stored.hashtags) == (3, ())
    assert stored.created_at == post.created_at
    assert await db.rows("SELECT 1 FROM post_tag") == []


async def test_an_edit_tells_those_newly_mentioned_once(alice: Account, bob: Account, carol: Account) -> None:
    post = await posts.publish(alice, Draft("hi @bob"))
    await posts.edit(alice, post.id, Draft("hi @bob and @carol"))
    await posts.edit(alice, post.id, Draft("hi @carol"))

    told = await db.column("SELECT account_id FROM notification ORDER BY id")
    assert told == [bob.id, carol.id]


async def said(post: Post, viewer: Account | None) -> list[str]:
    return [version.content for version in await edits.history(await Post.get(id=post.id), viewer)]


@pytest.mark.parametrize("level", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_who_is_addressed_by_an_edit_does_not_learn_what_was_said_before(
    alice: Account, bob: Account, carol: Account, level: Visibility
) -> None:
    post = await posts.publish(alice, Draft("@bob about carol", visibility=level))
    await posts.edit(alice, post.id, Draft("@bob still about her"))
    await posts.edit(alice, post.id, Draft("@bob @carol hello"))
    await posts.edit(alice, post.id, Draft("@bob @carol hello again"))

    assert len(await said(post, alice)) == len(await said(post, bob)) == 4
    assert ["hello" in text for text in await said(post, carol)] == [True, True]
    assert len(await said(post, None)) == 1


async def test_the_history_of_what_is_for_followers_is_for_them(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(bob, alice)
    private = await posts.publish(alice, Draft("one", visibility=Visibility.FOLLOWERS))
    public = await posts.publish(alice, Draft("one"))
    for post in (private, public):
        await posts.edit(alice, post.id, Draft("two"))
    assert len(await said(private, bob)) == 2
    assert len(await said(private, carol)) == 1
    assert len(await said(public, None)) == 2


async def test_who_is_no_longer_named_is_not_listed_and_keeps_seeing_the_post(
    alice: Account, bob: Account, carol: Account
) -> None:
    post = await posts.publish(alice, Draft("@bob @carol hi", visibility=Visibility.DIRECT))
    await posts.edit(alice, post.id, Draft("@carol hi"))
    assert [person.id for person in (await body(post)).mentions] == [carol.id]
    assert await posts.get(post.id, bob)

    await posts.edit(alice, post.id, Draft("@bob and @carol hi"))
    assert {person.id for person in (await body(post)).mentions} == {bob.id, carol.id}
    assert await db.value("SELECT count(*) FROM notification WHERE account_id = $1", bob.id) == 1


async def test_an_edit_describes_files_anew_and_the_version_before_keeps_its_words(alice: Account) -> None:
    file = await file_of(alice, description="old")
    post = await posts.publish(alice, Draft("look", media_ids=(file.id,)))
    await posts.edit(
        alice, post.id, Draft("look", media_ids=(file.id,), words={file.id: Words("new", (0.5, 0))})
    )

    before, now = await edits.history(await Post.get(id=post.id), alice)
    assert (before.media[0]["description"], now.media[0]["description"]) == ("old", "new")
    assert (await body(post)).media[0].focus_x == 0.5


async def test_a_file_that_was_taken_off_and_is_gone_is_in_no_version(alice: Account) -> None:
    kept, dropped = await file_of(alice), await file_of(alice)
    post = await posts.publish(alice, Draft("look", media_ids=(kept.id, dropped.id)))
    await posts.edit(alice, post.id, Draft("look", media_ids=(kept.id,)))

    async def versions() -> list[list[int]]:
        found = await edits.history(await Post.get(id=post.id), alice)
        return [[file["id"] for file in version.media] for version in found]

    assert await versions() == [[kept.id, dropped.id], [kept.id]]
    assert await media.prune(moments.now() + 1) == 1
    assert await versions() == [[kept.id], [kept.id]]


async def test_an_edit_that_says_no_language_keeps_it(alice: Account) -> None:
    post = await posts.publish(alice, Draft("bonjour", language="fr"))
    await posts.edit(alice, post.id, Draft("salut"))
    assert (await body(post)).language == "fr"


@pytest.mark.parametrize("usual", Visibility)
async def test_a_reply_without_a_wish_is_no_wider_than_its_author_usually_is(
    alice: Account, bob: Account, usual: Visibility
) -> None:
    root = await posts.publish(alice, Draft("root", visibility=Visibility.UNLISTED))
    reply = await posts.publish(bob, Draft("re", reply_to_id=root.id, usual=usual))
    assert reply.visibility is max(usual, Visibility.UNLISTED)
    assert (await posts.publish(bob, Draft("alone", usual=usual))).visibility is usual


async def test_an_edit_cannot_change_who_sees_a_post(alice: Account, bob: Account) -> None:
    post = await posts.publish(alice, Draft("quiet", visibility=Visibility.FOLLOWERS))
    await posts.edit(alice, post.id, Draft("loud", visibility=Visibility.PUBLIC))
    with pytest.raises(NotFound):
        await posts.get(post.id, bob)


async def test_only_the_author_edits_and_deletes(alice: Account, bob: Account) -> None:
    post = await posts.publish(alice, Draft("mine"))
    for attempt in (posts.edit(bob, post.id, Draft("stolen")), posts.delete(bob, post.id)):
        with pytest.raises(NotFound):
            await attempt
    assert (await Post.get(id=post.id)).source == "mine"


async def test_a_deleted_post_is_gone_with_all_that_hung_on_it_and_gives_its_text_back(
    alice: Account, bob: Account
) -> None:
    root = await posts.publish(alice, Draft("root"))
    post = await posts.publish(bob, Draft("hi @alice #tag", reply_to_id=root.id))
    answer = await posts.publish(alice, Draft("@bob indeed", reply_to_id=post.id))

    deleted = await posts.delete(bob, post.id)

    assert deleted.source == "hi @alice #tag"
    with pytest.raises(NotFound):
        await posts.get(post.id, bob)
    assert (await Post.get(id=answer.id)).reply_to_id is None
    assert (await Post.get(id=root.id)).replies == 0
    assert (await fresh(bob)).posts_count == 0
    assert await db.column("SELECT uri FROM tombstone") == [post.uri]
    assert await db.value("SELECT count(*) FROM mention WHERE post_id = $1", post.id) == 0


async def test_counters_are_right_after_many_posted_at_once(alice: Account) -> None:
    people = [await person(f"p{number}") for number in range(4)]
    root = await posts.publish(alice, Draft("root"))
    await asyncio.gather(
        *(posts.publish(p, Draft("re", reply_to_id=root.id)) for p in people for _ in range(5))
    )

    assert (await Post.get(id=root.id)).replies == 20
    assert [(await fresh(p)).posts_count for p in people] == [5, 5, 5, 5]


async def test_publishing_takes_few_statements(alice: Account, bob: Account, queries: Any) -> None:
    with queries() as sent:
        await posts.publish(alice, Draft("plain"))
    assert len(sent) <= 7, sent.sql
