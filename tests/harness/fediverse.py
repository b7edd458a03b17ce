"""The foreign fediverse, played by us: servers that answer our requests and send us signed ones.

    peer = fediverse.server("remote.example")
    rita = peer.actor("rita")                       # a document, a key, WebFinger
    note = peer.note(rita, "<p>Hello</p>")          # can be fetched, and sent
    status = await peer.send(app, rita, peer.activity("Create", rita, note))
    peer.received                                   # what was delivered there, in order: Delivered

Nothing leaves the process: `transport()` stands in for the network. Every delivery's signature is verified.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
from quart import Quart

from fediblog.activitypub.signatures import Scheme, received, sign, verify
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, CONTEXT, JRD_JSON, PUBLIC
from fediblog.config import settings
from fediblog.http import Unreachable
from tests.people import pair

Node = dict[str, Any]


@dataclass(frozen=True)
class Delivered:
    """What came into an inbox."""

    inbox: str
    activity: Node
    key_id: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """One server. `answers` overrules everything: {url: (status, content type, body)}."""

    domain: str
    keys: dict[str, str]  # Public keys of our side by their id, as far as somebody told us.
    documents: dict[str, Node] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    received: list[Delivered] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    inbox_status: int = 202
    headers: dict[str, str] = field(default_factory=dict)  # Of every answer of an inbox.
    hangs: asyncio.Event | None = None  # Inboxes answer when it is set.
    down: bool = False
    wants: Scheme | None = None  # Signed in another way it says 401.
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def base(self) -> str:
        """The origin."""
        return f"https://{self.domain}"

    # ------------------------------------------------------------------------------------ what is there

    def actor(self, name: str, **more: Any) -> Node:
        """A person who can be found, asked for, and sign."""
        uri = f"{self.base}/users/{name}"
        public, _ = pair()
        document = {
            "@context": CONTEXT,
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "name": name.capitalize(),
            "summary": f"<p>I am {name}.</p>",
            "url": f"{self.base}/@{name}",
            "inbox": f"{uri}/inbox",
            "outbox": f"{uri}/outbox",
            "followers": f"{uri}/followers",
            "following": f"{uri}/following",
            "endpoints": {"sharedInbox": f"{self.base}/inbox"},
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": public},
            **more,
        }
        self.handles[name.lower()] = uri
        return self.keep(document)

    def note(self, actor: Node, content: str = "<p>Hello</p>", **more: Any) -> Node:
        """A public post of an actor, which can be fetched."""
        uri = f"{self.base}/notes/{next(self._numbers)}"
        return self.keep(
            {
                "@context": CONTEXT,
                "id": uri,
                "type": "Note",
                "attributedTo": actor["id"],
                "content": content,
                "published": "2026-11-01T12:00:00Z",
                "to": [PUBLIC],
                "cc": [actor["followers"]],
                **more,
            }
        )

    def activity(self, kind: str, actor: Node, thing: Node | str, **more: Any) -> Node:
        """An activity with an id, addressed as its object is."""
        made = {
            "@context": CONTEXT,
            "id": f"{self.base}/activities/{next(self._numbers)}",
            "type": kind,
            "actor": actor["id"],
            "object": thing,
        }
        if isinstance(thing, dict):
            made |= {name: thing[name] for name in ("to", "cc") if name in thing}
        return {**made, **more}

    def keep(self, document: Node) -> Node:
        """Let a document be fetched from its id."""
        self.documents[document["id"]] = document
        return document

    # -------------------------------------------------------------------------------------- what it does

    async def send(
        self,
        app: Quart,
        actor: Node,
        activity: Node | bytes,
        inbox: str = "/ap/inbox",
        scheme: Scheme = Scheme.CAVAGE,
        **headers: str,
    ) -> int:
        """Deliver to us, signed by the actor; gives our status. `headers` replace those that were signed."""
        body = activity if isinstance(activity, bytes) else orjson.dumps(activity)
        url = settings().origin + inbox
        made = sign(
            "POST",
            url,
            {"Content-Type": ACTIVITY_JSON},
            body,
            actor["publicKey"]["id"],
            pair()[1],
            scheme,
        )
        made |= headers
        response = await app.test_client().post(inbox, data=body, headers=made)
        return response.status_code

    def signed_get(self, actor: Node, path: str) -> dict[str, str]:
        """Headers for asking us for something in an actor's name."""
        url = settings().origin + path
        return sign("GET", url, {"Accept": ACTIVITY_JSON}, None, actor["publicKey"]["id"], pair()[1])

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What a request of ours gets."""
        self.asked.append(request)
        if self.down:
            raise Unreachable("connection")
        url = str(request.url)
        if url in self.answers:
            status, kind, body = self.answers[url]
            return _response(status, kind, body)
        if request.method == "POST":
            return self._take(request)
        if request.url.path == "/.well-known/webfinger":
            return self._webfinger(request)
        document = self.documents.get(url)
        if document is None:
            return _response(404, "text/plain", b"")
        return _response(200, ACTIVITY_JSON, orjson.dumps(document))

    def _take(self, request: httpx.Request) -> httpx.Response:
        if self.inbox_status >= 300:
            refusal = _response(self.inbox_status, "text/plain", b"")
            refusal.headers.update(self.headers)
            return refusal
        parts = urlsplit(str(request.url))
        signed = received(
            "POST",
            parts.path + (f"?{parts.query}" if parts.query else ""),
            self.base,
            list(request.headers.items()),
            request.content,
        )
        if self.wants and signed.claim.scheme is not self.wants:
            return _response(401, "text/plain", b"")
        verify(signed, self.keys[signed.claim.key_id])
        self.received.append(
            Delivered(
                str(request.url),
                orjson.loads(request.content),
                signed.claim.key_id,
                dict(request.headers),
                request.content,
            )
        )
        return _response(202, "text/plain", b"")

    def _webfinger(self, request: httpx.Request) -> httpx.Response:
        resource = parse_qs(request.url.query.decode()).get("resource", [""])[0]
        name = resource.removeprefix("acct:").removesuffix(f"@{self.domain}").lower()
        uri = self.handles.get(name) or (resource if resource in self.documents else None)
        if uri is None:
            return _response(404, "text/plain", b"")
        name = self.documents[uri]["preferredUsername"]
        document = {
            "subject": f"acct:{name}@{self.domain}",
            "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}],
        }
        return _response(200, JRD_JSON, orjson.dumps(document))


class _Body(httpx.AsyncByteStream):
    """A body that is read as one from the network is, once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def _response(status: int, kind: str, content: bytes) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": kind}, stream=_Body(content))


class Fediverse:
    """All servers that there are."""

    def __init__(self) -> None:
        self.servers: dict[str, Peer] = {}
        self.keys: dict[str, str] = {}

    def server(self, domain: str) -> Peer:
        """A server by its name, new or known."""
        return self.servers.setdefault(domain, Peer(domain, self.keys))

    def knows(self, key_id: str, public_key: str) -> None:
        """Tell all of them a key of ours: they verify what they get."""
        self.keys[key_id] = public_key

    def transport(self) -> httpx.MockTransport:
        """The network, for `http.open(config, transport=...)`."""
        return httpx.MockTransport(self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        peer = self.servers.get(request.url.netloc.decode())
        if peer is None:
            raise Unreachable("name")
        if peer.hangs is not None and request.method == "POST":
            await peer.hangs.wait()
        answer: Any = peer.answer(request)
        # Tests put answers in its place that take their time.
        response: httpx.Response = await answer if isinstance(answer, Awaitable) else answer
        return response
