"""Lists through the API: shapes, round trips and refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog.models import Account
from fediblog.services import follows
from tests.api.conftest import App, AppOf
from tests.people import person
from tests.services import making


@pytest.fixture
async def hers(app_of: AppOf, alice: Account) -> App:
    return await app_of(alice)


async def test_a_list_is_made_changed_and_deleted(hers: App) -> None:
    made = await hers.post("/api/v1/lists", form={"title": "Cats", "replies_policy": "", "exclusive": "true"})
    path = f"/api/v1/lists/{made.pop('id')}"
    assert made == {"title": "Cats", "replies_policy": "list", "exclusive": True}

    changed = await hers.put(path, json={"replies_policy": "none", "exclusive": "false"})
    assert changed == {"id": path[14:], "title": "Cats", "replies_policy": "none", "exclusive": False}
    assert await hers.get(path) == changed
    assert await hers.get("/api/v1/lists") == [changed]
    assert await hers.delete(path) == {}
    await hers.get(path, 404)
    assert await hers.get("/api/v1/lists") == []


@pytest.mark.parametrize("wrong", [{}, {"title": " "}, {"title": "x", "replies_policy": "some"}])
async def test_faults_are_refused(hers: App, wrong: dict[str, str]) -> None:
    assert (await hers.post("/api/v1/lists", 422, json=wrong))["error"]
    assert await hers.get("/api/v1/lists") == []


async def test_members_come_and_go_in_all_encodings(hers: App, alice: Account, bob: Account) -> None:
    others = [bob, *[await person(f"p{number}") for number in range(2)]]
    for other in others:
        await follows.follow(alice, other)
    numbers = [str(other.id) for other in others]
    path = f"/api/v1/lists/{(await hers.post('/api/v1/lists', json={'title': 'x'}))['id']}"
    members = f"{path}/accounts"

    assert await hers.post(members, json={"account_ids": numbers[:1]}) == {}
    assert await hers.post(members, form={"account_ids[]": numbers[1]}) == {}
    assert await hers.post(f"{members}?account_ids[]={numbers[2]}") == {}
    first = await hers.send("GET", f"{members}?limit=2")
    assert [one["id"] for one in await first.get_json()] == [numbers[2], numbers[1]]
    following = first.headers["Link"].split(">")[0].removeprefix("<http://localhost:8000")
    assert [one["id"] for one in await hers.get(following)] == [numbers[0]]
    everybody = await hers.send("GET", f"{members}?limit=0")
    assert len(await everybody.get_json()) == 3 and "Link" not in everybody.headers
    assert [one["title"] for one in await hers.get(f"/api/v1/accounts/{numbers[0]}/lists")] == ["x"]

    assert await hers.delete(members, json={"account_ids": numbers[:1]}) == {}
    assert await hers.delete(f"{members}?account_ids[]={numbers[1]}") == {}
    assert [one["id"] for one in await hers.get(members)] == [numbers[2]]
    await hers.post(f"/api/v1/accounts/{numbers[2]}/unfollow")
    assert await hers.get(members) == []


async def test_who_is_not_followed_and_what_is_no_id_get_on_no_list(hers: App, bob: Account) -> None:
    members = f"/api/v1/lists/{(await hers.post('/api/v1/lists', json={'title': 'x'}))['id']}/accounts"
    await hers.post(members, 404, json={"account_ids": [str(bob.id)]})
    await hers.post(members, 404, json={"account_ids": ["4711"]})
    await hers.post(members, 422, json={"account_ids": ["bob"]})
    assert await hers.get(members) == []


async def test_the_lists_of_others_are_not_there(app_of: AppOf, hers: App, bob: Account) -> None:
    number = (await hers.post("/api/v1/lists", json={"title": "secret"}))["id"]
    his, path = await app_of(bob), f"/api/v1/lists/{number}"
    await his.get(path, 404)
    await his.put(path, 404, json={"title": "mine"})
    await his.delete(path, 404)
    await his.get(f"{path}/accounts", 404)
    await his.get(f"{path}/accounts?limit=0", 404)
    await his.post(f"{path}/accounts", 404, json={"account_ids": []})
    await his.delete(f"{path}/accounts", 404)
    await his.get(f"/api/v1/timelines/list/{number}", 404)
    await his.get("/api/v1/accounts/4711/lists", 404)


async def test_the_timeline_of_a_list_pages_and_takes_the_same_statements_whatever_it_holds(
    hers: App, alice: Account, bob: Account, queries: Callable[[], Any]
) -> None:
    await follows.follow(alice, bob)
    number = (await hers.post("/api/v1/lists", json={"title": "x"}))["id"]
    await hers.post(f"/api/v1/lists/{number}/accounts", json={"account_ids": [str(bob.id)]})
    made = [str((await making.post(bob)).id) for _ in range(25)][::-1]
    path = f"/api/v1/timelines/list/{number}"

    first = await hers.send("GET", path)
    assert [status["id"] for status in await first.get_json()] == made[:20]
    following = first.headers["Link"].split(">")[0].removeprefix("<http://localhost:8000")
    with queries() as sent:
        assert [status["id"] for status in await hers.get(following)] == made[20:]
    with queries() as more:
        assert len(await hers.get(f"{path}?limit=40")) == 25
    assert len(more) <= len(sent) <= 4, sent.sql
