"""What a server tells of itself."""

from typing import Annotated, Any, Required

from fediblog.description.entities.accounts import Emoji
from fediblog.description.entities.admin import Category, Report
from fediblog.description.entities.faults import Empty
from fediblog.description.entities.server import (
    Activity,
    Announcement,
    DomainBlock,
    Instance,
    InstanceV1,
    Language,
    LongText,
    OEmbed,
    Rule,
    TermsOfService,
)
from fediblog.description.kinds import Address, Id, at_most
from fediblog.description.route import delete, get, post, put

ROUTES = (
    get("/api/v2/instance", "This server. What every app asks first.", Instance),
    get("/api/v1/instance", "The same as the first version told it.", InstanceV1),
    get("/api/v1/instance/rules", "Its rules.", list[Rule]),
    get("/api/v1/instance/peers", "The servers it knows.", list[str], faults=(404,)),
    get("/api/v1/instance/activity", "Its last twelve weeks, this one first.", list[Activity]),
    get(
        "/api/v1/instance/domain_blocks",
        "Servers with which it has little or nothing to do.",
        list[DomainBlock],
        reads="read",
        faults=(404,),
    ),
    get("/api/v1/instance/extended_description", "What it says about itself, at length.", LongText),
    get("/api/v1/instance/privacy_policy", "Its privacy policy.", LongText, faults=(404,)),
    get("/api/v1/instance/terms_of_service", "Its terms.", TermsOfService, faults=(404,)),
    get("/api/v1/instance/languages", "Languages that a post may be said to be in.", list[Language]),
    get(
        "/api/v1/instance/translation_languages",
        "Languages from which posts are translated to which; there are none.",
        dict[str, list[str]],
    ),
    get("/api/v1/custom_emojis", "The emoji that can be used here.", list[Emoji]),
    get(
        "/api/v1/announcements", "What the staff tells everybody.", list[Announcement], scope="read:accounts"
    ),
    post(
        "/api/v1/announcements/{announcement_id}/dismiss",
        "Mark one as read.",
        Empty,
        scope="write:accounts",
    ),
    put(
        "/api/v1/announcements/{announcement_id}/reactions/{name}",
        "React with an emoji, or with the name of one of this server.",
        Empty,
        scope="write:favourites",
        path_kinds={"name": str},
    ),
    delete(
        "/api/v1/announcements/{announcement_id}/reactions/{name}",
        "Take that back.",
        Empty,
        scope="write:favourites",
        path_kinds={"name": str},
    ),
    post(
        "/api/v1/reports",
        "Report somebody to the staff.",
        Report,
        scope="write:reports",
        form={
            "account_id": Required[Id],
            "status_ids": list[Id],
            "comment": Annotated[str, at_most(1000)],
            "category": Category,
            "rule_ids": list[Id],
            "forward": Annotated[bool, "Also to the server where they live; it does not learn by whom."],
        },
        faults=(404,),
    ),
    get(
        "/api/oembed",
        "A public post as a piece of another page.",
        OEmbed,
        query={
            "url": Required[Annotated[Address, "Its page, or its id."]],
            "maxwidth": int,
            "maxheight": Annotated[int, "Makes no difference."],
            "format": Annotated[Any, "`json`, whatever it says."],
        },
        faults=(404,),
    ),
)
