"""A request's id is found wherever something was done for it."""

from collections.abc import Callable

import pytest

from tests.harness.redis import RedisServer
from tests.harness.site import Site, until

pytestmark = pytest.mark.once


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
    assert any(event.get("request_id") == name for event in web.events())
    await until(
        lambda: any(
            (event["event"], event.get("job"), event.get("request_id")) == ("job done", "fan_out", name)
            for event in worker.events()
        )
    )
