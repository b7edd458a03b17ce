import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from fediblog import db, ids, moments
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Media, Post, Visibility
from fediblog.services import (
    blocks,
    boosts,
    edits,
    follows,
    likes,
    polls,
    posts,
    quoting,
    receiving,
    threads,
    visibility,
)
from fediblog.services.composing import Draft
from fediblog.services.incoming import Attachment, Emoji, IncomingPost, IncomingVote, Question
from fediblog.services.polls import PollDraft
from tests.people import person, remote
from tests.services import making
from tests.services.elsewhere import said

DAY = moments.DAY


@pytest.fixture
async def rita(database: None) -> Account:
    return await remote("rita", "remote.example")


@pytest.fixture
async def otto(database: None) -> Account:
    return await remote("otto", "remote.example")


async def take(author: Account, incoming: IncomingPost) -> Post:
    post = await receiving.receive(author, incoming)
    assert post is not None
    return await Post.get(id=post.id)


async def follow(follower: Account, target: Account) -> None:
    await follows.follow(follower, target)
    await follows.accept(target, follower.id)


async def addressed(post: Post) -> dict[int, bool]:
    found = await db.rows("SELECT account_id, named FROM mention WHERE post_id = $1", post.id)
    return {line["account_id"]: bool(line["named"]) for line in found}


async def tallies(post: Post) -> list[int]:
    return await db.column("SELECT votes FROM poll_option WHERE poll_id = $1 ORDER BY position", post.id)


async def counted(account: Account) -> int:
    return (await Account.get(id=account.id)).posts_count


# ------------------------------------------------------------------------------------------------ receiving


async def test_a_post_of_elsewhere_has_all_that_its_server_says(rita: Account):
    file = Attachment(
        *("https://remote.example/1.png", "image", "image/png", "A cat", "https://remote.example/1s.png"),
        width=640,
        height=480,
        focus=(0.5, -0.5),
        blurhash="LEHV6nWB2yk8",
    )
    incoming = said(
        rita,
        summary="Cats",
        source="Hello",
        sensitive=True,
        language="de",
        hashtags=("Cats",),
        attachments=(file, replace(file, url="https://remote.example/2.mp4", kind="video", duration=2.5)),
        emojis=(Emoji("blob", "https://remote.example/blob.png"),),
        conversation="tag:remote.example:1",
    )
    post = await take(rita, incoming)
    assert (post.uri, post.url, post.local, post.author_id) == (incoming.uri, incoming.url, False, rita.id)
    assert (post.summary, post.source, post.content) == ("Cats", "Hello", "<p>Hello</p>")
    assert (post.sensitive, post.language, post.hashtags) == (True, "de", ["Cats"])
    assert post.emojis == [{"shortcode": "blob", "url": "https://remote.example/blob.png"}]
    assert (post.conversation, post.thread_id, post.edited_at) == ("tag:remote.example:1", post.id, None)
    assert (post.created_at, ids.moment_of(post.id)) == (incoming.created_at, incoming.created_at)
    picture, film = await Media.filter(post_id=post.id).order_by("position")
    assert (picture.state, picture.file, picture.remote_url) == ("ready", "", file.url)
    assert (picture.kind, picture.mime, picture.description) == ("image", "image/png", "A cat")
    assert (picture.width, picture.focus_y, picture.blurhash) == (640, -0.5, "LEHV6nWB2yk8")
    assert (picture.remote_preview_url, film.duration) == (file.preview_url, 2.5)
    assert await db.column("SELECT key FROM tag") == ["cats"]
    assert await counted(rita) == 1


async def test_the_same_post_twice_is_one_post(rita: Account):
    incoming = said(rita)
    assert (await take(rita, incoming)).id == (await take(rita, incoming)).id
    assert await counted(rita) == 1


async def test_copies_that_come_at_once_are_one_post(rita: Account, alice: Account):
    incoming = said(rita, named=(alice.uri,), tagged=(alice.uri,))
    found = await asyncio.gather(*(receiving.receive(rita, incoming) for _ in range(6)))
    assert len({post.id for post in found if post}) == 1
    assert await Post.all().count() == 1
    assert await counted(rita) == 1
    assert len(await making.told(alice)) == 1


