"""Conversations through the API."""

import pytest

from fediblog.models import Account
from tests.api.conftest import AppOf
from tests.api.test_accounts import ACCOUNT
from tests.harness.statements import recorded


@pytest.fixture(autouse=True)
def _warm(app: object) -> None:
    """The application is there before statements are counted."""


async def test_conversations_are_listed_read_and_removed(app_of: AppOf, alice: Account, bob: Account) -> None:
    hers, his, path = await app_of(alice), await app_of(bob), "/api/v1/conversations"
    for number in range(3):
        await hers.post("/api/v1/statuses", json={"status": f"@bob {number}", "visibility": "direct"})
    answer = await his.send("GET", f"{path}?limit=2")
    first, second = await answer.get_json()
    assert set(first) == {"id", "unread", "accounts", "last_status"} and first["unread"] is True
    assert [set(one) for one in first["accounts"]] == [ACCOUNT]
    assert first["last_status"]["visibility"] == "direct" and first["last_status"]["favourited"] is False
    link = answer.headers["Link"]
    assert f"max_id={second['last_status']['id']}" in link and f"min_id={first['last_status']['id']}" in link

    read = await his.post(f"{path}/{first['id']}/read")
    assert (read["id"], read["unread"]) == (first["id"], False)
    assert await his.delete(f"{path}/{second['id']}") == {}
    assert [one["unread"] for one in await his.get(path)] == [False, True]
    assert [one["unread"] for one in await hers.get(path)] == [False] * 3
    await his.post(f"{path}/{second['id']}/read", 404)
    await his.delete(f"{path}/4711", 404)
    await (await app_of()).get(path, 401)
    await (await app_of(bob, "read:lists write")).get(path, 403)
    await (await app_of(bob, "read")).delete(f"{path}/{first['id']}", 403)


async def test_a_page_of_conversations_takes_the_same_statements_however_long(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his, path = await app_of(alice), await app_of(bob), "/api/v1/conversations"
    counts = []
    for _ in range(2):
        for _ in range(3):
            await hers.post("/api/v1/statuses", json={"status": "@bob", "visibility": "direct"})
        await his.get(path)
        with recorded() as statements:
            await his.get(path)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6
