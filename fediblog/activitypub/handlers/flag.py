"""Flag: a report about somebody here; the staff of other servers sends it by the server's own actor (§5)."""

from fediblog.activitypub import ownership, reading
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.vocabulary import id_of
from fediblog.models import Account
from fediblog.services import domains, dropped, reports, throttle

# From one server. Its staff passes on what its people report, and the staff here reads each of them.
_MOST = 60
_WITHIN = 3600


async def handle(activity: Node, actor: Account) -> None:
    """File a report and tell the staff, unless they want none from there."""
    host = ownership.host(actor.uri)
    if (await domains.policy(host)).reject_reports:
        return await dropped.count("report that is not wanted")
    if not await throttle.allowed(throttle.bucket("reports from", host), _MOST, _WITHIN):
        return await dropped.count("report, one too many")
    about = [uri for thing in parts.things(activity) if (uri := id_of(thing))]
    if not await reports.receive(actor, about, reading.comment(activity), parts.name(activity)):
        await dropped.count("report about nobody here")
