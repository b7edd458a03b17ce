"""Letters go out: each inbox once, in order, and nobody waits for a server that does not answer."""

import asyncio
from collections.abc import Callable, Iterator

import orjson
import pytest

from fediblog import db, ids, moments, uris
from fediblog.activitypub import delivery, senders
from fediblog.activitypub.delivery import lanes, office, plan
from fediblog.activitypub.signatures import Scheme
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import deliveries, outgoing, posts, servers
from fediblog.services.composing import Draft
from fediblog.services.outgoing import Letter
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote

INBOX = "https://remote.example/inbox"


@pytest.fixture
def peer(fediverse: Fediverse, alice: Account) -> Peer:
    """A server that knows alice's key."""
    fediverse.knows(alice.key_id, alice.public_key)
    return fediverse.server("remote.example")


async def letter(author: Account | None, *inboxes: str, text: str = "", post_id: int | None = None) -> int:
    """An activity that is owed to inboxes."""
    number = ids.new()
    body = orjson.dumps({"id": uris.activity_uri(number), "type": "Create", "text": text})
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, post_id, kind, body, created_at)"
            " VALUES ($1, $2, $3, $4, 'Create', $5, $6)",
            *(number, uris.activity_uri(number), author.id if author else None, post_id, body, moments.now()),
        )
        await delivery.enqueue(number, inboxes)
    return number


async def states() -> list[tuple[str, str, int]]:
    rows = await db.rows("SELECT state, error, attempts FROM delivery ORDER BY id")
    return [(row["state"], row["error"], row["attempts"]) for row in rows]


async def server(domain: str = "remote.example") -> dict[str, object]:
    found = await db.row("SELECT * FROM server WHERE domain = $1", domain)
    assert found is not None
    return found


async def now_due(domain: str = "remote.example") -> None:
    async with db.transaction():
        await db.execute("UPDATE server SET next_at = 0 WHERE domain = $1", domain)
        await db.execute("UPDATE delivery SET due_at = 0 WHERE state = 'due'")


async def test_a_letter_arrives_once_in_each_inbox_with_its_own_bytes(alice: Account, peer: Peer):
    number = await letter(alice, INBOX, INBOX, f"{INBOX}/rita")
    async with db.transaction():
        await delivery.enqueue(number, [INBOX])
    await delivery.drain()
    assert sorted(each.inbox for each in peer.received) == [INBOX, f"{INBOX}/rita"]
    body = await db.value("SELECT body FROM activity WHERE id = $1", number)
    assert {each.body for each in peer.received} == {bytes(body)}
    assert await states() == [("done", "", 1)] * 2
    assert (await server())["next_at"] is None
    await delivery.drain()
    assert len(peer.received) == 2


async def test_nothing_is_owed_to_ourselves_to_nonsense_and_to_blocked_servers(
    alice: Account, peer: Peer, monkeypatch: pytest.MonkeyPatch
):
    async def refused(domain: str) -> bool:
        return domain == "blocked.example"

    monkeypatch.setattr(delivery.domains, "refused", refused)
    await letter(alice, uris.shared_inbox(), "mailto:x", "https://blocked.example/inbox")
    assert await states() == []


async def test_letters_of_one_sender_keep_their_order(alice: Account, peer: Peer):
    for number in range(20):
        await letter(alice, INBOX, text=str(number))
    await delivery.drain()
    assert [each.activity["text"] for each in peer.received] == [str(number) for number in range(20)]


async def test_the_server_itself_signs_what_no_account_sends(fediverse: Fediverse, peer: Peer):
    sender = await senders.of_server()
    fediverse.knows(sender.key_id, sender.public_key)
    await letter(None, INBOX)
    await delivery.drain()
    assert peer.received[0].key_id == sender.key_id


async def test_a_server_that_is_down_is_left_alone_and_then_gets_everything(alice: Account, peer: Peer):
    peer.down = True
    for _ in range(12):
        await letter(alice, INBOX)
    await delivery.drain()
    found = await server()
    assert found["fails"] == 1
    assert 15_000 < int(str(found["next_at"])) - moments.now() < 20_001
    assert [attempts for _, _, attempts in await states()] == [1] + [0] * 11
    await delivery.drain()
    assert len(peer.asked) == 1

    await now_due()
    await delivery.drain()
    # One probe, and no more.
    assert len(peer.asked) == 2
    assert (await server())["fails"] == 2

    peer.down = False
    await now_due()
    await delivery.drain()
    assert len(peer.received) == 12
    found = await server()
    assert (found["fails"], found["failing_since"], found["next_at"]) == (0, None, None)


