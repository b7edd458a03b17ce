"""QuoteRequest, Accept, Reject and Delete of a consent: who may say what, and what comes of it (FEP-044f)."""

from typing import Any

import pytest

from fediblog import db, uris
from fediblog.activitypub.ownership import Forged
from fediblog.errors import Malformed
from fediblog.models import Account, Consent, Post, Quotable, Visibility
from fediblog.services import blocks, posts, quotes
from fediblog.services.composing import Draft
from tests.activitypub.handlers.stage import Someone, befriend, drops, events, forget_events, found
from tests.harness.fediverse import Node
from tests.services.making import told


async def written(author: Account, **more: Any) -> Post:
    """A post that nobody elsewhere has to hear of."""
    made = await posts.publish(author, Draft("Quote me", **more))
    await forget_events()
    return made


async def ask(asker: Someone, quoted: Post, **more: Any) -> Node:
    """A note that quotes, and the question whether it may; gives the note."""
    note = asker.note("<p>Look</p>", quote=quoted.uri, **more)
    await asker.does("QuoteRequest", quoted.uri, instrument=note)
    return note


async def state(post_id: int) -> tuple[Consent, str, int]:
    """How a quote stands, the name of the consent, and how often what it quotes is counted as quoted."""
    found = await Post.get(id=post_id)
    quoted = await Post.get_or_none(id=found.quote_of_id)
    return found.quote_state, found.quote_authorization, quoted.quotes if quoted else 0


async def quote_of(author: Account, quoted: Post, **more: Any) -> Post:
    made = await posts.publish(author, Draft("Look", quoted_id=quoted.id, **more))
    await forget_events()
    return made


# ---------------------------------------------------------------------------------------- being asked


async def test_who_may_quote_hears_yes_and_the_author_hears_of_it(rita, alice):
    quoted = await written(alice)
    note = await ask(rita, quoted)

    kept = await found(note["id"])
    assert await state(kept.id) == (Consent.ACCEPTED, uris.quote_uri(kept.id), 1)
    assert [line[:3] for line in await events()] == [("quote_accepted", alice.id, rita.account.id)]
    assert await told(alice) == [("quote", rita.account.id, kept.id)]


async def test_asking_again_gets_the_same_answer_and_counts_once(rita, alice):
    quoted = await written(alice)
    note = await ask(rita, quoted)
    await rita.does("QuoteRequest", quoted.uri, instrument=note["id"])
    assert [line[0] for line in await events()] == ["quote_accepted"] * 2
    assert (await state((await found(note["id"])).id))[2] == 1 and len(await told(alice)) == 1


async def test_a_question_with_an_address_makes_us_read_the_post(rita, alice):
    quoted = await written(alice)
    note = rita.note(quote=quoted.uri)
    await rita.does("QuoteRequest", quoted.uri, instrument=note["id"])
    assert (await state((await found(note["id"])).id))[0] is Consent.ACCEPTED


async def test_followers_may_quote_where_the_policy_says_so_and_others_may_not(rita, otto, alice):
    quoted = await written(alice, quote_policy=Quotable.FOLLOWERS)
    await befriend(rita.account, alice)
    hers, his = await ask(rita, quoted), await ask(otto, quoted)
    assert (await state((await found(hers["id"])).id))[0] is Consent.ACCEPTED
    assert (await state((await found(his["id"])).id))[0] is Consent.NONE
    assert [line[:3] for line in await events()] == [
        ("quote_accepted", alice.id, rita.account.id),
        ("quote_rejected", alice.id, otto.account.id),
    ]
    assert await told(alice) == [("quote", rita.account.id, (await found(hers["id"])).id)]


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_what_not_everybody_may_see_is_not_quoted_even_by_those_who_may(rita, alice, visibility):
    draft = Draft("Psst @rita@remote.example", visibility=visibility, quote_policy=Quotable.PUBLIC)
    quoted = await posts.publish(alice, draft)
    await forget_events()
    await ask(rita, quoted)
    assert [line[0] for line in await events()] == ["quote_rejected"]


