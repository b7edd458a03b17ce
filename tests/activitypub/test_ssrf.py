"""Whatever address another server may put before us, no private one is ever dialled (SECURITY §3).

The client is the real one, with no allowance; so are the guard and the engine under it. Only what a few
honest names answer is played. What is asserted is what sockets were told to connect to.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
from quart import Quart

from fediblog import http, ids
from fediblog.activitypub import (
    delivery,
    errands,
    featured,
    interactions,
    newest,
    outbox,
    resolver,
    second_look,
    synchronisation,
    threads,
)
from fediblog.activitypub.budgets import Budget
from fediblog.activitypub.vocabulary import JRD_JSON
from fediblog.config import Config
from fediblog.errors import FediblogError
from fediblog.http import opening
from fediblog.models import Account, Media
from fediblog.services import link_checks, media_cache, recipients, relays, remote_files
from tests.activitypub.handlers.stage import Someone, befriend, handle, meet
from tests.activitypub.test_delivery import letter
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node
from tests.http.conftest import Names, _authorities_are_read_once, dials  # noqa: F401
from tests.people import remote
from tests.services.making import post

# Nothing of this is about the database.
pytestmark = pytest.mark.once

PUBLIC = "93.184.216.34"
NAME = "evil.example"
# Each kind of SECURITY §3 once; all of them stand in tests/http/test_addresses.py.
PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fd00::1"]
EMBEDDED = ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"]
LITERALS = ["127.0.0.1", "10.0.0.1:8443", "169.254.169.254", "0.0.0.0", "[::1]", "[fd00::1]"]
LITERALS += ["[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"]
ACTIVITY = "application/activity+json"


@dataclass
class Stage:
    """Alice lives here and follows rita, whose server answers; eve is known, and lives where it is tried."""

    app: Callable[[], Quart]
    host: str
    alice: Account
    rita: Someone
    eve: Account

    def url(self, path: str = "/notes/1") -> str:
        return f"https://{self.host}{path}"

    async def sent(self, sender: Node, activity: Node) -> int:
        """Our status for what somebody delivers."""
        return await self.rita.peer.send(self.app(), sender, activity)

    def note(self, **more: Any) -> Node:
        return self.rita.note(**more)

    def plays(self, url: str, document: Any, kind: str = ACTIVITY) -> str:
        """Let rita's server say something at an address of its own."""
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        self.rita.peer.answers[url] = (200, kind, body)
        return url


@dataclass
class Partly(httpx.AsyncBaseTransport):
    """The servers that are played answer; everything else goes the real way."""

    played: Fediverse
    real: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.netloc.decode() in self.played.servers:
            return await self.played.transport().handle_async_request(request)
        return await self.real.handle_async_request(request)

    async def aclose(self) -> None:
        await self.real.aclose()


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def played(config: Config, database: None, names: Names) -> AsyncIterator[Fediverse]:
    """The real client as everybody runs it, but for the servers that a test plays."""
    servers = Fediverse()
    await http.open(config, look_up=names)
    exchange = opening.current()
    exchange._transport = Partly(servers, exchange._transport)
    yield servers
    await http.close()


@pytest.fixture
def stage(played: Fediverse, config: Config, alice: Account) -> Callable[[str], Awaitable[Stage]]:
    app = partial(apps.shared, config)

    async def make(host: str) -> Stage:
        rita = await meet(played, f"rita{ids.new()}")
        await befriend(alice, rita.account)
        eve = await remote("eve", host, avatar_remote_url=f"https://{host}/a.png")
        return Stage(app, host, alice, rita, eve)

    return make


# ------------------------------------------------------------------------------ where addresses come from

Source = Callable[[Stage], Awaitable[Any]]


async def _key_id(stage: Stage) -> None:
    someone = {"id": stage.url("/users/x"), "publicKey": {"id": stage.url("/users/x#main-key")}}
    activity = {"type": "Like", "actor": someone["id"], "object": "https://remote.example/1"}
    assert 400 <= await stage.sent(someone, activity) < 500


async def _owner_of_key(stage: Stage) -> None:
    key_id = stage.plays(f"{stage.rita.peer.base}/keys/{ids.new()}", {})
    stage.plays(key_id, {"id": key_id, "type": "Key", "owner": stage.url("/users/y"), "publicKeyPem": "x"})
    someone = {"id": f"{stage.rita.peer.base}/users/y", "publicKey": {"id": key_id}}
    activity = {"type": "Like", "actor": someone["id"], "object": "https://remote.example/1"}
    assert 400 <= await stage.sent(someone, activity) < 500


