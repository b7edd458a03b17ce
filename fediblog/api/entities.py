"""Our things in the words of the Mastodon API (CLIENT-API §3.3, §4). Pure functions from views to JSON.

Ids are strings everywhere, null keys are present, lists are never null, avatars always load.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from fediblog import moments, text, uris
from fediblog.models import Account, Consent, Quotable, Role, User, Visibility
from fediblog.services import quotable, tokens
from fediblog.services.matching import Action, Filter, Hit, Keyword, Marked
from fediblog.services.views import (
    Ballot,
    Body,
    Card,
    Counts,
    EmojiView,
    LinkView,
    MediaView,
    MentionView,
    PollView,
    Quoting,
    Standing,
)

Json = dict[str, Any]

VISIBILITIES = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}
LEVELS = {name: level for level, name in VISIBILITIES.items()}


def account(card: Card) -> Json:
    """An Account without its counters, which `counters` adds. Of a suspended one only the name is left."""
    card = replace(card, **_NOTHING) if card.suspended else card
    entity = {
        "id": str(card.id),
        "username": card.username,
        "acct": card.handle,
        "url": card.url,
        "uri": card.uri,
        "display_name": card.display_name,
        "note": card.note,
        "avatar": uris.avatar(card.avatar),
        "avatar_static": uris.avatar(card.avatar),
        "header": uris.header(card.header),
        "header_static": uris.header(card.header),
        "locked": card.locked,
        "bot": card.actor_type in ("Service", "Application"),
        "group": card.actor_type == "Group",
        "discoverable": card.discoverable,
        "indexable": card.indexable,
        "noindex": not card.indexable,
        "hide_collections": card.hide_collections,
        "fields": [account_field(field) for field in card.fields],
        "emojis": emojis(card.emojis),
        "roles": [],
        "created_at": moments.iso(card.created_at),
    }
    if card.suspended:
        entity["suspended"] = True
    if card.silenced:
        entity["limited"] = True
    return entity


_NOTHING: Json = {"display_name": "", "note": "", "fields": (), "avatar": "", "header": "", "emojis": ()}


def emojis(found: Iterable[EmojiView]) -> list[Json]:
    """CustomEmoji entities for the texts of a status or account."""
    return [
        {
            "shortcode": each.shortcode,
            "url": uris.absolute(each.path),
            "static_url": uris.absolute(each.path),
            "visible_in_picker": False,
            "category": None,
        }
        for each in found
    ]


def account_field(field: Json) -> Json:
    """A row of a profile as others see it: its value is HTML."""
    verified = field.get("verified_at")
    return {
        "name": field["name"],
        "value": field["value"],
        "verified_at": moments.iso(verified) if verified else None,
    }


def counters(counts: Counts) -> Json:
    """The part of an Account that changes without a new version."""
    return {
        "statuses_count": counts.posts,
        "following_count": counts.following,
        "followers_count": counts.followers,
        "last_status_at": moments.iso_day(counts.last_post_at) if counts.last_post_at else None,
    }


def credential_account(card: Card, counts: Counts, owner: Account, user: User, requests: int) -> Json:
    """The caller's own Account, with `source` and `role`."""
    return {
        **account(card),
        **counters(counts),
        "source": {
            "privacy": VISIBILITIES[Visibility(user.default_visibility)],
            "sensitive": user.default_sensitive,
            "language": user.default_language or None,
            "note": owner.note_source,
            "fields": [{**account_field(field), "value": field.get("source", "")} for field in owner.fields_],
            "follow_requests_count": requests,
            "hide_collections": owner.hide_collections,
            "discoverable": owner.discoverable,
            "indexable": owner.indexable,
            "quote_policy": quotable.choice(Quotable(user.default_quote_policy)),
        },
        "role": role(user.role),
    }


def role(found: Role) -> Json:
    """What a user may do here, in the form that apps parse."""
    numbers = {Role.USER: "0", Role.MODERATOR: "1", Role.ADMIN: "2"}
    return {
        "id": numbers[found],
        "name": "" if found is Role.USER else found.value.capitalize(),
        "permissions": _PERMISSIONS[found],
        "color": "",
        "highlighted": found is not Role.USER,
    }


