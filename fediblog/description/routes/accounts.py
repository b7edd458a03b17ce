"""Accounts: oneself, others, and what stands between the two."""

from typing import Annotated, Any, Required, TypedDict

from fediblog.description.entities.accounts import (
    Account,
    CredentialAccount,
    FamiliarFollowers,
    IdentityProof,
    MutedAccount,
    Preferences,
    Profile,
    Relationship,
    Suggestion,
)
from fediblog.description.entities.faults import Empty
from fediblog.description.entities.statuses import Status
from fediblog.description.kinds import File, Id, QuotePolicy, Seconds, Visibility
from fediblog.description.route import Fields, Paged, Route, delete, get, patch, post

_IDS: Fields = {"id[]": Annotated[list[Id], "Whose; those that are not there are left out."]}
_PEOPLE = Paged(40, 80)


class FieldForm(TypedDict, total=False):
    """A row of a profile."""

    name: str
    value: str


class SourceForm(TypedDict, total=False):
    """How one usually posts."""

    privacy: Visibility
    sensitive: bool
    language: str
    quote_policy: QuotePolicy


_ABOUT: Fields = {
    "display_name": str,
    "note": Annotated[str, "As it is typed."],
    "avatar": Annotated[File, "A picture, as multipart/form-data."],
    "header": Annotated[File, "A picture, as multipart/form-data."],
    "locked": bool,
    "bot": bool,
    "discoverable": bool,
    "indexable": bool,
    "hide_collections": bool,
    "fields_attributes": Annotated[list[FieldForm], "All rows; also as a map with numbers for names."],
    "source": SourceForm,
}


def _related(verb: str, words: str, scope: str, **more: Any) -> Route:
    """What is done to one account and answered with the relationship to it."""
    path = f"/api/v1/accounts/{{account_id}}/{verb}"
    return post(path, words, Relationship, scope=scope, faults=(422,), **more)


