"""Asking other servers: signed requests for ActivityStreams, believed only from where they have authority."""

from fediblog import http
from fediblog.activitypub import compact, ownership, senders
from fediblog.activitypub.senders import Sender
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON, id_of


async def get(url: str, sender: Sender | None = None) -> compact.Node:
    """The document at an address, signed for by the server itself when no sender is given.

    What it says about its own id holds: when that is another address, it has been fetched from there. Raises
    http.Outside when it cannot be had (Unwelcome carries the status: 404 and 410 mean gone), Malformed for
    what is no JSON, Forged for what does not come from where its owner lives.
    """
    sender = sender or await senders.of_server()
    document, final = await _fetch(url, sender)
    found = id_of(document)
    if found is not None and found != final:
        ownership.check_foreign(found)  # Nobody makes us ask ourselves.
        document, final = await _fetch(found, sender)
    ownership.check_fetched(document, final)
    return document


async def _fetch(url: str, sender: Sender) -> tuple[compact.Node, str]:
    def signed(outgoing: http.Outgoing) -> dict[str, str]:
        return sign(outgoing.method, outgoing.url, outgoing.headers, None, sender.key_id, sender.private_key)

    fetched = await http.fetch(url, accept=[ACTIVITY_JSON, LD_JSON], signer=signed)
    return compact.read(fetched.body), fetched.url_final
