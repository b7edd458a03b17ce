"""The fifteen operations of the book (FEATURES, B20 to B34), each through its call of the API.

One test for each row: what it is for, and the one refusal that matters. All the rest about these calls stands
in tests/api.
"""

from typing import Any

import pytest
from quart import Quart

from fediblog import allowances
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import oauth, tokens
from tests.api.conftest import App
from tests.harness import apps
from tests.people import user_of

CALLBACK = "https://elk.zone/oauth"


@pytest.fixture
def server(config: Config, database: None) -> Quart:
    """The application that is asked."""
    allowances.forget()
    return apps.shared(config)


@pytest.fixture
def nobody(server: Quart) -> App:
    """An app in nobody's hands."""
    return App(server.test_client())


@pytest.fixture
async def hers(server: Quart, alice: Account) -> App:
    """Alice's app."""
    return await _app(server, alice)


@pytest.fixture
async def his(server: Quart, bob: Account) -> App:
    """Bob's."""
    return await _app(server, bob)


async def _app(server: Quart, person: Account) -> App:
    return App(server.test_client(), await tokens.create(person, await user_of(person), "read write follow"))


async def _registered(nobody: App) -> dict[str, str]:
    """What an app keeps of its registration."""
    given = {"client_name": "Elk", "redirect_uris": CALLBACK, "scopes": "read write"}
    made = await nobody.post("/api/v1/apps", json=given)
    return {name: made[name] for name in ("client_id", "client_secret")}


async def _with_code(keys: dict[str, str], person: Account) -> dict[str, str]:
    """What the app sends for its token, once the person has agreed on the page."""
    found = await oauth.client(keys["client_id"], CALLBACK)
    code = await oauth.grant(oauth.wish(found, CALLBACK, "code", "read", "", ""), await user_of(person))
    return {**keys, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}


async def _write(app: App, text: str, **more: Any) -> Any:
    return await app.post("/api/v1/statuses", json={"status": text, **more})


def _texts(statuses: list[Any]) -> list[str]:
    return [one["content"].removeprefix("<p>").removesuffix("</p>") for one in statuses]


# ----------------------------------------------------------------------------------------------- the session


async def test_b20_a_code_becomes_a_token_once(nobody: App, alice: Account) -> None:
    """B20, token: POST /oauth/token. A code that comes a second time ends what the first had brought."""
    sent = await _with_code(await _registered(nobody), alice)
    told = await nobody.post("/oauth/token", json=sent)
    assert (told["token_type"], told["scope"]) == ("Bearer", "read")
    nobody.token = told["access_token"]
    assert (await nobody.get("/api/v1/accounts/verify_credentials"))["acct"] == "alice"

    assert (await nobody.post("/oauth/token", 400, json=sent))["error"] == "invalid_grant"
    await nobody.get("/api/v1/accounts/verify_credentials", 401)


async def test_b21_a_token_is_taken_back_by_its_app_alone(server: Quart, nobody: App, alice: Account) -> None:
    """B21, revoke: POST /oauth/revoke. Another app cannot end it."""
    keys, others = await _registered(nobody), await _registered(nobody)
    token = (await nobody.post("/oauth/token", json=await _with_code(keys, alice)))["access_token"]
    hers = App(server.test_client(), token)

    told = await nobody.post("/oauth/revoke", 403, json={**others, "token": token})
    assert told["error"] == "unauthorized_client"
    await hers.get("/api/v1/accounts/verify_credentials")
    assert await nobody.post("/oauth/revoke", json={**keys, "token": token}) == {}
    await hers.get("/api/v1/accounts/verify_credentials", 401)


async def test_b22_a_profile_is_read_by_all_and_one_s_own_with_a_token(
    nobody: App, hers: App, alice: Account
) -> None:
    """B22, profile: GET /api/v1/accounts/verify_credentials and /:id. Who is not there is a 404."""
    mine = await hers.get("/api/v1/accounts/verify_credentials")
    assert (mine["id"], mine["acct"], mine["source"]["privacy"]) == (str(alice.id), "alice", "public")
    shown = await nobody.get(f"/api/v1/accounts/{alice.id}")
    assert shown["acct"] == "alice" and "source" not in shown

    await nobody.get("/api/v1/accounts/verify_credentials", 401)
    await nobody.get("/api/v1/accounts/4711", 404)
    await nobody.get("/api/v1/accounts/lookup", 404, query_string={"acct": "nobody"})


