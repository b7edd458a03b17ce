"""Who plays in the tests of handlers, and what can be seen afterwards."""

from dataclasses import dataclass
from typing import Any

import orjson

from fediblog import db, moments
from fediblog.activitypub import compact, handlers
from fediblog.models import Account, Post
from fediblog.services import dropped
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import remote

NOW = "2026-11-24T12:00:00Z"


@dataclass(frozen=True)
class Someone:
    """Somebody elsewhere: their server, their actor document, and our row of them."""

    peer: Peer
    document: Node
    account: Account

    def note(self, content: str = "<p>Hello</p>", **more: Any) -> Node:
        return self.peer.note(self.document, content, **more)

    def activity(self, kind: str, thing: Any, **more: Any) -> Node:
        return self.peer.activity(kind, self.document, thing, **more)

    async def does(self, kind: str, thing: Any, **more: Any) -> Node:
        """Act, and see what we make of it; gives the activity."""
        made = self.activity(kind, thing, **more)
        await handle(made, self.account)
        return made


async def meet(fediverse: Fediverse, name: str, domain: str = "remote.example", **more: Any) -> Someone:
    """Somebody whom we know already."""
    peer = fediverse.server(domain)
    document = peer.actor(name, **more)
    columns = {"actor_type": more["type"]} if "type" in more else {}
    return Someone(peer, document, await remote(name, domain, **columns))


async def handle(activity: Node, actor: Account) -> None:
    """As the inbox does it: written, read, handled."""
    await handlers.handle(compact.read(orjson.dumps(activity)), actor)


async def drops() -> dict[str, int]:
    """What was dropped, by reason."""
    today = moments.day(moments.now())
    return await dropped.numbers(today - 1, today)


async def found(uri: str) -> Post | None:
    return await Post.get_or_none(uri=uri)


async def events() -> list[tuple[str, int | None, int | None, str | None]]:
    """What other servers shall hear of: kind, whose, target, the name in it."""
    lines = await db.rows("SELECT kind, account_id, target_id, detail FROM event ORDER BY id")
    return [
        (line["kind"], line["account_id"], line["target_id"], orjson.loads(line["detail"]).get("uri"))
        for line in lines
    ]


async def following(follower: Account, target: Account) -> str | None:
    """The name of the follow; None without one."""
    sql = "SELECT uri FROM follow WHERE follower_id = $1 AND target_id = $2"
    return await db.value(sql, follower.id, target.id)


async def asking(follower: Account, target: Account) -> str | None:
    """The name of the request; None without one."""
    sql = "SELECT uri FROM follow_request WHERE follower_id = $1 AND target_id = $2"
    return await db.value(sql, follower.id, target.id)


async def forget_events() -> None:
    async with db.transaction():
        await db.execute("DELETE FROM event")


async def befriend(follower: Account, target: Account) -> None:
    """A follow that is agreed to, whoever the two are."""
    async with db.transaction():
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, $5)",
            *(follower.id, target.id, follower.id ^ target.id, f"{follower.uri}#{target.id}", moments.now()),
        )
