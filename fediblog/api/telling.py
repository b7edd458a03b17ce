"""News become messages: for each listener whom they concern, read and rendered as that listener sees it."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress

from fediblog.api import announcements as announced
from fediblog.api import conversations, entities, noticed, rendering
from fediblog.api.listeners import Listener, Message
from fediblog.errors import NotFound
from fediblog.models import Account, Visibility
from fediblog.services import announcements, channels, matching, tokens
from fediblog.services import conversations as talks
from fediblog.services import notifications as notices
from fediblog.services.channels import Channel, Facts
from fediblog.services.streams import Kind, News

UPDATE, EDIT, DELETE, NOTICE, FILTERS, CONVERSATION = (
    *("update", "status.update", "delete", "notification", "filters_changed", "conversation"),
)
MERGED = "notifications_merged"
ANNOUNCED, REACTED, WITHDRAWN = "announcement", "announcement.reaction", "announcement.delete"

Seat = tuple[Listener, Channel]
Read = Callable[[Account, int], Awaitable[list[bytes]]]
Leave = Callable[[Listener], None]


class Teller:
    """Tells news to listeners; who does not keep up with them is made to `leave`."""

    def __init__(self, leave: Leave) -> None:
        self._leave = leave

    async def tell(self, news: News, listeners: Collection[Listener]) -> None:
        """Whatever has happened, to all whom it concerns."""
        match news.kind:
            case Kind.POST:
                await self._show(UPDATE, news.post_id, await _places(news.post_id, listeners))
            case Kind.HOME:
                await self._show(UPDATE, news.post_id, _seats(listeners, news.account_ids, channels.HOME))
            case Kind.EDIT:
                seats = [*await _places(news.post_id, listeners), *await _homes(news.post_id, listeners)]
                await self._show(EDIT, news.post_id, seats)
            case Kind.DELETE:
                for seat in await _had(news, listeners):
                    self._put(seat, DELETE, str(news.post_id))
            case Kind.NOTICE:
                for account_id, number in zip(news.account_ids, news.numbers, strict=True):
                    await self._each(NOTICE, _notice, number, _notified(listeners, account_id))
            case Kind.MERGED:
                for account_id in news.account_ids:
                    for seat in _notified(listeners, account_id):
                        self._put(seat, MERGED, "1")
            case Kind.CONVERSATION:
                for account_id, number in zip(news.account_ids, news.numbers, strict=True):
                    seats = _seats(listeners, [account_id], channels.DIRECT)
                    await self._each(CONVERSATION, _conversation, number, seats)
            case Kind.FILTERS:
                for account_id in news.account_ids:
                    # Changed in another process, perhaps: what is remembered here is old now.
                    matching.forget(account_id)
                for seat in _seats(listeners, news.account_ids, channels.HOME):
                    self._put(seat, FILTERS)

            case Kind.ANNOUNCED | Kind.REACTED | Kind.WITHDRAWN:
                await self._announce(news, _everybody(listeners))

    async def _announce(self, news: News, seats: Collection[Seat]) -> None:
        """The same for all who listen to their homes: it is read and rendered once."""
        (number,) = news.numbers
        if news.kind is Kind.WITHDRAWN:
            event, payload = WITHDRAWN, str(number)
        elif (found := await announcements.find(number) if seats else None) is None:
            return
        elif news.kind is Kind.ANNOUNCED:
            event, payload = ANNOUNCED, entities.dump(announced.entity(found)).decode()
        else:
            event = REACTED
            payload = entities.dump(announced.counted(number, news.tags[0], found)).decode()
        for seat in seats:
            self._put(seat, event, payload)

    async def _show(self, event: str, post_id: int, seats: Iterable[Seat]) -> None:
        """The post to those who would find it there if they read."""
        shown: dict[tuple[int, Channel], str | None] = {}
        for listener, channel in seats:
            key = (listener.account.id, channels.place(channel))
            if key not in shown:
                shown[key] = await _status(channel, listener.account, post_id)
            if shown[key] is not None:
                self._put((listener, channel), event, shown[key])

    async def _each(self, event: str, read: Read, number: int, seats: Collection[Seat]) -> None:
        """What is somebody's own, to all the places where that one account listens."""
        if not seats:
            return
        with suppress(NotFound):
            for json in await read(next(iter(seats))[0].account, number):
                for seat in seats:
                    self._put(seat, event, json.decode())

    def _put(self, seat: Seat, event: str, payload: str | None = None) -> None:
        listener, channel = seat
        if not listener.put(Message(channel, event, payload)):
            self._leave(listener)


