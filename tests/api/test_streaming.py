"""Streams: everybody gets at once what they would get by reading, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from quart import Quart
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError

from fediblog import api, bus
from fediblog.api import listeners, streaming
from fediblog.api.listeners import Hall
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    announcements,
    blocks,
    boosts,
    channels,
    filters,
    follows,
    home,
    likes,
    lists,
    moderation,
    mutes,
    notification_policy,
    notification_requests,
    posts,
    tags,
    tokens,
)
from fediblog.services.composing import Draft
from fediblog.services.lists import Replies
from tests.harness.site import until
from tests.people import person, remote, user_of
from tests.services import making

PATH = "/api/v1/streaming"


class Stream:
    """Somebody's WebSocket."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def next(self) -> tuple[list[str], str, Any]:
        """The next frame: where, what, and with which payload, read if it is JSON in JSON."""
        frame = orjson.loads(await asyncio.wait_for(self._socket.receive(), 10))
        payload = frame.get("payload")
        if frame["event"] not in ("delete", "filters_changed", "announcement.delete"):
            payload = orjson.loads(payload)
        return frame["stream"], frame["event"], payload

    async def say(self, kind: str, stream: str, **more: str) -> None:
        """Subscribe or unsubscribe, and wait until that is done."""
        await self._socket.send(orjson.dumps({"type": kind, "stream": stream, **more}).decode())
        await self.said("nothing")
        assert "error" in orjson.loads(await self._socket.receive())

    async def said(self, text: str) -> None:
        """Send a message as it is."""
        await self._socket.send(text)

    async def error(self) -> dict[str, Any]:
        """The answer to something that cannot be done."""
        answer: dict[str, Any] = orjson.loads(await asyncio.wait_for(self._socket.receive(), 10))
        return answer

    async def nothing_but(self, event: str) -> tuple[list[str], str, Any]:
        """The next frame, which is of this kind: whatever came before it would show."""
        found = await self.next()
        assert found[1] == event, found
        return found

    async def ended(self) -> None:
        """Wait until the other side closes."""
        with pytest.raises(WebsocketDisconnectError):
            await asyncio.wait_for(self._socket.receive(), 10)


Listen = Callable[..., Awaitable[Stream]]


@pytest.fixture
async def listen(app: Quart) -> AsyncIterator[Listen]:
    """`await listen(alice, "public", scopes="read")` is a stream that she listens to."""
    async with AsyncExitStack() as stack:

        async def make(
            account: Account, stream: str = "user", *, scopes: str = "read", token: str = "", **query: str
        ) -> Stream:
            token = token or await tokens.create(account, await user_of(account), scopes)
            words = {"access_token": token, **query, **({"stream": stream} if stream else {})}
            before = len(streaming.hall(app))
            client = app.test_client().websocket(PATH, query_string=words)
            socket = await stack.enter_async_context(client)
            await until(lambda: len(streaming.hall(app)) > before)
            return Stream(socket)

        yield make
    assert not len(streaming.hall(app)) and not bus.heard()


async def write(author: Account, text: str = "hello", **more: Any) -> Post:
    """Publish, with what a worker does afterwards."""
    post = await posts.publish(author, Draft(source=text, **more))
    await home.fan_out(post.id)
    return post