# ------------------------------------------------------------------------------------------------- own posts


async def test_b23_one_s_own_posts_are_listed_newest_first(hers: App, his: App, alice: Account) -> None:
    """B23, own posts list: GET /api/v1/accounts/:id/statuses. Others get of it what they may see."""
    await _write(hers, "one")
    await _write(hers, "two", visibility="private")
    await _write(his, "not hers")
    path = f"/api/v1/accounts/{alice.id}/statuses"
    assert _texts(await hers.get(path)) == ["two", "one"]
    assert _texts(await his.get(path)) == ["one"]


async def test_b24_a_post_is_created_within_the_limit(nobody: App, hers: App, alice: Account) -> None:
    """B24, own posts create: POST /api/v1/statuses. One that is too long is not taken."""
    made = await _write(hers, "Hello")
    assert (made["content"], made["account"]["acct"], made["visibility"]) == (
        "<p>Hello</p>",
        "alice",
        "public",
    )

    assert (await hers.post("/api/v1/statuses", 422, json={"status": "x" * 501}))["error"]
    await nobody.post("/api/v1/statuses", 401, json={"status": "Hello"})
    assert _texts(await hers.get(f"/api/v1/accounts/{alice.id}/statuses")) == ["Hello"]


async def test_b25_a_post_is_read_by_those_whom_it_is_for(nobody: App, hers: App, his: App) -> None:
    """B25, own posts read: GET /api/v1/statuses/:id. To others there is no such post."""
    public, private = await _write(hers, "all"), await _write(hers, "few", visibility="private")
    assert _texts([await nobody.get(f"/api/v1/statuses/{public['id']}")]) == ["all"]
    assert _texts([await hers.get(f"/api/v1/statuses/{private['id']}")]) == ["few"]
    for other in (his, nobody):
        await other.get(f"/api/v1/statuses/{private['id']}", 404)


async def test_b26_a_post_is_replaced_by_its_author_and_keeps_its_date(hers: App, his: App) -> None:
    """B26, own posts replace: PUT /api/v1/statuses/:id. Nobody replaces what another has written."""
    made = await _write(hers, "before", spoiler_text="hm", sensitive=True)
    path = f"/api/v1/statuses/{made['id']}"
    now = await hers.put(path, json={"status": "after"})
    assert (now["content"], now["spoiler_text"], now["sensitive"]) == ("<p>after</p>", "", False)
    assert now["created_at"] == made["created_at"] and now["edited_at"] is not None

    await his.put(path, 404, json={"status": "his"})
    assert _texts([await hers.get(path)]) == ["after"]


async def test_b27_a_part_of_a_post_is_changed_and_the_rest_stays(hers: App, his: App) -> None:
    """B27, own posts patch: PUT /api/v1/statuses/:id/interaction_policy. It is the author's to say.

    It is the call for a part of a post: the API knows no PATCH of a status, which is a 405 that tells so.
    """
    made = await _write(hers, "as it was", spoiler_text="hm", quote_approval_policy="public")
    path = f"/api/v1/statuses/{made['id']}"
    changed = await hers.put(f"{path}/interaction_policy", json={"quote_approval_policy": "nobody"})
    assert made["quote_approval"]["automatic"] == ["public"] and changed["quote_approval"]["automatic"] == []
    same = {"quote_approval", "edited_at"}
    assert {**made, **dict.fromkeys(same)} == {**changed, **dict.fromkeys(same)}

    await his.put(f"{path}/interaction_policy", 404, json={"quote_approval_policy": "public"})
    assert (await hers.get(path))["quote_approval"]["automatic"] == []
    answer = await hers.send("PATCH", path, json={"status": "x"})
    assert answer.status_code == 405 and "PUT" in answer.headers["Allow"]


async def test_b28_a_post_is_deleted_by_its_author(nobody: App, hers: App, his: App) -> None:
    """B28, own posts delete: DELETE /api/v1/statuses/:id. Nobody deletes what another has written."""
    made = await _write(hers, "gone soon")
    path = f"/api/v1/statuses/{made['id']}"
    await his.delete(path, 404)
    await nobody.delete(path, 401)
    assert _texts([await nobody.get(path)]) == ["gone soon"]

    assert (await hers.delete(path))["text"] == "gone soon"
    await hers.get(path, 404)
    await hers.delete(path, 404)


