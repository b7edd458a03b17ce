"""Posts, their files and polls."""

from typing import Annotated, Any, Required, TypedDict

from fediblog.description.entities.accounts import Account
from fediblog.description.entities.faults import Empty
from fediblog.description.entities.statuses import (
    Context,
    DeletedStatus,
    MediaAttachment,
    Poll,
    ScheduledStatus,
    Status,
    StatusEdit,
    StatusSource,
)
from fediblog.description.kinds import File, Id, QuotePolicy, Seconds, Visibility, When, at_most
from fediblog.description.route import Fields, Paged, Route, delete, get, post, put

_PEOPLE = Paged(40, 80)
_FOCUS = Annotated[str, "The point that matters, as `x,y`, each from -1 to 1."]


class PollForm(TypedDict, total=False):
    """A question."""

    options: Required[list[str]]
    expires_in: Required[Seconds]
    multiple: bool
    hide_totals: bool


class MediaWords(TypedDict, total=False):
    """What is said about a file."""

    id: Required[Id]
    description: str
    focus: _FOCUS


_TEXT: Fields = {
    "status": Annotated[str, "The text. A post needs one, or files, a poll or a quote."],
    "spoiler_text": Annotated[str, "A warning in front of it."],
    "sensitive": bool,
    "language": Annotated[str, "ISO 639."],
    "media_ids": list[Id],
    "media_attributes": Annotated[list[MediaWords], "Words for these files."],
    "poll": PollForm,
    "quote_approval_policy": Annotated[QuotePolicy, "Who may quote it, if everybody can see it."],
}
_FILE: Fields = {"description": str, "focus": _FOCUS}


def _acted(verb: str, words: str, scope: str, **more: Any) -> Route:
    """What is done with a post and answered with it."""
    return post(f"/api/v1/statuses/{{post_id}}/{verb}", words, Status, scope=scope, faults=(422,), **more)


ROUTES = (
    post(
        "/api/v1/statuses",
        "Publish a post, now or later.",
        Status | ScheduledStatus,
        scope="write:statuses",
        headers={
            "Idempotency-Key": Annotated[str, at_most(200), "The same key gives the first post, for a day."]
        },
        form={
            **_TEXT,
            "visibility": Visibility,
            "in_reply_to_id": Id,
            "quoted_status_id": Id,
            "scheduled_at": Annotated[When, "At least five minutes away. The answer is a ScheduledStatus."],
        },
        faults=(404,),
    ),
    get(
        "/api/v1/statuses",
        "Several posts.",
        list[Status],
        reads="read:statuses",
        query={"id[]": Annotated[list[Id], "Which; those that cannot be seen are left out."]},
        faults=(422,),
    ),
    get("/api/v1/statuses/{post_id}", "One post.", Status, reads="read:statuses"),
    put(
        "/api/v1/statuses/{post_id}",
        "Change it. What is not given is gone, but for the language, the quote and who may quote it.",
        Status,
        scope="write:statuses",
        form=_TEXT,
    ),
    delete(
        "/api/v1/statuses/{post_id}",
        "Delete it; the text comes back.",
        DeletedStatus,
        scope="write:statuses",
    ),
    get("/api/v1/statuses/{post_id}/context", "The thread around it.", Context, reads="read:statuses"),
    get(
        "/api/v1/statuses/{post_id}/source", "It as its author typed it.", StatusSource, scope="read:statuses"
    ),
    get(
        "/api/v1/statuses/{post_id}/history",
        "All its versions, the first one first.",
        list[StatusEdit],
        reads="read:statuses",
    ),
    get(
        "/api/v1/statuses/{post_id}/favourited_by",
        "Who likes it.",
        list[Account],
        reads="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/statuses/{post_id}/reblogged_by",
        "Who has boosted it.",
        list[Account],
        reads="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/statuses/{post_id}/quotes",
        "The posts that quote it, with its author's consent.",
        list[Status],
        scope="read:statuses",
        paged=Paged(),
    ),
    post(
        "/api/v1/statuses/{post_id}/quotes/{quoting_id}/revoke",
        "Take one's consent back; the answer is the post that quotes.",
        Status,
        scope="write:statuses",
        faults=(422,),
    ),
    put(
        "/api/v1/statuses/{post_id}/interaction_policy",
        "Change who may quote it.",
        Status,
        scope="write:statuses",
        form={"quote_approval_policy": Required[QuotePolicy]},
    ),
    _acted("favourite", "Like it.", "write:favourites"),
    _acted("unfavourite", "Take that back.", "write:favourites"),
    _acted("reblog", "Boost it; the answer is the boost.", "write:statuses", form={"visibility": Visibility}),
    _acted("unreblog", "Take that back; the answer is the post.", "write:statuses"),
    _acted("bookmark", "Keep it for oneself.", "write:bookmarks"),
    _acted("unbookmark", "Take that back.", "write:bookmarks"),
    _acted("pin", "Put it on top of one's profile.", "write:accounts"),
    _acted("unpin", "Take that back.", "write:accounts"),
    _acted("mute", "Hear nothing of its thread.", "write:mutes"),
    _acted("unmute", "Take that back.", "write:mutes"),
    get(
        "/api/v1/scheduled_statuses",
        "One's posts that wait for their time.",
        list[ScheduledStatus],
        scope="read:statuses",
        paged=Paged(),
    ),
    get("/api/v1/scheduled_statuses/{scheduled_id}", "One of them.", ScheduledStatus, scope="read:statuses"),
    put(
        "/api/v1/scheduled_statuses/{scheduled_id}",
        "Give it another time.",
        ScheduledStatus,
        scope="write:statuses",
        form={"scheduled_at": Required[When]},
    ),
    delete("/api/v1/scheduled_statuses/{scheduled_id}", "Publish it never.", Empty, scope="write:statuses"),
    get("/api/v1/polls/{poll_id}", "A poll.", Poll, reads="read:statuses"),
    post(
        "/api/v1/polls/{poll_id}/votes",
        "Vote.",
        Poll,
        scope="write:statuses",
        form={"choices": Required[Annotated[list[int], "Positions, from 0."]]},
    ),
    post(
        "/api/v2/media",
        "Upload a file; 202 when it is still being worked on.",
        MediaAttachment,
        scope="write:media",
        form={"file": Required[Annotated[File, "As multipart/form-data."]], **_FILE},
        also={202: MediaAttachment},
    ),
    post(
        "/api/v1/media",
        "The old way, which waits for the file.",
        MediaAttachment,
        scope="write:media",
        form={"file": Required[Annotated[File, "As multipart/form-data."]], **_FILE},
        also={202: MediaAttachment},
    ),
    get(
        "/api/v1/media/{media_id}",
        "A file of one's own; 206 while it is worked on, 422 when that failed.",
        MediaAttachment,
        scope="write:media",
        also={206: MediaAttachment},
    ),
    put(
        "/api/v1/media/{media_id}",
        "Say something about it.",
        MediaAttachment,
        scope="write:media",
        form=_FILE,
    ),
    delete("/api/v1/media/{media_id}", "Drop it while it is on no post.", Empty, scope="write:media"),
)