async def test_what_the_asker_may_not_see_does_not_exist(rita, alice):
    quoted = await written(alice, visibility=Visibility.FOLLOWERS)
    note = await ask(rita, quoted)
    assert await events() == [] and await found(note["id"]) is None
    assert await drops() == {"quote of nothing here": 1}


async def test_who_is_blocked_hears_no(rita, alice):
    quoted = await written(alice)
    await blocks.block(alice, rita.account)
    await forget_events()
    note = await ask(rita, quoted)
    assert [line[0] for line in await events()] == ["quote_rejected"]
    assert await found(note["id"]) is None


async def test_what_was_taken_back_is_not_given_again(rita, alice):
    quoted = await written(alice)
    note = await ask(rita, quoted)
    kept = await found(note["id"])
    await quotes.revoke(alice, quoted.id, kept.id)
    await forget_events()
    await rita.does("QuoteRequest", quoted.uri, instrument=note)
    assert [line[0] for line in await events()] == ["quote_rejected"]
    assert await state(kept.id) == (Consent.REVOKED, "", 0)


async def test_a_private_quote_is_shown_to_whom_it_quotes(rita, alice):
    quoted = await written(alice)
    note = await ask(rita, quoted, to=[rita.account.followers_uri], cc=[])
    kept = await found(note["id"])
    assert kept.visibility == Visibility.FOLLOWERS
    assert await told(alice) == [("quote", rita.account.id, kept.id)]
    assert (await posts.get(kept.id, alice)).id == kept.id


# ------------------------------------------------------------------------------------- forged questions


async def test_the_instrument_is_the_actors_own(rita, nora, otto, alice):
    quoted = await written(alice)
    note = rita.note(quote=quoted.uri)
    for liar in (nora, otto):
        for instrument in (note, note["id"]):
            with pytest.raises(Forged):
                await liar.does("QuoteRequest", quoted.uri, instrument=instrument)
    with pytest.raises(Forged):
        await otto.does("QuoteRequest", quoted.uri, instrument={**note, "attributedTo": otto.account.uri})
    assert await found(note["id"]) is None and await events() == []


async def test_a_post_that_is_here_is_its_authors_to_ask_for(rita, nora, alice):
    await befriend(alice, rita.account)
    quoted = await written(alice)
    note = rita.note(quote=quoted.uri)
    await rita.does("Create", note)
    with pytest.raises(Forged):
        await nora.does("QuoteRequest", quoted.uri, instrument=note["id"])
    assert (await state((await found(note["id"])).id))[0] is Consent.NONE


async def test_the_question_is_about_what_the_post_quotes(rita, alice):
    first, second = await written(alice), await written(alice, quote_policy=Quotable.NOBODY)
    note = rita.note(quote=second.uri)
    for instrument in (note, note["id"], rita.note()):
        with pytest.raises(Forged):
            await rita.does("QuoteRequest", first.uri, instrument=instrument)
    await rita.does("Create", note)
    with pytest.raises(Forged):
        await rita.does("QuoteRequest", first.uri, instrument=note)
    assert await events() == [] and await told(alice) == []


async def test_a_question_without_a_post_is_malformed(rita, alice):
    quoted = await written(alice)
    for instrument in (None, [], {"type": "Note"}):
        with pytest.raises(Malformed):
            await rita.does("QuoteRequest", quoted.uri, instrument=instrument)


async def test_a_quote_alone_is_a_link_until_somebody_has_agreed(rita, alice):
    """Also when it claims a consent of ours: what we have agreed to is known here."""
    quoted = await written(alice)
    note = rita.note(quote=quoted.uri, quoteAuthorization=uris.quote_uri(quoted.id))
    await rita.does("Create", note)
    assert (await state((await found(note["id"])).id))[0] is Consent.NONE
    assert await told(alice) == [] and await db.column("SELECT key FROM work WHERE kind = 'consent'") == []


# ---------------------------------------------------------------------------------- answers to our own


