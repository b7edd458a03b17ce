"""Bodies of posts and cards of accounts: what doors render once per version and keep."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from fediblog import db, text, uris
from fediblog.errors import NotFound
from fediblog.models import Account, Media, Visibility
from fediblog.services.views.shapes import (
    Body,
    Card,
    Counts,
    EmojiView,
    LinkView,
    MediaView,
    MentionView,
    PollView,
)


async def bodies(post_ids: Iterable[int]) -> dict[int, Body]:
    """The bodies of posts, in one statement with their media, mentions and polls."""
    wanted = list(set(post_ids))
    if not wanted:
        return {}
    found = await db.rows(_bodies_sql(db.dialect()), db.array(wanted))
    return {line["id"]: _body(line) for line in found}


async def body(post_id: int) -> Body:
    """The body of one post. Raises NotFound when it is gone."""
    found = await bodies([post_id])
    if post_id not in found:
        raise NotFound
    return found[post_id]


async def cards(account_ids: Iterable[int]) -> dict[int, Card]:
    """The cards of accounts, in one statement."""
    return {line["id"]: card(line) for line in await _accounts(account_ids)}


async def _accounts(account_ids: Iterable[int]) -> list[dict[str, Any]]:
    wanted = list(set(account_ids))
    if not wanted:
        return []
    sql = f"SELECT a.* FROM {db.unnest('$1')} JOIN account a ON a.id = given.id"
    return await db.rows(sql, db.array(wanted))


async def people(account_ids: Iterable[int]) -> dict[int, tuple[Card, Counts]]:
    """The cards and the counters of accounts, in one statement."""
    found = await _accounts(account_ids)
    return {
        line["id"]: (
            card(line),
            Counts(
                line["posts_count"], line["following_count"], line["followers_count"], line["last_post_at"]
            ),
        )
        for line in found
    }


async def counts(account_ids: Iterable[int]) -> dict[int, Counts]:
    """The counters of accounts."""
    sql = (
        "SELECT a.id, a.posts_count, a.following_count, a.followers_count, a.last_post_at"
        f" FROM {db.unnest('$1')} JOIN account a ON a.id = given.id"
    )
    found = await db.rows(sql, db.array(list(set(account_ids))))
    return {line["id"]: Counts(*list(line.values())[1:]) for line in found}


def card(line: db.Row) -> Card:
    """A card from a row of `account`."""
    return Card(
        id=line["id"],
        version=line["version"],
        username=line["username"],
        domain=line["domain"],
        local=bool(line["local"]),
        actor_type=line["actor_type"],
        uri=line["uri"],
        url=line["url"],
        display_name=line["display_name"],
        note=line["note"],
        fields=tuple(orjson.loads(line["fields"])),
        avatar=uris.shown("avatars", line["id"], line["avatar"], line["avatar_remote_url"]),
        header=uris.shown("headers", line["id"], line["header"], line["header_remote_url"]),
        emojis=_emojis("accounts", line["id"], orjson.loads(line["emojis"])),
        locked=bool(line["locked"]),
        discoverable=bool(line["discoverable"]),
        indexable=bool(line["indexable"]),
        hide_collections=bool(line["hide_collections"]),
        created_at=line["created_at"],
        suspended=line["suspended_at"] is not None,
        silenced=line["silenced_at"] is not None,
        moved_to_id=line["moved_to_id"],
    )


_MEDIA = [
    "id",
    "kind",
    "state",
    "mime",
    "file",
    "small_file",
    "remote_url",
    "remote_preview_url",
    "description",
    "focus_x",
    "focus_y",
    "width",
    "height",
    "small_width",
    "small_height",
    "duration",
    "frame_rate",
    "bitrate",
    "blurhash",
]


def seen_version(post: str, author: str) -> str:
    """SQL: a post's version as readers count it. While its author's pictures are covered it is another."""
    return f"{post}.version * 2 + CASE WHEN {author}.sensitized_at IS NULL THEN 0 ELSE 1 END"


@lru_cache(2)
def _bodies_sql(dialect: db.Dialect) -> str:
    json_list = "json_group_array" if dialect == "sqlite" else "json_agg"
    json_object = "json_object" if dialect == "sqlite" else "json_build_object"
    media = ", ".join(f"'{name}', x.{name}" for name in _MEDIA)
    link = ", ".join(f"'{name}', x.{name}" for name in LinkView.__dataclass_fields__)
    return f"""