async def test_what_is_heard_of_a_server_makes_it_due_at_once(alice: Account, peer: Peer):
    peer.inbox_status = 503
    await letter(alice, INBOX)
    await delivery.drain()
    peer.inbox_status = 202
    await servers.heard_from("remote.example")
    await servers.heard_from("unknown.example")
    await delivery.drain()
    assert len(peer.received) == 1


async def test_a_letter_that_is_refused_is_tried_three_times_over_a_day_and_holds_up_no_other(
    alice: Account, peer: Peer
):
    peer.answers[INBOX] = (422, "text/plain", b"")
    await letter(alice, INBOX)
    await letter(alice, f"{INBOX}/rita")
    await delivery.drain()
    assert len(peer.received) == 1
    assert (await server())["fails"] == 0
    for _ in range(4):
        await now_due()
        await delivery.drain()
    assert await states() == [("failed", "status 422", 3), ("done", "", 1)]


@pytest.mark.parametrize("status", [403, 405, 301])
async def test_a_letter_that_will_never_be_taken_is_not_sent_again(alice: Account, peer: Peer, status: int):
    peer.inbox_status = status
    await letter(alice, INBOX)
    await delivery.drain()
    assert await states() == [("failed", f"status {status}", 1)]


async def test_an_inbox_that_is_gone_lets_its_people_be_looked_at(alice: Account, peer: Peer):
    rita = await remote("rita", "remote.example")
    peer.inbox_status = 410
    await letter(alice, rita.inbox)
    await delivery.drain()
    assert await states() == [("failed", "status 410", 1)]
    assert await db.column("SELECT key FROM work WHERE kind = 'refresh'") == [str(rita.id)]


async def test_another_signature_is_tried_at_once_and_remembered(alice: Account, peer: Peer):
    peer.wants = Scheme.RFC9421
    for _ in range(2):
        await letter(alice, INBOX)
        await delivery.drain()
    assert len(peer.received) == 2
    assert len(peer.asked) == 3
    assert await servers.scheme("remote.example") == "rfc9421"


async def test_who_asks_for_time_gets_it(alice: Account, peer: Peer):
    peer.inbox_status = 429
    peer.headers = {"Retry-After": "7200"}
    await letter(alice, INBOX)
    await delivery.drain()
    wait = int(str((await server())["next_at"])) - moments.now()
    assert 7_190_000 < wait <= 7_200_000


async def test_a_server_that_fails_for_a_week_is_given_up_but_for_a_weekly_look(alice: Account, peer: Peer):
    peer.down = True
    for _ in range(3):
        await letter(alice, INBOX)
    await delivery.drain()
    async with db.transaction():
        await db.execute("UPDATE server SET failing_since = $1", moments.now() - servers.GIVEN_UP)
    await now_due()
    await delivery.drain()
    assert sorted(state for state, _, _ in await states()) == ["due", "failed", "failed"]
    await letter(alice, INBOX)
    assert [state for state, _, _ in await states()].count("due") == 1
    assert int(str((await server())["next_at"])) > moments.now() + 5 * moments.DAY

    peer.down = False
    await now_due()
    await delivery.drain()
    assert len(peer.received) == 1
    await letter(alice, INBOX)
    await delivery.drain()
    assert len(peer.received) == 2


async def test_a_letter_that_cannot_be_signed_is_put_aside_and_the_others_go(
    alice: Account, bob: Account, peer: Peer
):
    async with db.transaction():
        await db.execute("UPDATE account SET private_key = $2 WHERE id = $1", bob.id, b"broken")
    await letter(bob, INBOX)
    await letter(alice, INBOX)
    await delivery.drain()
    assert len(peer.received) == 1
    for _ in range(plan.MOST_CRASHES):
        await now_due()
        await delivery.drain()
    assert sorted(state for state, _, _ in await states()) == ["done", "quarantined"]


