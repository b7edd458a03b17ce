"""Notifications through the API: what is asked for, groups and their pages, the policy, and requests."""

from typing import Any

import pytest

from fediblog import db
from fediblog.models import Account, Post
from fediblog.services import blocks, boosts, follows, likes, notification_policy, posts
from fediblog.services.composing import Draft
from tests.api.conftest import App, AppOf
from tests.harness.statements import recorded
from tests.people import person
from tests.services import making

V1, V2 = "/api/v1/notifications", "/api/v2/notifications"
POLICY, REQUESTS = f"{V2}/policy", f"{V1}/requests"


@pytest.fixture
async def hers(app_of: AppOf, alice: Account) -> App:
    return await app_of(alice)


async def crowd(number: int) -> list[Account]:
    return [await person(f"p{n}") for n in range(number)]


async def hold_back(account: Account) -> None:
    await notification_policy.edit(account, not_following="filter")


def names(page: Any) -> list[tuple[str, int]]:
    return [(group["type"], group["notifications_count"]) for group in page["notification_groups"]]


# ------------------------------------------------------------------------------------------------ groups


async def test_likes_boosts_and_follows_are_told_together_each_account_and_status_once(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    post = await posts.publish(alice, Draft("Mine"))
    for one in (bob, carol):
        await likes.like(one, post)
        await boosts.boost(one, post)
        await follows.follow(one, alice)
    said = await posts.publish(bob, Draft("@alice hey"))

    page = await hers.get(V2)
    assert set(page) == {"accounts", "statuses", "notification_groups"}
    assert names(page) == [("mention", 1), ("follow", 2), ("reblog", 2), ("favourite", 2)]
    mention, follow, _, liked = page["notification_groups"]
    assert set(liked) == {
        *("group_key", "notifications_count", "type", "most_recent_notification_id", "status_id"),
        *("page_min_id", "page_max_id", "latest_page_notification_at", "sample_account_ids"),
    }
    assert liked["group_key"].startswith(f"favourite-{post.id}-") and liked["status_id"] == str(post.id)
    assert liked["sample_account_ids"] == [str(carol.id), str(bob.id)]
    assert liked["page_max_id"] == liked["most_recent_notification_id"] > liked["page_min_id"]
    assert "status_id" not in follow and follow["group_key"].startswith("follow-")
    assert mention["group_key"] == f"ungrouped-{mention['page_max_id']}"
    assert sorted(one["id"] for one in page["accounts"]) == sorted([str(bob.id), str(carol.id)])
    assert sorted(one["id"] for one in page["statuses"]) == sorted([str(post.id), str(said.id)])
    old = {item["group_key"] for item in await hers.get(V1)}
    assert old == {group["group_key"] for group in page["notification_groups"]}


async def test_only_the_types_that_are_asked_for_are_told_together(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    post = await making.post(alice)
    for one in (bob, carol):
        await likes.like(one, post)
        await follows.follow(one, alice)
    page = await hers.get(f"{V2}?grouped_types[]=follow&grouped_types[]=mention&grouped_types[]=nonsense")
    assert names(page) == [("follow", 2), ("favourite", 1), ("favourite", 1)]
    assert page["notification_groups"][1]["group_key"].startswith("ungrouped-")
    assert names(await hers.get(f"{V2}?types[]=favourite&types[]=nonsense")) == [("favourite", 2)]
    assert names(await hers.get(f"{V2}?exclude_types[]=favourite")) == [("follow", 2)]
    assert names(await hers.get(f"{V2}?account_id={bob.id}")) == [("follow", 1), ("favourite", 1)]
    assert names(await hers.get(f"{V2}?types[]=nonsense")) == []
    await hers.get(f"{V2}?account_id=bob", 422)


async def test_going_down_no_group_is_met_twice_and_none_is_left_out(hers: App, alice: Account) -> None:
    people, about = await crowd(4), [await making.post(alice) for _ in range(3)]
    for one in people:
        for post in about:
            await likes.like(one, post)
        await follows.follow(one, alice)
    seen: list[str] = []
    path = f"{V2}?limit=1"
    while path:
        answer = await hers.send("GET", path)
        seen += [group["group_key"] for group in (await answer.get_json())["notification_groups"]]
        link = answer.headers.get("Link", "")
        path = link.split(">")[0].removeprefix("<").partition("://")[2].partition("/")[2] if link else ""
        path = f"/{path}" if path else ""
    assert len(seen) == len(set(seen)) == 4


async def test_what_is_new_is_the_whole_group_again(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    post = await making.post(alice)
    await likes.like(bob, post)
    newest = (await hers.get(V2))["notification_groups"][0]["page_max_id"]
    assert names(await hers.get(f"{V2}?since_id={newest}")) == []
    await likes.like(carol, post)
    page = await hers.get(f"{V2}?since_id={newest}")
    assert names(page) == [("favourite", 2)]
    (group,) = page["notification_groups"]
    assert group["page_min_id"] == group["page_max_id"] > newest


async def test_who_is_blocked_neither_counts_nor_stands_for_a_group(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    post = await making.post(alice)
    for one in (bob, carol):
        await likes.like(one, post)
    await blocks.block(alice, carol)
    page = await hers.get(V2)
    assert names(page) == [("favourite", 1)]
    assert [one["id"] for one in page["accounts"]] == [str(bob.id)]


async def test_pages_cost_the_same_whatever_they_hold(hers: App, alice: Account, bob: Account) -> None:
    await likes.like(bob, await making.post(alice))
    await hers.get(V2)
    with recorded() as few:
        await hers.get(V2)
    for one in await crowd(6):
        for post in [await making.post(alice) for _ in range(2)]:
            await likes.like(one, post)
        await follows.follow(one, alice)
    await hers.get(V2)
    with recorded() as many:
        assert len((await hers.get(V2))["notification_groups"]) == 14
    assert len(many) == len(few)


async def test_of_the_senders_but_the_first_an_avatar_may_do(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    for one in (bob, carol):
        await follows.follow(one, alice)
    page = await hers.get(f"{V2}?expand_accounts=partial_avatars")
    assert [one["id"] for one in page["accounts"]] == [str(carol.id)]
    (partial,) = page["partial_accounts"]
    assert partial["id"] == str(bob.id)
    assert set(partial) == {"id", "acct", "url", "avatar", "avatar_static", "locked", "bot"}


async def test_a_group_is_shown_named_and_thrown_away_by_its_key(
    hers: App, app_of: AppOf, alice: Account, bob: Account
) -> None:
    people = await crowd(10)
    post = await making.post(alice)
    for one in people:
        await likes.like(one, post)
    await follows.follow(bob, alice)
    follow, liked = (await hers.get(V2))["notification_groups"]
    path = f"{V2}/{liked['group_key']}"

    shown = await hers.get(path)
    assert names(shown) == [("favourite", 10)] and len(shown["accounts"]) == 8
    first = await hers.send("GET", f"{path}/accounts?limit=6")
    assert [one["id"] for one in await first.get_json()] == [str(one.id) for one in people[:3:-1]]
    cursor = first.headers["Link"].partition("max_id=")[2].partition(">")[0]
    rest = await hers.get(f"{path}/accounts?limit=6&max_id={cursor}")
    assert [one["id"] for one in rest] == [str(one.id) for one in people[3::-1]]

    his = await app_of(bob)
    for other in (path, f"{path}/accounts"):
        await his.get(other, 404)
    await his.post(f"{path}/dismiss")
    await hers.get(path)
    for _ in range(2):
        assert await hers.post(f"{path}/dismiss") == {}
    await hers.get(path, 404)
    assert (await hers.get(V2))["notification_groups"] == [follow]


async def test_one_that_stands_alone_is_a_group_too(hers: App, alice: Account, bob: Account) -> None:
    await posts.publish(bob, Draft("@alice hey"))
    key = (await hers.get(V2))["notification_groups"][0]["group_key"]
    assert names(await hers.get(f"{V2}/{key}")) == [("mention", 1)]
    assert [one["id"] for one in await hers.get(f"{V2}/{key}/accounts")] == [str(bob.id)]
    await hers.post(f"{V2}/{key}/dismiss")
    for nothing in (key, "ungrouped-x", "favourite-1-2", "nonsense"):
        await hers.get(f"{V2}/{nothing}", 404)


async def test_unread_ones_are_counted_by_group_and_one_by_one(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    post = await making.post(alice)
    for one in (bob, carol):
        await likes.like(one, post)
        await follows.follow(one, alice)
    assert await hers.get(f"{V1}/unread_count") == {"count": 4}
    assert await hers.get(f"{V2}/unread_count") == {"count": 2}
    assert await hers.get(f"{V2}/unread_count?grouped_types[]=follow") == {"count": 3}
    for path in (V1, V2):
        assert await hers.get(f"{path}/unread_count?limit=1") == {"count": 1}
        assert await hers.get(f"{path}/unread_count?types[]=mention") == {"count": 0}
        assert await hers.get(f"{path}/unread_count?types[]=nonsense") == {"count": 0}


async def test_old_clients_name_what_they_dismiss_in_the_body(
    hers: App, alice: Account, bob: Account
) -> None:
    await follows.follow(bob, alice)
    number = (await hers.get(V1))[0]["id"]
    assert await hers.post(f"{V1}/dismiss", form={"id": number}) == {}
    assert await hers.get(V1) == []
    await hers.post(f"{V1}/dismiss", form={"id": number}, status=404)
    await hers.post(f"{V1}/dismiss", status=404)


# ------------------------------------------------------------------------------------------------ policy


async def test_the_policy_is_read_and_changed_in_both_forms(hers: App) -> None:
    accept = dict.fromkeys(("not_following", "not_followers", "new_accounts", "private_mentions"), "accept")
    first = {f"for_{sort}": word for sort, word in {**accept, "limited_accounts": "filter"}.items()}
    nothing = {"pending_requests_count": 0, "pending_notifications_count": 0}
    assert await hers.get(POLICY) == {**first, "summary": nothing}

    sent = {"for_not_following": "filter", "for_new_accounts": "drop"}
    changed = await _patch(hers, POLICY, form=sent)
    assert changed == {**first, **sent, "summary": nothing} == await hers.get(POLICY)
    old = await hers.get(f"{V1}/policy")
    assert old.pop("summary") == nothing
    assert old == {
        "filter_not_following": True,
        "filter_not_followers": False,
        "filter_new_accounts": True,
        "filter_private_mentions": False,
        "filter_limited_accounts": True,
    }
    switched = {
        "filter_not_following": "false",
        "filter_new_accounts": "true",
        "filter_private_mentions": "1",
    }
    await hers.put(f"{V1}/policy", form=switched)
    now = await hers.get(POLICY)
    assert (now["for_not_following"], now["for_new_accounts"]) == ("accept", "drop")
    assert now["for_private_mentions"] == "filter"
    await _patch(hers, POLICY, 422, json={"for_not_followers": "maybe"})


async def _patch(app: App, path: str, status: int = 200, **options: Any) -> Any:
    answer = await app.send("PATCH", path, **options)
    assert answer.status_code == status
    return await answer.get_json()


# ------------------------------------------------------------------------------------------------ requests


async def test_a_request_gathers_what_somebody_did_and_accepting_lets_it_in(
    hers: App, alice: Account, bob: Account
) -> None:
    await hold_back(alice)
    post = await making.post(alice)
    await likes.like(bob, post)
    said = await posts.publish(bob, Draft("@alice hey"))
    assert await hers.get(V1) == [] == (await hers.get(V2))["notification_groups"]
    assert await hers.get(f"{V1}/unread_count") == await hers.get(f"{V2}/unread_count") == {"count": 0}

    (asked,) = await hers.get(REQUESTS)
    assert set(asked) == {
        *("id", "created_at", "updated_at", "notifications_count", "account", "last_status"),
    }
    assert (asked["account"]["id"], asked["notifications_count"]) == (str(bob.id), "2")
    assert asked["last_status"]["id"] == str(said.id)
    assert await hers.get(f"{REQUESTS}/{asked['id']}") == asked
    summary = (await hers.get(POLICY))["summary"]
    assert summary == {"pending_requests_count": 1, "pending_notifications_count": 2}
    held = await hers.get(f"{V1}?include_filtered=true&account_id={bob.id}")
    assert [item["type"] for item in held] == ["mention", "favourite"]
    assert names(await hers.get(f"{V2}?include_filtered=true")) == [("mention", 1), ("favourite", 1)]

    assert await hers.post(f"{REQUESTS}/{asked['id']}/accept") == {}
    assert await hers.get(REQUESTS) == []
    assert await hers.get(f"{REQUESTS}/merged") == {"merged": True}
    assert await hers.get(V1) == held
    await follows.follow(bob, alice)
    assert len(await hers.get(V1)) == 3, "whom one let in is heard from now on"
    await hers.post(f"{REQUESTS}/{asked['id']}/accept", 404)


async def test_a_dismissed_request_is_gone_and_comes_again_with_the_next_notice(
    hers: App, alice: Account, bob: Account
) -> None:
    await hold_back(alice)
    await follows.follow(bob, alice)
    (asked,) = await hers.get(REQUESTS)
    assert await hers.post(f"{REQUESTS}/{asked['id']}/dismiss") == {}
    assert await hers.get(REQUESTS) == [] == await hers.get(f"{V1}?include_filtered=true")
    await likes.like(bob, await making.post(alice))
    assert [one["notifications_count"] for one in await hers.get(REQUESTS)] == ["1"]
    await hers.post(f"{REQUESTS}/{asked['id']}/dismiss", 404)


async def test_many_are_accepted_or_dismissed_at_once_and_only_ones_own(
    hers: App, app_of: AppOf, alice: Account, bob: Account
) -> None:
    people = await crowd(4)
    for receiver in (alice, bob):
        await hold_back(receiver)
        for one in people:
            await follows.follow(one, receiver)
    ids = [one["id"] for one in await hers.get(REQUESTS)]
    his = await app_of(bob)
    await his.post(f"{REQUESTS}/accept", form={"id[]": ids[0]})
    for path in (f"{REQUESTS}/{ids[0]}/accept", f"{REQUESTS}/{ids[0]}/dismiss"):
        await his.post(path, 404)
    await his.get(f"{REQUESTS}/{ids[0]}", 404)
    assert len(await hers.get(REQUESTS)) == 4 == len(await his.get(REQUESTS))

    assert await hers.post(f"{REQUESTS}/accept", json={"id": ids[:2]}) == {}
    assert await hers.post(f"{REQUESTS}/dismiss", json={"id": [ids[2], "4711"]}) == {}
    assert [one["id"] for one in await hers.get(REQUESTS)] == ids[3:]
    assert len(await hers.get(V1)) == 2
    await hers.post(f"{REQUESTS}/accept", json={"id": ["x"]}, status=422)


async def test_requests_come_in_pages_at_a_constant_cost(hers: App, alice: Account, bob: Account) -> None:
    await hold_back(alice)
    people = await crowd(3)
    for one in people:
        await posts.publish(one, Draft("@alice hey"))
    first = await hers.send("GET", f"{REQUESTS}?limit=2")
    assert [one["account"]["id"] for one in await first.get_json()] == [str(p.id) for p in people[:0:-1]]
    cursor = first.headers["Link"].partition("max_id=")[2].partition(">")[0]
    (last,) = await hers.get(f"{REQUESTS}?limit=2&max_id={cursor}")
    assert last["account"]["id"] == str(people[0].id)
    await hers.get(REQUESTS)
    with recorded() as few:
        await hers.get(f"{REQUESTS}?limit=1")
    with recorded() as many:
        await hers.get(REQUESTS)
    assert len(few) == len(many)


async def test_nothing_is_learnt_of_a_post_that_became_invisible(
    hers: App, alice: Account, bob: Account
) -> None:
    await hold_back(alice)
    said = await posts.publish(bob, Draft("@alice hey"))
    await _unmention(said, alice)
    assert await hers.get(REQUESTS) == []
    assert (await hers.get(POLICY))["summary"]["pending_requests_count"] == 0


async def _unmention(post: Post, account: Account) -> None:
    async with db.transaction():
        await db.execute("UPDATE post SET visibility = 3 WHERE id = $1", post.id)
        await db.execute("DELETE FROM mention WHERE post_id = $1 AND account_id = $2", post.id, account.id)
