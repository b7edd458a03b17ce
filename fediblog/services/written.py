"""A post with all that its document for other servers says: read in three statements, for one as for many.

Who may see it is asked elsewhere (visibility.py): here nobody looks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from fediblog import db
from fediblog.config import settings
from fediblog.models import Account, Consent, Post, Quotable
from fediblog.services import views
from fediblog.services.views import Body


@dataclass(frozen=True, slots=True)
class Addressed:
    """An account that a post is for. `named`: the text names it still, or has never ceased to."""

    id: int
    uri: str
    handle: str  # `name@host`, also of those who live here.
    url: str
    inbox: str
    shared_inbox: str
    local: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The poll on a post and how it stands."""

    options: tuple[str, ...]
    votes: tuple[int, ...]
    voters: int
    multiple: bool
    hide_totals: bool
    ends_at: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A post that is no boost. `context` is the collection of its thread when the thread began here."""

    body: Body
    author: Account
    source: str
    emojis: tuple[dict[str, Any], ...]
    conversation: str
    context: str
    reply_to_uri: str
    quote_uri: str
    quote_url: str  # The page of what is quoted.
    quote_authorization: str
    quotable: Quotable
    mentioned: tuple[Addressed, ...]
    tally: Tally | None
    likes: int
    boosts: int
    replies: int


@dataclass(frozen=True, slots=True)
class Boosted:
    """A boost, with the ids that stand around it."""

    post: Post
    author_uri: str
    followers_uri: str
    original_uri: str
    original_author_uri: str


async def load(post_id: int) -> Written | None:
    """One post, whoever may see it; None when it is gone, or a boost."""
    return (await load_many([post_id])).get(post_id)


async def load_many(post_ids: Iterable[int]) -> dict[int, Written]:
    """Those of the posts that are there. Who may see them is for the caller to ask."""
    wanted = list(set(post_ids))
    if not wanted:
        return {}
    lines = await db.rows(_sql(db.dialect()), db.array(wanted))
    bodies = await views.bodies(line["id"] for line in lines)
    authors = {
        author.id: author for author in await Account.filter(id__in={line["author_id"] for line in lines})
    }
    return {
        line["id"]: _written(line, bodies[line["id"]], authors[line["author_id"]])
        for line in lines
        if line["id"] in bodies and line["author_id"] in authors
    }


async def boosts(post_ids: Iterable[int]) -> dict[int, Boosted]:
    """Those of the posts that are boosts, in two statements."""
    wanted = list(set(post_ids))
    if not wanted:
        return {}
    found = {post.id: post for post in await Post.filter(id__in=wanted, boost_of_id__not_isnull=True)}
    around = await db.rows(_AROUND.format(given=db.unnest("$1")), db.array(list(found)))
    return {post_id: Boosted(found[post_id], *uris) for post_id, *uris in map(dict.values, around)}


def _written(line: db.Row, body: Body, author: Account) -> Written:
    return Written(
        body=body,
        author=author,
        source=line["source"],
        emojis=tuple(orjson.loads(line["emojis"])),
        conversation=line["conversation"],
        context=f"{line['root_uri']}/context" if line["root_uri"] else "",
        reply_to_uri=line["reply_to_uri"],
        quote_uri=line["quote_uri"],
        quote_url=line["quote_url"],
        quote_authorization=line["quote_authorization"],
        quotable=Quotable(line["quote_policy"]),
        mentioned=tuple(_addressed(found) for found in _list(line["mentioned"])),
        tally=_tally(line, body),
        likes=line["likes"],
        boosts=line["boosts"],
        replies=line["replies"],
    )


def _addressed(found: dict[str, Any]) -> Addressed:
    return Addressed(
        id=found["id"],
        uri=found["uri"],
        handle=f"{found['username']}@{found['domain'] or settings().domain}",
        url=found["url"],
        inbox=found["inbox"],
        shared_inbox=found["shared_inbox"],
        # SQLite knows no truth values in JSON.
        local=bool(found["local"]),
        named=bool(found["named"]),
    )


def _tally(line: db.Row, body: Body) -> Tally | None:
    poll = body.poll
    if poll is None or line["voters"] is None:
        return None
    return Tally(
        options=poll.options,
        votes=tuple(_list(line["votes"])),
        voters=line["voters"],
        multiple=poll.multiple,
        hide_totals=poll.hide_totals,
        ends_at=poll.expires_at,
        closed_at=line["closed_at"],
    )


def _list(text: str | None) -> list[Any]:
    """A JSON list from a sub-select; PostgreSQL gives NULL where nothing was found."""
    return orjson.loads(text) if text else []


_MENTIONED = ["id", "username", "domain", "uri", "url", "inbox", "shared_inbox", "local"]


@lru_cache(2)
def _sql(dialect: db.Dialect) -> str:
    json_list = "json_group_array" if dialect == "sqlite" else "json_agg"
    json_object = "json_object" if dialect == "sqlite" else "json_build_object"
    columns = ", ".join(f"'{name}', x.{name}" for name in [*_MENTIONED, "named"])
    return f"""
SELECT p.id, p.author_id, p.source, p.emojis, p.likes, p.boosts, p.replies, q.voters, q.closed_at,
  COALESCE(NULLIF(p.reply_to_uri, ''), parent.uri, '') AS reply_to_uri,
  COALESCE(NULLIF(p.quote_uri, ''), quoted.uri, '') AS quote_uri,
  COALESCE(NULLIF(quoted.url, ''), NULLIF(p.quote_uri, ''), quoted.uri, '') AS quote_url,
  CASE WHEN p.quote_state = '{Consent.ACCEPTED}' THEN p.quote_authorization ELSE '' END
    AS quote_authorization,
  p.quote_policy,
  COALESCE(NULLIF(p.conversation, ''), NULLIF(parent.conversation, ''), root.conversation, '')
    AS conversation,
  CASE WHEN root.local THEN root.uri END AS root_uri,
  (SELECT {json_list}(x.votes) FROM
    (SELECT votes FROM poll_option WHERE poll_id = p.id ORDER BY position) x) AS votes,
  (SELECT {json_list}({json_object}({columns})) FROM
    (SELECT a.*, m.named FROM mention m JOIN account a ON a.id = m.account_id WHERE m.post_id = p.id
      ORDER BY a.id) x) AS mentioned
FROM {db.unnest("$1")} JOIN post p ON p.id = given.id AND p.boost_of_id IS NULL
LEFT JOIN poll q ON q.id = p.id LEFT JOIN post parent ON parent.id = p.reply_to_id
LEFT JOIN post quoted ON quoted.id = p.quote_of_id LEFT JOIN post root ON root.id = p.thread_id"""


_AROUND = """
SELECT p.id, a.uri AS author_uri, a.followers_uri, o.uri AS original_uri, b.uri AS original_author_uri
FROM {given} JOIN post p ON p.id = given.id JOIN account a ON a.id = p.author_id
JOIN post o ON o.id = p.boost_of_id JOIN account b ON b.id = o.author_id
"""
