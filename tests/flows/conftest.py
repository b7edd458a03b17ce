"""Sites for the tests of whole installations."""

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.harness.postgres import Postgres
from tests.harness.site import Site

_numbers = count()


@pytest.fixture
async def install(tmp_path: Path) -> AsyncIterator[Callable[..., Site]]:
    """`install(mail__url=…)` makes a site; its processes end with the test."""
    made: list[Site] = []

    def make(**keys: Any) -> Site:
        folder = tmp_path / f"site-{len(made)}"
        folder.mkdir()
        made.append(Site(folder, **keys))
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
