"""Accounts, relationships and the lists of people through the API."""

import io
from typing import Any

from PIL import Image
from quart.datastructures import FileStorage

from fediblog.models import Account
from tests.api.conftest import AppOf
from tests.people import remote

RELATIONSHIP = set(
    """
    id following showing_reblogs notifying languages followed_by blocking blocked_by muting
    muting_notifications muting_expires_at requested requested_by domain_blocking endorsed note
    """.split()
)
ACCOUNT = set(
    """
    id username acct url uri display_name note avatar avatar_static header header_static locked bot
    group discoverable indexable noindex hide_collections fields emojis roles created_at
    last_status_at statuses_count followers_count following_count
    """.split()
)


def picture() -> FileStorage:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    file.seek(0)
    return FileStorage(file, "me.png", content_type="image/png")


async def test_verify_credentials_is_the_account_with_source_and_role(app_of: AppOf, alice: Account) -> None:
    me = await (await app_of(alice)).get("/api/v1/accounts/verify_credentials")
    assert set(me) == ACCOUNT | {"source", "role"}
    assert me["source"]["privacy"] == "public" and me["role"]["name"] == ""


async def test_an_account_is_found_by_id_and_by_handle(app_of: AppOf, alice: Account) -> None:
    nobody = await app_of()
    far = await remote("dave", "far.example")
    assert set(await nobody.get(f"/api/v1/accounts/{alice.id}")) == ACCOUNT
    for acct in ("alice", "@ALICE", "alice@localhost:8000"):
        assert (await nobody.get(f"/api/v1/accounts/lookup?acct={acct}"))["id"] == str(alice.id)
    assert (await nobody.get("/api/v1/accounts/lookup?acct=dave@far.example"))["id"] == str(far.id)
    for acct in ("", "nobody", "alice@elsewhere.example", "a b", "%00", "../x"):
        await nobody.get(f"/api/v1/accounts/lookup?acct={acct}", 404)
    await nobody.get("/api/v1/accounts/4711", 404)
    await nobody.get("/api/v1/accounts/99999999999999999999999", 404)


