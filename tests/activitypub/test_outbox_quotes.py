"""What others hear of quotes: the question, the answers, the consent taken back; and where it can be read."""

from typing import Any

import pytest

from fediblog import uris
from fediblog.config import Config
from fediblog.models import Account, Post, Quotable, Visibility
from fediblog.services import posts, quotes, receiving
from fediblog.services.composing import Draft
from tests.activitypub.asking import Asker
from tests.activitypub.posted import followed, letter, letters
from tests.harness import apps
from tests.harness.fediverse import Fediverse
from tests.people import remote
from tests.services.elsewhere import said
from tests.services.making import post

RITA, SHARED = "https://remote.example/users/rita/inbox", "https://remote.example/inbox"
QUESTION = "https://remote.example/questions/1"


@pytest.fixture
async def rita(database: None) -> Account:
    """Somebody elsewhere."""
    return await remote("rita", "remote.example")


async def quoted_by_rita(rita: Account, quoted: Post) -> Post:
    """A post of rita's that was allowed to quote."""
    made = await receiving.receive(rita, said(rita, quote_uri=quoted.uri))
    assert made is not None
    await quotes.answer(rita, made.id, quoted.id, QUESTION)
    return made


def request(made: Post, quoted: Post, asker: Account, owner: Account) -> dict[str, Any]:
    """The question as it stands in an answer."""
    who = {"actor": asker.uri, "to": [owner.uri]}
    return {"id": QUESTION, "type": "QuoteRequest", "object": quoted.uri, "instrument": made.uri, **who}


async def test_who_is_quoted_elsewhere_gets_the_post_and_the_question(alice: Account, rita: Account) -> None:
    quoted = await post(rita, uri="https://remote.example/notes/1", quote_policy=Quotable.PUBLIC)
    made = await posts.publish(alice, Draft("Look", quoted_id=quoted.id))
    create, asked = await letters(alice)

    assert (create.kind, create.inboxes) == ("Create", {SHARED})
    assert create.activity["object"]["quote"] == quoted.uri and rita.uri in create.activity["cc"]
    assert "quoteAuthorization" not in create.activity["object"]
    assert (asked.kind, asked.inboxes) == ("QuoteRequest", {RITA})
    assert asked.activity["id"] == uris.quote_request_uri(made.id)
    assert (asked.activity["object"], asked.activity["to"]) == (quoted.uri, [rita.uri])
    assert asked.activity["instrument"] == create.activity["object"]


async def test_the_consent_is_told_to_all_who_have_the_post(alice: Account, rita: Account) -> None:
    fan = await remote("fan", "fan.example")
    await followed(alice, fan)
    quoted = await post(rita, uri="https://remote.example/notes/1", quote_policy=Quotable.PUBLIC)
    made = await posts.publish(alice, Draft("Look", quoted_id=quoted.id))
    await letters(alice)
    await quotes.accepted(made, "https://remote.example/consents/1")

    update = await letter(alice)
    assert (update.kind, update.inboxes) == ("Update", {SHARED, "https://fan.example/inbox"})
    assert update.activity["object"]["quoteAuthorization"] == "https://remote.example/consents/1"
    assert "updated" not in update.activity["object"]


async def test_an_answer_has_the_question_in_it(alice: Account, rita: Account) -> None:
    quoted, closed = await post(alice, quote_policy=Quotable.PUBLIC), await post(alice)
    made, refused = await quoted_by_rita(rita, quoted), await quoted_by_rita(rita, closed)
    accept, reject = await letters(alice)

    assert (accept.kind, accept.inboxes) == ("Accept", {RITA})
    assert accept.activity["object"] == request(made, quoted, rita, alice)
    assert accept.activity["result"] == uris.quote_uri(made.id)
    assert (reject.kind, reject.inboxes) == ("Reject", {RITA})
    assert reject.activity["object"] == request(refused, closed, rita, alice)
    assert "result" not in reject.activity