# Mastodon's bits: 1 administrator, 16 reports, 1024 users.
_PERMISSIONS = {Role.USER: "0", Role.MODERATOR: "1040", Role.ADMIN: "1"}


def status(body: Body) -> Json:
    """A Status without account, counters, flags, poll, reblog and quote: what a version always says.

    Where quotes are not known, a link stands for one; apps that know them leave it out (FEP-044f).
    """
    return {
        "id": str(body.id),
        "uri": body.uri,
        "url": body.url or body.uri,
        "created_at": moments.iso(body.created_at),
        "edited_at": moments.iso(body.edited_at) if body.edited_at else None,
        "in_reply_to_id": str(body.reply_to_id) if body.reply_to_id else None,
        "in_reply_to_account_id": str(body.reply_to_author_id) if body.reply_to_author_id else None,
        "content": body.content + (text.reference(body.quote_url) if body.quote_url else ""),
        "visibility": VISIBILITIES[body.visibility],
        "sensitive": body.sensitive,
        "spoiler_text": body.summary,
        "language": body.language or None,
        "media_attachments": [attachment(found) for found in body.media],
        "mentions": [mention(found) for found in body.mentions],
        "tags": [{"name": name.lower(), "url": uris.tag_page(name)} for name in body.hashtags],
        "emojis": emojis(body.emojis),
        "card": preview(body.link) if body.link else None,
        "application": {"name": body.application, "website": None} if body.application else None,
    }


def quote_state(found: Quoting) -> str:
    """The word for how a quote stands, for the viewer too."""
    if found.state is not Consent.ACCEPTED:
        return found.state.value
    return "deleted" if found.post_id is None else _STANDINGS[found.standing]


def shallow_quote(found: Quoting | None) -> Json | None:
    """A ShallowQuote: of what is quoted in a quote only the id is told."""
    if found is None:
        return None
    shown = found.shown_id
    return {"state": quote_state(found), "quoted_status_id": str(shown) if shown else None}


def quote_approval(policy: Quotable, own: bool, follows: bool) -> Json:
    """A QuoteApproval: who may quote a status, and what the viewer can expect."""
    return {
        "automatic": _quoters(policy),
        "manual": _quoters(quotable.asking(policy)),
        "current_user": quotable.answer(policy, own, follows).value,
    }


def _quoters(policy: Quotable) -> list[str]:
    return [word for quoter, word in _QUOTERS.items() if policy & quoter]


_QUOTERS = {
    Quotable.PUBLIC: "public",
    Quotable.FOLLOWERS: "followers",
    Quotable.OTHERS: "unsupported_policy",
}
_STANDINGS = {
    Standing.CLEAR: "accepted",
    Standing.UNSEEN: "unauthorized",
    Standing.BLOCKED: "blocked_account",
    Standing.DOMAIN: "blocked_domain",
    Standing.MUTED: "muted_account",
}


def preview(found: LinkView) -> Json:
    """A PreviewCard: words and a picture, never anything to run."""
    return {
        "url": found.url,
        "title": found.title,
        "description": found.description,
        "language": found.language or None,
        "type": "link",
        "author_name": found.author_name,
        "author_url": found.author_url,
        "authors": [{"name": found.author_name, "url": found.author_url, "account": None}]
        if found.author_name
        else [],
        "provider_name": found.provider_name,
        "provider_url": found.provider_url,
        "html": "",
        "width": found.width,
        "height": found.height,
        "image": uris.absolute(found.path) if found.path else None,
        "image_description": found.image_description,
        "embed_url": "",
        "blurhash": None,
        "published_at": moments.iso(found.published_at) if found.published_at else None,
    }


def mention(found: MentionView) -> Json:
    """An account that a status mentions; its `url` is the `href` in the content."""
    return {
        "id": str(found.id),
        "username": found.username,
        "acct": f"{found.username}@{found.domain}" if found.domain else found.username,
        "url": found.url,
    }