async def test_an_answer_and_what_it_answers_that_come_at_once_find_each_other(rita: Account, otto: Account):
    for _ in range(5):
        first = said(rita)
        answer = said(otto, reply_to_uri=first.uri)
        await asyncio.gather(receiving.receive(otto, answer), receiving.receive(rita, first))
        parent, child = await Post.get(uri=first.uri), await Post.get(uri=answer.uri)
        assert (child.reply_to_id, child.thread_id, parent.replies) == (parent.id, parent.id, 1)


async def test_posts_of_the_same_millisecond_are_as_many_posts(
    rita: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ids.secrets, "randbelow", lambda _: 7)
    then = moments.now() - DAY
    found = [await take(rita, said(rita, created_at=then)) for _ in range(3)]
    assert len({post.id for post in found}) == 3
    assert {post.created_at for post in found} == {then}


# The last is in the year 2286.
@pytest.mark.parametrize("moment", [-(10**15), 0, 10**13])
async def test_dates_that_cannot_be_are_brought_into_this_century(rita: Account, moment: int):
    post = await take(rita, said(rita, created_at=moment))
    assert receiving._EARLIEST <= post.created_at <= moments.now()


async def test_nobody_publishes_for_somebody_else(rita: Account, otto: Account):
    incoming = said(rita)
    with pytest.raises(Forbidden):
        await receiving.receive(otto, incoming)
    await take(rita, incoming)
    with pytest.raises(Forbidden):
        await receiving.receive(otto, replace(incoming, author_uri=otto.uri))
    assert await Post.all().count() == 1


async def test_nobody_outside_publishes_under_an_address_of_ours(rita: Account, alice: Account):
    with pytest.raises(Forbidden):
        await receiving.receive(rita, said(rita, uri="http://localhost:8000/ap/posts/12"))
    with pytest.raises(Forbidden):
        await receiving.receive(alice, said(rita, author_uri=alice.uri))
    assert await Post.all().count() == 0


# ------------------------------------------------------------------------------------------- who hears of it


async def test_who_is_named_hears_of_it_and_who_is_only_addressed_may_see_it(
    rita: Account, otto: Account, alice: Account, bob: Account
):
    named = (alice.uri, bob.uri, otto.uri, "https://unknown.example/users/x", rita.uri)
    level = Visibility.FOLLOWERS
    post = await take(rita, said(rita, named=named, tagged=(alice.uri, otto.uri), visibility=level))
    assert await addressed(post) == {alice.id: True, bob.id: False, otto.id: True}
    assert await making.told(alice) == [("mention", rita.id, post.id)]
    assert await making.told(bob) == []
    assert await visibility.may_see(bob, post)


async def test_whoever_a_direct_post_is_sent_to_hears_of_it(rita: Account, alice: Account, bob: Account):
    post = await take(rita, said(rita, named=(alice.uri,), visibility=Visibility.DIRECT))
    assert await making.told(alice) == [("mention", rita.id, post.id)]
    assert await visibility.may_see(alice, post)
    assert not await visibility.may_see(bob, post)
    assert await counted(rita) == 0


async def test_a_direct_post_to_many_calls_no_more_than_a_text_can_name(rita: Account):
    many = [await person(f"p{number}") for number in range(52)]
    await take(rita, said(rita, named=tuple(one.uri for one in many), visibility=Visibility.DIRECT))
    assert await db.value("SELECT count(*) FROM notification") == 50
    assert await db.value("SELECT count(*) FROM mention") == 52


async def test_who_is_blocked_is_not_heard(rita: Account, alice: Account):
    await blocks.block(alice, rita)
    await take(rita, said(rita, named=(alice.uri,), tagged=(alice.uri,)))
    assert await making.told(alice) == []


