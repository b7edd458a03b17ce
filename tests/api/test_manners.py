"""What apps rely on beyond the shapes: acts that are whole or not at all, and what is told to whom."""

from typing import Any
from urllib.parse import quote

import pytest

from fediblog import moments
from fediblog.api import rendering
from fediblog.models import Account, Media, Post, User
from fediblog.services import mutes, posts, views
from fediblog.services.composing import Draft
from tests.api.conftest import AppOf
from tests.people import user_of
from tests.services.making import file_of


async def test_an_edit_that_is_refused_leaves_the_words_of_files_as_they_were(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers = await app_of(alice)
    file = await file_of(alice, description="old")
    status = await hers.post("/api/v1/statuses", json={"status": "x", "media_ids": [str(file.id)]})
    other = await (await app_of(bob)).post("/api/v1/statuses", json={"status": "his"})
    changes = {"media_ids": [str(file.id)], "media_attributes": [{"id": str(file.id), "description": "new"}]}

    path = f"/api/v1/statuses/{status['id']}"
    await hers.put(path, 422, json={**changes, "status": "x" * 501})
    await hers.put(f"/api/v1/statuses/{other['id']}", 404, json={**changes, "status": "mine"})
    assert (await Media.get(id=file.id)).description == "old"
    edited = await hers.put(path, json={**changes, "status": "y"})
    assert edited["media_attachments"][0]["description"] == "new"
    before, now = await hers.get(f"{path}/history")
    assert before["media_attachments"][0]["description"] == "old"
    assert now["media_attachments"][0]["description"] == "new"


async def test_an_edit_cannot_describe_files_of_others_or_of_other_posts(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "x"})
    for owner in (alice, bob):
        file = await file_of(owner, description="old")
        words = [{"id": str(file.id), "description": "new"}]
        path = f"/api/v1/statuses/{status['id']}"
        await hers.put(path, 422, json={"status": "y", "media_attributes": words})
        assert (await Media.get(id=file.id)).description == "old"


@pytest.mark.parametrize(
    "wrong", [{"source": {"privacy": "nonsense"}}, {"source": {"language": "<b>"}}, {"note": "x" * 2000}]
)
async def test_a_profile_is_changed_wholly_or_not_at_all(
    app_of: AppOf, alice: Account, wrong: dict[str, Any]
) -> None:
    hers = await app_of(alice)
    given = {"display_name": "Changed", "source": {"sensitive": True}, **wrong}
    answer = await hers.send("PATCH", "/api/v1/accounts/update_credentials", json=given)
    assert answer.status_code == 422
    assert (await Account.get(id=alice.id)).display_name == "Alice"
    assert (await user_of(alice)).default_sensitive is False


@pytest.mark.parametrize("word", ["perhaps", {}, [], None])
async def test_a_switch_that_cannot_be_read_stays_as_it_is(app_of: AppOf, alice: Account, word: Any) -> None:
    hers = await app_of(alice)
    await Account.filter(id=alice.id).update(locked=True)
    answer = await hers.send("PATCH", "/api/v1/accounts/update_credentials", json={"locked": word})
    assert answer.status_code == 200
    assert (await Account.get(id=alice.id)).locked is True


