"""Collections: what is in them, in which order, and how one gets on (FEDERATION §6)."""

import pytest

from fediblog import db, ids, moments, uris
from fediblog.models import Account, Visibility
from fediblog.paging import Page
from fediblog.services import boosts, likes, listed, pins, posts
from fediblog.services.composing import Draft
from tests.activitypub.asking import follow, undefined
from tests.people import remote
from tests.services.making import post


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
    embedded = (await asker.get(thing.uri))["replies"]["first"]
    assert embedded == {name: value for name, value in first.items() if name != "@context"}
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


@pytest.mark.parametrize(
    ("which", "index", "values"),
    [
        (listed.OWN_REPLIES, "post_reply", (1, 2)),
        (listed.OTHER_REPLIES, "post_reply", (1, 2)),
        (listed.THREAD, "post_thread", (1,)),
        (listed.BOOSTS, "post_boost", (1,)),
    ],
)
async def test_what_hangs_on_a_post_is_read_from_its_index(explain, which, index, values):
    page = Page(100)
    plan = await explain(listed.statement(which, page), page.before, page.after, *values)
    assert any(index in line for line in plan), plan
    assert not any("SCAN p" in line or "Seq Scan on post" in line or "Sort" in line for line in plan), plan
