"""Asking other servers: signed requests for ActivityStreams, believed only from where they have authority."""

from fediblog import http
from fediblog.activitypub import compact, ownership, senders
from fediblog.activitypub.senders import Sender
from fediblog.activitypub.signatures import Scheme, sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON, id_of
from fediblog.services import domains, servers

# Who says so may understand another kind of signature (FEDERATION §7.3).
_WRONG_SIGNATURE = frozenset((400, 401))
_OTHER = {Scheme.CAVAGE: Scheme.RFC9421, Scheme.RFC9421: Scheme.CAVAGE}


async def get(url: str, sender: Sender | None = None) -> compact.Node:
    """The document at an address, signed for by the server itself when no sender is given.

    What it says about its own id holds: when that is another address, it has been fetched from there. Raises
    http.Outside when it cannot be had (Unwelcome carries the status: 404 and 410 mean gone; Refused with the
    reason `policy` is a server that we have nothing to do with), Malformed for what is no JSON, Forged for
    what does not come from where its owner lives.
    """
    sender = sender or await senders.of_server()
    document, final = await _knock(url, sender)
    found = id_of(document)
    if found is not None and found != final:
        ownership.check_foreign(found)  # Nobody makes us ask ourselves.
        document, final = await _knock(found, sender)
    ownership.check_fetched(document, final)
    return document


async def _knock(url: str, sender: Sender) -> tuple[compact.Node, str]:
    """Once in the way that the host is known to understand, and when it does not, once in the other."""
    domain = await _allowed(url)
    scheme = Scheme.RFC9421 if await servers.scheme(domain) == Scheme.RFC9421 else Scheme.CAVAGE
    try:
        return await _fetch(url, sender, scheme)
    except http.Unwelcome as refusal:
        if refusal.status not in _WRONG_SIGNATURE:
            raise
    other = _OTHER[scheme]
    found = await _fetch(url, sender, other)
    await servers.remember_scheme(domain, other.value)
    return found


async def _allowed(url: str) -> str:
    """The domain of an address, unless the staff has shut it out."""
    domain = ownership.host(url)
    if await domains.refused(domain):
        raise http.Refused("policy")
    return domain


async def _fetch(url: str, sender: Sender, scheme: Scheme) -> tuple[compact.Node, str]:
    def signed(outgoing: http.Outgoing) -> dict[str, str]:
        key_id, key = sender.key_id, sender.private_key
        return sign(outgoing.method, outgoing.url, outgoing.headers, None, key_id, key, scheme)

    fetched = await http.fetch(url, accept=[ACTIVITY_JSON, LD_JSON], signer=signed)
    await _allowed(fetched.url_final)
    return compact.read(fetched.body), fetched.url_final