@pytest.fixture
async def asked(rita: Someone, alice: Account) -> Post:
    """A post of alice's that waits for rita's consent to quote hers."""
    await befriend(alice, rita.account)
    await rita.does(
        "Create",
        rita.note(interactionPolicy={"canQuote": {"automaticApproval": ["as:Public"]}}),
    )
    return await quote_of(alice, await Post.get(author_id=rita.account.id))


def question(made: Post) -> Node:
    return {
        "id": uris.quote_request_uri(made.id),
        "type": "QuoteRequest",
        "actor": made.uri.rpartition("/")[0],
        "object": made.quote_uri,
        "instrument": made.uri,
    }


STAMP = "https://remote.example/consents/1"


@pytest.mark.parametrize("shape", ["address", "whole", "nameless"])
async def test_an_accept_gives_the_quote_and_others_hear_of_it(rita, alice, asked, shape):
    assert await state(asked.id) == (Consent.PENDING, "", 0)
    said: Any = question(asked)
    said = said["id"] if shape == "address" else said if shape == "whole" else {**said, "id": None}
    for _ in range(2):
        await rita.does("Accept", said, result=STAMP)
    assert await state(asked.id) == (Consent.ACCEPTED, STAMP, 1)
    assert [line[:2] for line in await events()] == [("quote_changed", alice.id)]


async def test_a_reject_refuses_and_after_an_accept_takes_back(rita, asked):
    await rita.does("Reject", question(asked))
    assert await state(asked.id) == (Consent.REJECTED, "", 0)
    await rita.does("Accept", question(asked), result=STAMP)
    await rita.does("Reject", question(asked))
    assert await state(asked.id) == (Consent.REVOKED, "", 0)
    assert [line[0] for line in await events()] == ["quote_changed"] * 3


async def test_nobody_but_who_is_quoted_answers(nora, otto, asked):
    for liar, kind in ((nora, "Accept"), (otto, "Accept"), (nora, "Reject"), (otto, "Reject")):
        with pytest.raises(Forged):
            await liar.does(kind, question(asked), result=f"{liar.peer.base}/consents/1")
    assert await state(asked.id) == (Consent.PENDING, "", 0)


async def test_the_consent_lives_where_its_author_lives(rita, asked):
    for result in ("https://other.example/consents/1", uris.quote_uri(asked.id)):
        with pytest.raises(Forged):
            await rita.does("Accept", question(asked), result=result)
    with pytest.raises(Malformed):
        await rita.does("Accept", question(asked))
    assert await state(asked.id) == (Consent.PENDING, "", 0)


async def test_what_an_answer_repeats_is_what_was_asked(rita, alice, asked):
    another = await quote_of(alice, await Post.get(id=asked.quote_of_id))
    wrong = ({"instrument": another.uri}, {"object": another.uri})
    for words in wrong:
        with pytest.raises(Forged):
            await rita.does("Accept", {**question(asked), **words}, result=STAMP)
    assert (await state(asked.id))[0] is Consent.PENDING and (await state(another.id))[0] is Consent.PENDING


async def test_an_answer_about_a_post_that_is_gone_is_dropped(rita, alice, asked):
    await posts.delete(alice, asked.id)
    await rita.does("Accept", question(asked), result=STAMP)
    assert await drops() == {"answer to nothing": 1}


# --------------------------------------------------------------------------------------- taking it back


async def test_a_deleted_consent_ends_the_quote_for_whoever_wrote_it(rita, alice, asked):
    await rita.does("Accept", question(asked), result=STAMP)
    await rita.does("Delete", STAMP)
    assert await state(asked.id) == (Consent.REVOKED, "", 0)
    assert [line[0] for line in await events()] == ["quote_changed"] * 2


async def test_nobody_else_takes_a_consent_back(rita, nora, otto, asked):
    await rita.does("Accept", question(asked), result=STAMP)
    await nora.does("Delete", STAMP)
    with pytest.raises(Forged):
        await otto.does("Delete", {"id": STAMP, "type": "QuoteAuthorization"})
    assert await state(asked.id) == (Consent.ACCEPTED, STAMP, 1)
