"""Posts and votes (FEDERATION §3, §5 Create)."""

from typing import Any

from fediblog import moments, text
from fediblog.activitypub import audience, ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import addresses, bodies, consents, dates, files, questions, tags, words
from fediblog.activitypub.vocabulary import LONGEST_ID, POSTS
from fediblog.errors import Malformed
from fediblog.services.incoming import IncomingPost, IncomingVote


def post(
    node: Node, activity: Node | None = None, followers: str | None = None
) -> IncomingPost | IncomingVote:
    """What a document of one of the types in POSTS says.

    `activity` is what it came in, which says to whom it goes and when it was made if the document does not;
    `followers` is the author's own collection of followers. Raises Malformed for what is no post, has no id
    or no single author, or has its author elsewhere.
    """
    if node.get("type") not in POSTS:
        raise Malformed("That is not a post.")
    uri = addresses.identity(node)
    author = _author(node, uri)
    if _is_vote(node):
        option = words.verbatim(node.get("name"), words.MOST_NAME)
        return IncomingVote(uri, author, addresses.identity(node.get("inReplyTo")), option)
    return _post(node, activity or {}, uri, author, followers)


def _post(node: Node, activity: Node, uri: str, author: str, followers: str | None) -> IncomingPost:
    url = addresses.page(uri, node.get("url"))
    attached = files.attached(node)
    written = bodies.written(node, url, attached.links)
    content = text.clean(written)
    heard_by = audience.read(node, activity or None, followers)
    created_at = _first_date(node.get("published"), activity.get("published"))
    return IncomingPost(
        uri=uri,
        url=url,
        author_uri=author,
        content=content,
        visibility=heard_by.visibility,
        created_at=created_at,
        summary=_warning(node),
        source=written if written != content else "",
        sensitive=words.yes(node.get("sensitive")) or attached.sensitive,
        language=bodies.language(node),
        edited_at=_edited(node, created_at, activity.get("type") == "Update"),
        hashtags=tags.hashtags(node),
        named=heard_by.named,
        tagged=_tagged(node, heard_by.named),
        reply_to_uri=addresses.identity(node.get("inReplyTo")),
        quote_uri=tags.quote(node),
        quote_authorization=consents.authorization(node),
        quotable=consents.quotable(node, author, followers),
        conversation=_conversation(node),
        replies_uri=_replies(node, uri),
        attachments=attached.files,
        question=questions.question(node),
        emojis=tags.emojis(node),
    )


def _author(node: Node, uri: str) -> str:
    try:
        author = ownership.owner_of(node)
    except ownership.Forged as forged:
        raise Malformed(forged.message) from forged
    if not uri or not ownership.same_origin(uri, author):
        raise Malformed("It is not clear whose post this is.")
    return author


def _is_vote(node: Node) -> bool:
    """A choice in a poll comes as a Note that has a name and no content (FEDERATION §5, Create)."""
    return (
        node.get("type") == "Note"
        and not node.get("content")
        and not node.get("attachment")
        and bool(words.verbatim(node.get("name"), words.MOST_NAME))
        and bool(addresses.identity(node.get("inReplyTo")))
    )


def _warning(node: Node) -> str:
    """The content warning. The summary of what has a title is none, unless it is sensitive."""
    is_teaser = node.get("type") not in bodies.NOTES or (node.get("type") == "Question" and node.get("name"))
    if is_teaser and not (words.yes(node.get("sensitive")) and node.get("content")):
        return ""
    return words.line(node.get("summary"), words.MOST_SUMMARY)


def _first_date(*values: Any) -> int:
    found = (dates.past(value) for value in values)
    return next((moment for moment in found if moment is not None), None) or moments.now()


def _edited(node: Node, created_at: int, is_edit: bool) -> int | None:
    """When it was last changed. Many write `updated` from the first day on; some change it at once."""
    moment = dates.past(node.get("updated"))
    if moment is None or moment < created_at or (moment == created_at and not is_edit):
        return None
    return moment


def _tagged(node: Node, named: tuple[str, ...]) -> tuple[str, ...]:
    addressed = set(named)
    return tuple(uri for uri in tags.mentions(node) if uri in addressed)


def _conversation(node: Node) -> str:
    """The name of the thread, the old one or the new one (FEP-7888); replies repeat it."""
    for value in (node.get("conversation"), node.get("context")):
        found = value.get("id") if isinstance(value, dict) else value
        if isinstance(found, str) and found and len(found.encode()) <= LONGEST_ID:
            return text.tidy(found)
    return ""


def _replies(node: Node, uri: str) -> str:
    """The collection of answers, or its first page: an address, or embedded with its own."""
    replies = node.get("replies")
    first = replies.get("first") if isinstance(replies, dict) else None
    return addresses.beside(uri, replies) or addresses.beside(uri, first)
