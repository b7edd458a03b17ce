"""What every request can count on: an id that is found wherever something was done for it, and an answer."""

from collections.abc import Callable

import pytest

from tests.harness.redis import RedisServer
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_MEGABYTE = 1024 * 1024


async def test_the_worker_logs_the_id_of_the_request_that_caused_its_work(
    install: Callable[..., Site], empty_database: str, redis: RedisServer
) -> None:
    site = install(database__url=empty_database, redis__url=redis.url)
    [token] = await site.people("alice")
    web, worker = site.start("web"), site.start("worker")
    await web.ready()
    await worker.says("worker ready")
    alice = await site.app(token)

    name = "from-the-client.42"
    answer = await alice.send(
        "POST", "/api/v1/statuses", json={"status": "hello"}, headers={"X-Request-Id": name}
    )
    assert answer.headers["x-request-id"] == name
    await until(lambda: any(event.get("request_id") == name for event in web.events()))
    await until(
        lambda: any(
            (event["event"], event.get("job"), event.get("request_id")) == ("job done", "fan_out", name)
            for event in worker.events()
        )
    )


async def test_who_sends_far_too_much_hears_so_and_may_ask_again_on_the_same_connection(site: Site) -> None:
    await site.run()
    visitor = await site.app()
    for path in ("/api/v2/media", "/auth/sign_in", "/nothing"):
        for size in (50 * _MEGABYTE, 3 * _MEGABYTE, _MEGABYTE // 3):
            answer = await visitor.send("POST", path, files={"file": ("a.png", b"x" * size)})
            assert 400 <= answer.status_code < 500
            assert answer.status_code == 413 or size < 50 * _MEGABYTE


async def test_refusals_never_break_the_connection(site: Site) -> None:
    await site.run()
    visitor = await site.app()
    for _ in range(150):
        assert (await visitor.send("POST", "/api/v1/statuses", json={"status": "x"})).status_code == 401
