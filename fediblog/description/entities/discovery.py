"""What other servers and programs look for at well-known addresses."""

from typing import Annotated, Any, NotRequired, TypedDict

from fediblog.description.kinds import Count


class WebLink(TypedDict):
    """A link with what it is for."""

    rel: str
    href: NotRequired[str]
    type: NotRequired[str]
    template: NotRequired[str]


class WebFinger(TypedDict):
    """Whose name it is and where their actor is (RFC 7033)."""

    subject: str
    aliases: list[str]
    links: list[WebLink]


class Links(TypedDict):
    """Where else to look."""

    links: list[WebLink]


class Software(TypedDict):
    """What runs here."""

    name: str
    version: str


class Services(TypedDict):
    """What it is connected with."""

    inbound: list[str]
    outbound: list[str]


class Population(TypedDict):
    """How many live here."""

    total: Count
    activeMonth: Count
    activeHalfyear: Count


class NodeUsage(TypedDict):
    """How much it is used."""

    users: Population
    localPosts: Count


class NodeInfo(TypedDict):
    """What this server is (NodeInfo 2.0 and 2.1)."""

    version: str
    software: Software
    protocols: list[str]
    services: Services
    openRegistrations: bool
    usage: NodeUsage
    metadata: Annotated[dict[str, Any], "The name of the server and what it says about itself."]