@pytest.mark.parametrize(("sent", "days", "is_news"), [(True, 8, True), (False, 6, True), (False, 8, False)])
async def test_an_old_post_that_was_looked_up_tells_nobody_and_fills_no_home(
    rita: Account, alice: Account, sent: bool, days: int, is_news: bool
):
    await follow(alice, rita)
    then = moments.now() - days * DAY
    incoming = said(rita, named=(alice.uri,), tagged=(alice.uri,), created_at=then)
    await receiving.receive(rita, incoming, sent)
    assert ("mention" in {kind for kind, *_ in await making.told(alice)}) is is_news
    assert bool(await db.rows("SELECT 1 FROM home_entry")) is is_news


async def test_a_post_comes_home_only_where_somebody_follows(rita: Account, otto: Account, alice: Account):
    await follow(alice, rita)
    followed = await take(rita, said(rita))
    await take(otto, said(otto))
    await take(rita, said(rita, visibility=Visibility.DIRECT))
    assert await db.rows("SELECT account_id, post_id FROM home_entry") == [
        {"account_id": alice.id, "post_id": followed.id}
    ]
    assert await making.owed("fan_out") == []


async def test_a_plain_post_costs_six_statements_in_one_transaction(rita: Account, alice: Account, queries):
    await follow(alice, rita)
    with queries() as sent:
        await receiving.receive(rita, said(rita))
    locks = [sql for sql in sent.sql if "pg_advisory" in sql]
    assert len(sent) - len(locks) == 6, sent.sql
    assert len(sent.writes) == 4


async def test_followers_only_of_elsewhere_is_seen_by_accepted_followers_alone(
    rita: Account, otto: Account, alice: Account, bob: Account, carol: Account
):
    await follow(alice, rita)
    await follows.follow(bob, rita)  # Asked, not accepted.
    post = await take(rita, said(rita, visibility=Visibility.FOLLOWERS))
    seen = {viewer.username for viewer in (alice, bob, carol, otto) if await visibility.may_see(viewer, post)}
    assert seen == {"alice"}
    assert not await visibility.may_see(None, post)
    for viewer in (bob, carol, None):
        with pytest.raises(NotFound):
            await posts.get(post.id, viewer)
    await follows.unfollow(alice, rita)
    assert not await visibility.may_see(alice, post)


# ----------------------------------------------------------------------------------------------- in a thread


async def test_an_answer_hangs_on_what_it_answers_and_counts(rita: Account, alice: Account):
    ours = await posts.publish(alice, Draft("Hello"))
    post = await take(rita, said(rita, reply_to_uri=ours.uri))
    assert (post.reply_to_id, post.reply_to_author_id, post.thread_id) == (ours.id, alice.id, ours.id)
    assert (await Post.get(id=ours.id)).replies == 1


async def test_an_answer_to_a_boost_answers_the_original(rita: Account, otto: Account, alice: Account):
    ours = await posts.publish(alice, Draft("Hello"))
    boost = await boosts.boost(rita, ours, uri="https://remote.example/boosts/1")
    post = await take(otto, said(otto, reply_to_uri=boost.uri))
    assert post.reply_to_id == ours.id


async def test_an_answer_that_came_first_is_adopted_with_all_that_hangs_on_it(rita: Account, otto: Account):
    root = said(rita)
    answer = said(otto, reply_to_uri=root.uri)
    private = said(otto, reply_to_uri=root.uri, visibility=Visibility.FOLLOWERS)
    deeper = said(rita, reply_to_uri=answer.uri)
    orphan = await take(otto, answer)
    assert (orphan.reply_to_id, orphan.reply_to_uri, orphan.thread_id) == (None, root.uri, orphan.id)
    below, hidden = await take(rita, deeper), await take(otto, private)
    parent = await take(rita, root)
    assert parent.replies == 1
    for post, above in ((orphan, parent), (below, orphan), (hidden, parent)):
        found = await Post.get(id=post.id)
        assert (found.reply_to_id, found.thread_id) == (above.id, parent.id)
        assert found.reply_to_author_id == above.author_id
    context = await threads.context(parent, None)
    assert [entry.id for entry in context.descendants] == [orphan.id, below.id]