def attachment(found: MediaView) -> Json:
    """A MediaAttachment; `url` is null while the file is not ready."""
    ready = found.state == "ready"
    path = found.path if ready else ""
    return {
        "id": str(found.id),
        "type": found.kind,
        "url": uris.absolute(path) if path else None,
        "preview_url": uris.absolute(found.small_path) if found.small_path else None,
        "remote_url": found.remote_url or None,
        "description": found.description or None,
        "blurhash": found.blurhash or None,
        "meta": _meta(found) if ready else {},
    }


def _meta(found: MediaView) -> Json:
    meta: Json = {}
    original = _size(found.width, found.height)
    if found.duration is not None:
        original |= {"duration": found.duration, "bitrate": found.bitrate}
        original |= {"frame_rate": f"{found.frame_rate:g}/1"} if found.frame_rate else {}
        meta["length"] = _clock(found.duration)
        meta |= {"duration": found.duration, "fps": round(found.frame_rate) if found.frame_rate else None}
    if original:
        meta["original"] = original
    if small := _size(found.small_width, found.small_height):
        meta["small"] = small
    if found.focus_x is not None and found.focus_y is not None:
        meta["focus"] = {"x": found.focus_x, "y": found.focus_y}
    return meta


def _size(width: int | None, height: int | None) -> Json:
    if not width or not height:
        return {}
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{rest:05.2f}"


def poll(post_id: int, question: PollView, ballot: Ballot, now: int, with_viewer: bool) -> Json:
    """A Poll as it stands. Totals that are hidden show as null until it is over."""
    over = ballot.closed or (question.expires_at is not None and question.expires_at <= now)
    hidden = question.hide_totals and not over
    entity: Json = {
        "id": str(post_id),
        "expires_at": moments.iso(question.expires_at) if question.expires_at else None,
        "expired": over,
        "multiple": question.multiple,
        "votes_count": sum(ballot.votes),
        "voters_count": ballot.voters,
        "options": [
            {"title": title, "votes_count": None if hidden else votes}
            for title, votes in zip(question.options, ballot.votes, strict=False)
        ],
        "emojis": emojis(question.emojis),
    }
    if with_viewer:
        entity |= {"voted": ballot.choices is not None, "own_votes": ballot.choices or []}
    return entity


def filter_(found: Filter) -> Json:
    """A Filter of the second version, with all that it looks for."""
    return {
        "id": str(found.id),
        "title": found.title,
        "context": list(found.contexts),
        "expires_at": moments.iso(found.expires_at) if found.expires_at else None,
        "filter_action": found.action.value,
        "keywords": [filter_keyword(word) for word in found.keywords],
        "statuses": [filter_status(marked) for marked in found.posts],
    }


def filter_keyword(found: Keyword) -> Json:
    """A FilterKeyword."""
    return {"id": str(found.id), "keyword": found.keyword, "whole_word": found.whole_word}


def filter_status(found: Marked) -> Json:
    """A FilterStatus."""
    return {"id": str(found.id), "status_id": str(found.post_id)}


def filter_v1(found: Filter, word: Keyword) -> Json:
    """A Filter of the first version, which is a keyword with what its filter says."""
    return {
        "id": str(word.id),
        "phrase": word.keyword,
        "context": list(found.contexts),
        "whole_word": word.whole_word,
        "expires_at": moments.iso(found.expires_at) if found.expires_at else None,
        "irreversible": found.action is Action.HIDE,
    }


def filter_result(hit: Hit) -> Json:
    """A FilterResult: why a status is filtered."""
    return {
        "filter": filter_(hit.filter),
        "keyword_matches": hit.keywords,
        "status_matches": [str(number) for number in hit.post_ids],
    }


def token(made: str, scopes: Iterable[str]) -> Json:
    """A Token that has just been made."""
    return {
        "access_token": made,
        "token_type": "Bearer",
        "scope": tokens.written(scopes),
        "created_at": moments.now() // moments.SECOND,
    }


def dump(entity: Json) -> bytes:
    """An entity as JSON."""
    return orjson.dumps(entity)
