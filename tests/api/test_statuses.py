"""Statuses through the API: shapes, round trips and refusals."""

import asyncio
from typing import Any

import pytest

from fediblog.models import Account, Post
from tests.api.conftest import AppOf

FLAGS = {"favourited", "reblogged", "bookmarked", "muted", "filtered", "pinned"}
ALWAYS = set(
    """
    id uri url created_at edited_at account content visibility sensitive spoiler_text
    media_attachments mentions tags emojis reblogs_count favourites_count replies_count quotes_count
    in_reply_to_id in_reply_to_account_id reblog poll card language application quote quote_approval
    """.split()
)


async def test_a_status_has_every_field_and_its_ids_are_strings(app_of: AppOf, alice: Account) -> None:
    hers, nobody = await app_of(alice), await app_of()
    made = await hers.post("/api/v1/statuses", json={"status": "hi @alice #Tag", "language": "en"})

    assert set(made) == ALWAYS | FLAGS
    assert isinstance(made["id"], str) and made["id"].isdigit()
    assert made["created_at"].endswith("Z") and made["created_at"][-5] == "."
    assert made["in_reply_to_id"] is None and made["card"] is None
    seen = await nobody.get(f"/api/v1/statuses/{made['id']}")
    assert set(seen) == ALWAYS
    assert seen["account"]["avatar"].startswith("http") and seen["account"]["statuses_count"] == 1