async def _notice(account: Account, number: int) -> list[bytes]:
    return await noticed.rendered([await notices.get(account, number)], account)


async def _conversation(account: Account, number: int) -> list[bytes]:
    return await conversations.rendered([await talks.get(account, number)], account)


async def _status(channel: Channel, viewer: Account, post_id: int) -> str | None:
    entry = await channels.read(channel, viewer, post_id)
    rendered = await rendering.statuses([entry], viewer) if entry else []
    return rendered[0].decode() if rendered else None


def _seats(listeners: Collection[Listener], account_ids: Collection[int], name: str) -> list[Seat]:
    """Where these accounts listen to a channel that needs nothing but its name."""
    wanted, channel = set(account_ids), Channel(name)
    return [(one, channel) for one in listeners if one.account.id in wanted and channel in one.channels]


def _everybody(listeners: Collection[Listener]) -> list[Seat]:
    """All homes."""
    return _seats(listeners, [one.account.id for one in listeners], channels.HOME)


def _notified(listeners: Collection[Listener], account_id: int) -> list[Seat]:
    """Home brings notifications too, where the token is one for them."""
    at_home = [
        seat
        for seat in _seats(listeners, [account_id], channels.HOME)
        if tokens.covers(seat[0].scopes, "read:notifications")
    ]
    return at_home + _seats(listeners, [account_id], channels.NOTICES)


async def _places(post_id: int, listeners: Collection[Listener]) -> list[Seat]:
    """Where else than on home a post may be seen: in public, under its hashtags, on lists."""
    others = _others(listeners)
    facts = await channels.facts(post_id) if others else None
    return await _carrying(others, facts) if facts else []


def _others(listeners: Collection[Listener]) -> list[Seat]:
    apart = {channels.HOME, channels.NOTICES, channels.DIRECT}
    return [(one, channel) for one in listeners for channel in one.channels if channel.name not in apart]


async def _carrying(seats: Collection[Seat], post: Facts) -> list[Seat]:
    wanted = {int(channel.which) for _, channel in seats if channel.name == channels.LIST}
    lists = await channels.lists_with(post.author_id, wanted)
    return [(one, channel) for one, channel in seats if channels.may_carry(channel, post, lists)]


async def _homes(post_id: int, listeners: Collection[Listener]) -> list[Seat]:
    """The homes that have a post."""
    at_home = [one for one in listeners if Channel(channels.HOME) in one.channels]
    readers = await channels.homes_with(post_id, {one.account.id for one in at_home}) if at_home else ()
    return _seats(at_home, readers, channels.HOME)


async def _had(gone: News, listeners: Collection[Listener]) -> list[Seat]:
    """Who may have seen what is gone: for anybody else there was nothing."""
    accounts = {one.account.id for one in listeners}
    readers = {gone.author_id, *gone.account_ids} & accounts
    if gone.visibility < Visibility.DIRECT:
        readers |= await channels.followers(gone.author_id, accounts)
    if gone.visibility == Visibility.PUBLIC:
        readers |= await channels.tag_followers(channels.facts_of(gone).tags, accounts)
    seats = _seats(listeners, readers, channels.HOME)
    if gone.visibility < Visibility.DIRECT:
        seats += await _carrying(_others(listeners), channels.facts_of(gone))
    return seats
