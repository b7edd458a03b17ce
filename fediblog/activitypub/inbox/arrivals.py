"""Who may bring what: all that must hold before something is kept, the cheap things first.

The order is part of the promise: nothing is fetched for a server that is blocked, nor for a request that can
be refused without a key; and a `Delete` of somebody we never met costs nothing at all (FEDERATION §5).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from fediblog.activitypub import actor_keys, compact, ownership, synchronisation
from fediblog.activitypub.actor_keys import OwnerGone
from fediblog.activitypub.compact import Node
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.signatures import Reason, Refused, Signed, examine, received
from fediblog.activitypub.vocabulary import id_of
from fediblog.config import settings
from fediblog.errors import Forbidden, Malformed
from fediblog.services import domains, dropped, signers
from fediblog.services.inbox_items import New

log = structlog.get_logger()

# What servers pass on for others: with a signature of their own over somebody else's words (FEDERATION §7.7).
_PASSED_ON = frozenset(("Create", "Update", "Delete"))
# Names that mean another activity each time: told apart by who signed when, or by what they say.
_SIGNED_ANEW = frozenset(("Follow", "Undo", "Add", "Remove"))
_SAID_ANEW = frozenset(("Update", "Delete"))


@dataclass(frozen=True, slots=True)
class Request:
    """What has come in: `target` is the raw path with the query."""

    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


async def judge(request: Request) -> New | None:
    """What is to be kept of it; None for what is taken and has no effect.

    Raises Refused (401) when it is not proven who sends it, Malformed (400), Forbidden (403) for what is
    blocked and for who speaks for others, Unavailable (503) when too many keys are being asked for.
    """
    signed = received("POST", request.target, settings().origin, request.headers, request.body)
    try:
        return await _judged(signed)
    except (Refused, Forbidden) as error:
        # What an admin asks first when somebody says that nothing arrives.
        log.info("activity refused", key_id=signed.claim.key_id, why=error.message)
        raise


async def _judged(signed: Signed) -> New | None:
    activity = compact.read(signed.body)
    actor = _actor(activity)
    await _check_policy(signed.claim.key_id, actor)
    examine(signed)
    if _is_goodbye(activity, actor) and not await signers.known(actor):
        await dropped.count("goodbye of a stranger")
        return None
    signer = await _signer(signed, activity, actor)
    if signer != actor:
        return _passed_on(activity, actor, signer, signed.body)
    ownership.check_activity(activity, signer)
    return New(_name(activity, signer, signed), signer, signed.body)


async def compare_followers(signer: str, said: str) -> None:
    """What somebody who has signed says of the followers that they have here (FEP-8fcf)."""
    for account in (await signers.accounts([signer])).values():
        await synchronisation.check(account, said)


def _name(activity: Node, signer: str, signed: Signed) -> str:
    """The name by which a second copy is known: nobody takes the one that a neighbour's activity will have.

    Misskey's follows of one pair have one id for ever, and so have their ends: to follow, unfollow and follow
    again is three different things there. Mastodon's pins have none, and look alike each time. Each is signed
    anew, while a replay has the old signature; and what comes twice through a retry has its effect once all
    the same.

    GoToSocial's updates of one post have one id, and WriteFreely's have the id of the post, as have their
    `Create` and `Delete`. A second copy of these says the very same.
    """
    name = str(activity.get("id") or _digest(signed.body))
    if not name.startswith((f"{signer}/", f"{signer}#", f"{signer}?")):
        name = f"{name} by {signer}"
    if activity["type"] in _SIGNED_ANEW:
        return f"{name}#{_short(signed.claim.signature)}"
    if activity["type"] in _SAID_ANEW:
        return f"{name}#{_short(signed.body)}"
    return name


def _short(found: bytes) -> str:
    return hashlib.sha256(found).hexdigest()[:32]


def _actor(activity: Node) -> str:
    """Who acts. Raises Malformed for what is no activity, Forged for one of ours."""
    actor = id_of(activity.get("actor"))
    if actor is None or not isinstance(activity.get("type"), str):
        raise Malformed("That is not an activity.")
    ownership.check_foreign(actor)
    return actor


async def _check_policy(key_id: str, actor: str) -> None:
    try:
        hosts = {ownership.host(each) for each in (key_id, actor)}
    except Forged:
        raise Refused(Reason.KEY) from None
    for host in hosts:
        if await domains.refused(host):
            raise Forbidden("This server does not take anything from there.")


def _is_goodbye(activity: Node, actor: str) -> bool:
    return activity["type"] == "Delete" and id_of(activity.get("object")) == actor


async def _signer(signed: Signed, activity: Node, actor: str) -> str:
    """Who has signed. An actor whose own server says that it is gone needs no proof for saying so itself."""
    try:
        key = await actor_keys.get(signed.claim.key_id)
        key = await actor_keys.prove(signed, key)
    except OwnerGone:
        if _is_goodbye(activity, actor) and await _is_key_of(signed.claim.key_id, actor):
            return actor
        raise
    if key.suspended:
        raise Forbidden("This server does not take anything from them.")
    return key.owner


async def _is_key_of(key_id: str, actor: str) -> bool:
    """Whether a key that is gone was the actor's: part of its document, or what its row says."""
    if key_id.partition("#")[0] == actor:
        return True
    holder = await signers.find(key_id)
    return holder is not None and holder.uri == actor


def _passed_on(activity: Node, actor: str, signer: str, body: bytes) -> New:
    """A hint that something is worth asking its own server for; of what it says nothing is believed.

    It has no name of its own: the one that it claims is that of the activity it is a copy of.
    """
    thing = id_of(activity.get("object"))
    if activity["type"] not in _PASSED_ON or thing is None:
        raise Forged(ownership.Reason.ACTOR)
    if ownership.check_foreign(thing) != ownership.origin(actor):
        raise Forged(ownership.Reason.ORIGIN)
    return New(f"passed-on:{_digest(body)}", signer, body)


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
