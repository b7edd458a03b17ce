"""People elsewhere: rita and her neighbour nora on one server, otto on another."""

import pytest

from tests.activitypub.handlers.stage import Someone, meet
from tests.harness.fediverse import Fediverse


@pytest.fixture
async def rita(fediverse: Fediverse) -> Someone:
    return await meet(fediverse, "rita")


@pytest.fixture
async def nora(fediverse: Fediverse) -> Someone:
    return await meet(fediverse, "nora")


@pytest.fixture
async def otto(fediverse: Fediverse) -> Someone:
    return await meet(fediverse, "otto", "other.example")
