"""Timelines, and everything else that gathers posts or people: lists, tags, conversations, search."""

from typing import Annotated, Any, Literal, Required, TypedDict

from fediblog.description.entities.accounts import Account
from fediblog.description.entities.faults import Empty
from fediblog.description.entities.statuses import Conversation, Search, Status
from fediblog.description.entities.tags import FeaturedTag, List, Marker, Tag
from fediblog.description.kinds import Id
from fediblog.description.route import Fields, Paged, Route, delete, get, post, put

_SWITCHES: Fields = {"local": bool, "remote": bool, "only_media": bool}
_LIST: Fields = {
    "replies_policy": Annotated[
        Literal["followed", "list", "none"], "Which replies of its members it shows."
    ],
    "exclusive": Annotated[bool, "What its members write is left out of home."],
}
_MEMBERS: Fields = {"account_ids[]": Required[list[Id]]}


class MarkerForm(TypedDict, total=False):
    """How far one has read in a timeline."""

    last_read_id: Required[Id]


def _tag(verb: str, words: str, scope: str, **more: Any) -> Route:
    """What is done with a hashtag and answered with it."""
    return post(
        f"/api/v1/tags/{{name}}/{verb}",
        words,
        Tag,
        scope=scope,
        path_kinds={"name": str},
        faults=(422,),
        **more,
    )


ROUTES = (
    get(
        "/api/v1/timelines/home",
        "Posts of whom one follows.",
        list[Status],
        scope="read:statuses",
        paged=Paged(),
    ),
    get(
        "/api/v1/timelines/public",
        "All public posts that this server knows.",
        list[Status],
        reads="read:statuses",
        query=_SWITCHES,
        paged=Paged(),
    ),
    get(
        "/api/v1/timelines/tag/{name}",
        "Public posts with a hashtag.",
        list[Status],
        reads="read:statuses",
        query=_SWITCHES,
        path_kinds={"name": str},
        paged=Paged(),
    ),
    get(
        "/api/v1/timelines/link",
        "Public posts under which a page is shown.",
        list[Status],
        reads="read:statuses",
        query={"url": Annotated[str, "The address of the page, as the card has it."]},
        paged=Paged(),
    ),
    get(
        "/api/v1/timelines/list/{list_id}",
        "What the people on a list post.",
        list[Status],
        scope="read:lists",
        paged=Paged(),
    ),
    get(
        "/api/v1/favourites",
        "What one likes.",
        list[Status],
        scope="read:favourites",
        paged=Paged(),
    ),
    get("/api/v1/bookmarks", "What one keeps.", list[Status], scope="read:bookmarks", paged=Paged()),
    get(
        "/api/v1/conversations",
        "Threads of direct posts.",
        list[Conversation],
        scope="read:statuses",
        paged=Paged(),
    ),
    post(
        "/api/v1/conversations/{conversation_id}/read",
        "Mark one as read.",
        Conversation,
        scope="write:conversations",
    ),
    delete(
        "/api/v1/conversations/{conversation_id}",
        "Take one out of the list.",
        Empty,
        scope="write:conversations",
    ),
    get(
        "/api/v1/markers",
        "How far one has read.",
        dict[str, Marker],
        scope="read:statuses",
        query={"timeline[]": list[Literal["home", "notifications"]]},
    ),
    post(
        "/api/v1/markers",
        "Say how far; never back.",
        dict[str, Marker],
        scope="write:statuses",
        form={"home": MarkerForm, "notifications": MarkerForm},
    ),
    get("/api/v1/lists", "One's lists.", list[List], scope="read:lists"),
    post(
        "/api/v1/lists",
        "Make a list.",
        List,
        scope="write:lists",
        form={"title": Required[str], **_LIST},
    ),
    get("/api/v1/lists/{list_id}", "One of them.", List, scope="read:lists"),
    put(
        "/api/v1/lists/{list_id}",
        "Change it; what is not given stays.",
        List,
        scope="write:lists",
        form={"title": str, **_LIST},
    ),
    delete("/api/v1/lists/{list_id}", "Delete it.", Empty, scope="write:lists"),
    get(
        "/api/v1/lists/{list_id}/accounts",
        "Who is on it; with `limit=0` all at once.",
        list[Account],
        scope="read:lists",
        paged=Paged(40, 80),
    ),
    post(
        "/api/v1/lists/{list_id}/accounts",
        "Put people on it whom one follows.",
        Empty,
        scope="write:lists",
        form={"account_ids": Required[list[Id]]},
    ),
    delete(
        "/api/v1/lists/{list_id}/accounts",
        "Take people off it.",
        Empty,
        scope="write:lists",
        query=_MEMBERS,
    ),
    get(
        "/api/v1/accounts/{account_id}/lists",
        "One's lists that somebody is on.",
        list[List],
        scope="read:lists",
    ),
    get("/api/v1/tags/{name}", "A hashtag.", Tag, reads="read:follows", path_kinds={"name": str}),
    _tag("follow", "See its posts on home.", "write:follows"),
    _tag("unfollow", "Take that back.", "write:follows"),
    _tag("feature", "Show it on one's profile.", "write:accounts"),
    _tag("unfeature", "Take that back.", "write:accounts"),
    get(
        "/api/v1/followed_tags",
        "Hashtags that one follows.",
        list[Tag],
        scope="read:follows",
        paged=Paged(100, 200),
    ),
    get(
        "/api/v1/featured_tags",
        "Hashtags that one shows on one's profile.",
        list[FeaturedTag],
        scope="read:accounts",
    ),
    post(
        "/api/v1/featured_tags",
        "Show one more.",
        FeaturedTag,
        scope="write:accounts",
        form={"name": Required[str]},
    ),
    delete("/api/v1/featured_tags/{featured_id}", "Show it no more.", Empty, scope="write:accounts"),
    get(
        "/api/v1/featured_tags/suggestions",
        "Hashtags that one has used much lately.",
        list[Tag],
        scope="read:accounts",
    ),
    get(
        "/api/v1/accounts/{account_id}/featured_tags",
        "Hashtags that somebody shows.",
        list[FeaturedTag],
        reads="read:accounts",
    ),
    get(
        "/api/v2/search",
        "Accounts, posts and hashtags; an address or a whole handle finds what it names.",
        Search,
        reads="read:search",
        query={
            "q": Required[str],
            "type": Annotated[Literal["accounts", "statuses", "hashtags"], "Only these."],
            "resolve": Annotated[bool, "Ask other servers, too. Only with a token, as `offset`."],
            "following": Annotated[bool, "Only accounts that one follows."],
            "account_id": Annotated[Id, "Only posts of this account."],
            "min_id": Annotated[Id, "Only posts newer than this."],
            "max_id": Annotated[Id, "Only posts older than this."],
        },
        paged=Paged(20, 40, by_offset=True),
        faults=(422,),
    ),
)
