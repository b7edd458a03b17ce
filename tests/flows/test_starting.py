"""Starting again, after an end of any kind, and two at the same time."""

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.postgres import Postgres
from tests.harness.site import Process, Site

pytestmark = pytest.mark.once

# The promise is 5 s on a machine that has nothing else to do.
_GENEROUS = 20.0


async def test_a_second_start_finds_everything_again_and_is_ready_soon(install: Callable[..., Site]) -> None:
    site = install(anew=True)
    [token] = await site.people("alice")
    first = await site.run()
    alice = await site.app(token)
    await alice.write("still there?")
    first.send(signal.SIGTERM)
    assert await first.ended() == 0

    second, took = await timed_start(site)
    print(f"ready {took:.2f} s after an orderly end")
    assert await alice.written() == ["still there?"]
    second.kill()
    third, took = await timed_start(site)
    print(f"ready {took:.2f} s after kill -9")
    assert await alice.written() == ["still there?"]
    assert complaints(third) == []


async def test_a_second_process_on_the_same_data_is_refused_in_one_line(site: Site) -> None:
    await site.run()
    other = site.start("run", url=site.free_url())
    assert await other.ended() == 1
    assert len(other.output.splitlines()) == 1
    assert "running already" in other.output


async def test_two_that_start_at_once_on_an_empty_database_migrate_it_once(
    install: Callable[..., Site], empty_database: str, postgres: Postgres
) -> None:
    sites = [install(database__url=empty_database) for _ in range(2)]
    processes = await asyncio.gather(*(site.run() for site in sites))
    assert [complaints(process) for process in processes] == [[], []]
    connection: Any = await postgres.connect(empty_database.rpartition("/")[2])
    done = await connection.fetch("SELECT name FROM migration ORDER BY name")
    moments = await connection.fetch("SELECT min(done_at), max(done_at) FROM migration")
    await connection.close()
    assert len(done) == len({row["name"] for row in done}) > 0
    print(f"{len(done)} steps in {moments[0]['max'] - moments[0]['min']} ms")


async def timed_start(site: Site) -> tuple[Process, float]:
    started = time.monotonic()
    process = await site.run()
    took = time.monotonic() - started
    assert took < _GENEROUS
    return process, took


def complaints(process: Process) -> list[str]:
    """What it says that is not as usual: work of its predecessor that is due again is."""
    return [
        event["event"]
        for event in process.events()
        if event["level"] in ("warning", "error", "critical")
        and "for labs only" not in event["event"]
        and "is due again" not in event["event"]
    ]
