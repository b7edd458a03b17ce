"""Sites for the tests of whole installations."""

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.flows.cluster import Cluster
from tests.flows.towns import LAB, Resident, Town
from tests.harness.postgres import Postgres
from tests.harness.redis import RedisServer
from tests.harness.site import Site

_numbers = count()


@pytest.fixture
async def install(tmp_path: Path) -> AsyncIterator[Callable[..., Site]]:
    """`install(mail__url=…)` makes a site; its processes end with the test."""
    made: list[Site] = []

    def make(**options: Any) -> Site:
        folder = tmp_path / f"site-{len(made)}"
        folder.mkdir()
        made.append(Site(folder, **options))
        return made[-1]

    yield make
    for site in made:
        await site.close()


@pytest.fixture
def site(install: Callable[..., Site]) -> Site:
    """The embedded default: SQLite, no Redis, one process."""
    return install()


@pytest.fixture
async def empty_database(postgres: Postgres) -> str:
    """The address of a PostgreSQL database of the test's own, without tables."""
    return await postgres.create(f"flow_{next(_numbers)}")


@pytest.fixture
async def here(install: Callable[..., Site]) -> Town:
    """SQLite, everything in one process."""
    town = Town(install(**LAB))
    await town.site.run()
    return town


@pytest.fixture
async def there(install: Callable[..., Site], empty_database: str, redis: RedisServer) -> Town:
    """PostgreSQL, Redis, several processes."""
    town = Town(install(database__url=empty_database, redis__url=redis.url, **LAB))
    await Cluster(town.site).start()
    return town


@pytest.fixture
async def alice(here: Town) -> Resident:
    """She lives on the small server."""
    return await here.resident("alice")


@pytest.fixture
async def bob(there: Town) -> Resident:
    """He lives on the big one."""
    return await there.resident("bob")


@pytest.fixture
async def carol(there: Town) -> Resident:
    """She lives there too, and has to do with nobody."""
    return await there.resident("carol")


@pytest.fixture
async def dave(here: Town) -> Resident:
    """Alice's neighbour."""
    return await here.resident("dave")
