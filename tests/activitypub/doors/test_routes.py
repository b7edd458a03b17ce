"""What other servers can ask us for: which address gives what (FEDERATION §1.6, §1.7)."""

import asyncio
from collections.abc import Callable

import orjson
import pytest

from fediblog import keys, moments, uris
from fediblog.activitypub import senders
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account, Visibility
from fediblog.services import address_blocks, boosts, deletion, likes, polls, posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub.asking import BROWSES
from tests.people import person, remote, user_of
from tests.services.making import post

# ------------------------------------------------------------------------------------------- one address, two


@pytest.mark.parametrize("accept", [ACTIVITY_JSON, LD_JSON, f"text/plain;q=0.1, {ACTIVITY_JSON}"])
async def test_who_reads_activitystreams_gets_the_document(asker, alice, accept):
    thing = await posts.publish(alice, Draft("Hello"))
    for path, uri in [
        (f"/ap/accounts/{alice.id}", alice.uri),
        (f"/ap/posts/{thing.id}", thing.uri),
        ("/@alice", alice.uri),
        ("/@ALICE", alice.uri),
        (f"/@alice/{thing.id}", thing.uri),
    ]:
        answer = await asker.send(path, Accept=accept)
        assert answer.status_code == 200, path
        assert answer.content_type.startswith("application/activity+json"), path
        assert orjson.loads(await answer.get_data())["id"] == uri
        assert "Accept" in answer.headers["Vary"]