async def test_many_orphans_are_adopted_and_a_second_copy_goes_on(
    rita: Account, otto: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(receiving, "_BATCH", 2)
    root = said(rita)
    for _ in range(5):
        await take(otto, said(otto, reply_to_uri=root.uri))
    parent = await take(rita, root)
    assert parent.replies == 5
    await take(rita, root)
    assert (await Post.get(id=parent.id)).replies == 5


async def test_posts_that_answer_each_other_in_a_circle_end(rita: Account):
    first, second = said(rita), said(rita)
    first = replace(first, reply_to_uri=second.uri)
    second = replace(second, reply_to_uri=first.uri)
    one, other = await take(rita, first), await take(rita, second)
    alone = said(rita)
    itself = await take(rita, replace(alone, reply_to_uri=alone.uri, quote_uri=alone.uri))
    assert (one.reply_to_id, other.reply_to_id, itself.reply_to_id) == (None, one.id, None)
    assert itself.quote_of_id is None
    assert len((await threads.context(one, None)).descendants) == 1


async def test_an_answer_to_what_its_author_may_not_see_does_not_hang_on_it(rita: Account, alice: Account):
    private = await posts.publish(alice, Draft("Hush", visibility=Visibility.FOLLOWERS))
    post = await take(rita, said(rita, reply_to_uri=private.uri, quote_uri=private.uri))
    assert (post.reply_to_id, post.reply_to_uri, post.quote_of_id) == (None, private.uri, None)
    assert (await Post.get(id=private.id)).replies == 0


async def test_a_quote_finds_what_it_quotes_before_and_after(rita: Account, otto: Account, alice: Account):
    ours = await posts.publish(alice, Draft("Hello"))
    assert (await take(rita, said(rita, quote_uri=ours.uri))).quote_of_id == ours.id
    quoted = said(otto)
    early = await take(rita, said(rita, quote_uri=quoted.uri))
    assert (early.quote_of_id, early.quote_uri) == (None, quoted.uri)
    late = await take(otto, quoted)
    assert (await Post.get(id=early.id)).quote_of_id == late.id


# ------------------------------------------------------------------------------------------------- deletion


async def test_a_post_deleted_elsewhere_is_gone_and_does_not_come_back(rita: Account, alice: Account):
    incoming = said(rita, named=(alice.uri,), tagged=(alice.uri,))
    post = await take(rita, incoming)
    await likes.like(alice, post)
    await receiving.delete(rita, incoming.uri)
    assert await Post.get_or_none(id=post.id) is None
    assert await receiving.receive(rita, incoming) is None
    assert (await Post.all().count(), await counted(rita)) == (0, 0)


async def test_a_deletion_that_comes_first_wins(rita: Account):
    incoming = said(rita)
    await receiving.delete(rita, incoming.uri)
    await receiving.delete(rita, incoming.uri)
    assert await receiving.receive(rita, incoming) is None


async def test_a_deletion_that_comes_at_the_same_time_wins(rita: Account):
    for _ in range(5):
        incoming = said(rita)
        await asyncio.gather(receiving.receive(rita, incoming), receiving.delete(rita, incoming.uri))
        assert await receiving.receive(rita, incoming) is None
    assert await Post.all().count() == 0


async def test_a_neighbour_deletes_nothing_and_keeps_nothing_out(rita: Account, otto: Account):
    first, second = said(rita), said(rita)
    post = await take(rita, first)
    with pytest.raises(Forbidden):
        await receiving.delete(otto, first.uri)
    assert await Post.exists(id=post.id)
    await receiving.delete(otto, second.uri)
    assert await receiving.receive(rita, second) is not None
    await receiving.delete(rita, second.uri)
    assert await receiving.receive(rita, second) is None


async def test_a_boost_is_deleted_as_a_boost(rita: Account, alice: Account):
    ours = await posts.publish(alice, Draft("Hello"))
    await boosts.boost(rita, ours, uri="https://remote.example/boosts/2")
    await receiving.delete(rita, "https://remote.example/boosts/2")
    assert (await Post.get(id=ours.id)).boosts == 0


# -------------------------------------------------------------------------------------------------- editing


async def test_an_edit_keeps_the_version_before_and_tells_who_must_know(
    rita: Account, alice: Account, bob: Account
):
    incoming = said(rita, named=(alice.uri,), tagged=(alice.uri,), hashtags=("one",), summary="Old")
    post = await take(rita, incoming)
    await boosts.boost(bob, post)
    changed = replace(
        incoming,
        content="<p>Better</p>",
        summary="New",
        named=(alice.uri, bob.uri),
        tagged=(bob.uri,),
        hashtags=("two",),
        edited_at=moments.now(),
        visibility=Visibility.DIRECT,
    )
    edited = await Post.get(id=(await receiving.edit(rita, post, changed)).id)
    assert (edited.content, edited.summary, edited.hashtags) == ("<p>Better</p>", "New", ["two"])
    assert (edited.edited_at, edited.version) == (changed.edited_at, post.version + 1)
    assert edited.visibility == Visibility.PUBLIC
    assert await addressed(post) == {alice.id: False, bob.id: True}
    assert [kind for kind, *_ in await making.told(alice)] == ["mention"]
    assert sorted(kind for kind, *_ in await making.told(bob)) == ["edit", "mention"]
    history = await edits.history(edited, None)
    assert [(version.summary, version.content) for version in history] == [
        ("Old", "<p>Hello</p>"),
        ("New", "<p>Better</p>"),
    ]
    assert await db.column("SELECT t.key FROM post_tag x JOIN tag t ON t.id = x.tag_id") == ["two"]


async def test_what_does_not_say_that_it_is_newer_changes_nothing(rita: Account):
    now = moments.now() // moments.SECOND * moments.SECOND - 1
    post = await take(rita, incoming := said(rita, edited_at=now))
    for moment in (None, now, now - 1):
        await receiving.edit(rita, post, replace(incoming, content="<p>Late</p>", edited_at=moment))
    found = await Post.get(id=post.id)
    assert (found.content, found.version) == ("<p>Hello</p>", post.version)
    assert await db.value("SELECT count(*) FROM post_edit") == 0


async def test_an_edit_in_the_second_of_its_post_counts_when_it_says_something_else(rita: Account):
    """GoToSocial and Mastodon name whole seconds."""
    second = moments.now() // moments.SECOND * moments.SECOND
    post = await take(rita, incoming := said(rita, created_at=second))
    for content, number in (("<p>Hello</p>", 0), ("<p>1</p>", 1), ("<p>2</p>", 2), ("<p>2</p>", 2)):
        await receiving.edit(rita, post, replace(incoming, content=content, edited_at=second))
        assert (await Post.get(id=post.id)).content == content
        assert await db.value("SELECT count(*) FROM post_edit") == number


async def test_edits_from_the_future_do_not_keep_out_later_ones(rita: Account):
    post = await take(rita, incoming := said(rita))
    soon = moments.now() + 10 * DAY
    await receiving.edit(rita, post, replace(incoming, content="<p>1</p>", edited_at=soon))
    await asyncio.sleep(0.002)
    await receiving.edit(rita, post, replace(incoming, content="<p>2</p>", edited_at=soon))
    assert (await Post.get(id=post.id)).content == "<p>2</p>"


async def test_nobody_edits_what_is_somebody_elses(rita: Account, otto: Account):
    incoming = said(rita)
    post = await take(rita, incoming)
    newer = replace(incoming, content="<p>Mine</p>", edited_at=moments.now())
    with pytest.raises(Forbidden):
        await receiving.edit(otto, post, newer)
    with pytest.raises(Forbidden):
        await receiving.edit(otto, post, replace(newer, author_uri=otto.uri))
    with pytest.raises(Forbidden):
        await receiving.edit(rita, post, replace(newer, uri=post.uri + "x"))
    assert (await Post.get(id=post.id)).content == "<p>Hello</p>"


async def test_an_edit_of_what_is_gone_is_not_there(rita: Account):
    incoming = said(rita)
    post = await take(rita, incoming)
    await receiving.delete(rita, incoming.uri)
    with pytest.raises(NotFound):
        await receiving.edit(rita, post, replace(incoming, edited_at=moments.now()))


async def test_who_is_named_by_an_edit_does_not_learn_what_it_said_before(rita: Account, alice: Account):
    incoming = said(rita, visibility=Visibility.DIRECT, content="<p>A secret</p>")
    post = await take(rita, incoming)
    newer = replace(incoming, named=(alice.uri,), content="<p>None</p>", edited_at=moments.now())
    edited = await receiving.edit(rita, post, newer)
    assert [version.content for version in await edits.history(edited, alice)] == ["<p>None</p>"]


async def test_an_edit_keeps_the_files_that_stay(rita: Account):
    cat = Attachment("https://remote.example/cat.png", "image")
    dog = Attachment("https://remote.example/dog.png", "image")
    post = await take(rita, incoming := said(rita, attachments=(cat, dog)))
    before = {media.remote_url: media.id for media in await Media.filter(post_id=post.id)}
    bird = Attachment("https://remote.example/bird.png", "image")
    newer = replace(incoming, attachments=(bird, replace(cat, description="A cat")), edited_at=moments.now())
    await receiving.edit(rita, post, newer)
    one, two = await Media.filter(post_id=post.id).order_by("position")
    assert (one.remote_url, two.id, two.description) == (bird.url, before[cat.url], "A cat")
    assert (await Media.get(id=before[dog.url])).post_id is None


# ---------------------------------------------------------------------------------------------------- polls

CATS = Question((("cats", 2), ("dogs", 1)), False, 3, None, None)


async def test_a_poll_of_elsewhere_is_taken_in_as_it_stands(rita: Account, alice: Account):
    ends = moments.now() + DAY
    post = await take(rita, said(rita, question=replace(CATS, expires_at=ends)))
    assert await db.row("SELECT voters, expires_at, closed_at FROM poll WHERE id = $1", post.id) == {
        "voters": 3,
        "expires_at": ends,
        "closed_at": None,
    }
    assert await tallies(post) == [2, 1]
    assert await making.owed("close_poll") == [str(post.id)]
    await polls.vote(alice, post, [1])
    assert await tallies(post) == [2, 2]


async def test_new_numbers_are_no_edit(rita: Account):
    post = await take(rita, incoming := said(rita, question=CATS))
    counted = replace(CATS, options=(("cats", 5), ("dogs", 4)), voters=9)
    await receiving.edit(rita, post, replace(incoming, question=counted, content="<p>Sneaky</p>"))
    found = await Post.get(id=post.id)
    assert (found.content, found.edited_at, found.version) == ("<p>Hello</p>", None, post.version)
    assert await tallies(post) == [5, 4]
    assert await db.value("SELECT voters FROM poll WHERE id = $1", post.id) == 9


async def test_numbers_of_another_question_are_not_taken_over(rita: Account):
    post = await take(rita, incoming := said(rita, question=CATS))
    other = replace(CATS, options=(("fish", 5), ("dogs", 4)))
    await receiving.edit(rita, post, replace(incoming, question=other))
    assert await tallies(post) == [2, 1]
    await receiving.edit(rita, post, replace(incoming, question=other, edited_at=moments.now()))
    assert await tallies(post) == [5, 4]


async def test_an_edit_may_take_the_poll_away(rita: Account):
    post = await take(rita, incoming := said(rita, question=CATS))
    await receiving.edit(rita, post, replace(incoming, question=None, edited_at=moments.now()))
    assert await tallies(post) == []


async def test_who_voted_here_hears_that_a_poll_elsewhere_is_over(rita: Account, alice: Account):
    post = await take(rita, incoming := said(rita, question=replace(CATS, expires_at=moments.now() + DAY)))
    await polls.vote(alice, post, [0])
    over = replace(CATS, closed_at=moments.now() - 1)
    await receiving.edit(rita, post, replace(incoming, question=over))
    await polls.close(post.id)
    assert await making.told(alice) == [("poll", rita.id, post.id)]
    with pytest.raises(Invalid):
        await polls.vote(alice, post, [0])


@pytest.fixture
async def poll(alice: Account) -> Post:
    draft = PollDraft(("cats", "dogs"), 3600)
    return await posts.publish(alice, Draft("Which?", poll=draft))


def ballot(account: Account, poll: Post, option: str) -> IncomingVote:
    return IncomingVote(f"{account.uri}/votes/1", account.uri, poll.uri, option)


async def test_a_vote_from_elsewhere_counts_once(rita: Account, poll: Post):
    await asyncio.gather(*(receiving.vote(rita, ballot(rita, poll, "dogs")) for _ in range(4)))
    assert await tallies(poll) == [0, 1]
    assert await db.value("SELECT voters FROM poll WHERE id = $1", poll.id) == 1


async def test_one_choice_is_one_choice(rita: Account, poll: Post):
    await receiving.vote(rita, ballot(rita, poll, "dogs"))
    with pytest.raises(Invalid):
        await receiving.vote(rita, ballot(rita, poll, "cats"))
    assert await tallies(poll) == [0, 1]


async def test_several_choices_come_one_by_one(rita: Account, alice: Account):
    draft = PollDraft(("cats", "dogs", "fish"), 3600, multiple=True)
    poll = await posts.publish(alice, Draft("Which?", poll=draft))
    for option in ("cats", "fish", "cats"):
        await receiving.vote(rita, ballot(rita, poll, option))
    assert await tallies(poll) == [1, 0, 1]
    assert await db.value("SELECT voters FROM poll WHERE id = $1", poll.id) == 1


async def test_votes_that_cannot_be_are_refused(rita: Account, alice: Account, poll: Post):
    with pytest.raises(Invalid):
        await receiving.vote(rita, ballot(rita, poll, "fish"))
    for uri in (
        "https://remote.example/notes/1",
        alice.uri,
        poll.uri + "0",
        "http://localhost:8000/ap/posts/x",
    ):
        with pytest.raises(NotFound):
            await receiving.vote(rita, replace(ballot(rita, poll, "cats"), poll_uri=uri))
    no_poll = await posts.publish(alice, Draft("No poll"))
    with pytest.raises(NotFound):
        await receiving.vote(rita, ballot(rita, no_poll, "cats"))
    assert await tallies(poll) == [0, 0]


async def test_a_vote_that_comes_too_late_is_refused(rita: Account, poll: Post):
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = $2 WHERE id = $1", poll.id, moments.now() - 1)
    with pytest.raises(Invalid):
        await receiving.vote(rita, ballot(rita, poll, "cats"))
    assert await tallies(poll) == [0, 0]


async def test_who_may_not_see_a_poll_cannot_vote(rita: Account, alice: Account):
    draft = Draft("Hush", poll=PollDraft(("a", "b"), 3600), visibility=Visibility.FOLLOWERS)
    poll = await posts.publish(alice, draft)
    with pytest.raises(NotFound):
        await receiving.vote(rita, ballot(rita, poll, "a"))


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (receiving._ORPHANS, ("https://a.example/1", 1, 10), "post_reply_uri"),
        (quoting._ORPHANS, ("https://a.example/1", 1, 10), "post_quote_uri"),
        *((receiving._PLACE, ("https://a.example/1", 1, 2), f"post_{name}") for name in ("uri", "reply_uri")),
        (receiving._PLACE, ("https://a.example/1", 1, 2), "post_quote_uri"),
    ],
)
async def test_what_waits_for_a_post_is_found_by_its_index(
    explain: Callable[..., Awaitable[list[str]]], sql: str, values: tuple[object, ...], index: str
):
    plan = "\n".join(await explain(sql, *values))
    assert index in plan, plan
