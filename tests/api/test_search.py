"""Search: by name among those we know, and by handle or address anywhere."""

from fediblog.models import Account
from fediblog.services import blocks, follows, mutes, posts
from fediblog.services.composing import Draft
from tests.api.conftest import App, AppOf
from tests.harness.fediverse import Fediverse
from tests.people import person, remote


async def _names(app: App, typed: str, **query: str) -> list[str]:
    found = await app.get("/api/v2/search", query_string={"q": typed, **query})
    assert set(found) == {"accounts", "statuses", "hashtags"}
    return [one["acct"] for one in found["accounts"]]


async def test_people_are_found_by_the_beginning_of_their_name(app_of: AppOf, alice: Account, bob: Account):
    await person("alicia")
    await remote("ali", "remote.example")
    app = await app_of(bob)
    assert await _names(app, "ali") == ["ali@remote.example", "alice", "alicia"]
    assert await _names(app, "@ALI@remote.example") == ["ali@remote.example"]
    assert await _names(app, "li") == []


async def test_who_is_suspended_or_has_blocked_the_viewer_is_not_found(
    app_of: AppOf, alice: Account, bob: Account
):
    await person("mallory", suspended_at=1)
    await blocks.block(bob, alice)
    app = await app_of(alice)
    assert await _names(app, "bob") == await _names(app, "mallory") == []


async def test_whom_one_has_blocked_or_muted_is_found_by_the_whole_name_alone(
    app_of: AppOf, alice: Account, bob: Account, carol: Account
):
    await blocks.block(alice, bob)
    await mutes.mute(alice, carol)
    app = await app_of(alice)
    assert await _names(app, "bob") == ["bob"] and await _names(app, "carol") == ["carol"]
    assert await _names(app, "bo") == await _names(app, "caro") == []
    await blocks.block(bob, alice)
    assert await _names(app, "bob") == []


async def test_hashtags_are_found(app_of: AppOf, alice: Account):
    await posts.publish(alice, Draft("#Caturday and #cat"))
    found = await (await app_of(alice)).get("/api/v2/search", query_string={"q": "#cat"})
    assert [tag["name"] for tag in found["hashtags"]] == ["cat", "Caturday"]
    assert set(found["hashtags"][0]) == {"id", "name", "url", "history", "following", "featuring"}
    assert found["hashtags"][0]["history"][0]["uses"] == "1"


async def test_a_handle_elsewhere_is_looked_up_when_asked_for(
    app_of: AppOf, alice: Account, fediverse: Fediverse
):
    fediverse.server("remote.example").actor("rita")
    app = await app_of(alice)
    assert await _names(app, "@rita@remote.example") == []
    assert await _names(app, "@rita@remote.example", resolve="true") == ["rita@remote.example"]
    assert await _names(app, "@nobody@remote.example", resolve="true") == []


async def test_the_address_of_a_post_elsewhere_gives_the_post(
    app_of: AppOf, alice: Account, fediverse: Fediverse
):
    peer = fediverse.server("remote.example")
    note = peer.note(peer.actor("rita"), "<p>Found</p>")
    app = await app_of(alice)
    found = await app.get("/api/v2/search", query_string={"q": note["id"], "resolve": "true"})
    assert [one["uri"] for one in found["statuses"]] == [note["id"]]


async def test_a_visitor_may_search_but_not_have_others_asked(app_of: AppOf, alice: Account):
    app = await app_of(None)
    assert await _names(app, "alice") == ["alice"]
    await app.get("/api/v2/search", 401, query_string={"q": "alice", "resolve": "true"})
    await app.get("/api/v2/search", 401, query_string={"q": "alice", "offset": "20"})


async def test_nothing_and_too_much_are_refused(app_of: AppOf, alice: Account):
    app = await app_of(alice)
    await app.get("/api/v2/search", 422, query_string={"q": " "})
    await app.get("/api/v2/search", 422, query_string={"q": "x" * 501})


async def test_the_search_for_accounts_alone(app_of: AppOf, alice: Account, fediverse: Fediverse):
    fediverse.server("remote.example").actor("rita")
    app = await app_of(alice)
    found = await app.get(
        "/api/v1/accounts/search", query_string={"q": "rita@remote.example", "resolve": "true"}
    )
    assert [one["acct"] for one in found] == ["rita@remote.example"]


async def _found(app: App, typed: str, **query: str) -> list[str]:
    answer = await app.get("/api/v2/search", query_string={"q": typed, "type": "statuses", **query})
    assert answer["accounts"] == answer["hashtags"] == []
    return [one["id"] for one in answer["statuses"]]


async def test_posts_are_found_and_paged(app_of: AppOf, alice: Account):
    made = [str((await posts.publish(alice, Draft("wordy"))).id) for _ in range(3)][::-1]
    app = await app_of(alice)
    assert await _found(app, "wordy") == made
    assert await _found(app, "wordy", limit="1", offset="1") == made[1:2]
    assert await _found(app, "wordy", max_id=made[1]) == made[2:]
    assert await _found(app, "wordy", min_id=made[1]) == made[:1]
    assert await _found(app, "wordy", account_id=str(alice.id)) == made
    assert await _found(app, "wordy", account_id="1") == []
    assert await _names(app, "wordy", type="accounts") == []


async def test_a_visitor_finds_no_posts(app_of: AppOf, alice: Account):
    await Account.filter(id=alice.id).update(indexable=True)
    await posts.publish(alice, Draft("wordy"))
    assert await _found(await app_of(None), "wordy") == []


async def test_a_token_that_may_not_search_is_refused(app_of: AppOf, alice: Account):
    app = await app_of(alice, "read:statuses")
    await app.get("/api/v2/search", 403, query_string={"q": "alice"})
    await app.get("/api/v1/accounts/search", 403, query_string={"q": "alice"})
    await (await app_of(None)).get("/api/v1/accounts/search", 401, query_string={"q": "alice"})


async def test_the_search_among_those_one_follows(app_of: AppOf, alice: Account, bob: Account):
    await person("alicia")
    await follows.follow(bob, alice)
    app = await app_of(bob)
    assert await _names(app, "ali", following="true") == ["alice"]
    found = await app.get("/api/v1/accounts/search", query_string={"q": "ali", "following": "true"})
    assert [one["acct"] for one in found] == ["alice"]
