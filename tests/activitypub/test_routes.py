"""What other servers can ask us for: which door gives what, to whom (FEDERATION §1.6, §1.7, §6, §7.5)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fediblog import db, ids, moments, uris
from fediblog.activitypub import senders
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON, PUBLIC
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account, Post, Visibility
from fediblog.services import boosts, deletion, domains, follows, likes, pins, polls, posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub.asking import BROWSES, Asker, follow, undefined
from tests.harness.fediverse import Fediverse, Node
from tests.people import pair, person, remote, user_of
from tests.services.making import post

AUTHORIZED = {"federation__authorized_fetch": "true"}


@pytest.fixture
def asker(config: Config, fediverse: Fediverse) -> Asker:
    return Asker(create_app(config, open_house=False), fediverse.server("remote.example"))


@pytest.fixture
async def rita(fediverse: Fediverse) -> Account:
    """Somebody elsewhere, whom we know."""
    return await remote("rita", "remote.example")


@pytest.fixture
def as_rita(asker: Asker, rita: Account) -> Node:
    """Her actor, who signs."""
    return asker.peer.actor("rita")


async def pages(asker: Asker, path: str) -> list[str]:
    return [item if isinstance(item, str) else item["id"] for item in await asker.all(path)]


# ------------------------------------------------------------------------------------------ one address, two


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


# --------------------------------------------------------------------------------------------------- people


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


# ---------------------------------------------------------------------------------------------------- posts


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


# ---------------------------------------------------------------------------------------- what is not for all


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_a_private_post_is_there_for_whoever_signs_and_may_see_it(
    asker, alice, rita, as_rita, visibility
):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=visibility))
    for path in (f"/ap/posts/{thing.id}", f"/ap/posts/{thing.id}/create", f"/@alice/{thing.id}"):
        await asker.get(path, status=404)
        answer = await asker.send(path, as_rita)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Signature" in answer.headers["Vary"] and "Access-Control-Allow-Origin" not in answer.headers


async def test_a_follower_sees_what_is_for_followers_and_nobody_else_does(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    direct = await posts.publish(alice, Draft("Psst", visibility=Visibility.DIRECT))
    await asker.get(thing.uri, as_rita, status=404)
    await follow(rita, alice)
    assert (await asker.get(thing.uri, as_rita))["to"] == [alice.followers_uri]
    await asker.get(direct.uri, as_rita, status=404)
    # Somebody else of the same server is somebody else.
    await remote("sam", "remote.example")
    await asker.get(thing.uri, asker.peer.actor("sam"), status=404)


async def test_nobody_can_tell_what_is_hidden_from_what_is_not_there(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.DIRECT))
    for by in (None, as_rita):
        answers = [await asker.send(f"/ap/posts/{number}", by) for number in (thing.id, thing.id + 1)]
        heads = [
            {name: value for name, value in answer.headers.items() if name.lower() != "x-request-id"}
            for answer in answers
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert heads[0] == heads[1] and await answers[0].get_data() == await answers[1].get_data()


async def test_a_signature_that_does_not_hold_is_none(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=Visibility.DIRECT))
    other = await posts.publish(alice, Draft("Hello"))
    path = f"/ap/posts/{thing.id}"
    signed = asker.peer.signed_get(as_rita, path)
    elsewhere = asker.peer.signed_get(as_rita, f"/ap/posts/{other.id}")
    for headers in (
        elsewhere,
        signed | {"Date": "Sat, 01 Jan 2000 00:00:00 GMT"},
        signed | {"Signature": signed["Signature"].replace("remote.example", "localhost:8000")},
        signed | {"Signature": signed["Signature"].replace("rsa-sha256", "hmac-sha256")},
        signed | {"Signature": "garbage"},
        signed | {"Signature": 'keyId="https://nowhere.example/x#main-key",signature="AAAA"'},
        signed | {"Host": "other.example"},
    ):
        headers = {name.replace("-", "_"): value for name, value in headers.items()}
        assert (await asker.send(path, **headers)).status_code == 404
        # What is for everybody is there all the same.
        assert (await asker.send(f"/ap/posts/{other.id}", **headers)).status_code == 200


async def test_a_key_nobody_knew_is_asked_for(asker, alice, fediverse):
    made = asker.peer.actor("tim")
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    await asker.get(thing.uri, made, status=404)
    tim = await Account.get(uri=made["id"])
    await follow(tim, alice)
    assert (await asker.get(thing.uri, made))["id"] == thing.uri


async def test_a_suspended_or_blocked_reader_sees_what_strangers_see(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=Visibility.DIRECT))
    await asker.get(thing.uri, as_rita)
    async with db.transaction():
        await db.execute(
            "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, 1, 'x', 0)",
            *(alice.id, rita.id),
        )
    await asker.get(thing.uri, as_rita, status=404)
    async with db.transaction():
        await db.execute("DELETE FROM block WHERE account_id = $1", alice.id)
    await Account.filter(id=rita.id).update(suspended_at=moments.now())
    await asker.get(thing.uri, as_rita, status=404)


# ---------------------------------------------------------------------------------------------- collections


async def test_the_outbox_tells_posts_and_boosts_newest_first(asker, alice, bob):
    theirs = await posts.publish(bob, Draft("Hi"))
    first = await posts.publish(alice, Draft("One", visibility=Visibility.UNLISTED))
    boost = await boosts.boost(alice, theirs)
    last = await posts.publish(alice, Draft("Two"))
    outbox = await asker.get(alice.outbox)
    assert (outbox["id"], outbox["type"], outbox["totalItems"]) == (alice.outbox, "OrderedCollection", 3)
    found = await asker.all(alice.outbox)
    assert [item["id"] for item in found] == [
        uris.create_uri(last.id),
        boost.uri,
        uris.create_uri(first.id),
    ]
    assert [item["type"] for item in found] == ["Create", "Announce", "Create"]
    assert not list(undefined(await asker.get(outbox["first"])))


async def test_pages_are_cut_by_key_and_lead_both_ways(asker, alice):
    made = [(await post(alice)).uri for _ in range(45)]
    await Account.filter(id=alice.id).update(posts_count=45)
    seen = [item["object"]["id"] for item in await asker.all(alice.outbox)]
    assert seen == made[::-1]
    first = await asker.get((await asker.get(alice.outbox))["first"])
    assert "prev" not in first and first["type"] == "OrderedCollectionPage"
    # What comes in between moves nothing.
    await post(alice)
    second = await asker.get(first["next"])
    assert [item["object"]["id"] for item in second["orderedItems"]] == made[::-1][20:40]
    back = await asker.get(second["prev"])
    assert [item["object"]["id"] for item in back["orderedItems"]] == made[::-1][:20]


async def test_followers_and_following_are_ids(asker, alice, bob, rita):
    await follow(rita, alice)
    await follow(bob, alice)
    await follow(alice, rita)
    assert await asker.all(alice.followers_uri) == [bob.uri, rita.uri]
    assert await asker.all(alice.following_uri) == [rita.uri]
    assert (await asker.get(alice.followers_uri))["totalItems"] == 2


async def test_who_hides_the_lists_shows_the_numbers_only(asker, alice, rita, as_rita):
    await follow(rita, alice)
    await follow(alice, rita)
    await Account.filter(id=alice.id).update(hide_collections=True)
    for uri in (alice.followers_uri, alice.following_uri):
        for path in (uri, f"{uri}?page=true"):
            made = await asker.get(path, as_rita)
            assert made["totalItems"] == 1 and not {"first", "orderedItems", "items"} & made.keys()


async def test_a_server_is_told_who_of_its_people_follow(asker, alice, bob, rita, as_rita):
    other = await remote("olaf", "other.example")
    for follower in (rita, bob, other):
        await follow(follower, alice)
    path = f"{alice.followers_uri}/synchronisation"
    await asker.get(path, status=401)
    made = await asker.get(path, as_rita)
    assert made["orderedItems"] == [rita.uri] and made["id"] == path
    assert not list(undefined(made))


async def test_pinned_posts_and_shown_hashtags_are_listed(asker, alice):
    thing = await posts.publish(alice, Draft("Hello #Cats"))
    private = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    await pins.pin(alice, thing)
    await pins.pin(alice, private)
    assert (await asker.get(alice.featured_uri))["orderedItems"] == [thing.uri]
    async with db.transaction():
        await db.execute(
            "INSERT INTO featured_tag (account_id, tag_id, id) SELECT $1, id, $2 FROM tag",
            *(alice.id, ids.new()),
        )
    tags = await asker.get(f"/ap/accounts/{alice.id}/tags")
    assert [(tag["type"], tag["name"]) for tag in tags["orderedItems"]] == [("Hashtag", "#Cats")]


async def test_answers_begin_with_the_authors_own(asker, alice, bob, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    theirs = await post(rita, reply_to_id=thing.id, thread_id=thing.id, uri="https://remote.example/n/1")
    local = await posts.publish(bob, Draft("Yes", reply_to_id=thing.id))
    own = await posts.publish(alice, Draft("And", reply_to_id=thing.id))
    replies = await asker.get(f"{thing.uri}/replies")
    assert replies["type"] == "Collection"
    assert await asker.all(f"{thing.uri}/replies") == [own.uri, local.uri, theirs.uri]
    first = await asker.get(replies["first"])
    assert first["items"] == [own.uri] and first["type"] == "CollectionPage"
    assert not list(undefined(first))
    assert await asker.all(f"{thing.uri}/context") == [own.uri, local.uri, theirs.uri, thing.uri]
    await asker.get(f"/ap/posts/{own.id}/context", status=404)


async def test_likes_and_boosts_are_listed(asker, alice, bob, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    await likes.like(bob, thing)
    await likes.like(rita, thing, uri="https://remote.example/likes/1")
    boost = await boosts.boost(bob, thing)
    theirs = await boosts.boost(rita, thing, uri="https://remote.example/boosts/1")
    found = await asker.all(f"{thing.uri}/likes")
    assert found[0] == "https://remote.example/likes/1"
    assert (found[1]["type"], found[1]["actor"], found[1]["object"]) == ("Like", bob.uri, thing.uri)
    assert await asker.all(f"{thing.uri}/shares") == [theirs.uri, boost.uri]
    await Account.filter(id=bob.id).update(suspended_at=moments.now())
    assert await asker.all(f"{thing.uri}/likes") == ["https://remote.example/likes/1"]
    assert await asker.all(f"{thing.uri}/shares") == [theirs.uri]


@pytest.mark.parametrize(
    "query", ["page=", "page=true&max_id=x", "page=1&min_id=-1&max_id=99999999999999999999"]
)
async def test_garbage_in_a_query_is_no_fault(asker, alice, query):
    thing = await posts.publish(alice, Draft("Hello"))
    for path in (alice.outbox, alice.followers_uri, f"{thing.uri}/replies", f"{thing.uri}/likes"):
        assert (await asker.send(f"{path}?{query}")).status_code == 200


async def test_ids_that_cannot_be_are_not_there(asker):
    for path in ("/ap/posts/0", "/ap/posts/99999999999999999999", "/ap/accounts/x", "/ap/posts/1%00", "/ap"):
        assert (await asker.send(path)).status_code == 404, path


# ----------------------------------------------------------------------------------------------- activities


async def letter(author: Account | None, thing: Post | None = None, **activity: Any) -> str:
    """An activity that was sent."""
    number = ids.new()
    uri = activity.setdefault("id", uris.activity_uri(number))
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, post_id, kind, body, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, 0)",
            *(number, uri, author and author.id, thing and thing.id, activity["type"]),
            orjson.dumps(activity),
        )
    return uri


async def test_a_public_activity_is_there_for_everybody(asker, alice):
    uri = await letter(alice, type="Update", to=[PUBLIC], cc=[])
    assert (await asker.get(uri))["type"] == "Update"
    await asker.get(uris.activity_uri(12), status=404)


async def test_any_other_activity_is_there_for_those_it_names(asker, alice, rita, as_rita):
    accept = await letter(alice, type="Accept", to=[rita.uri])
    other = await letter(alice, type="Accept", to=["https://remote.example/users/sam"])
    like = await letter(alice, id=uris.like_uri(7), type="Like", to=[rita.uri])
    block = await letter(alice, id=uris.absolute("/ap/blocks/7"), type="Block", to=[rita.uri])
    for uri in (accept, other, like, block):
        await asker.get(uri, status=404)
    for uri in (accept, like, block):
        assert (await asker.get(uri, as_rita))["id"] == uri
    await asker.get(other, as_rita, status=404)


async def test_what_was_said_of_a_post_goes_with_it(asker, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    update = await letter(alice, thing, type="Update", to=[PUBLIC])
    delete = await letter(alice, thing, type="Delete", to=[PUBLIC])
    await asker.get(update)
    await posts.delete(alice, thing.id)
    await asker.get(update, status=404)
    await asker.get(delete)
    await Account.filter(id=alice.id).update(suspended_at=moments.now())
    await asker.get(delete, status=404)


async def test_a_follow_is_there_for_whom_it_concerns(asker, alice, rita, as_rita):
    await follows.follow(alice, rita)
    uri = await db.value("SELECT uri FROM follow_request")
    await asker.get(uri, status=404)
    made = await asker.get(uri, as_rita)
    assert (made["type"], made["actor"], made["object"]) == ("Follow", alice.uri, rita.uri)
    await remote("sam", "remote.example")
    await asker.get(uri, asker.peer.actor("sam"), status=404)
    await follows.accept(rita, alice.id)
    assert (await asker.get(uri, as_rita))["id"] == uri


# ----------------------------------------------------------------------------------------- authorised fetch


@pytest.fixture
def guarded(configure: Callable[..., Config], fediverse: Fediverse) -> Asker:
    """Us, with `federation.authorized_fetch` on."""
    app = create_app(configure(**AUTHORIZED), open_house=False)
    return Asker(app, fediverse.server("remote.example"))


async def test_with_authorised_fetch_nobody_reads_without_a_signature(guarded, alice, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    boost = await boosts.boost(alice, thing)
    as_rita = guarded.peer.actor("rita")
    for path in (
        alice.uri,
        thing.uri,
        boost.uri,
        uris.create_uri(thing.id),
        alice.outbox,
        alice.followers_uri,
        alice.featured_uri,
        f"{thing.uri}/replies",
        f"{thing.uri}/likes",
        "/@alice",
        f"/@alice/{thing.id}",
    ):
        await guarded.get(path, status=401)
        answer = await guarded.send(path, as_rita)
        assert answer.status_code == 200, path
        assert "Signature" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "private, no-store"


async def test_with_authorised_fetch_the_keys_and_the_names_stay_open(guarded, alice):
    for path in (
        "/ap/actor",
        "/.well-known/webfinger?resource=acct:alice@localhost:8000",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.1",
        "/.well-known/host-meta",
    ):
        assert (await guarded.send(path)).status_code == 200, path


async def test_with_authorised_fetch_pages_stay_open(guarded, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    assert (await guarded.send(alice.uri, **BROWSES)).status_code == 302
    assert (await guarded.send(f"/@alice/{thing.id}", **BROWSES)).status_code == 200


async def test_a_blocked_server_is_refused_before_anything_is_fetched(guarded, alice, fediverse):
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, 'remote.example', $1, 0)",
            domains.Level.SUSPEND.value,
        )
    domains.forget()
    try:
        tim = guarded.peer.actor("tim")
        await guarded.get(alice.uri, tim, status=403)
        await guarded.get("/@alice", tim, status=403)
        assert guarded.peer.asked == []
        assert (await guarded.send("/ap/actor", tim)).status_code == 200
    finally:
        domains.forget()


async def test_a_signature_for_another_method_or_in_our_own_name_is_refused(guarded, alice, rita):
    as_rita = guarded.peer.actor("rita")
    path = f"/ap/accounts/{alice.id}"
    signed = {name.replace("-", "_"): value for name, value in guarded.peer.signed_get(as_rita, path).items()}
    assert (await guarded.send(path, method="HEAD", **signed)).status_code == 401
    own = sign("GET", uris.absolute(path), {"Accept": ACTIVITY_JSON}, None, alice.key_id, pair()[1])
    own = {name.replace("-", "_"): value for name, value in own.items()}
    assert (await guarded.send(path, **own)).status_code == 401


async def test_who_is_blocked_by_the_author_does_not_find_the_post(guarded, alice, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    async with db.transaction():
        await db.execute(
            "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, 1, 'x', 0)",
            *(alice.id, rita.id),
        )
    await guarded.get(thing.uri, guarded.peer.actor("rita"), status=404)


# ----------------------------------------------------------------------------------------------------- cost


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
    with queries() as sent:
        await asker.get(f"{alice.outbox}?page=true")
    assert len(sent) <= 7, sent.sql
