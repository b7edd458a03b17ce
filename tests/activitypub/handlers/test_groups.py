"""What groups pass on (FEP-1b12): nothing that they embed is believed, not even who did it."""

import pytest

from fediblog import db
from fediblog.activitypub.budgets import MOST_PER_HOST
from fediblog.activitypub.ownership import Forged
from fediblog.http import Unwelcome
from fediblog.models import Account, Post
from tests.activitypub.handlers.stage import NOW, Someone, befriend, drops, found, handle, meet
from tests.services.making import post, told

PUBLIC = ["as:Public"]


@pytest.fixture
async def club(fediverse, alice: Account) -> Someone:
    """A group that alice follows."""
    made = await meet(fediverse, "club", "lemmy.example", type="Group")
    await befriend(alice, made.account)
    return made


async def spread(club: Someone, inner: dict) -> dict:
    return await club.does("Announce", inner, to=PUBLIC)


async def boosted() -> list[int]:
    return await db.column("SELECT boost_of_id FROM post WHERE boost_of_id IS NOT NULL ORDER BY id")


async def test_a_new_post_is_fetched_and_shown_to_who_follows_the_group(club, otto):
    note = otto.note("<p>True</p>", type="Page", name="A title")
    inner = otto.activity("Create", {**note, "content": "<p>False</p>"})
    first = await spread(club, inner)
    await handle(first, club.account)

    kept = await found(note["id"])
    assert "True" in kept.content and "False" not in kept.content
    assert await boosted() == [kept.id]
    # Lemmy sends the post itself as well, for those who know no groups.
    await spread(club, note["id"])
    assert await boosted() == [kept.id]


async def test_an_answer_is_kept_and_not_boosted(club, otto, rita):
    page = otto.note()
    answer = rita.note("<p>Answer</p>", inReplyTo=page["id"])
    await spread(club, rita.activity("Create", answer))

    assert (await found(answer["id"])).reply_to_id == (await found(page["id"])).id
    assert await boosted() == []


async def test_what_its_own_server_does_not_know_is_not_there(club, otto):
    invented = {**otto.note(), "id": "https://other.example/notes/invented"}
    with pytest.raises(Unwelcome):
        await spread(club, otto.activity("Create", invented))
    assert await db.value("SELECT count(*) FROM post") == 0


async def test_an_edit_and_an_end_are_asked_of_the_posts_own_server(club, otto):
    note = otto.note("<p>First</p>")
    await spread(club, otto.activity("Create", note))
    otto.peer.keep({**note, "content": "<p>Second</p>", "updated": NOW})
    await spread(club, otto.activity("Update", {**note, "content": "<p>False</p>", "updated": NOW}))
    assert (await found(note["id"])).content == "<p>Second</p>"

    await spread(club, otto.activity("Delete", note["id"]))
    assert await found(note["id"]) is not None
    otto.peer.answers[note["id"]] = (410, "text/plain", b"")
    await spread(club, otto.activity("Delete", note["id"]))
    assert await found(note["id"]) is None


async def test_an_edit_of_a_post_of_ours_is_none(club, otto, alice):
    made = await post(alice)
    await spread(club, otto.activity("Update", {"id": made.uri, "type": "Note", "content": "<p>X</p>"}))
    await spread(club, otto.activity("Delete", made.uri))
    assert (await found(made.uri)).content == "<p>Hello</p>"


async def test_a_like_counts_when_its_own_server_shows_it(club, otto, alice):
    made = await post(alice)
    like = otto.peer.keep(otto.activity("Like", made.uri))
    for _ in range(2):
        await spread(club, like)
    assert await db.column("SELECT account_id FROM post_like") == [otto.account.id]
    assert await told(alice) == [("like", otto.account.id, made.id)]

    undo = otto.peer.keep(otto.activity("Undo", like))
    await spread(club, undo)
    assert await db.column("SELECT account_id FROM post_like") == []


async def test_a_like_of_somebody_unknown_makes_them_known(club, fediverse, alice):
    made = await post(alice)
    peer = fediverse.server("third.example")
    vera = peer.actor("vera")
    await spread(club, peer.keep(peer.activity("Like", vera, made.uri)))
    known = await Account.get(uri=vera["id"])
    assert await db.column("SELECT account_id FROM post_like") == [known.id]


async def test_invented_likes_do_not_count(club, otto, rita, alice):
    made = await post(alice)
    with pytest.raises(Unwelcome):
        await spread(club, otto.activity("Like", made.uri))
    # Another's like under one's own name, and one that is something else at home.
    foreign = otto.peer.keep({**otto.activity("Like", made.uri), "actor": rita.account.uri})
    with pytest.raises(Forged):
        await spread(club, foreign)
    other = otto.peer.keep(otto.activity("Follow", made.uri))
    await spread(club, {**other, "type": "Like"})
    # The group's own word for a like of its own invention.
    with pytest.raises(Forged):
        await spread(club, club.peer.keep({**club.activity("Like", made.uri), "actor": otto.account.uri}))
    assert await db.value("SELECT count(*) FROM post_like") == 0


async def test_likes_of_what_nobody_has_are_not_even_asked_for(club, otto):
    await spread(club, otto.activity("Like", "https://other.example/notes/404"))
    await spread(club, otto.activity("Undo", "https://other.example/likes/1"))
    assert otto.peer.asked == []
    assert await drops() == {"like of an unknown post": 2}


async def test_a_flood_of_likes_is_not_passed_on_as_a_flood_of_questions(club, otto, alice):
    made = await post(alice)
    for _ in range(MOST_PER_HOST + 5):
        await spread(club, otto.peer.keep(otto.activity("Like", made.uri)))
    assert len([each for each in otto.peer.asked if "/activities/" in str(each.url)]) == MOST_PER_HOST
    assert await drops() == {"too many likes in groups": 5}


async def test_a_group_that_nobody_follows_is_heard_for_what_concerns_us(fediverse, otto, alice):
    stray = await meet(fediverse, "stray", "lemmy.example", type="Group")
    made = await post(alice)
    await spread(stray, otto.peer.keep(otto.activity("Like", made.uri)))
    answer = otto.note(inReplyTo=made.uri)
    await spread(stray, otto.activity("Create", answer))
    await spread(stray, otto.activity("Create", otto.note()))

    assert (await found(made.uri)).likes == 1
    assert await Post.filter(local=False).count() == 1
    assert await drops() == {"not relevant": 1}


async def test_what_groups_do_among_themselves_is_dropped(club, otto):
    for kind in ("Lock", "Dislike", "Add", "Block", "Follow", "Announce"):
        await spread(club, otto.activity(kind, club.account.uri))
    assert await drops() == {"unknown activity in a group": 6}
    assert otto.peer.asked == []