SELECT p.*, {seen_version("p", "s")} AS seen_version, s.sensitized_at,
  (SELECT {json_list}({json_object}({media})) FROM
    (SELECT * FROM media WHERE post_id = p.id ORDER BY position) x) AS media,
  (SELECT {json_list}({json_object}('id', a.id, 'username', a.username, 'domain', a.domain, 'url', a.url))
    FROM mention m JOIN account a ON a.id = m.account_id WHERE m.post_id = p.id AND m.named) AS mentions,
  (SELECT {json_list}(x.title) FROM
    (SELECT title FROM poll_option WHERE poll_id = p.id ORDER BY position) x) AS options,
  (SELECT {json_object}({link}) FROM post_card y JOIN link_card x ON x.id = y.card_id
    WHERE y.post_id = p.id AND x.title <> '') AS link,
  q.multiple, q.hide_totals, q.expires_at, z.uri AS quoted_uri, z.url AS quoted_url
FROM {db.unnest("$1")} JOIN post p ON p.id = given.id JOIN account s ON s.id = p.author_id
LEFT JOIN poll q ON q.id = p.id LEFT JOIN post z ON z.id = p.quote_of_id"""


def _body(line: db.Row) -> Body:
    return Body(
        id=line["id"],
        version=line["seen_version"],
        uri=line["uri"],
        url=line["url"],
        author_id=line["author_id"],
        boost_of_id=line["boost_of_id"],
        reply_to_id=line["reply_to_id"],
        reply_to_author_id=line["reply_to_author_id"],
        thread_id=line["thread_id"],
        visibility=Visibility(line["visibility"]),
        local=bool(line["local"]),
        sensitive=bool(line["sensitive"]) or line["sensitized_at"] is not None,
        summary=line["summary"],
        content=line["content"],
        language=line["language"],
        hashtags=tuple(orjson.loads(line["hashtags"])),
        emojis=_emojis("posts", line["id"], orjson.loads(line["emojis"])),
        application=line["application"],
        created_at=line["created_at"],
        edited_at=line["edited_at"],
        media=tuple(MediaView(**found) for found in _list(line["media"])),
        mentions=tuple(MentionView(**found) for found in _list(line["mentions"])),
        poll=_poll(line) if line["multiple"] is not None else None,
        link=LinkView(**orjson.loads(line["link"])) if line["link"] else None,
        quote_of_id=line["quote_of_id"],
        quote_url=_quote_url(line),
    )


def _quote_url(line: db.Row) -> str:
    """Posts of other servers mostly say themselves what they quote, for readers without quotes."""
    uri, url = line["quoted_uri"] or line["quote_uri"], line["quoted_url"] or ""
    return "" if not uri or text.refers_to(line["content"], uri, url) else url or uri


def looks(account: Account) -> tuple[str, tuple[EmojiView, ...]]:
    """The path of an account's picture and the emoji of its name, from its row."""
    avatar = uris.shown("avatars", account.id, account.avatar, account.avatar_remote_url)
    return avatar, _emojis("accounts", account.id, account.emojis)


def _emojis(kind: str, number: int, found: Iterable[Mapping[str, str]]) -> tuple[EmojiView, ...]:
    return tuple(
        EmojiView(each["shortcode"], uris.remote(f"emoji/{kind}", number, each["url"], each["shortcode"]))
        for each in found
    )


def _poll(line: db.Row) -> PollView:
    return PollView(
        multiple=bool(line["multiple"]),
        hide_totals=bool(line["hide_totals"]),
        expires_at=line["expires_at"],
        options=tuple(_list(line["options"])),
        emojis=_emojis("posts", line["id"], orjson.loads(line["emojis"])),
    )


def _list(text: str | None) -> list[Any]:
    """A JSON list from a sub-select; PostgreSQL gives NULL where nothing was found."""
    return orjson.loads(text) if text else []


def media_view(media: Media) -> MediaView:
    """A file as lists show it, from its row."""
    return MediaView(**{name: getattr(media, name) for name in _MEDIA})