async def test_following_changes_the_relationship_in_the_same_answer(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    followed = await hers.post(f"/api/v1/accounts/{bob.id}/follow", json={"reblogs": "false"})
    assert set(followed) == RELATIONSHIP
    assert (followed["following"], followed["showing_reblogs"], followed["id"]) == (True, False, str(bob.id))
    (seen,) = await his.get(f"/api/v1/accounts/relationships?id={alice.id}")
    assert seen["followed_by"] is True
    assert [a["acct"] for a in await his.get(f"/api/v1/accounts/{bob.id}/followers")] == ["alice"]
    assert [a["acct"] for a in await his.get(f"/api/v1/accounts/{alice.id}/following")] == ["bob"]
    assert (await hers.post(f"/api/v1/accounts/{bob.id}/unfollow"))["following"] is False
    await hers.post(f"/api/v1/accounts/{alice.id}/follow", 422)
    await hers.post("/api/v1/accounts/4711/follow", 404)


async def test_a_locked_account_is_asked_first(app_of: AppOf, alice: Account, bob: Account) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    await Account.filter(id=bob.id).update(locked=True)
    asked = await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    assert (asked["requested"], asked["following"]) == (True, False)
    assert [a["acct"] for a in await his.get("/api/v1/follow_requests")] == ["alice"]
    await his.post(f"/api/v1/follow_requests/{alice.id}/authorize")
    (seen,) = await hers.get(f"/api/v1/accounts/relationships?id[]={bob.id}")
    assert (seen["requested"], seen["following"]) == (False, True)
    await his.post(f"/api/v1/follow_requests/{alice.id}/reject", 404)


async def test_blocking_and_muting_show_in_the_answer_and_in_their_lists(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers = await app_of(alice)
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    blocked = await hers.post(f"/api/v1/accounts/{bob.id}/block")
    assert (blocked["blocking"], blocked["following"]) == (True, False)
    assert [a["acct"] for a in await hers.get("/api/v1/blocks")] == ["bob"]
    assert (await hers.get(f"/api/v1/accounts/{bob.id}"))["acct"] == "bob"
    assert (await hers.post(f"/api/v1/accounts/{bob.id}/unblock"))["blocking"] is False
    muted = await hers.post(f"/api/v1/accounts/{bob.id}/mute", json={"duration": 600, "notifications": False})
    assert (muted["muting"], muted["muting_notifications"]) == (True, False)
    assert muted["muting_expires_at"] is not None
    assert [a["acct"] for a in await hers.get("/api/v1/mutes")] == ["bob"]
    assert (await hers.post(f"/api/v1/accounts/{bob.id}/unmute"))["muting"] is False


async def test_the_cursor_of_followers_is_that_of_the_relation(
    app_of: AppOf, alice: Account, bob: Account, carol: Account
) -> None:
    for fan in (bob, carol):
        await (await app_of(fan)).post(f"/api/v1/accounts/{alice.id}/follow")
    hers = await app_of(alice)
    answer = await hers.send("GET", f"/api/v1/accounts/{alice.id}/followers?limit=1")
    assert [a["acct"] for a in await answer.get_json()] == ["carol"]
    link = answer.headers["Link"]
    assert link.startswith("<http://localhost:8000/api/v1/accounts/") and '>; rel="next", <' in link
    following = link.split(">")[0].removeprefix("<http://localhost:8000")
    assert [a["acct"] for a in await hers.get(following)] == ["bob"]


async def test_the_profile_is_edited_in_every_encoding(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    path = "/api/v1/accounts/update_credentials"

    async def patch(**options: Any) -> Any:
        answer = await hers.send("PATCH", path, **options)
        assert answer.status_code == 200, await answer.get_data()
        return await answer.get_json()

    changed = await patch(
        form={"display_name": "Alice A.", "note": "Hi <b>", "source[privacy]": "unlisted",
              "fields_attributes[0][name]": "Site", "fields_attributes[0][value]": "https://a.example"},
        files={"avatar": picture()},
    )  # fmt: skip
    assert changed["display_name"] == "Alice A." and "&lt;b&gt;" in changed["note"]
    assert changed["source"]["privacy"] == "unlisted" and changed["source"]["note"] == "Hi <b>"
    assert changed["fields"][0]["name"] == "Site" and "a.example" in changed["fields"][0]["value"]
    assert "/media/" in changed["avatar"]
    changed = await patch(json={"fields_attributes": {"0": {"name": "a", "value": "b"}}, "locked": "true"})
    assert [f["name"] for f in changed["fields"]] == ["a"] and changed["locked"] is True
    status = await hers.post("/api/v1/statuses", json={"status": "x"})
    assert status["visibility"] == "unlisted" and status["account"]["display_name"] == "Alice A."

    too_long = await hers.send("PATCH", path, json={"note": "x" * 2000, "display_name": "B"})
    assert too_long.status_code == 422
    wrong = await hers.send("PATCH", path, json={"source": {"privacy": "nonsense"}})
    assert wrong.status_code == 422
    assert (await hers.get("/api/v1/accounts/verify_credentials"))["display_name"] == "Alice A."


async def test_statuses_of_an_account_follow_its_switches(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    theirs = await his.post("/api/v1/statuses", json={"status": "b"})
    own = await hers.post("/api/v1/statuses", json={"status": "a"})
    reply = await hers.post("/api/v1/statuses", json={"status": "re", "in_reply_to_id": theirs["id"]})
    boost = await hers.post(f"/api/v1/statuses/{theirs['id']}/reblog")
    await hers.post(f"/api/v1/statuses/{own['id']}/pin")

    async def ids(query: str = "") -> list[str]:
        return [s["id"] for s in await his.get(f"/api/v1/accounts/{alice.id}/statuses{query}")]

    assert await ids() == [boost["id"], reply["id"], own["id"]]
    assert await ids("?exclude_replies=true&exclude_reblogs=1") == [own["id"]]
    assert await ids("?pinned=true") == [own["id"]]
    assert await ids("?only_media=true") == []


async def test_who_has_moved_says_where_to(app_of: AppOf, alice: Account, bob: Account):
    await Account.filter(id=alice.id).update(moved_to_id=bob.id)
    found = await (await app_of(None)).get(f"/api/v1/accounts/{alice.id}")
    assert found["moved"]["acct"] == "bob"
    assert "moved" not in await (await app_of(None)).get(f"/api/v1/accounts/{bob.id}")