async def test_who_browses_gets_the_page(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    answer = await asker.send(f"/ap/accounts/{alice.id}", **BROWSES)
    assert (answer.status_code, answer.headers["Location"]) == (302, alice.url)
    answer = await asker.send(f"/ap/posts/{thing.id}", **BROWSES)
    assert answer.status_code == 302 and "Accept" in answer.headers["Vary"]
    answer = await asker.send(answer.headers["Location"], **BROWSES)
    assert answer.status_code == 303
    answer = await asker.send(answer.headers["Location"], **BROWSES)
    assert answer.status_code == 200 and answer.content_type.startswith("text/html")


async def test_a_browser_learns_nothing_from_an_id(asker, alice):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    private = await asker.send(f"/ap/posts/{thing.id}", **BROWSES)
    nothing = await asker.send(f"/ap/posts/{thing.id + 1}", **BROWSES)
    assert private.status_code == nothing.status_code == 302
    assert dict(private.headers).keys() == dict(nothing.headers).keys()


async def test_pages_say_where_the_thing_itself_is(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    for path, uri in [("/@alice", alice.uri), (f"/@alice/{thing.id}", thing.uri)]:
        answer = await asker.send(path, **BROWSES)
        html = (await answer.get_data()).decode()
        assert answer.headers["Link"] == f'<{uri}>; rel="alternate"; type="application/activity+json"'
        assert f'<link rel="alternate" type="application/activity+json" href="{uri}">' in html
        assert "Accept" in answer.headers["Vary"]


async def test_the_same_document_is_sent_once(asker, alice):
    path = f"/ap/accounts/{alice.id}"
    first = await asker.send(path)
    again = await asker.send(path, If_None_Match=first.headers["ETag"])
    assert again.status_code == 304 and await again.get_data() == b""
    assert first.headers["Cache-Control"].startswith("public, max-age=")


async def test_head_says_what_get_would_and_nothing_else_is_allowed(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    for path in (f"/ap/accounts/{alice.id}", f"/ap/posts/{thing.id}", f"/ap/accounts/{alice.id}/outbox"):
        got, answer = await asker.send(path), await asker.send(path, method="HEAD")
        assert answer.status_code == 200, path
        assert answer.headers["ETag"] == got.headers["ETag"], path
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert (await asker.send(path, method=method)).status_code == 405, (path, method)


async def test_without_federation_none_of_it_is_there(configure: Callable[..., Config], database, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    app = create_app(configure(federation__enabled="false"), open_house=False)
    for path in (
        f"/ap/accounts/{alice.id}",
        f"/ap/posts/{thing.id}",
        f"/ap/accounts/{alice.id}/outbox",
        "/ap/actor",
        "/.well-known/webfinger?resource=acct:alice@localhost:8000",
        "/.well-known/host-meta",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.1",
    ):
        answer = await app.test_client().get(path, headers={"Accept": ACTIVITY_JSON})
        assert answer.status_code == 404, path
    answer = await app.test_client().get("/@alice", headers=BROWSES | {"Accept": ACTIVITY_JSON})
    assert answer.content_type.startswith("text/html") and "Link" not in answer.headers
    assert "activity+json" not in (await answer.get_data()).decode()


# ----------------------------------------------------------------------------------------------------- people


async def test_an_actor_follows_its_account(asker, alice):
    assert (await asker.get(f"/ap/accounts/{alice.id}"))["name"] == "Alice"
    await Account.filter(id=alice.id).update(display_name="Alison", version=2)
    assert (await asker.get(f"/ap/accounts/{alice.id}"))["name"] == "Alison"
    new = await remote("alice", "new.example")
    await Account.filter(id=alice.id).update(moved_to_id=new.id)
    assert (await asker.get(f"/ap/accounts/{alice.id}"))["movedTo"] == new.uri


async def test_who_is_suspended_is_said_to_be_and_has_no_collections(asker, alice):
    await posts.publish(alice, Draft("Hello"))
    await Account.filter(id=alice.id).update(suspended_at=moments.now(), note="<p>Buy!</p>")
    made = await asker.get(f"/ap/accounts/{alice.id}")
    assert made["suspended"] is True and made["summary"] == ""
    for name in ("outbox", "followers", "following", "featured", "tags"):
        await asker.get(f"/ap/accounts/{alice.id}/{name}", status=404)


async def test_who_has_not_been_let_in_yet_is_not_there(asker, database):
    now = moments.now()
    dora = await person("dora", approved_at=None, suspended_at=now, created_at=now)
    await asker.get(f"/ap/accounts/{dora.id}", status=404)
    await asker.get("/@dora", status=404)


async def test_who_has_left_is_a_tombstone(asker, alice, bob):
    thing = await posts.publish(alice, Draft("Hello"))
    await person("root", role="admin")
    await deletion.delete(alice, await user_of(alice))
    made = await asker.get(f"/ap/accounts/{alice.id}", status=410)
    assert (made["id"], made["type"]) == (alice.uri, "Tombstone") and made["deleted"]
    await asker.get(f"/ap/accounts/{alice.id}/outbox", status=410)
    # Her posts go as soon as that is said, not when they have been erased one by one.
    assert (await asker.get(f"/ap/posts/{thing.id}", status=410))["id"] == thing.uri
    await deletion.erase(alice.id)
    assert (await asker.get(f"/ap/posts/{thing.id}", status=410))["type"] == "Tombstone"


async def test_nobody_elsewhere_is_served_as_ours(asker, rita):
    theirs = await post(rita, uri="https://remote.example/notes/1")
    for path in (
        f"/ap/accounts/{rita.id}",
        f"/ap/accounts/{rita.id}/outbox",
        f"/ap/accounts/{rita.id}/followers",
        f"/ap/posts/{theirs.id}",
        f"/ap/posts/{theirs.id}/create",
        f"/ap/posts/{theirs.id}/replies",
        f"/@alice/{theirs.id}",
    ):
        await asker.get(path, status=404)
    await Account.filter(id=rita.id).update(deleted_at=moments.now())
    await asker.get(f"/ap/accounts/{rita.id}", status=404)
    answer = await asker.send("/@rita@remote.example")
    assert "activity+json" not in (answer.content_type or "")


async def test_the_server_has_an_actor_and_says_nothing(asker):
    sender = await senders.of_server()
    made = await asker.get("/ap/actor")
    assert made["publicKey"]["publicKeyPem"] == sender.public_key
    assert (await asker.get("/ap/actor/outbox"))["totalItems"] == 0
    assert (await asker.send("/ap/actor", **BROWSES)).content_type.startswith("application/activity+json")


async def test_many_who_want_its_key_at_once_have_one_made(database, monkeypatch):
    made: list[tuple[str, bytes]] = []
    new_pair = keys.new_pair
    monkeypatch.setattr(keys, "new_pair", lambda: made.append(new_pair()) or made[-1])
    found = await asyncio.gather(*(senders.of_server() for _ in range(8)))
    assert len(made) == 1 and {each.public_key for each in found} == {made[0][0]}


# ------------------------------------------------------------------------------------------------------ posts


async def test_a_post_its_create_and_a_boost_have_their_ids(asker, alice, bob):
    thing = await posts.publish(alice, Draft("Hello"))
    boost = await boosts.boost(bob, thing)
    create = await asker.get(f"/ap/posts/{thing.id}/create")
    assert create["type"] == "Create" and create["object"]["id"] == thing.uri
    assert create["id"] == uris.create_uri(thing.id)
    announce = await asker.get(f"/ap/posts/{boost.id}")
    assert (announce["type"], announce["object"]) == ("Announce", thing.uri)
    for path in ("create", "replies", "likes", "shares", "context"):
        await asker.get(f"/ap/posts/{boost.id}/{path}", status=404)


async def test_a_note_counts_along(asker, alice, bob):
    thing = await posts.publish(alice, Draft("Hello"))
    assert (await asker.get(thing.uri))["likes"]["totalItems"] == 0
    await likes.like(bob, thing)
    assert (await asker.get(thing.uri))["likes"]["totalItems"] == 1
    question = await posts.publish(alice, Draft("Which?", poll=PollDraft(("a", "b"), 3600)))
    assert (await asker.get(question.uri))["votersCount"] == 0
    await polls.vote(bob, question, [0])
    assert (await asker.get(question.uri))["votersCount"] == 1


async def test_a_deleted_post_is_a_tombstone_and_what_never_was_is_nothing(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    await asker.get(thing.uri)
    await posts.delete(alice, thing.id)
    for path in (f"/ap/posts/{thing.id}", f"/@alice/{thing.id}"):
        made = await asker.get(path, status=410)
        assert (made["id"], made["type"]) == (thing.uri, "Tombstone")
    await asker.get(f"/ap/posts/{thing.id}/replies", status=404)
    await asker.get(f"/ap/posts/{thing.id + 1}", status=404)


async def test_the_tombstone_of_somebody_elsewhere_is_not_ours(asker, rita):
    theirs = await post(rita, uri="https://remote.example/notes/1")
    await posts.remove(theirs)
    await asker.get(f"/ap/posts/{theirs.id}", status=404)


# ------------------------------------------------------------------------------------------------------- cost


async def test_what_is_asked_for_again_costs_next_to_nothing(asker, alice, queries):
    thing = await posts.publish(alice, Draft("Hello"))
    for path, most in ((f"/ap/accounts/{alice.id}", 1), (f"/ap/posts/{thing.id}", 2)):
        await asker.get(path)
        with queries() as sent:
            await asker.get(path)
        assert len(sent) <= most, sent.sql


async def test_a_page_of_the_outbox_takes_as_many_statements_as_one_post(asker, alice, bob, queries):
    for number in range(10):
        thing = await posts.publish(bob, Draft(f"{number}"))
        await boosts.boost(alice, thing)
        await posts.publish(alice, Draft(f"{number} @bob"))
    await address_blocks.refused("192.0.2.1")  # Asked once in some seconds, and not by each request.
    with queries() as sent:
        await asker.get(f"{alice.outbox}?page=true")
    assert len(sent) <= 7, sent.sql
