"""The consents of others, as they are looked at: what holds, and how one can fail to (FEP-044f)."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db
from fediblog.activitypub import consents
from fediblog.activitypub.vocabulary import CONTEXT
from fediblog.errors import Unavailable
from fediblog.models import Account, Consent, Post
from fediblog.services import posts
from fediblog.services.composing import Draft
from tests.activitypub.handlers.stage import Someone, befriend, found, meet
from tests.harness.fediverse import Fediverse, Node
from tests.services.making import owed

STAMP = "https://other.example/consents/1"


@pytest.fixture
async def rita(fediverse: Fediverse, alice: Account) -> Someone:
    """Who quotes; alice follows her."""
    met = await meet(fediverse, "rita")
    await befriend(alice, met.account)
    return met


@pytest.fixture
async def otto(fediverse: Fediverse, database: None) -> Someone:
    """Who is quoted."""
    return await meet(fediverse, "otto", "other.example")


def agrees(otto: Someone, note: Node, quoted: Node, **more: Any) -> Node:
    """Otto's consent, where it can be read."""
    made = {
        "@context": CONTEXT,
        "id": STAMP,
        "type": "QuoteAuthorization",
        "attributedTo": otto.account.uri,
        "interactingObject": note["id"],
        "interactionTarget": quoted["id"],
        **more,
    }
    otto.peer.documents[STAMP] = made
    return made


async def brought(rita: Someone, quoted: Node, stamp: str = STAMP, **more: Any) -> tuple[Node, Post]:
    note = rita.note(quote=quoted["id"], quoteAuthorization=stamp, **more)
    await rita.does("Create", note)
    kept = await found(note["id"])
    assert kept is not None
    return note, kept


async def looked_at(post: Post) -> tuple[Consent, int]:
    """How the quote stands after a look, and how often what it quotes is quoted."""
    await consents.check(post.id)
    post = await Post.get(id=post.id)
    quoted = await Post.get_or_none(id=post.quote_of_id)
    return post.quote_state, quoted.quotes if quoted else 0


async def test_a_consent_that_holds_makes_the_quote(rita, otto):
    quoted = otto.note()
    note, kept = await brought(rita, quoted)
    assert kept.quote_state is Consent.PENDING and await owed("consent") == [str(kept.id)]
    agrees(otto, note, quoted)
    assert await looked_at(kept) == (Consent.ACCEPTED, 1)
    assert await looked_at(kept) == (Consent.ACCEPTED, 1)


FORGERIES: dict[str, Callable[[Node, Someone], dict[str, Any]]] = {
    "of another post": lambda quoted, rita: {"interactingObject": rita.note()["id"]},
    "to quote something else": lambda quoted, rita: {"interactionTarget": quoted["id"] + "0"},
    "of somebody else": lambda quoted, rita: {"attributedTo": "https://other.example/users/nina"},
    "of who quotes": lambda quoted, rita: {"attributedTo": rita.account.uri},
    "of nobody": lambda quoted, rita: {"attributedTo": None},
    "of another kind": lambda quoted, rita: {"type": "Note"},
    "under another name": lambda quoted, rita: {"id": STAMP + "0"},
    "of several": lambda quoted, rita: {"interactingObject": [rita.note()["id"], rita.note()["id"]]},
}


@pytest.mark.parametrize("how", FORGERIES)
async def test_a_forged_consent_is_none(rita, otto, how):
    quoted = otto.note()
    note, kept = await brought(rita, quoted)
    agrees(otto, note, quoted, **FORGERIES[how](quoted, rita))
    assert await looked_at(kept) == (Consent.NONE, 0)


@pytest.mark.parametrize("host", ["remote.example", "third.example", "localhost:8000"])
async def test_a_consent_from_another_server_is_not_even_read(fediverse, rita, otto, host):
    quoted = otto.note()
    stamp = f"https://{host}/consents/1"
    note, kept = await brought(rita, quoted, stamp)
    elsewhere = fediverse.server(host)
    elsewhere.documents[stamp] = agrees(otto, note, quoted, id=stamp)
    assert (await looked_at(kept))[0] is Consent.NONE
    assert stamp not in [str(request.url) for request in elsewhere.asked]