async def test_a_lane_that_a_fault_of_ours_ends_is_not_begun_again_at_once(
    alice: Account, peer: Peer, monkeypatch: pytest.MonkeyPatch
):
    tries: list[Letter] = []

    async def break_down(self: lanes.Lane, letter: Letter, place: object) -> None:
        tries.append(letter)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(lanes.Lane, "_deliver", break_down)
    await letter(alice, INBOX)
    async with asyncio.timeout(5):
        await delivery.drain()
    assert len(tries) == 1
    monkeypatch.undo()
    await now_due()
    await delivery.drain()
    assert len(peer.received) == 1


async def test_a_hanging_server_gives_its_place_back(
    alice: Account, fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "_HEALTHY", 1)
    fediverse.knows(alice.key_id, alice.public_key)
    slow, quick = fediverse.server("a-slow.example"), fediverse.server("b-quick.example")
    slow.hangs = asyncio.Event()
    await letter(alice, "https://a-slow.example/inbox")
    await letter(alice, "https://b-quick.example/inbox")
    drain = asyncio.create_task(delivery.drain())
    async with asyncio.timeout(5):
        while not quick.received:
            await asyncio.sleep(0.01)
    assert not slow.received
    slow.hangs.set()
    await drain
    assert slow.received


async def test_a_server_is_with_one_worker_at_a_time(alice: Account, peer: Peer):
    await letter(alice, INBOX)
    assert [host.domain for host in await outgoing.lease("one", 10, failing=False)] == ["remote.example"]
    assert await outgoing.lease("two", 10, failing=False) == []
    await outgoing.release("one")
    assert len(await outgoing.lease("two", 10, failing=False)) == 1


async def test_what_a_killed_worker_held_is_delivered_after_its_start(alice: Account, peer: Peer):
    await letter(alice, INBOX)
    await outgoing.lease("worker", 10, failing=False)
    await delivery.drain()
    assert not peer.received
    await delivery.begin("worker")
    await delivery.drain()
    assert len(peer.received) == 1


async def test_what_is_put_in_while_a_server_is_leased_is_not_forgotten(alice: Account, peer: Peer):
    await letter(alice, INBOX)
    (host,) = await outgoing.lease("worker", 10, failing=False)
    await letter(alice, INBOX)
    await outgoing.settle("worker", [], [outgoing.Left(host)])
    await delivery.drain()
    assert len(peer.received) == 2


async def test_the_author_sees_where_a_post_is_and_tries_again(
    alice: Account, bob: Account, peer: Peer, fediverse: Fediverse
):
    post = await posts.publish(alice, Draft("Hello"))
    fediverse.server("down.example").down = True
    await letter(alice, INBOX, "https://down.example/inbox", post_id=post.id)
    await delivery.drain()
    found = await deliveries.receipt(alice, post.id)
    assert [(one.host, one.state, one.error) for one in found] == [
        ("down.example", "due", "connection"),
        ("remote.example", "done", ""),
    ]
    fediverse.server("down.example").down = False
    assert await deliveries.retry(alice, post.id) == 1
    await delivery.drain()
    assert {one.state for one in await deliveries.receipt(alice, post.id)} == {"done"}


@pytest.fixture(autouse=True)
def _own_office() -> Iterator[None]:
    """No drain of another test's loop."""
    office._drains.current = None
    yield
    office._drains.current = None


def test_the_plan_gets_slower_and_never_later_than_it_says():
    minute, hour = moments.MINUTE, moments.HOUR
    for fails, failing_for, most in (
        (1, 0, 20_000),
        (2, 20_000, 40_000),
        (3, minute, minute),
        (50, 2 * hour, 5 * minute),
        (99, 10 * hour, hour),
        (150, 3 * moments.DAY, 12 * hour),
        (200, 8 * moments.DAY, 7 * moments.DAY),
    ):
        for _ in range(20):
            assert 0.85 * most <= plan.host_pause(fails, failing_for) <= most


async def test_nothing_is_sent_while_federation_is_off(
    alice: Account, peer: Peer, configure: Callable[..., Config]
):
    await letter(alice, INBOX)
    configure(federation__enabled="false")
    await delivery.drain()
    assert [state for state, _, _ in await states()] == ["due"]
    assert not peer.asked