async def test_home_gets_posts_boosts_edits_deletions_and_notices(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(alice, bob)
    hers = await listen(alice)

    post = await write(bob)
    where, what, status = await hers.next()
    assert (where, what) == (["user"], "update")
    assert (status["id"], status["favourited"], status["filtered"]) == (str(post.id), False, [])

    await posts.edit(bob, post.id, Draft(source="bye"))
    assert (await hers.nothing_but("status.update"))[2]["content"] == "<p>bye</p>"

    theirs = await write(carol, "from somebody else")
    boost = await boosts.boost(bob, theirs)
    await home.fan_out(boost.id)
    assert (await hers.nothing_but("update"))[2]["reblog"]["id"] == str(theirs.id)
    await boosts.unboost(bob, theirs)
    assert await hers.next() == (["user"], "delete", str(boost.id))

    await posts.delete(bob, post.id)
    assert await hers.next() == (["user"], "delete", str(post.id))

    own = await write(alice, "mine")
    assert (await hers.nothing_but("update"))[2]["id"] == str(own.id)
    await likes.like(bob, own)
    notice = (await hers.nothing_but("notification"))[2]
    assert (notice["type"], notice["account"]["id"]) == ("favourite", str(bob.id))
    assert notice["status"]["favourites_count"] == 1

    await filters.create(alice, filters.Draft("tea", ["home"], keywords=[filters.KeywordDraft("tea")]))
    assert await hers.next() == (["user"], "filters_changed", None)
    await write(bob, "a cup of tea")
    assert (await hers.nothing_but("update"))[2]["filtered"][0]["keyword_matches"] == ["tea"]


async def test_announcements_and_reactions_to_them_come_to_every_home(
    listen: Listen, alice: Account, bob: Account
) -> None:
    hers, public = await listen(alice), await listen(alice, "public")
    number = await announcements.add(None, "We move")
    await announcements.tell(number)
    where, what, told = await hers.next()
    assert (where, what, told["id"]) == (["user"], "announcement", str(number))
    assert (told["content"], told["read"], told["reactions"]) == ("<p>We move</p>", False, [])

    await announcements.react(bob, number, "🎉")
    counted = {"name": "🎉", "count": 1, "announcement_id": str(number)}
    assert await hers.next() == (["user"], "announcement.reaction", counted)
    await announcements.unreact(bob, number, "🎉")
    assert (await hers.nothing_but("announcement.reaction"))[2] == {**counted, "count": 0}

    await announcements.unpublish(None, number)
    await announcements.tell(number)
    assert await hers.next() == (["user"], "announcement.delete", str(number))
    post = await write(bob)
    assert (await public.nothing_but("update"))[2]["id"] == str(post.id)


async def test_nothing_comes_that_is_not_there_when_one_reads(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    muted, blocker, apart = [await person(name) for name in ("muted", "blocker", "apart")]
    for author in (bob, muted, blocker, apart):
        await follows.follow(alice, author)
    await mutes.mute(alice, muted)
    await blocks.block(blocker, alice)
    shelf = await lists.create(alice, "apart", exclusive=True)
    await lists.add(alice, shelf.id, [apart.id])
    hers, public = await listen(alice), await listen(alice, "public")

    for author in (carol, muted, blocker, apart):
        await write(author, visibility=Visibility.FOLLOWERS)
        await likes.like(author, await write(author, visibility=Visibility.UNLISTED))
    await write(bob, "for carol", reply_to_id=(await write(carol, visibility=Visibility.UNLISTED)).id)
    for author in (muted, blocker):
        gone = await write(author)
        await posts.delete(author, gone.id)
    secret = await write(bob, "@carol psst", visibility=Visibility.DIRECT)
    await posts.edit(bob, secret.id, Draft(source="@carol pssst"))
    await posts.delete(bob, secret.id)
    last = await write(bob, "for all")

    assert (await hers.nothing_but("update"))[2]["id"] == str(last.id)
    # That public posts are gone is no secret.
    assert [(await public.next())[1] for _ in range(2)] == ["delete", "delete"]
    assert (await public.nothing_but("update"))[2]["id"] == str(last.id)


async def test_what_one_may_not_see_any_more_when_it_is_sent_is_not_sent(
    listen: Listen, alice: Account, bob: Account
) -> None:
    await follows.follow(alice, bob)
    hers = await listen(alice)
    post = await posts.publish(bob, Draft(source="hello", visibility=Visibility.FOLLOWERS))
    await follows.unfollow(alice, bob)
    await home.fan_out(post.id)
    await follows.follow(alice, bob)
    last = await write(bob)
    assert (await hers.nothing_but("update"))[2]["id"] == str(last.id)


async def test_public_and_hashtag_streams_take_what_their_timelines_take(
    listen: Listen, alice: Account, bob: Account
) -> None:
    names = ("public", "public:local", "public:remote", "public:media")
    everywhere = {name: await listen(alice, name) for name in names}
    tea = await listen(alice, "hashtag", tag="Tea")
    here = await listen(alice, "hashtag:local", tag="tea")

    distant = await remote("dora", "there.example")
    ours, theirs = await write(bob, "a cup of #tea"), await making.post(distant)
    await write(bob, "unlisted #tea", visibility=Visibility.UNLISTED)
    bus.say(orjson.dumps({"kind": "post", "post_id": theirs.id}))

    assert (await tea.nothing_but("update"))[::2][0] == ["hashtag", "Tea"]
    assert (await here.next())[0] == ["hashtag:local", "tea"]
    seen = {name: (await everywhere[name].next())[2]["id"] for name in names[:3]}
    assert seen == {"public": str(ours.id), "public:local": str(ours.id), "public:remote": str(theirs.id)}
    assert (await everywhere["public"].next())[2]["id"] == str(theirs.id)
    await posts.delete(bob, ours.id)
    for stream in (everywhere["public:media"], everywhere["public:local"], tea, here):
        assert (await stream.nothing_but("delete"))[2] == str(ours.id)


async def test_direct_posts_come_as_conversations_to_those_who_take_part(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    hers, others = await listen(alice, "direct"), await listen(carol, "direct")
    await blocks.block(alice, carol)
    await write(carol, "@alice no", visibility=Visibility.DIRECT)
    post = await write(bob, "@alice psst", visibility=Visibility.DIRECT)
    where, what, conversation = await hers.next()
    assert (where, what, conversation["unread"]) == (["direct"], "conversation", True)
    assert conversation["last_status"]["id"] == str(post.id)
    assert [one["id"] for one in conversation["accounts"]] == [str(bob.id)]
    assert (await others.next())[2]["last_status"]["account"]["id"] == str(carol.id)


async def test_what_is_held_back_from_the_list_is_not_heard(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(alice, carol)
    await notification_policy.edit(alice, not_following="filter")
    hers, own = await listen(alice, "user:notification"), await write(alice)
    await likes.like(bob, own)
    await likes.like(carol, own)
    assert (await hers.nothing_but("notification"))[2]["account"]["id"] == str(carol.id)


async def test_one_hears_that_what_was_held_back_is_in_the_list_now(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    await notification_policy.edit(alice, not_following="filter")
    own = await write(alice)
    for sender in (bob, carol):
        await likes.like(sender, own)
    waiting = [one.id for one in await notification_requests.listing(alice, Page(10))]
    home, notices = await listen(alice), await listen(alice, "user:notification")
    posts_only, his = await listen(alice, scopes="read:statuses"), await listen(bob)
    await notification_requests.dismiss(alice, waiting[:1])
    await notification_requests.accept(alice, waiting)
    assert await home.next() == (["user"], "notifications_merged", 1)
    assert await notices.next() == (["user:notification"], "notifications_merged", 1)
    await notification_requests.accept(alice, waiting)
    await write(alice)
    await write(bob)
    for other in (home, posts_only, his):
        await other.nothing_but("update")


async def test_home_gets_hashtags_that_one_follows(listen: Listen, alice: Account, bob: Account) -> None:
    await tags.follow(alice, "tea")
    hers = await listen(alice)
    post = await write(bob, "#Tea")
    assert (await hers.nothing_but("update"))[2]["id"] == str(post.id)
    await posts.edit(bob, post.id, Draft(source="more #tea"))
    await hers.nothing_but("status.update")
    await posts.delete(bob, post.id)
    assert await hers.next() == (["user"], "delete", str(post.id))


async def test_a_list_gets_what_is_on_it(
    listen: Listen, alice: Account, bob: Account, carol: Account
) -> None:
    for author in (bob, carol):
        await follows.follow(alice, author)
    shelf = await lists.create(alice, "bobs", Replies.NONE, exclusive=True)
    await lists.add(alice, shelf.id, [bob.id])
    hers = await listen(alice, "list", list=str(shelf.id))
    await write(carol)
    await write(bob, reply_to_id=(await write(carol)).id)
    post = await write(bob, visibility=Visibility.FOLLOWERS)
    assert await hers.nothing_but("update") and await posts.delete(bob, post.id)
    assert await hers.next() == (["list", str(shelf.id)], "delete", str(post.id))


async def test_one_socket_carries_many_streams_that_come_and_go(
    listen: Listen, alice: Account, bob: Account
) -> None:
    hers = await listen(alice, "")
    await write(bob, "nobody listens to this")
    await hers.say("subscribe", "public")
    await hers.say("subscribe", "hashtag", tag="tea")
    await write(bob, "#tea")
    assert {(await hers.next())[0][0] for _ in range(2)} == {"public", "hashtag"}
    await hers.say("unsubscribe", "public")
    await write(bob, "more #tea")
    await write(bob, "still more #tea")
    assert [(await hers.next())[0] for _ in range(2)] == [["hashtag", "tea"]] * 2


@pytest.mark.parametrize(
    "wish, status",
    [
        ("{", 422),
        ("[]", 422),
        ('{"type": "subscribe"}', 422),
        ('{"type": "subscribe", "stream": "secrets"}', 422),
        ('{"type": "subscribe", "stream": "hashtag"}', 422),
        ('{"type": "subscribe", "stream": "list", "list": "4711"}', 404),
        ('{"type": "subscribe", "stream": "list", "list": "x"}', 404),
        ('{"type": "subscribe", "stream": "user:notification"}', 403),
    ],
)
async def test_what_cannot_be_done_is_answered(
    listen: Listen, alice: Account, wish: str, status: int
) -> None:
    hers = await listen(alice, "", scopes="read:statuses read:lists")
    await hers.said(wish)
    assert (await hers.error())["status"] == status


async def test_a_token_hears_only_what_it_may_read(listen: Listen, alice: Account, bob: Account) -> None:
    both, statuses = await listen(alice), await listen(alice, scopes="read:statuses")
    notices = await listen(alice, "user:notification", scopes="read:notifications")
    own = await write(alice)
    await likes.like(bob, own)
    await write(alice)
    assert [(await both.next())[1] for _ in range(3)] == ["update", "notification", "update"]
    assert [(await statuses.next())[1] for _ in range(2)] == ["update", "update"]
    assert (await notices.next())[:2] == (["user:notification"], "notification")


@pytest.mark.parametrize(
    "scopes, stream, status",
    [
        ("", "user", 401),
        ("write", "user", 403),
        ("read:notifications", "public", 403),
        ("read:statuses", "list", 403),
        ("read:statuses", "user:notification", 403),
        ("read", "list", 404),
        ("read", "nonsense", 422),
    ],
)
async def test_who_may_not_is_refused_before_the_upgrade(
    app: Quart, alice: Account, bob: Account, scopes: str, stream: str, status: int
) -> None:
    token = await tokens.create(alice, await user_of(alice), scopes) if scopes else "nobody's"
    foreign = await lists.create(bob, "his")
    query = {"access_token": token, "stream": stream, "list": str(foreign.id)}
    with pytest.raises(WebsocketResponseError) as refusal:
        async with app.test_client().websocket(PATH, query_string=query) as socket:
            await socket.receive()
    assert refusal.value.response.status_code == status
    if stream != "nonsense":
        answer = await app.test_client().get(f"{PATH}/{stream.replace(':', '/')}", query_string=query)
        assert answer.status_code == status


async def test_a_token_comes_by_header_too_and_must_be_somebodys(app: Quart, alice: Account) -> None:
    token = await tokens.create(alice, await user_of(alice), "read")
    headers = {"Authorization": f"Bearer {token}"}
    async with app.test_client().websocket(PATH, headers=headers) as socket:
        await socket.send("nonsense")
        assert "error" in await socket.receive()
    app_only = await tokens.create(None, None, "read")
    answer = await app.test_client().get(f"{PATH}/user", query_string={"access_token": app_only})
    assert answer.status_code == 401


async def test_streams_end_soon_after_the_right_to_them(
    listen: Listen, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listeners.LOOK_EVERY < 5
    monkeypatch.setattr(listeners, "LOOK_EVERY", 0.05)
    token = await tokens.create(alice, await user_of(alice), "read")
    revoked, other, his = await listen(alice, token=token), await listen(alice), await listen(bob)
    await tokens.revoke(token)
    await revoked.ended()
    await write(alice)
    await other.nothing_but("update")
    await moderation.suspend(bob, None)
    await his.ended()


async def test_there_are_bounds(
    app: Quart, listen: Listen, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MOST_OF_ONE", 1)
    monkeypatch.setattr(listeners, "MOST", 2)
    monkeypatch.setattr(streaming, "MOST_CHANNELS", 1)
    hers = await listen(alice)
    await hers.said('{"type": "subscribe", "stream": "public"}')
    assert (await hers.error())["status"] == 429
    assert await refusal(app, alice) == 429
    await listen(bob)
    assert await refusal(app, await person("dora")) == 503


async def test_who_gives_up_before_the_stream_begins_takes_no_place(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await tokens.find(await tokens.create(alice, await user_of(alice), "read"))
    assert found is not None
    reached = asyncio.Event()

    async def for_ever() -> None:
        reached.set()
        await asyncio.Event().wait()

    async def tell(*_: Any) -> None:
        raise AssertionError("Nothing has happened.")

    monkeypatch.setattr(bus, "ready", for_ever)
    hall = Hall(tell)
    entering = asyncio.create_task(
        hall.enter(listeners.Listener(alice, found.scopes, found.token_id)), name="entering"
    )
    await reached.wait()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not len(hall) and not bus.heard()


async def test_a_hashtag_is_read_once_however_it_is_spelled(
    listen: Listen, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    read = channels.read

    async def counting(channel: channels.Channel, viewer: Account, post_id: int) -> Any:
        asked.append(channel)
        return await read(channel, viewer, post_id)

    monkeypatch.setattr(channels, "read", counting)
    hers = await listen(alice, "hashtag", tag="tea")
    for spelled in ("Tea", "TEA", "#tea"):
        await hers.say("subscribe", "hashtag", tag=spelled)
    await write(bob, "hot #tea")
    assert [(await hers.next())[0][0] for _ in range(3)] == ["hashtag"] * 3
    assert len(asked) == 1


async def refusal(app: Quart, account: Account) -> int:
    """The status of the answer to somebody who wants one more stream."""
    token = await tokens.create(account, await user_of(account), "read")
    answer = await app.test_client().get(f"{PATH}/user", query_string={"access_token": token})
    return answer.status_code


async def test_who_does_not_read_is_let_go(
    app: Quart, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MOST_WAITING", 2)
    found = await tokens.find(await tokens.create(alice, await user_of(alice), "read"))
    assert found is not None
    slow = listeners.Listener(alice, found.scopes, found.token_id)
    slow.channels.add(streaming.Channel("user"))
    hall = streaming.hall(app)
    await hall.enter(slow)
    for _ in range(3):
        await write(alice)
    await until(lambda: slow.over and not len(hall))


async def test_server_sent_events(app: Quart, alice: Account, bob: Account) -> None:
    token = await tokens.create(alice, await user_of(alice), "read")
    client = app.test_client()
    query = {"access_token": token}
    async with client.request(f"{PATH}/public/local", query_string=query) as connection:
        await connection.send_complete()
        assert await connection.receive() == b":)\n"
        assert connection.headers["Content-Type"].startswith("text/event-stream")
        post = await write(bob)
        event, data = (await connection.receive()).decode().strip().split("\n")
        assert event == "event: update" and orjson.loads(data.removeprefix("data: "))["id"] == str(post.id)
        await posts.delete(bob, post.id)
        assert await connection.receive() == f"event: delete\ndata: {post.id}\n\n".encode()
        await connection.disconnect()
    await until(lambda: not len(streaming.hall(app)))

    assert (await client.get(f"{PATH}/health")).status_code == 200
    assert (await client.get(f"{PATH}/secrets", query_string=query)).status_code == 404
    assert (await client.get(f"{PATH}/hashtag", query_string=query)).status_code == 422
    assert (await client.head(f"{PATH}/user", query_string=query)).status_code == 200
    for version in (1, 2):
        answer = await (await client.get(f"/api/v{version}/instance")).get_json()
        urls = answer["urls"] if version == 1 else answer["configuration"]["urls"]
        assert "ws://localhost:8000" in urls.values()


async def test_silent_streams_say_that_they_are_there(
    app: Quart, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert streaming._THUMP == 15
    monkeypatch.setattr(streaming, "_THUMP", 0.02)
    token = await tokens.create(alice, await user_of(alice), "read")
    async with app.test_client().request(f"{PATH}/user", query_string={"access_token": token}) as connection:
        await connection.send_complete()
        assert [await connection.receive() for _ in range(2)] == [b":)\n", b":thump\n"]
        await connection.disconnect()
    await until(lambda: not len(streaming.hall(app)))


async def test_streams_end_when_the_server_drains(config: Config, database: None, alice: Account) -> None:
    app = create_app(config, open_house=False)
    token = await tokens.create(alice, await user_of(alice), "read")
    query = {"access_token": token, "stream": "user"}
    async with app.test_client().websocket(PATH, query_string=query) as socket:
        hall: Hall = streaming.hall(app)
        await until(lambda: len(hall))
        api.end_streams(app)
        await Stream(socket).ended()
    assert not len(hall)
    answer = await app.test_client().get(f"{PATH}/user", query_string=query)
    assert answer.status_code == 503