ROUTES = (
    get("/api/v1/accounts/verify_credentials", "Who one is.", CredentialAccount, scope="read:accounts"),
    patch(
        "/api/v1/accounts/update_credentials",
        "Change one's profile; what is not given stays.",
        CredentialAccount,
        scope="write:accounts",
        form=_ABOUT,
    ),
    get("/api/v1/profile", "One's profile as it was typed.", Profile, scope="profile"),
    patch("/api/v1/profile", "Change it.", Profile, scope="write:accounts", form=_ABOUT),
    delete("/api/v1/profile/avatar", "Take one's picture away.", CredentialAccount, scope="write:accounts"),
    delete("/api/v1/profile/header", "Take one's header away.", CredentialAccount, scope="write:accounts"),
    get("/api/v1/preferences", "How one usually posts and reads.", Preferences, scope="read:accounts"),
    get("/api/v1/accounts", "Several accounts.", list[Account], reads="read:accounts", query=_IDS),
    get(
        "/api/v1/accounts/lookup",
        "An account by its name.",
        Account,
        reads="read:accounts",
        query={"acct": Required[Annotated[str, "`name`, or `name@host`."]]},
        faults=(404,),
    ),
    get(
        "/api/v1/accounts/search",
        "Accounts by name, or by what they are called.",
        list[Account],
        scope="read:accounts",
        query={
            "q": Required[str],
            "resolve": Annotated[bool, "Ask other servers for a whole handle or an address."],
            "following": Annotated[bool, "Only those whom one follows."],
        },
        paged=Paged(40, 80, by_offset=True),
    ),
    get(
        "/api/v1/accounts/relationships",
        "What stands between one and others.",
        list[Relationship],
        scope="read:follows",
        query=_IDS,
    ),
    get(
        "/api/v1/accounts/familiar_followers",
        "Who of those whom one follows follows these.",
        list[FamiliarFollowers],
        scope="read:follows",
        query=_IDS,
    ),
    get(
        "/api/v1/accounts/{account_id}",
        "One account, also of somebody blocked.",
        Account,
        reads="read:accounts",
    ),
    get(
        "/api/v1/accounts/{account_id}/statuses",
        "What somebody has posted.",
        list[Status],
        reads="read:statuses",
        query={
            "pinned": Annotated[bool, "Only what is pinned to the profile."],
            "exclude_replies": bool,
            "exclude_reblogs": bool,
            "only_media": bool,
            "tagged": Annotated[str, "Only with this hashtag."],
        },
        paged=Paged(),
    ),
    get(
        "/api/v1/accounts/{account_id}/followers",
        "Who follows somebody.",
        list[Account],
        reads="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/accounts/{account_id}/following",
        "Whom somebody follows.",
        list[Account],
        reads="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/accounts/{account_id}/endorsements",
        "Whom somebody recommends.",
        list[Account],
        reads="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/accounts/{account_id}/identity_proofs",
        "There are none any more.",
        list[IdentityProof],
        scope="read:accounts",
    ),
    _related(
        "follow",
        "Follow, or ask to; again it changes how.",
        "write:follows",
        form={
            "reblogs": Annotated[bool, "Show what they boost."],
            "notify": Annotated[bool, "Tell of each of their posts."],
            "languages": Annotated[list[str], "Show posts in these only; none for all."],
        },
    ),
    _related("unfollow", "Follow no more, or take a request back.", "write:follows"),
    _related("remove_from_followers", "Make somebody follow no more.", "write:follows"),
    _related("block", "See nothing of each other. Follows end both ways.", "write:blocks"),
    _related("unblock", "Take that back.", "write:blocks"),
    _related(
        "mute",
        "See nothing of somebody, who does not learn of it.",
        "write:mutes",
        form={
            "notifications": Annotated[bool, "Not in notifications either; so it is when not given."],
            "duration": Annotated[Seconds, "How long; 0 is for ever."],
        },
    ),
    _related("unmute", "Take that back.", "write:mutes"),
    _related(
        "note",
        "Note something about somebody, for oneself.",
        "write:accounts",
        form={"comment": Annotated[str, "Without one the note goes."]},
    ),
    _related("endorse", "Recommend somebody whom one follows.", "write:accounts"),
    _related("unendorse", "Take that back.", "write:accounts"),
    _related("pin", "The old name of endorse.", "write:accounts"),
    _related("unpin", "The old name of unendorse.", "write:accounts"),
    get(
        "/api/v1/endorsements",
        "Whom one recommends.",
        list[Account],
        scope="read:accounts",
        paged=_PEOPLE,
    ),
    get(
        "/api/v1/follow_requests",
        "Who asks to follow one.",
        list[Account],
        scope="read:follows",
        paged=_PEOPLE,
    ),
    post(
        "/api/v1/follow_requests/{account_id}/authorize",
        "Let them.",
        Relationship,
        scope="write:follows",
    ),
    post(
        "/api/v1/follow_requests/{account_id}/reject",
        "Do not.",
        Relationship,
        scope="write:follows",
    ),
    get("/api/v1/blocks", "Whom one blocks.", list[Account], scope="read:blocks", paged=_PEOPLE),
    get("/api/v1/mutes", "Whom one mutes.", list[MutedAccount], scope="read:mutes", paged=_PEOPLE),
    get(
        "/api/v1/domain_blocks",
        "Servers that one does not want to see anything of.",
        list[str],
        scope="read:blocks",
        paged=Paged(100, 200),
    ),
    post(
        "/api/v1/domain_blocks",
        "Add a server.",
        Empty,
        scope="write:blocks",
        form={"domain": Required[str]},
    ),
    delete(
        "/api/v1/domain_blocks",
        "Take one back.",
        Empty,
        scope="write:blocks",
        query={"domain": Required[Annotated[str, "May stand in a body as well."]]},
    ),
    get(
        "/api/v1/directory",
        "People who wish to be found.",
        list[Account],
        reads="read:accounts",
        query={"order": Annotated[str, "`active`, or `new`."], "local": bool},
        paged=Paged(40, 80, by_offset=True),
    ),
    get(
        "/api/v2/suggestions",
        "Whom one may like to follow, and why.",
        list[Suggestion],
        scope="read",
        paged=Paged(40, 80, by_offset=True),
    ),
    get(
        "/api/v1/suggestions",
        "The same without reasons.",
        list[Account],
        scope="read",
        paged=Paged(40, 80, by_offset=True),
    ),
    delete("/api/v1/suggestions/{account_id}", "Suggest somebody no more.", Empty, scope="read"),
)
