"""What one server passes on for another: nothing in it is believed, but it may be worth asking for.

Answers to a post are passed on to the post's followers in this way, and relays of the older kind pass on
everything (FEDERATION §5, §7.7, §10). We run no JSON-LD processor, so the signature inside proves nothing.
"""

from fediblog.activitypub import ownership, second_look
from fediblog.activitypub.budgets import memory
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import id_of
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import dropped, passed_on, relay_answers, work


async def follow(activity: Node, passer: Account) -> None:
    """Ask the post's own server, when somebody here may want to know.

    Whoever passes something on makes us ask a third one, so that one is asked at a bounded pace; relays that
    we have asked for posts may pass on many (SECURITY §4).
    """
    thing = activity.get("object")
    uri = id_of(thing)
    if uri is None:
        return
    post = await passed_on.post(uri)
    match activity["type"]:
        case "Create" if post is None and await _is_wanted(thing if isinstance(thing, dict) else {}, passer):
            if await _may_ask(uri, passer):
                await work.owe(Job.RESOLVE, uri)
        case "Update" | "Delete" if post is not None:
            if await _may_ask(uri, passer):
                await second_look.at(post)


async def _may_ask(uri: str, passer: Account) -> bool:
    if await relay_answers.is_relay(passer) or memory().led.take(ownership.origin(uri)):
        return True
    await dropped.count("too much that was passed on")
    return False


async def _is_wanted(thing: Node, passer: Account) -> bool:
    addressed = [*thing.get("to", ()), *thing.get("cc", ())]
    return await passed_on.is_wanted(str(thing.get("inReplyTo") or ""), addressed, passer)
