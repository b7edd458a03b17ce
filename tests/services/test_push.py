"""Waking devices: for whom, by what, and what push services and crashes do to it."""

import asyncio
from typing import Any

import orjson
import pytest

from fediblog import db, moments
from fediblog.errors import Invalid, NotFound, Unavailable
from fediblog.models import Account, Post
from fediblog.services import (
    blocks,
    follows,
    likes,
    moderation,
    mutes,
    notification_policy,
    posts,
    push,
    push_subscriptions,
    tokens,
)
from fediblog.services.composing import Draft
from fediblog.services.push_subscriptions import From
from tests.harness.devices import Device
from tests.harness.fediverse import Fediverse, Peer
from tests.harness.statements import recorded
from tests.people import person, user_of
from tests.services.mailbox import Clock, clock
from tests.services.making import owed

__all__ = ["clock"]

pytestmark = pytest.mark.usefixtures("database")

ENDPOINT = "https://push.example/device/1"
GONE = {404, 410}


@pytest.fixture
def service(fediverse: Fediverse) -> Peer:
    """A push service that takes everything."""
    peer = fediverse.server("push.example")
    peer.answers[ENDPOINT] = (201, "text/plain", b"")
    return peer


async def subscribe(
    account: Account,
    device: Device,
    *alerts: str,
    policy: From = From.ALL,
    standard: bool = True,
    endpoint: str = ENDPOINT,
) -> tuple[str, int]:
    """A token with a subscription: the token and its id."""
    token = await tokens.create(account, await user_of(account), "push")
    bearer = await tokens.find(token)
    assert bearer is not None
    given = push_subscriptions.Device(endpoint, device.p256dh, device.auth, standard)
    await push_subscriptions.subscribe(account, bearer.token_id, token, given, alerts, policy)
    return token, bearer.token_id


async def work() -> None:
    """The worker's part: all that is owed, once."""
    for key in await owed("push"):
        await push.send(key)
        async with db.transaction():
            await db.execute("DELETE FROM work WHERE kind = 'push' AND key = $1", key)


def read(peer: Peer, device: Device) -> list[Any]:
    """What has arrived at the device."""
    return [orjson.loads(device.read(one.content, dict(one.headers))) for one in peer.asked]


async def mention(author: Account, text: str = "@alice hello <there>") -> Post:
    return await posts.publish(author, Draft(text))


@pytest.mark.parametrize("standard", [True, False])
async def test_a_device_is_told_who_did_what_and_for_whom(
    alice: Account, bob: Account, service: Peer, standard: bool
) -> None:
    device = Device()
    token, _ = await subscribe(alice, device, "mention", standard=standard)
    await mention(bob)
    await work()
    (told,) = read(service, device)
    number = await db.value("SELECT id FROM notification")
    assert told == {
        "access_token": token,
        "preferred_locale": "en",
        "notification_id": str(number),
        "notification_type": "mention",
        "icon": "",
        "title": "Bob mentioned you",
        "body": "@alice hello <there>",
    }
    (request,) = service.asked
    assert request.headers["TTL"].isdigit() and int(request.headers["TTL"]) <= 86_400
    assert request.headers["Topic"] == str(number) and len(str(number)) <= 32
    assert request.headers["Authorization"].startswith("vapid t=" if standard else "WebPush ")
    key = await push_subscriptions.public_key()
    assert any(key in value for value in request.headers.values())


async def test_the_words_of_the_api_are_used(alice: Account, bob: Account, service: Peer) -> None:
    device = Device()
    await subscribe(alice, device, "like", "follow")
    await likes.like(bob, await posts.publish(alice, Draft("mine")))
    await follows.follow(bob, alice)
    await work()
    assert [(told["notification_type"], told["body"]) for told in read(service, device)] == [
        ("favourite", "mine"),
        ("follow", ""),
    ]


async def test_what_one_does_not_want_to_be_woken_by_wakes_nobody(
    alice: Account, bob: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "follow")
    await mention(bob)
    assert await owed("push") == []