async def test_taking_a_consent_back_is_told_to_who_quotes_and_to_who_has_either_post(
    alice: Account, bob: Account, rita: Account
) -> None:
    fan, reader = await remote("fan", "fan.example"), await remote("reader", "reader.example")
    await followed(alice, fan)
    await followed(bob, reader)
    quoted = await posts.publish(alice, Draft("Hello"))
    theirs, his = (
        await quoted_by_rita(rita, quoted),
        await posts.publish(bob, Draft("x", quoted_id=quoted.id)),
    )
    await letters(alice), await letters(bob)

    await quotes.revoke(alice, quoted.id, theirs.id)
    await quotes.revoke(alice, quoted.id, his.id)
    first, second = await letters(alice)
    assert (first.kind, first.activity["object"]) == ("Delete", uris.quote_uri(theirs.id))
    assert first.inboxes == {RITA, "https://fan.example/inbox"}
    assert second.activity["object"] == uris.quote_uri(his.id)
    assert second.inboxes == {"https://fan.example/inbox", "https://reader.example/inbox"}
    update = await letter(bob)
    assert update.kind == "Update" and "quoteAuthorization" not in update.activity["object"]


async def test_who_may_quote_is_told_when_it_changes(alice: Account, rita: Account) -> None:
    await followed(alice, rita)
    made = await posts.publish(alice, Draft("Hello"))
    await letters(alice)
    for policy in (Quotable.NOBODY, Quotable.NOBODY):
        await quotes.set_policy(alice, made, policy)
    update = await letter(alice)
    assert update.activity["object"]["interactionPolicy"]["canQuote"]["automaticApproval"] == [alice.uri]


# ---------------------------------------------------------------------------------- where it can be read


@pytest.fixture
def asker(config: Config, fediverse: Fediverse) -> Asker:
    return Asker(apps.shared(config), fediverse.server("remote.example"))


async def test_a_consent_can_be_read_until_it_is_taken_back(
    asker: Asker, alice: Account, rita: Account
) -> None:
    quoted = await post(alice, quote_policy=Quotable.PUBLIC)
    made = await quoted_by_rita(rita, quoted)
    found = await asker.get(uris.quote_uri(made.id))
    assert {name: found[name] for name in found if name != "@context"} == {
        "id": uris.quote_uri(made.id),
        "type": "QuoteAuthorization",
        "attributedTo": alice.uri,
        "interactingObject": made.uri,
        "interactionTarget": quoted.uri,
    }
    await quotes.revoke(alice, quoted.id, made.id)
    assert (await asker.get(uris.quote_uri(made.id), status=410))["type"] == "Tombstone"


async def test_there_is_no_consent_where_none_was_given(
    asker: Asker, alice: Account, bob: Account, rita: Account
) -> None:
    closed, open_ = await post(alice), await post(alice, quote_policy=Quotable.PUBLIC)
    refused = await quoted_by_rita(rita, closed)
    unasked = await receiving.receive(rita, said(rita, quote_uri=open_.uri))
    own = await posts.publish(alice, Draft("x", quoted_id=closed.id))
    there = await post(rita, uri="https://remote.example/notes/1", quote_policy=Quotable.PUBLIC)
    ours = await posts.publish(bob, Draft("x", quoted_id=there.id))
    await quotes.accepted(ours, "https://remote.example/consents/1")
    assert unasked is not None
    for number in (refused.id, unasked.id, own.id, ours.id, open_.id, 1):
        await asker.get(uris.quote_uri(number), status=404)


async def test_a_consent_is_for_those_who_may_see_what_is_quoted(
    asker: Asker, alice: Account, rita: Account
) -> None:
    quoted = await post(alice, quote_policy=Quotable.PUBLIC)
    made = await quoted_by_rita(rita, quoted)
    await Post.filter(id=quoted.id).update(visibility=Visibility.DIRECT)
    await asker.get(uris.quote_uri(made.id), status=404)


async def test_a_question_of_ours_is_for_whom_it_asks(asker: Asker, alice: Account, rita: Account) -> None:
    quoted = await post(rita, uri="https://remote.example/notes/1", quote_policy=Quotable.PUBLIC)
    made = await posts.publish(alice, Draft("Look", quoted_id=quoted.id))
    await letters(alice)
    path = uris.quote_request_uri(made.id)
    assert (await asker.get(path, asker.peer.actor("rita")))["type"] == "QuoteRequest"
    await asker.get(path, status=404)
