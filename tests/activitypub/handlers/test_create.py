"""Create: what somebody here may want is kept, whoever wrote it; the rest is dropped."""

import pytest

from fediblog import db, moments
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Visibility
from fediblog.services import posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub.handlers.stage import Someone, befriend, drops, found, handle
from tests.services.making import post, told


async def ballots() -> list[tuple[int, int]]:
    lines = await db.rows("SELECT account_id, choices FROM poll_ballot ORDER BY account_id")
    return [(line["account_id"], line["choices"]) for line in lines]


async def question(author: Account, multiple: bool = False) -> str:
    draft = Draft("Which?", poll=PollDraft(("Red", "Blue", "Green"), 3600, multiple))
    return (await posts.publish(author, draft)).uri


def vote(voter: Someone, poll: str, option: str) -> dict:
    return {
        "id": f"{voter.document['id']}#votes/{option}",
        "type": "Note",
        "name": option,
        "attributedTo": voter.document["id"],
        "inReplyTo": poll,
        "to": [poll.rpartition("/")[0]],
    }


# ---------------------------------------------------------------------------------------------- relevance


async def test_a_post_of_somebody_followed_here_is_kept(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note("<p>News</p>")
    await rita.does("Create", note)

    kept = await found(note["id"])
    assert kept is not None and kept.content == "<p>News</p>" and kept.author_id == rita.account.id
    assert kept.visibility == Visibility.PUBLIC


async def test_a_post_that_nobody_here_wants_is_dropped_and_counted(rita, alice):
    note = rita.note()
    await rita.does("Create", note)
    assert await found(note["id"]) is None
    assert await drops() == {"not relevant": 1}


async def test_who_is_named_here_gets_the_post_of_a_stranger(rita, alice):
    tag = {"type": "Mention", "href": alice.uri, "name": "@alice@localhost:8000"}
    note = rita.note(to=[alice.uri], cc=[], tag=[tag])
    await rita.does("Create", note)

    kept = await found(note["id"])
    assert kept is not None and kept.visibility == Visibility.DIRECT
    assert await told(alice) == [("mention", rita.account.id, kept.id)]


async def test_an_address_here_that_is_nobodys_makes_nothing_relevant(rita, alice):
    for address in (alice.uri + "0", alice.followers_uri, "http://localhost:8000/ap/accounts/x"):
        await rita.does("Create", rita.note(to=[address]))
    assert await drops() == {"not relevant": 3}


async def test_an_answer_to_a_post_of_ours_is_kept(rita, alice):
    made = await post(alice)
    note = rita.note(inReplyTo=made.uri)
    await rita.does("Create", note)
    kept = await found(note["id"])
    assert kept is not None and kept.reply_to_id == made.id


async def test_an_answer_to_a_strangers_post_is_dropped(rita, otto, alice):
    theirs = await post(otto.account, uri="https://other.example/notes/77")
    await rita.does("Create", rita.note(inReplyTo=theirs.uri))
    assert await drops() == {"not relevant": 1}


async def test_a_quote_of_a_post_of_ours_is_kept(rita, alice):
    made = await post(alice)
    note = rita.note(quoteUrl=made.uri)
    await rita.does("Create", note)
    assert (await found(note["id"])).quote_of_id == made.id


# ---------------------------------------------------------------------------------------- repetition, order


async def test_the_same_post_twice_under_other_names_is_the_same_as_once(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note()
    first = await rita.does("Create", note)
    await handle(first, rita.account)
    await rita.does("Create", note)
    assert await db.value("SELECT count(*) FROM post") == 1
    assert (await Account.get(id=rita.account.id)).posts_count == 1


async def test_what_was_deleted_before_it_came_stays_away(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note()
    await rita.does("Delete", note["id"])
    await rita.does("Create", note)
    assert await found(note["id"]) is None


# ------------------------------------------------------------------------------------- what is embedded


async def test_an_object_that_is_only_an_address_is_fetched(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note("<p>From its origin</p>")
    await rita.does("Create", note["id"])
    assert (await found(note["id"])).content == "<p>From its origin</p>"


async def test_nothing_is_fetched_for_a_stranger_who_addresses_nobody_here(rita, alice):
    await rita.does("Create", rita.note()["id"])
    assert rita.peer.asked == []
    assert await drops() == {"not relevant": 1}


async def test_an_object_without_an_author_is_fetched_and_not_believed(rita, alice):
    await befriend(alice, rita.account)
    note = rita.note("<p>True</p>")
    bare = {name: value for name, value in note.items() if name != "attributedTo"}
    await rita.does("Create", {**bare, "content": "<p>False</p>"})
    assert (await found(note["id"])).content == "<p>True</p>"


async def test_a_post_of_a_neighbour_is_neither_believed_nor_fetched(rita, nora, alice):
    await befriend(alice, rita.account)
    note = nora.note()
    with pytest.raises(Forged):
        await rita.does("Create", note)
    assert rita.peer.asked == []
    with pytest.raises(Forged):
        await rita.does("Create", note["id"])
    assert await found(note["id"]) is None


async def test_a_post_of_another_server_is_refused(rita, otto, alice):
    await befriend(alice, rita.account)
    for thing in (otto.note(), otto.note()["id"], otto.note(attributedTo=rita.account.uri)):
        with pytest.raises(Forged):
            await rita.does("Create", thing)
    assert await db.value("SELECT count(*) FROM post") == 0
    assert otto.peer.asked == []


async def test_a_post_under_our_own_name_is_refused(rita, alice):
    await befriend(alice, rita.account)
    with pytest.raises(Forged):
        await rita.does("Create", {**rita.note(), "id": "http://localhost:8000/ap/posts/5"})


async def test_what_is_no_post_is_dropped(rita, alice):
    await befriend(alice, rita.account)
    thing = {**rita.note(), "type": "ChatMessage"}
    await rita.does("Create", thing)
    assert await drops() == {"unknown object": 1}
    rita.peer.keep(thing)
    await rita.does("Create", thing["id"])
    assert await drops() == {"unknown object": 2}


async def test_an_article_is_a_post(rita, alice):
    await befriend(alice, rita.account)
    article = rita.note("<p>Long</p>", type="Article", name="Title", to=PUBLIC)
    await rita.does("Create", article)
    assert "Title" in (await found(article["id"])).content


# -------------------------------------------------------------------------------------------------- votes


async def test_a_vote_counts_once_and_is_no_post(rita, alice):
    poll = await question(alice)
    for _ in range(2):
        await rita.does("Create", vote(rita, poll, "Blue"))

    assert await ballots() == [(rita.account.id, 0b010)]
    assert await db.column("SELECT votes FROM poll_option ORDER BY position") == [0, 1, 0]
    assert await db.value("SELECT count(*) FROM post") == 1


async def test_several_votes_come_in_one_activity(rita, alice):
    poll = await question(alice, multiple=True)
    await rita.does("Create", [vote(rita, poll, "Red"), vote(rita, poll, "Green")])
    assert await ballots() == [(rita.account.id, 0b101)]


async def test_a_second_choice_where_one_is_allowed_is_refused(rita, alice):
    poll = await question(alice)
    await rita.does("Create", vote(rita, poll, "Red"))
    with pytest.raises(Invalid):
        await rita.does("Create", vote(rita, poll, "Blue"))
    assert await ballots() == [(rita.account.id, 0b001)]


async def test_a_vote_for_what_is_no_option_or_too_late_is_refused(rita, alice):
    poll = await question(alice)
    with pytest.raises(Invalid):
        await rita.does("Create", vote(rita, poll, "Purple"))
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = $1", moments.now() - 1)
    with pytest.raises(Invalid):
        await rita.does("Create", vote(rita, poll, "Red"))
    assert await ballots() == []


async def test_a_vote_in_a_poll_that_one_may_not_see_is_as_if_there_were_none(rita, alice):
    draft = Draft("Which?", visibility=Visibility.FOLLOWERS, poll=PollDraft(("Red", "Blue"), 3600))
    poll = (await posts.publish(alice, draft)).uri
    with pytest.raises(NotFound):
        await rita.does("Create", vote(rita, poll, "Red"))
    assert await ballots() == []
