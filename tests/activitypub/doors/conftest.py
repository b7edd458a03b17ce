"""Another server that asks, and somebody on it."""

import pytest

from fediblog.config import Config
from fediblog.models import Account
from tests.activitypub.asking import Asker
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node
from tests.people import remote


@pytest.fixture
def asker(config: Config, fediverse: Fediverse) -> Asker:
    return Asker(apps.shared(config), fediverse.server("remote.example"))


@pytest.fixture
async def rita(fediverse: Fediverse) -> Account:
    """Somebody elsewhere, whom we know."""
    return await remote("rita", "remote.example")


@pytest.fixture
def as_rita(asker: Asker, rita: Account) -> Node:
    """Her actor, who signs."""
    return asker.peer.actor("rita")
