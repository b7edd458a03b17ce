"""How often apps may ask: told with each answer, and held to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from quart.testing.connections import WebsocketResponseError

from fediblog import allowances, moments
from fediblog.api import auth
from fediblog.models import Account
from fediblog.services import tokens
from tests.api.conftest import App, AppOf
from tests.people import user_of


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three requests, and one deletion."""
    monkeypatch.setattr(auth, "_ASKING", auth._ASKING._replace(most=3))
    monkeypatch.setattr(auth, "_DELETING", auth._DELETING._replace(most=1))


async def _left(app: App, path: str = "/api/v1/timelines/public", **options: Any) -> tuple[int, int]:
    answer = await app.send("GET", path, **options)
    return answer.status_code, int(answer.headers["X-RateLimit-Remaining"])


async def test_each_answer_says_what_is_left_and_until_when(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    for path, status in (("/api/v1/timelines/home", 200), ("/api/v1/statuses/1", 404)):
        answer = await hers.send("GET", path)
        assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (status, "300")
        until = datetime.fromisoformat(answer.headers["X-RateLimit-Reset"])
        assert timedelta() < until - datetime.now(UTC) <= timedelta(minutes=5)
        assert len(answer.headers["X-RateLimit-Reset"]) == len("2026-11-22T21:45:00.123Z")
    assert answer.headers["X-RateLimit-Remaining"] == "298"


async def test_who_asks_too_often_is_told_when_to_come_again(
    app_of: AppOf, alice: Account, bob: Account, few: None
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    assert [await _left(hers) for _ in range(4)] == [(200, 2), (200, 1), (200, 0), (429, 0)]
    refused = await hers.send("POST", "/api/v1/statuses", json={"status": "x"})
    assert refused.status_code == 429
    assert await refused.get_json() == {"error": "Too many requests"}
    assert 1 <= int(refused.headers["Retry-After"]) <= 300
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert await _left(his) == (200, 2)
    assert (await his.get(f"/api/v1/accounts/{alice.id}"))["statuses_count"] == 0


@pytest.mark.parametrize("status", [200, 401])
async def test_sockets_are_counted_like_requests(
    app: Quart, alice: Account, bob: Account, few: None, status: int
) -> None:
    token = await tokens.create(alice, await user_of(alice), "read") if status == 200 else "guessed"

    async def opened() -> int:
        client = app.test_client().websocket("/api/v1/streaming", query_string={"access_token": token})
        try:
            async with client as socket:
                await socket.send("nonsense")
                await socket.receive()
        except WebsocketResponseError as refused:
            return refused.response.status_code
        return 200

    assert [await opened() for _ in range(4)] == [status, status, status, 429]


async def test_all_tokens_of_an_account_share_what_it_may_ask_for(
    app_of: AppOf, alice: Account, few: None
) -> None:
    assert [await _left(await app_of(alice)) for _ in range(4)][2:] == [(200, 0), (429, 0)]


async def test_strangers_share_their_address_and_so_does_who_tries_tokens(app_of: AppOf, few: None) -> None:
    nobody = await app_of()
    guess = {"headers": {"Authorization": "Bearer guessed"}}
    assert await _left(nobody) == (200, 2)
    assert [await _left(nobody, **guess) for _ in range(3)] == [(401, 1), (401, 0), (429, 0)]
    assert await _left(nobody) == (429, 0)


async def test_the_next_window_begins_anew(
    app_of: AppOf, alice: Account, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = await app_of(alice)
    assert [(await _left(hers))[0] for _ in range(4)][-1] == 429
    later = moments.now() + 5 * moments.MINUTE
    monkeypatch.setattr(allowances.moments, "now", lambda: later)
    assert await _left(hers) == (200, 2)


async def test_deleting_is_counted_apart_and_nothing_is_deleted_beyond(
    app_of: AppOf, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_DELETING", auth._DELETING._replace(most=1))
    hers = await app_of(alice)
    first, second = [
        f"/api/v1/statuses/{(await hers.post('/api/v1/statuses', json={'status': text}))['id']}"
        for text in ("one", "two")
    ]
    await hers.delete(first)
    await hers.delete(second, 429)
    await hers.post(f"{second}/unreblog", 429)
    assert (await hers.get(second))["content"] == "<p>two</p>"