async def _key_beside(stage: Stage) -> None:
    """Eve's row has the address of a key only, as some actors have it."""
    key_id = stage.url("/keys/1")
    someone = {"id": stage.eve.uri, "publicKey": {"id": key_id}}
    activity = {"type": "Like", "actor": stage.eve.uri, "object": "https://remote.example/1"}
    assert 400 <= await stage.sent(someone, activity) < 500


async def _inbox(stage: Stage, **columns: str) -> None:
    await Account.filter(id=stage.eve.id).update(**columns)
    await befriend(stage.eve, stage.alice)
    await letter(stage.alice, *await recipients.followers(stage.alice.id))
    await delivery.drain()


async def _relay(stage: Stage) -> None:
    await relays.add(stage.url("/relay"))
    await outbox.federate(0)
    await delivery.drain()


async def _inner(stage: Stage) -> None:
    made = await post(stage.alice)
    like = {"id": stage.url("/likes/1"), "type": "Like", "actor": stage.eve.uri, "object": made.uri}
    await handle(stage.rita.activity("Announce", like), stage.rita.account)


async def _move(stage: Stage) -> None:
    move = stage.rita.activity("Move", stage.rita.account.uri, target=stage.url("/users/new"))
    await handle(move, stage.rita.account)


async def _own(stage: Stage, kind: str, thing: str, **more: Any) -> None:
    """An activity of eve's own."""
    activity = {"type": kind, "id": stage.url("/activities/1"), "actor": stage.eve.uri, "object": thing}
    await handle(activity | more, stage.eve)


async def _by_reference(stage: Stage) -> None:
    await _own(stage, "Create", stage.url(), to=[stage.alice.uri])


async def _edit(stage: Stage) -> None:
    await post(stage.eve, uri=stage.url("/notes/2"), local=False)
    await _own(stage, "Update", stage.url("/notes/2"))


async def _pin(stage: Stage) -> None:
    await befriend(stage.alice, stage.eve)
    await _own(stage, "Add", stage.url("/notes/3"), target=stage.eve.featured_uri)


async def _hint(stage: Stage) -> None:
    """Passed on for eve by rita: only the fetch of its owed work goes there."""
    made = await post(stage.alice)
    note = {"id": stage.url(), "type": "Note", "inReplyTo": made.uri}
    activity = {"type": "Create", "actor": stage.eve.uri, "object": note}
    assert await stage.sent(stage.rita.document, activity) == 202
    await errands.resolve(stage.url())


async def _second_look(stage: Stage) -> None:
    await second_look.at(await post(stage.eve, uri=stage.url("/notes/4"), local=False))


async def _answered(stage: Stage, **more: Any) -> None:
    note = stage.note(**more)
    await handle(stage.rita.activity("Create", note), stage.rita.account)


async def _replies(stage: Stage) -> None:
    await threads.read({"id": stage.url("/notes/5"), "replies": stage.url("/replies")}, Budget())


async def _reply(stage: Stage) -> None:
    inline = {"type": "Collection", "items": [stage.url("/notes/6")]}
    await errands.resolve(stage.note(replies=inline)["id"])


async def _identity(stage: Stage) -> None:
    page = f"{stage.rita.peer.base}/pages/{ids.new()}"
    await resolver.find(stage.plays(page, {"id": stage.url(), "type": "Note"}), stage.alice)


async def _author(stage: Stage) -> None:
    page = f"{stage.rita.peer.base}/pages/{ids.new()}"
    create = {"id": page, "type": "Create", "actor": stage.rita.account.uri, "object": stage.url()}
    await resolver.find(stage.plays(page, create), stage.alice)