async def test_what_is_held_back_or_not_told_at_all_wakes_nobody(
    alice: Account, bob: Account, carol: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    await notification_policy.edit(alice, not_following="filter")
    await mention(bob)
    await follows.follow(alice, carol)
    await mention(carol)
    assert len(await owed("push")) == 1


@pytest.mark.parametrize(
    ("policy", "woken"),
    [
        (From.ALL, {"bob", "carol", "dave"}),
        (From.FOLLOWED, {"bob"}),
        (From.FOLLOWER, {"carol"}),
        (From.NONE, set()),
    ],
)
async def test_the_policy_says_by_whom(
    alice: Account, bob: Account, carol: Account, service: Peer, policy: From, woken: set[str]
) -> None:
    device, dave = Device(), await person("dave")
    await subscribe(alice, device, "mention", policy=policy)
    await follows.follow(alice, bob)
    await follows.follow(carol, alice)
    for one in (bob, carol, dave):
        await mention(one, "@alice hello")
    await work()
    names = {told["title"].split()[0].lower() for told in read(service, device)}
    assert names == woken


async def test_a_token_that_does_not_hold_any_more_wakes_nobody(
    alice: Account, bob: Account, service: Peer
) -> None:
    token, _ = await subscribe(alice, Device(), "mention")
    await mention(bob)
    await Account.filter(id=alice.id).update(suspended_at=1)
    await work()
    assert service.asked == []
    await Account.filter(id=alice.id).update(suspended_at=None)
    await tokens.revoke(token)
    assert await db.value("SELECT count(*) FROM push_subscription") == 0
    await mention(bob)
    assert await owed("push") == [] and service.asked == []


async def test_what_has_been_deleted_meanwhile_wakes_nobody(
    alice: Account, bob: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    post = await mention(bob)
    await posts.delete(bob, post.id)
    await work()
    assert service.asked == []


@pytest.mark.parametrize("after", ["block", "blocked", "mute", "suspension", "limits", "domain"])
async def test_whom_one_would_not_hear_any_more_wakes_nobody(
    alice: Account, bob: Account, service: Peer, after: str
) -> None:
    await subscribe(alice, Device(), "mention")
    await mention(bob)
    match after:
        case "block":
            await blocks.block(alice, bob)
        case "blocked":
            await blocks.block(bob, alice)
        case "mute":
            await mutes.mute(alice, bob)
        case "suspension":
            await moderation.suspend(bob, None)
        case "limits":
            await Account.filter(id=bob.id).update(silenced_at=1)
        case "domain":
            async with db.transaction():
                await db.execute("UPDATE account SET domain = 'bad.example' WHERE id = $1", bob.id)
                await db.execute(
                    "INSERT INTO hidden_domain (account_id, domain, id) VALUES ($1, 'bad.example', 1)",
                    alice.id,
                )
    await work()
    assert service.asked == []


async def test_a_post_that_one_may_not_see_any_more_wakes_nobody(
    alice: Account, bob: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    post = await mention(bob)
    async with db.transaction():
        await db.execute("UPDATE post SET visibility = 3 WHERE id = $1", post.id)
        await db.execute("DELETE FROM mention WHERE post_id = $1", post.id)
    await work()
    assert service.asked == []


@pytest.mark.parametrize("status", sorted(GONE))
async def test_a_device_that_has_gone_is_forgotten(
    alice: Account, bob: Account, service: Peer, status: int
) -> None:
    _, token_id = await subscribe(alice, Device(), "mention")
    service.answers[ENDPOINT] = (status, "text/plain", b"")
    await mention(bob)
    await work()
    with pytest.raises(NotFound):
        await push_subscriptions.find(token_id)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_that_is_busy_is_asked_again_for_a_day(
    alice: Account, bob: Account, service: Peer, clock: Clock, status: int
) -> None:
    await subscribe(alice, Device(), "mention")
    service.answers[ENDPOINT] = (status, "text/plain", b"")
    await mention(bob)
    (key,) = await owed("push")
    async with db.transaction():
        await db.execute("UPDATE work SET attempts = 3 WHERE kind = 'push'")
    with pytest.raises(Unavailable) as error:
        await push.send(key)
    assert error.value.retry_after == 8 * 60
    service.down = True
    with pytest.raises(Unavailable):
        await push.send(key)
    clock.forward(moments.DAY + 1)
    asked = len(service.asked)
    await push.send(key)
    assert len(service.asked) == asked


async def test_what_a_service_says_of_one_device_keeps_nobody_else_waiting(
    alice: Account, bob: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    service.answers[ENDPOINT] = (429, "text/plain", b"")
    for _ in range(2):
        await mention(bob)
    for key in await owed("push"):
        with pytest.raises(Unavailable, match="429") as error:
            await push.send(key)
        assert error.value.retry_after == 60
    assert len(service.asked) == 2


async def test_a_service_that_says_nothing_is_left_alone_for_a_while(
    alice: Account, bob: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    service.down = True
    for _ in range(2):
        await mention(bob)
    for key in await owed("push"):
        with pytest.raises(Unavailable):
            await push.send(key)
    assert len(service.asked) == 1


async def test_one_service_that_hangs_holds_up_no_other(
    alice: Account, bob: Account, carol: Account, fediverse: Fediverse, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention", endpoint="https://dead.example/1")
    fediverse.server("dead.example").hangs = asyncio.Event()
    await mention(bob)
    (dead,) = await owed("push")
    hanging = asyncio.create_task(push.send(dead))
    await subscribe(carol, Device(), "mention")
    await mention(bob, "@carol hello")
    (good,) = set(await owed("push")) - {dead}
    await push.send(good)
    assert len(service.asked) == 1 and not hanging.done()
    hanging.cancel()


async def test_a_refusal_is_no_reason_to_ask_again(alice: Account, bob: Account, service: Peer) -> None:
    _, token_id = await subscribe(alice, Device(), "mention")
    service.answers[ENDPOINT] = (400, "text/plain", b"")
    await mention(bob)
    await work()
    assert (await push_subscriptions.find(token_id)).endpoint == ENDPOINT


async def test_the_token_is_nowhere_to_be_read(alice: Account) -> None:
    token, _ = await subscribe(alice, Device(), "mention")
    line = await db.row("SELECT * FROM push_subscription")
    assert line is not None
    assert all(token.encode() not in bytes(str(value), "utf-8") for value in line.values())
    assert token.encode() not in bytes(line["token_sealed"])


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "push.example",
        "http://push.example/",
        "ftp://push.example/",
        "https://127.0.0.1/",
        "https://x/" + "y" * 2_100,
    ],
)
async def test_an_endpoint_that_may_not_be_contacted_is_refused(alice: Account, endpoint: str) -> None:
    token = await tokens.create(alice, await user_of(alice), "push")
    device = Device()
    given = push_subscriptions.Device(endpoint, device.p256dh, device.auth)
    bearer = await tokens.find(token)
    assert bearer is not None
    with pytest.raises(Invalid):
        await push_subscriptions.subscribe(alice, bearer.token_id, token, given, (), From.ALL)
    assert await db.value("SELECT count(*) FROM push_subscription") == 0


async def test_an_account_has_so_many_devices_and_the_latest_stay(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_subscriptions, "_MOST", 2)
    made = [(await subscribe(alice, Device(), "mention"))[1] for _ in range(3)]
    assert await db.column("SELECT token_id FROM push_subscription ORDER BY id") == made[1:]


async def test_who_has_no_device_costs_no_statement_more(
    alice: Account, bob: Account, carol: Account, service: Peer
) -> None:
    await subscribe(alice, Device(), "mention")
    with recorded() as woken:
        await mention(carol, "@alice hello")
    with recorded() as quiet:
        await mention(carol, "@bob hello")
    assert len(woken) - len(quiet) == 2


async def test_a_token_that_has_ended_at_this_moment_gets_no_subscription(alice: Account) -> None:
    token = await tokens.create(alice, await user_of(alice), "push")
    bearer, device = await tokens.find(token), Device()
    assert bearer is not None
    await tokens.revoke(token)
    given = push_subscriptions.Device(ENDPOINT, device.p256dh, device.auth)
    with pytest.raises(NotFound):
        await push_subscriptions.subscribe(alice, bearer.token_id, token, given, (), From.ALL)


async def test_twins_leave_one_subscription(alice: Account) -> None:
    token = await tokens.create(alice, await user_of(alice), "push")
    bearer, device = await tokens.find(token), Device()
    assert bearer is not None
    given = push_subscriptions.Device(ENDPOINT, device.p256dh, device.auth)
    twins = [
        push_subscriptions.subscribe(alice, bearer.token_id, token, given, (), From.ALL) for _ in range(4)
    ]
    await asyncio.gather(*twins)
    assert await db.value("SELECT count(*) FROM push_subscription") == 1