async def test_media_only_posts_and_empty_ones_are_told_apart(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    answer = await hers.post("/api/v1/statuses", 422, json={"status": "  "})
    assert "error" in answer
    assert await Post.all().count() == 0


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"status": "x", "poll": {"options": ["a", "b"], "expires_in": "3600", "multiple": "true"}}},
        {
            "data": "status=x&poll[options][]=a&poll[options][]=b&poll[expires_in]=3600&poll[multiple]=1",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"form": {"status": "x", "poll[options][0]": "a", "poll[options][1]": "b", "poll[expires_in]": "3600",
                  "poll[multiple]": "on"}},
        {"query": "?status=x&poll[options][]=a&poll[options][]=b&poll[expires_in]=3600&poll[multiple]=t"},
    ],
    ids=["json", "urlencoded", "indexed", "query"],
)  # fmt: skip
async def test_all_body_encodings_say_the_same(app_of: AppOf, alice: Account, options: Any) -> None:
    hers = await app_of(alice)
    made = await hers.post("/api/v1/statuses" + options.pop("query", ""), **options)
    assert [option["title"] for option in made["poll"]["options"]] == ["a", "b"]
    assert made["poll"]["multiple"] is True


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"[1]", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b'{"status": "\\u0000"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b'{"status": "\xff"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"status=%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": b"status=%00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"json": {"status": ["a"]}}, 400),
        ({"json": {"status": "x", "poll": "y"}}, 400),
        ({"json": {"status": "x", "visibility": "secret"}}, 422),
        ({"json": {"status": "x", "media_ids": ["nonsense"]}}, 422),
        ({"json": {"status": "x", "media_ids": ["4711"]}}, 422),
        ({"json": {"status": "x" * 501}}, 422),
        ({"json": {"status": "x", "language": "<b>"}}, 422),
        ({"json": {"status": "x", "poll": {"options": ["a"], "expires_in": 3600}}}, 422),
        ({"json": {"status": "x", "poll": {"options": ["a", "b"], "expires_in": 1}}}, 422),
        ({"json": {"status": "x", "in_reply_to_id": "4711"}}, 404),
        ({"json": {"status": "x", "in_reply_to_id": "nonsense"}}, 404),
        ({"data": b"x" * (1024 * 1024 + 1), "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
async def test_bad_input_is_refused_and_stores_nothing(
    app_of: AppOf, alice: Account, options: Any, status: int
) -> None:
    hers = await app_of(alice)
    answer = await hers.post("/api/v1/statuses", status, **options)
    assert answer["error"]
    assert await Post.all().count() == 0


async def test_an_idempotency_key_makes_one_status_also_for_twins(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    sent = {"json": {"status": "once"}, "headers": {"Idempotency-Key": "k1"}}
    made = await asyncio.gather(*(hers.post("/api/v1/statuses", **sent) for _ in range(5)))
    assert len({status["id"] for status in made}) == 1
    assert await Post.all().count() == 1


async def test_favourite_bookmark_pin_and_mute_answer_with_fresh_flags_and_are_repeatable(
    app_of: AppOf, alice: Account
) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "x"})
    path = f"/api/v1/statuses/{status['id']}"
    flags = {"favourite": "favourited", "bookmark": "bookmarked", "pin": "pinned", "mute": "muted"}
    for verb, flag in flags.items():
        for _ in range(2):
            assert (await hers.post(f"{path}/{verb}"))[flag] is True
        for _ in range(2):
            assert (await hers.post(f"{path}/un{verb}"))[flag] is False
    assert (await hers.get(path))["favourites_count"] == 0


async def test_reblog_gives_the_wrapper_and_unreblog_the_original(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    status = await hers.post("/api/v1/statuses", json={"status": "x"})

    boost = await his.post(f"/api/v1/statuses/{status['id']}/reblog")
    again = await his.post(f"/api/v1/statuses/{boost['id']}/reblog")
    assert boost["id"] == again["id"] != status["id"]
    assert boost["account"]["acct"] == "bob" and boost["reblog"]["account"]["acct"] == "alice"
    assert (boost["reblog"]["reblogged"], boost["reblog"]["reblogs_count"]) == (True, 1)
    liked = await hers.post(f"/api/v1/statuses/{boost['id']}/favourite")
    assert liked["id"] == status["id"]
    original = await his.post(f"/api/v1/statuses/{boost['id']}/unreblog")
    assert (original["id"], original["reblogged"], original["reblogs_count"]) == (status["id"], False, 0)


async def test_what_one_may_not_see_is_missing_for_every_verb(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    private = await hers.post("/api/v1/statuses", json={"status": "psst", "visibility": "private"})
    path = f"/api/v1/statuses/{private['id']}"
    for verb in ("favourite", "reblog", "bookmark", "mute", "pin"):
        await his.post(f"{path}/{verb}", 404)
        await his.post(f"{path}/un{verb}", 404)
    for part in ("", "/context", "/source", "/history", "/favourited_by", "/reblogged_by"):
        await his.get(f"{path}{part}", 404)
    await his.delete(path, 404)
    await his.put(path, 404, json={"status": "mine"})


async def test_an_edit_shows_its_history_and_source(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "one"})
    path = f"/api/v1/statuses/{status['id']}"
    edited = await hers.put(path, json={"status": "two", "spoiler_text": "careful"})

    assert edited["edited_at"] and "two" in edited["content"]
    assert await hers.get(f"{path}/source") == {
        "id": status["id"], "text": "two", "spoiler_text": "careful",
    }  # fmt: skip
    history = await hers.get(f"{path}/history")
    assert ["one" in history[0]["content"], "two" in history[1]["content"]] == [True, True]
    assert history[0]["account"]["acct"] == "alice"


async def test_a_deleted_status_gives_its_text_back(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    status = await hers.post("/api/v1/statuses", json={"status": "again *please*"})
    deleted = await hers.delete(f"/api/v1/statuses/{status['id']}")
    assert deleted["text"] == "again *please*"
    await hers.get(f"/api/v1/statuses/{status['id']}", 404)


async def test_context_holds_ancestors_and_descendants(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    ids = [None]
    for number in range(3):
        made = await hers.post("/api/v1/statuses", json={"status": str(number), "in_reply_to_id": ids[-1]})
        ids.append(made["id"])
    context = await hers.get(f"/api/v1/statuses/{ids[2]}/context")
    assert [status["id"] for status in context["ancestors"]] == [ids[1]]
    assert [status["id"] for status in context["descendants"]] == [ids[3]]


async def test_voting_counts_once_and_only_for_options_that_exist(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his, nobody = await app_of(alice), await app_of(bob), await app_of()
    poll = {"options": ["a", "b"], "expires_in": 3600}
    status = await hers.post("/api/v1/statuses", json={"status": "?", "poll": poll})
    path = f"/api/v1/polls/{status['poll']['id']}"

    for wrong in (["2"], ["-1"], ["0", "1"], [], ["nonsense"]):
        await his.post(f"{path}/votes", 422, json={"choices": wrong})
    voted = await his.post(f"{path}/votes", form={"choices[]": "1"})
    assert (voted["voted"], voted["own_votes"], voted["votes_count"]) == (True, [1], 1)
    await his.post(f"{path}/votes", 422, json={"choices": ["0"]})
    await hers.post(f"{path}/votes", 422, json={"choices": ["0"]})
    seen = await nobody.get(path)
    assert "voted" not in seen and [option["votes_count"] for option in seen["options"]] == [0, 1]
    await hers.get("/api/v1/polls/4711", 404)


async def test_several_statuses_come_in_the_order_asked_without_those_one_may_not_see(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    one = await hers.post("/api/v1/statuses", json={"status": "1"})
    two = await hers.post("/api/v1/statuses", json={"status": "2", "visibility": "direct"})
    three = await hers.post("/api/v1/statuses", json={"status": "3"})
    query = "&".join(f"id[]={status['id']}" for status in (three, two, one))
    assert [s["id"] for s in await his.get(f"/api/v1/statuses?{query}&id[]=4711")] == [three["id"], one["id"]]
