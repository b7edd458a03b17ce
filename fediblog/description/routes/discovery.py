"""What other servers look for at well-known addresses. No token makes a difference there."""

from typing import Annotated, Literal, Required

from fediblog.description.entities.discovery import Links, NodeInfo, WebFinger
from fediblog.description.route import get

ROUTES = (
    get(
        "/.well-known/webfinger",
        "Whose name it is and where their actor is.",
        WebFinger,
        query={
            "resource": Required[Annotated[str, "`acct:name@host`, or an address."]],
            "rel": Annotated[str, "Only links for this."],
        },
        faults=(404,),
        media="application/jrd+json",
    ),
    get("/.well-known/host-meta", "Where WebFinger is.", str, media="application/xrd+xml"),
    get("/.well-known/host-meta.json", "The same as JSON.", Links),
    get("/.well-known/nodeinfo", "Where this server describes itself.", Links),
    get(
        "/nodeinfo/{version}",
        "What this server is.",
        NodeInfo,
        path_kinds={"version": Literal["2.0", "2.1"]},
    ),
)
