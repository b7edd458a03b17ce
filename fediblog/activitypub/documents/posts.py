"""Posts as other servers read them: Note and Question, boosts, and what is left of them (FEDERATION §3)."""

from collections.abc import Iterator

from fediblog import moments, text, uris
from fediblog.activitypub import audience
from fediblog.activitypub.documents.parts import Document, emoji, hashtag, picture
from fediblog.activitypub.vocabulary import LD_JSON, PUBLIC
from fediblog.models import Post, Quotable
from fediblog.services.views import MediaView
from fediblog.services.written import Boosted, Tally, Written
from fediblog.storage import TYPES


def note(written: Written) -> Document:
    """A post: a Note, or a Question when there is a poll on it. `updated` stands there only after an edit."""
    body = written.body
    to, cc = addressed(written)
    content = _content(written)
    made: Document = {
        "id": body.uri,
        "type": "Question" if written.tally else "Note",
        "attributedTo": written.author.uri,
        "content": content,
        "published": moments.iso(body.created_at),
        "url": body.url,
        "to": to,
        "cc": cc,
        "sensitive": body.sensitive,
        "summary": body.summary or None,
        "inReplyTo": written.reply_to_uri or None,
        "tag": list(_tags(written)),
        "attachment": [_attachment(media) for media in body.media],
        "interactionPolicy": _policy(written),
    }
    if body.language:
        made["contentMap"] = {body.language: content}
    if body.edited_at is not None:
        made["updated"] = moments.iso(body.edited_at)
    if written.source:
        made["source"] = {"content": written.source, "mediaType": "text/plain"}
    return made | _quote(written) | _thread(written) | _question(written)


def addressed(written: Written) -> tuple[list[str], list[str]]:
    """`to` and `cc` of a post; who was once named still sees it, so they stay."""
    people = [person.uri for person in written.mentioned if person.uri != written.author.uri]
    return audience.address(written.body.visibility, written.author.followers_uri, people)


def announce(boost: Post, *, actor: str, followers: str, original: str, original_author: str) -> Document:
    """A boost: the Announce is the thing itself, and its id is the boost's. Arguments are ids."""
    to, cc = audience.address(boost.visibility, followers, [original_author])
    return {
        "id": boost.uri,
        "type": "Announce",
        "actor": actor,
        "object": original,
        "published": moments.iso(boost.created_at),
        "to": to,
        "cc": cc,
    }


def boost(boosted: Boosted) -> Document:
    """The same from what `written.boosts` has read."""
    return announce(
        boosted.post,
        actor=boosted.author_uri,
        followers=boosted.followers_uri,
        original=boosted.original_uri,
        original_author=boosted.original_author_uri,
    )


def tombstone(uri: str, deleted_at: int | None = None) -> Document:
    """What is left of a thing that was deleted."""
    made: Document = {"id": uri, "type": "Tombstone"}
    return made if deleted_at is None else made | {"deleted": moments.iso(deleted_at)}


# -------------------------------------------------------------------------------------------------- parts


def _tags(written: Written) -> Iterator[Document]:
    """Who is named, by full handle also when they live here (Misskey guesses), hashtags, emoji, a quote."""
    for person in written.mentioned:
        if person.named:
            yield {"type": "Mention", "href": person.uri, "name": f"@{person.handle}"}
    yield from map(hashtag, written.body.hashtags)
    yield from map(emoji, written.emojis)
    if written.quote_uri:
        # FEP-e232: `mediaType` makes it a link to an object.
        name = f"RE: {written.quote_uri}"
        yield {"type": "Link", "mediaType": LD_JSON, "href": written.quote_uri, "name": name}


def _attachment(media: MediaView) -> Document:
    """A file. Its description is written under both names that peers read (FEDERATION §3)."""
    made: Document = {
        "type": "Document",
        "mediaType": media.mime or _type(media.file),
        "url": uris.media(media.file) if media.file else media.remote_url,
        "name": media.description or None,
        "summary": media.description or None,
    }
    if media.width and media.height:
        made |= {"width": media.width, "height": media.height}
    if media.blurhash:
        made["blurhash"] = media.blurhash
    if media.focus_x is not None and media.focus_y is not None:
        made["focalPoint"] = [media.focus_x, media.focus_y]
    if media.small_file:
        made["icon"] = picture(media.small_file)
    return made


def _type(key: str) -> str:
    return TYPES.get(key.rpartition(".")[2], "application/octet-stream")


def _thread(written: Written) -> Document:
    """What hangs on a post, each with its number; and the names of the thread, old and new (FEP-7888)."""
    uri = written.body.uri
    made: Document = {
        "replies": _counted(f"{uri}/replies", "Collection", written.replies),
        "likes": _counted(f"{uri}/likes", "OrderedCollection", written.likes),
        "shares": _counted(f"{uri}/shares", "OrderedCollection", written.boosts),
    }
    if written.context:
        made["context"] = written.context
    if written.conversation or written.context:
        made["conversation"] = written.conversation or written.context
    return made


def _counted(uri: str, kind: str, number: int) -> Document:
    return {"id": uri, "type": kind, "totalItems": number, "first": f"{uri}?page=true"}


def _question(written: Written) -> Document:
    """The poll (FEDERATION §3): an answer is an option with its votes as the number of replies."""
    tally = written.tally
    if tally is None:
        return {}
    votes = tally.votes if _shows_totals(tally) else (0,) * len(tally.votes)
    options = [
        {"type": "Note", "name": title, "replies": {"type": "Collection", "totalItems": number}}
        for title, number in zip(tally.options, votes, strict=True)
    ]
    made: Document = {"anyOf" if tally.multiple else "oneOf": options, "votersCount": tally.voters}
    if tally.ends_at is not None:
        made["endTime"] = moments.iso(tally.ends_at)
    if tally.closed_at is not None:
        made["closed"] = moments.iso(tally.closed_at)
    return made


def _shows_totals(tally: Tally) -> bool:
    return not tally.hide_totals or tally.closed_at is not None


def _content(written: Written) -> str:
    """The text, and behind it what it quotes, for those who show no quotes."""
    content = written.body.content
    return content + text.reference(written.quote_url) if written.quote_uri else content


def _quote(written: Written) -> Document:
    """The quoted post, in every spelling that some peer reads (FEDERATION §3, §14), and the consent."""
    uri = written.quote_uri
    if not uri:
        return {}
    made: Document = dict.fromkeys(("quote", "quoteUri", "quoteUrl", "_misskey_quote"), uri)
    consent = written.quote_authorization
    return made | {"quoteAuthorization": consent} if consent else made


def _policy(written: Written) -> Document:
    """Who may quote (FEP-044f): everybody, followers, or the author alone. Nobody here decides each time."""
    who = [written.author.uri]
    if written.quotable & Quotable.PUBLIC:
        who = [PUBLIC]
    elif written.quotable & Quotable.FOLLOWERS:
        who = [written.author.followers_uri]
    return {"canQuote": {"automaticApproval": who, "manualApproval": []}}
