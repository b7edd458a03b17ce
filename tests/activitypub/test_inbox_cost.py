"""What a thing from elsewhere costs the database: looks are shared by what comes together, and few for each.

A statement costs more than what it does (a turn of a thread on SQLite, a round trip on PostgreSQL), so their
number is what decides how much a server takes in.
"""

from collections.abc import Sequence

import orjson
import pytest

from fediblog import db
from fediblog.activitypub import outbox
from fediblog.activitypub.inbox import processing
from fediblog.services import inbox_items
from fediblog.services.inbox_items import New
from tests.activitypub.handlers.stage import Someone, befriend, meet
from tests.harness.fediverse import Fediverse, Node
from tests.harness.statements import Statements

pytestmark = pytest.mark.usefixtures("database")

NUMBER = 20
# For all that comes together: who they are, whether their servers were asleep, and the rules of the site.
SHARED = 4


@pytest.fixture(autouse=True)
def _on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow one an actor would be looked up again after a second."""
    monkeypatch.setattr(processing, "_KNOWN", 60.0)


@pytest.fixture
async def crowd(fediverse: Fediverse) -> list[Someone]:
    return [await meet(fediverse, f"p{number}", f"far{number}.example") for number in range(4)]


async def arrive(crowd: Sequence[Someone], activities: Sequence[Node]) -> None:
    actors = [crowd[number % len(crowd)].account.uri for number in range(len(activities))]
    await inbox_items.add(
        [New(each["id"], actor, orjson.dumps(each)) for actor, each in zip(actors, activities, strict=True)]
    )


async def of_creates(crowd: Sequence[Someone], queries, **note) -> float:
    """Statements for each of so many posts."""
    made = [crowd[number % len(crowd)] for number in range(NUMBER)]
    await arrive(crowd, [each.activity("Create", each.note(**note)) for each in made])
    with queries() as sent:
        await processing.drain()
    assert await db.value("SELECT count(*) FROM post") == NUMBER
    return (counted(sent) - SHARED) / NUMBER


def counted(sent: Statements) -> int:
    """Locks are of PostgreSQL alone; how often the tray is looked at and written to is a matter of time."""
    return sum("pg_advisory" not in sql and "inbox_item" not in sql for sql in sent.sql)


async def test_a_post_of_somebody_followed_costs_seven_statements(crowd, alice, queries):
    for each in crowd:
        await befriend(alice, each.account)
    assert await of_creates(crowd, queries) <= 7
    assert await db.value("SELECT count(*) FROM home_entry") == NUMBER
    assert await db.value("SELECT count(*) FROM work") == 0


async def test_a_mention_costs_six_more_three_of_them_for_the_row_of_its_mail(crowd, alice, queries):
    for each in crowd:
        await befriend(alice, each.account)
    tag = {"type": "Mention", "href": alice.uri, "name": "@alice"}
    assert await of_creates(crowd, queries, to=["as:Public", alice.uri], tag=[tag]) <= 13
    assert await db.value("SELECT count(*) FROM notification") == NUMBER
    assert await db.value("SELECT count(*) FROM work") == 0


async def test_what_nobody_wants_costs_two_and_fetches_nothing(crowd, alice, queries):
    made = [crowd[number % len(crowd)] for number in range(NUMBER)]
    await arrive(crowd, [each.activity("Create", each.note()) for each in made])
    with queries() as sent:
        await processing.drain()
    assert counted(sent) <= 2 * NUMBER + SHARED
    assert all(each.peer.asked == [] for each in crowd)
    assert await db.value("SELECT count(*) FROM post") == 0


async def test_to_be_followed_costs_ten_and_to_answer_nine(crowd, alice, queries):
    await arrive(crowd, [each.activity("Follow", alice.uri) for each in crowd])
    with queries() as sent:
        await processing.drain()
    assert await db.value("SELECT count(*) FROM follow") == len(crowd)
    assert counted(sent) <= 10 * len(crowd) + SHARED, sent.sql
    assert await db.column("SELECT kind FROM work") == ["federate"]
    with queries() as sent:
        await outbox.federate(alice.id)
    assert await db.value("SELECT count(*) FROM delivery") == len(crowd)
    assert counted(sent) <= 9 * len(crowd) + 3, sent.sql