async def test_of_somebody_suspended_only_the_name_is_told(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    nobody, his = await app_of(), await app_of(bob)
    await his.post(f"/api/v1/accounts/{alice.id}/follow")
    await Account.filter(id=alice.id).update(
        note="<p>Bad words</p>", suspended_at=moments.now(), version=alice.version + 1, avatar="a.png",
        fields_=[{"name": "a", "source": "b", "value": "b", "verified_at": None}],
    )  # fmt: skip
    seen = await nobody.get(f"/api/v1/accounts/{alice.id}")
    assert (seen["acct"], seen["suspended"]) == ("alice", True)
    assert (seen["display_name"], seen["note"], seen["fields"]) == ("", "", [])
    assert "a.png" not in seen["avatar"]
    assert await nobody.get(f"/api/v1/accounts/{alice.id}/followers") == []


@pytest.mark.parametrize("tag", ["日本", "Straße", "a_b"])
async def test_links_of_a_hashtag_of_other_letters_lead_on(app_of: AppOf, alice: Account, tag: str) -> None:
    nobody = await app_of()
    made = [str((await posts.publish(alice, Draft(f"#{tag}"))).id) for _ in range(3)]
    answer = await nobody.send("GET", f"/api/v1/timelines/tag/{quote(tag)}?limit=2")
    link = answer.headers["Link"]
    assert link.isascii()
    following = link.split(">")[0].removeprefix("<http://localhost:8000")
    assert [s["id"] for s in await answer.get_json()] == made[:0:-1]
    assert [s["id"] for s in await nobody.get(following)] == made[:1]


async def test_mutes_say_when_they_end(app_of: AppOf, alice: Account, bob: Account, carol: Account) -> None:
    hers = await app_of(alice)
    await mutes.mute(alice, bob)
    await mutes.mute(alice, carol, seconds=600)
    ends = {a["acct"]: a["mute_expires_at"] for a in await hers.get("/api/v1/mutes")}
    assert ends["bob"] is None and ends["carol"].endswith("Z")


async def test_types_that_nobody_knows_find_nothing_and_follows_have_a_group(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers = await app_of(alice)
    await (await app_of(bob)).post(f"/api/v1/accounts/{alice.id}/follow")
    assert await hers.get("/api/v1/notifications?types[]=unheard_of") == []
    (told,) = await hers.get("/api/v1/notifications")
    assert told["group_key"].startswith("follow-")


@pytest.mark.parametrize(
    ("usual", "asked", "wanted"), [(2, None, "private"), (0, None, "unlisted"), (2, "public", "public")]
)
async def test_a_reply_without_a_wish_is_no_wider_than_usual(
    app_of: AppOf, alice: Account, bob: Account, usual: int, asked: str | None, wanted: str
) -> None:
    root = await (await app_of(alice)).post(
        "/api/v1/statuses", json={"status": "x", "visibility": "unlisted"}
    )
    his = await app_of(bob)
    await User.filter(id=(await user_of(bob)).id).update(default_visibility=usual)
    reply = {"status": "re", "in_reply_to_id": root["id"], "visibility": asked}
    assert (await his.post("/api/v1/statuses", json=reply))["visibility"] == wanted


async def test_what_is_meant_for_later_is_not_published_now(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    given = {"status": "x", "scheduled_at": "2040-01-01T00:00:00.000Z"}
    await hers.post("/api/v1/statuses", 422, json=given)
    assert await Post.all().count() == 0


async def test_history_tells_nobody_what_was_said_before_they_were_addressed(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    status = await hers.post("/api/v1/statuses", json={"status": "about bob", "visibility": "direct"})
    path = f"/api/v1/statuses/{status['id']}"
    await hers.put(path, json={"status": "@bob hello"})
    (seen,) = await his.get(f"{path}/history")
    assert "hello" in seen["content"]
    assert len(await hers.get(f"{path}/history")) == 2


async def test_an_edit_without_a_language_keeps_it(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "x", "language": "fr"})
    edited = await hers.put(f"/api/v1/statuses/{status['id']}", json={"status": "y"})
    assert edited["language"] == "fr"


async def test_the_source_of_ones_own_boost_is_that_of_the_original(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "text"})
    boost = await hers.post(f"/api/v1/statuses/{status['id']}/reblog")
    assert (await hers.get(f"/api/v1/statuses/{boost['id']}/source"))["id"] == status["id"]


@pytest.mark.parametrize("body", ["status=a%EF%BF%BDb", '{"status": "a\\ufffdb"}'])
async def test_the_sign_for_what_cannot_be_read_may_be_typed(
    app_of: AppOf, alice: Account, body: str
) -> None:
    kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    made = await (await app_of(alice)).post("/api/v1/statuses", data=body, headers={"Content-Type": kind})
    assert "\ufffd" in made["content"]


async def test_a_backslash_before_what_looks_like_a_nul_is_text(app_of: AppOf, alice: Account) -> None:
    made = await (await app_of(alice)).post("/api/v1/statuses", json={"status": "C says \\u0000"})
    assert "\\u0000" in made["content"]


async def test_what_is_deleted_while_it_is_rendered_moves_nothing_into_its_place(
    app_of: AppOf, alice: Account
) -> None:
    one, two = [await posts.publish(alice, Draft(text)) for text in ("one", "two")]
    entries = await views.entries([one.id, two.id], alice)
    await posts.delete(alice, one.id)
    found = await rendering.by_id(list(entries.values()), alice)
    assert found.keys() == {two.id} and b"two" in found[two.id]


async def test_many_statuses_at_once_take_few_statements(
    app_of: AppOf, alice: Account, bob: Account, queries: Any
) -> None:
    made = [await posts.publish(alice, Draft(str(number))) for number in range(30)]
    his = await app_of(bob)
    await his.get(f"/api/v1/statuses?id[]={made[0].id}")  # Notes the use of the token, looks for filters.
    query = "&".join(f"id[]={post.id}" for post in made)
    with queries() as sent:
        assert len(await his.get(f"/api/v1/statuses?{query}")) == 30
    assert len(sent) <= 5, sent.sql


async def test_pages_of_pinned_statuses_come_to_an_end(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    made = [(await hers.post("/api/v1/statuses", json={"status": str(n)}))["id"] for n in range(3)]
    for number in made:
        await hers.post(f"/api/v1/statuses/{number}/pin")
    seen: list[str] = []
    path = f"/api/v1/accounts/{alice.id}/statuses?pinned=true&limit=2"
    while path and len(seen) < 9:
        answer = await hers.send("GET", path)
        seen += [status["id"] for status in await answer.get_json()]
        path = answer.headers.get("Link", "").split(">")[0].removeprefix("<http://localhost:8000")
    assert seen == made[::-1]