async def test_who_quotes_oneself_needs_none(rita):
    first = rita.note()
    await rita.does("Create", first)
    note = rita.note(quote=first["id"])
    await rita.does("Create", note)
    kept = await found(note["id"])
    assert (kept.quote_state, (await found(first["id"])).quotes) == (Consent.ACCEPTED, 1)
    assert await owed("consent") == []


async def test_a_quote_without_a_consent_is_a_link(rita, otto):
    note = rita.note(quote=otto.note()["id"])
    await rita.does("Create", note)
    assert (await found(note["id"])).quote_state is Consent.NONE and await owed("consent") == []


async def test_an_update_brings_the_consent_without_being_an_edit(rita, otto):
    """As Mastodon does it: the post first, and `updated` stays as it is."""
    quoted = otto.note()
    note = rita.note(quote=quoted["id"])
    await rita.does("Create", note)
    agrees(otto, note, quoted)
    await rita.does("Update", {**note, "quoteAuthorization": STAMP})
    kept = await found(note["id"])
    assert kept.edited_at is None and await owed("consent") == [str(kept.id)]
    assert await looked_at(kept) == (Consent.ACCEPTED, 1)


async def test_an_update_makes_us_look_again(rita, otto):
    quoted = otto.note()
    note, kept = await brought(rita, quoted)
    agrees(otto, note, quoted)
    await looked_at(kept)
    async with db.transaction():
        await db.execute("DELETE FROM work")
    otto.peer.documents.pop(STAMP)
    await rita.does("Update", {**note, "content": "<p>x</p>", "updated": "2026-11-20T12:00:00Z"})
    assert await owed("consent") == [str(kept.id)]
    assert (await Post.get(id=kept.id)).quote_state is Consent.ACCEPTED
    assert await looked_at(kept) == (Consent.REVOKED, 0)


async def test_an_update_that_names_no_consent_any_more_ends_the_quote(rita, otto):
    quoted = otto.note()
    note, kept = await brought(rita, quoted)
    agrees(otto, note, quoted)
    await looked_at(kept)
    await rita.does("Update", {name: value for name, value in note.items() if name != "quoteAuthorization"})
    assert await looked_at(kept) == (Consent.NONE, 0)


async def test_an_edit_that_quotes_something_else_begins_anew(rita, otto):
    quoted, other = otto.note(), otto.note()
    note, kept = await brought(rita, quoted)
    agrees(otto, note, quoted)
    await looked_at(kept)
    changed = {**note, "quote": other["id"], "updated": "2026-11-20T12:00:00Z"}
    await rita.does("Update", changed)
    assert (await Post.get(id=kept.id)).quote_state is Consent.PENDING
    assert (await found(quoted["id"])).quotes == 0
    # The old consent is for the old pair.
    assert (await looked_at(kept))[0] is Consent.NONE
    agrees(otto, note, other)
    await rita.does("Update", changed)
    assert await looked_at(kept) == (Consent.ACCEPTED, 1)


async def test_a_consent_that_was_taken_back_before_it_was_seen_does_not_hold(rita, otto):
    quoted = otto.note()
    note = rita.note(quote=quoted["id"], quoteAuthorization=STAMP)
    agrees(otto, note, quoted)
    await otto.does("Delete", STAMP)
    await rita.does("Create", note)
    assert await looked_at(await found(note["id"])) == (Consent.NONE, 0)


async def test_a_server_that_is_away_is_asked_again(rita, otto):
    quoted = otto.note()
    note, kept = await brought(rita, quoted)
    otto.peer.down = True
    with pytest.raises(Unavailable):
        await consents.check(kept.id)
    assert (await Post.get(id=kept.id)).quote_state is Consent.PENDING
    otto.peer.down = False
    agrees(otto, note, quoted)
    assert await looked_at(kept) == (Consent.ACCEPTED, 1)


async def test_a_look_at_what_needs_none_changes_nothing(rita, alice):
    made = await posts.publish(alice, Draft("Hello"))
    _, kept = await brought(rita, {"id": made.uri})
    assert kept.quote_state is Consent.NONE
    assert await looked_at(kept) == (Consent.NONE, 0)
    await consents.check(made.id)
    await consents.check(1)
