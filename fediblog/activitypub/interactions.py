"""Where people of other servers go on when they want to follow or answer somebody here: on their own server.

Their server says at which address it lets its people act on something elsewhere, by the OStatus link of
WebFinger that Mastodon and its kin have. Nobody is asked for more than a handle, and nothing is kept of it.
"""

from urllib.parse import quote

from fediblog.activitypub import compact, ownership, webfinger
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.vocabulary import as_list
from fediblog.errors import Invalid, NotFound

_SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"


async def address(handle: str, uri: str) -> str:
    """The address on the server of `handle` where its owner can act on `uri`.

    Raises Invalid for what is no handle, NotFound when that server knows nobody of that name or has no such
    page, and as `webfinger.ask` does.
    """
    wanted = webfinger.handle(handle)
    if wanted is None:
        raise Invalid("Write your handle as name@server.example.", "handle")
    jrd = compact.read(await webfinger.document(wanted))
    for link in as_list(jrd.get("links")):
        if isinstance(link, dict) and link.get("rel") == _SUBSCRIBE and _is_theirs(link, wanted.domain):
            return str(link["template"]).replace("{uri}", quote(uri, safe=""))
    raise NotFound("Your server has no page for this. Paste the address below into its search instead.")


def _is_theirs(link: compact.Node, domain: str) -> bool:
    """Nobody is sent to another server than their own, or a name below it: `social.example.com`."""
    template = link.get("template")
    if not isinstance(template, str) or template.count("{uri}") != 1:
        return False
    try:
        host = ownership.host(template.replace("{uri}", ""))
    except Forged:
        return False
    return host == domain or host.endswith(f".{domain}")