# ---------------------------------------------------------------------------------------- reading and people


async def test_b29_the_timeline_has_what_those_wrote_whom_one_follows(
    nobody: App, hers: App, his: App, bob: Account
) -> None:
    """B29, timeline: GET /api/v1/timelines/home. It is of one person, so nobody has none."""
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    first = await _write(his, "one")
    await _write(his, "two")
    assert _texts(await hers.get("/api/v1/timelines/home")) == ["two", "one"]
    newer = {"since_id": first["id"]}
    assert _texts(await hers.get("/api/v1/timelines/home", query_string=newer)) == ["two"]
    await nobody.get("/api/v1/timelines/home", 401)


async def test_b30_it_is_told_whom_somebody_follows(
    nobody: App, hers: App, alice: Account, bob: Account
) -> None:
    """B30, following list: GET /api/v1/accounts/:id/following. That of somebody who is not there is a 404."""
    path = f"/api/v1/accounts/{alice.id}/following"
    assert await nobody.get(path) == []
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    assert [one["acct"] for one in await nobody.get(path)] == ["bob"]
    await nobody.get("/api/v1/accounts/4711/following", 404)


async def test_b31_following_twice_is_the_same_as_once(
    hers: App, his: App, alice: Account, bob: Account
) -> None:
    """B31, following follow: POST /api/v1/accounts/:id/follow. Not of who has blocked one."""
    for _ in range(2):
        assert (await hers.post(f"/api/v1/accounts/{bob.id}/follow"))["following"] is True
    assert (await hers.get(f"/api/v1/accounts/{bob.id}"))["followers_count"] == 1

    await his.post(f"/api/v1/accounts/{alice.id}/block")
    await hers.post(f"/api/v1/accounts/{bob.id}/follow", 403)
    assert (await hers.get(f"/api/v1/accounts/{bob.id}"))["followers_count"] == 0


async def test_b32_unfollowing_twice_is_the_same_as_once(nobody: App, hers: App, bob: Account) -> None:
    """B32, following unfollow: POST /api/v1/accounts/:id/unfollow. For oneself alone."""
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    await nobody.post(f"/api/v1/accounts/{bob.id}/unfollow", 401)
    assert (await hers.get(f"/api/v1/accounts/{bob.id}"))["followers_count"] == 1
    for _ in range(2):
        assert (await hers.post(f"/api/v1/accounts/{bob.id}/unfollow"))["following"] is False
    assert (await hers.get(f"/api/v1/accounts/{bob.id}"))["followers_count"] == 0


async def test_b33_it_is_told_who_follows_somebody_unless_they_hide_it(
    nobody: App, hers: App, his: App, bob: Account
) -> None:
    """B33, followers: GET /api/v1/accounts/:id/followers. Who hides them shows them to nobody else."""
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    path = f"/api/v1/accounts/{bob.id}/followers"
    assert [one["acct"] for one in await nobody.get(path)] == ["alice"]

    await his.send("PATCH", "/api/v1/accounts/update_credentials", json={"hide_collections": True})
    assert await nobody.get(path) == await hers.get(path) == []
    assert [one["acct"] for one in await his.get(path)] == ["alice"]


async def test_b34_the_search_finds_what_one_may_see(hers: App, his: App, bob: Account) -> None:
    """B34, search: GET /api/v2/search. A post that is for others is not found."""
    await _write(his, "cheese for all #cheese")
    await _write(his, "cheese for me", visibility="direct")
    await his.send("PATCH", "/api/v1/accounts/update_credentials", json={"indexable": True})
    found = await hers.get("/api/v2/search", query_string={"q": "cheese"})
    assert [one["name"] for one in found["hashtags"]] == ["cheese"]
    assert ["for all" in one["content"] for one in found["statuses"]] == [True]
    assert len((await his.get("/api/v2/search", query_string={"q": "cheese"}))["statuses"]) == 2
    people = (await hers.get("/api/v2/search", query_string={"q": "bob"}))["accounts"]
    assert [one["id"] for one in people] == [str(bob.id)]
