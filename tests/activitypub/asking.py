"""Another server that asks ours for documents, signed or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from quart import Quart, Response

from fediblog import db, ids
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, CONTEXT
from fediblog.models import Account
from tests.harness.fediverse import Node, Peer

READS = {"Accept": ACTIVITY_JSON}
BROWSES = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass(frozen=True)
class Asker:
    """`await asker.get(path)` is a document of ours; `by` an actor of the peer who signs for it."""

    app: Quart
    peer: Peer

    async def send(self, path: str, by: Node | None = None, method: str = "GET", **headers: str) -> Response:
        """The raw answer. Headers replace the usual ones; `_` in their names stands for `-`."""
        path = path.removeprefix("http://localhost:8000")
        made = READS | (self.peer.signed_get(by, path) if by else {})
        made |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.app.test_client().open(path, method=method, headers=made)

    async def get(self, path: str, by: Node | None = None, status: int = 200) -> Any:
        """The JSON of an answer that is expected to end with this status."""
        answer = await self.send(path, by)
        body = await answer.get_data()
        assert answer.status_code == status, (path, answer.status_code, body)
        return orjson.loads(body)

    async def all(self, uri: str, by: Node | None = None) -> list[Any]:
        """Everything in a collection, page by page. Each page says what it is part of, and where it is."""
        found, link = [], (await self.get(uri, by)).get("first")
        while link:
            page = await self.get(link, by)
            assert (page["id"], page["partOf"]) == (link, uri)
            found += page.get("orderedItems", page.get("items"))
            link = page.get("next")
        return found


async def follow(follower: Account, target: Account) -> str:
    """An agreed follow, as a row; gives its id."""
    number = ids.new()
    uri = f"http://localhost:8000/ap/follows/{number}" if follower.local else f"{follower.uri}/f/{number}"
    async with db.transaction():
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, 0)",
            *(follower.id, target.id, number, uri),
        )
        for account, column in ((follower, "following_count"), (target, "followers_count")):
            await db.execute(f"UPDATE account SET {column} = {column} + 1 WHERE id = $1", account.id)
    return uri


def undefined(document: Any, inside: str = "") -> Iterator[str]:
    """Every key and type in a document that its context does not define (FEDERATION §2)."""
    if isinstance(document, list):
        for item in document:
            yield from undefined(item, inside)
    if not isinstance(document, dict) or inside in ("contentMap", "@context"):
        return
    for name, value in document.items():
        if name not in DEFINED:
            yield name
        if name == "type" and value not in DEFINED:
            yield value
        yield from undefined(value, name)


# https://www.w3.org/ns/activitystreams and https://w3id.org/security/v1, as far as they are published.
_AS2 = """
@context id type
Accept Activity Add Announce Application Arrive Article Audio Block Collection CollectionPage Create Delete
Dislike Document Event Flag Follow Group Ignore Image IntransitiveActivity Invite Join Leave Like Link Listen
Mention Move Note Object Offer OrderedCollection OrderedCollectionPage Organization Page Person Place Profile
Question Read Reject Relationship Remove Service TentativeAccept TentativeReject Tombstone Travel Undo Update
Video View
accuracy actor altitude anyOf attachment attributedTo audience bcc bto cc closed content contentMap context
current deleted describes duration endTime endpoints first followers following formerType generator height
href hreflang icon id image inReplyTo inbox instrument items last latitude liked likes location longitude
mediaType name nameMap next object oneOf orderedItems origin outbox partOf preferredUsername prev preview
published radius rel relationship replies result shares sharedInbox source startIndex startTime streams
subject summary summaryMap tag target to totalItems units updated url width
"""
_SECURITY = "Key owner publicKey publicKeyPem"
DEFINED = {*_AS2.split(), *_SECURITY.split(), *CONTEXT[2]}