async def _redirect(stage: Stage) -> None:
    def moved(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": stage.url()})

    stage.rita.peer.answer = moved  # type: ignore[method-assign]
    await resolver.post(f"{stage.rita.peer.base}/notes/moved")


async def _self_link(stage: Stage) -> None:
    link = {"rel": "self", "type": ACTIVITY, "href": stage.url("/users/z")}
    domain = stage.rita.peer.domain
    stage.plays(
        f"https://{domain}/.well-known/webfinger?resource=acct:z@{domain}", {"links": [link]}, JRD_JSON
    )
    await resolver.account(f"z@{domain}")


async def _template(stage: Stage) -> None:
    base = stage.rita.peer.base
    template = stage.url("/finger?resource={uri}")
    meta = f'<XRD><Link rel="lrdd" template="{template}"/></XRD>'.encode()
    stage.plays(f"{base}/.well-known/host-meta", meta, "application/xrd+xml")
    await resolver.account(f"unknown@{stage.rita.peer.domain}")


async def _subject(stage: Stage) -> None:
    """Rita's host says that her handle is another host's."""
    peer = stage.rita.peer
    name = stage.rita.account.username
    link = {"rel": "self", "type": ACTIVITY, "href": stage.rita.account.uri}
    jrd = {"subject": f"acct:{name}@{stage.host}", "links": [link]}
    resource = f"{peer.base}/.well-known/webfinger?resource=acct:{name}@{peer.domain}"
    stage.plays(resource, jrd, JRD_JSON)
    other = f"other{ids.new()}"
    await Account.filter(id=stage.rita.account.id).update(username_key=other, username=other)
    await resolver.actor(stage.rita.account.uri, refresh=True)


async def _claimed_handle(stage: Stage) -> None:
    claimed = f"{stage.rita.account.username}@{stage.host}"
    stage.plays(stage.rita.account.uri, {**stage.rita.document, "webfinger": claimed})
    await resolver.actor(stage.rita.account.uri, refresh=True)


async def _own_page(stage: Stage) -> None:
    fields = [{"name": "Site", "source": stage.url("/"), "value": "", "verified_at": None}]
    await Account.filter(id=stage.alice.id).update(fields_=fields)
    await link_checks.check(stage.alice.id)


async def _avatar(stage: Stage) -> None:
    await media_cache.get(await remote_files.avatar(stage.eve.id, ""))


async def _header(stage: Stage) -> None:
    await Account.filter(id=stage.eve.id).update(header_remote_url=stage.url("/h.png"))
    await media_cache.get(await remote_files.header(stage.eve.id, ""))


async def _emoji(stage: Stage) -> None:
    emojis = [{"shortcode": "blob", "url": stage.url("/e.png")}]
    await Account.filter(id=stage.eve.id).update(emojis=emojis)
    await media_cache.get(await remote_files.emoji_of_account(stage.eve.id, "blob", ""))


async def _emoji_of_post(stage: Stage) -> None:
    emojis = [{"shortcode": "blob", "url": stage.url("/f.png")}]
    made = await post(stage.rita.account, uri=f"https://remote.example/{ids.new()}", emojis=emojis)
    await media_cache.get(await remote_files.emoji_of_post(made.id, "blob", None, ""))


async def _file(stage: Stage, small: bool, **columns: str) -> None:
    made = await post(stage.rita.account, uri=f"https://remote.example/{ids.new()}")
    values = {"state": "ready", "account_id": stage.rita.account.id, "post_id": made.id, **columns}
    media = await Media.create(id=ids.new(), **values)
    await media_cache.get(await remote_files.attachment(media.id, small, None, ""))


SOURCES: dict[str, Source] = {
    "keyId": _key_id,
    "key of an address of its own": _key_beside,
    "owner of a key": _owner_of_key,
    "actor": lambda stage: resolver.actor(stage.url("/users/w")),
    "known actor": lambda stage: errands.refresh(stage.eve.id),
    "profile of an update": lambda stage: _own(stage, "Update", stage.eve.uri),
    "inbox": lambda stage: _inbox(stage, shared_inbox=""),
    "sharedInbox": lambda stage: _inbox(stage),
    "relay": _relay,
    "featured": lambda stage: featured.read(stage.eve),
    "outbox": lambda stage: newest.read(stage.eve, Budget()),
    "pinned post": _pin,
    "synchronisation": lambda stage: synchronisation.reconcile(f"{stage.eve.id} {stage.url('/sync')}"),
    "object of a boost": lambda stage: handle(
        stage.rita.activity("Announce", stage.url()), stage.rita.account
    ),
    "object of a create": _by_reference,
    "object of an update": _edit,
    "activity in a group": _inner,
    "passed on": _hint,
    "looked at again": _second_look,
    "inReplyTo": lambda stage: _answered(stage, inReplyTo=stage.url()),
    "quote": lambda stage: _answered(stage, quoteUrl=stage.url()),
    "replies": _replies,
    "reply": _reply,
    "id of a document": _identity,
    "object of a document": _author,
    "redirect": _redirect,
    "move target": _move,
    "search": lambda stage: resolver.find(stage.url(), stage.alice),
    "handle": lambda stage: resolver.account(f"eva@{stage.host}"),
    "WebFinger self": _self_link,
    "WebFinger subject": _subject,
    "host-meta template": _template,
    "claimed handle": _claimed_handle,
    "where to act": lambda stage: interactions.address(f"eve@{stage.host}", stage.alice.uri),
    "rel=me": _own_page,
    "avatar": _avatar,
    "header": _header,
    "emoji of a name": _emoji,
    "emoji of a post": _emoji_of_post,
    "picture": lambda stage: _file(stage, False, kind="image", remote_url=stage.url("/p.png")),
    "film": lambda stage: _file(stage, False, kind="video", remote_url=stage.url("/p.mp4")),
    "preview": lambda stage: _file(stage, True, kind="video", remote_preview_url=stage.url("/q.png")),
}


async def tried(source: str, stage: Stage) -> None:
    """What comes of it does not matter, as long as it is one of our answers and not a fault."""
    try:
        await SOURCES[source](stage)
    except FediblogError as refusal:
        assert refusal.http_status != FediblogError.http_status, refusal
        assert not any(address in refusal.message for address in PRIVATE), refusal.message


@pytest.mark.parametrize("source", SOURCES)
async def test_a_public_address_is_dialled(stage, names, dials, source):  # noqa: F811
    """Or the tests below would prove nothing."""
    names.says[NAME] = [PUBLIC]
    await tried(source, await stage(NAME))
    assert set(dials) == {PUBLIC}


@pytest.mark.parametrize("source", SOURCES)
async def test_a_private_address_is_not_dialled(stage, names, dials, source):  # noqa: F811
    """Neither as what a name leads to, nor in place of a name."""
    for number, address in enumerate([*PRIVATE, *EMBEDDED]):
        host = f"{number}.{NAME}"
        names.says[host] = [PUBLIC, address]
        await tried(source, await stage(host))
        assert host in names.asked, address
    for literal in LITERALS:
        await tried(source, await stage(literal))
    assert dials == []
    assert all(name.endswith(NAME) for name in names.asked)


@pytest.mark.parametrize("source", SOURCES)
async def test_a_name_that_changes_its_mind_gains_nothing(stage, names, dials, source):  # noqa: F811
    """At each look-up it says something else: public first, private ever after."""
    names.turning[NAME] = [[PUBLIC], *[[address] for address in PRIVATE]]
    names.says[NAME] = ["127.0.0.1"]
    made = await stage(NAME)
    for _ in range(2):
        await tried(source, made)
    assert set(dials) == {PUBLIC}


async def test_addresses_that_nobody_needs_are_not_asked_at_all(stage, names, dials):  # noqa: F811
    """Of an actor only its own document is asked for, of a post what it belongs to."""
    made: Stage = await stage(NAME)
    elsewhere = {
        name: made.url(f"/{name}")
        for name in (
            *("outbox", "followers", "following", "featured", "featuredTags", "url", "movedTo"),
            *("icon", "image", "streams", "proxyUrl", "attributedTo"),
        )
    }
    document = {**made.rita.document, **elsewhere, "alsoKnownAs": [made.url("/old")]}
    document["@context"] = [made.url("/context")]
    document["tag"] = [{"type": "Emoji", "name": ":x:", "icon": {"type": "Image", "url": made.url("/e")}}]
    made.plays(made.rita.account.uri, document)
    await resolver.actor(made.rita.account.uri, refresh=True)
    mention = {"type": "Mention", "href": made.url("/users/unknown"), "name": "@x@evil.example"}
    more = {"likes": made.url("/likes"), "shares": made.url("/shares"), "context": made.url("/context")}
    note = made.note(
        tag=[mention],
        attachment=[{"type": "Document", "mediaType": "image/png", "url": made.url("/x.png")}],
        to=[made.url("/users/unknown"), "as:Public"],
        generator=made.url("/app"),
        **more,
    )
    await handle(made.rita.activity("Create", note), made.rita.account)
    assert (dials, names.asked) == ([], [])


async def test_who_signs_well_is_told_nothing_of_where_it_went_wrong(stage, names):
    """The words of every refusal are the same, whatever stands behind the name."""
    said = set()
    for address in (*PRIVATE, *EMBEDDED):
        names.says[NAME] = [address]
        try:
            await resolver.post(f"https://{NAME}/notes/1")
        except http.Refused as refusal:
            said.add(refusal.message)
    assert len(said) == 1
