"""One letter to one inbox: signed anew, sent, and what the answer means.

What an answer means is either about the letter or about the server, and never both: a server that refuses a
letter is well, and one that does not answer says nothing about the letter.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from fediblog import http
from fediblog.activitypub import synchronisation
from fediblog.activitypub.senders import Sender
from fediblog.activitypub.signatures import Scheme, sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.models import Account
from fediblog.services.outgoing import Paper


class Verdict(Enum):
    """What came of it."""

    ARRIVED = auto()
    REFUSED = auto()  # This letter; perhaps not for ever.
    NEVER = auto()  # This letter, for good.
    GONE = auto()  # There is no such inbox any more.
    SERVER_FAILS = auto()  # All letters: it does not answer, or says that it cannot.


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict and why. `wait` is in seconds, `signs` what the server has understood."""

    verdict: Verdict
    error: str = ""
    wait: int | None = None
    signs: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """All that is needed for sending. `account` is None when the server itself writes."""

    paper: Paper
    sender: Sender
    account: Account | None


# SECURITY R4. Who is told 401 or 400 may have been spoken to in the wrong way; 403 and its like are meant.
_FOR_THE_LETTER = frozenset((400, 401, 404, 413, 422))
_OF_THE_SERVER = frozenset((408, 425, 429))
_WRONG_SIGNATURE = frozenset((400, 401))


# All knocks together, and waiting for a turn at the host: a lane must not outlive its lease.
_AT_MOST = 25.0


async def deliver(envelope: Envelope, inbox: str, domain: str, signs: str) -> Result:
    """Send it. `signs` is how this server wants signatures, as far as that is known (FEDERATION §7.3)."""
    headers = await _headers(envelope, domain)
    try:
        async with asyncio.timeout(_AT_MOST):
            return await _knock(envelope, inbox, headers, signs)
    except TimeoutError:
        return Result(Verdict.SERVER_FAILS, "time")


async def _knock(envelope: Envelope, inbox: str, headers: dict[str, str], signs: str) -> Result:
    """Signed as the server likes it; when it says that this is wrong, in each other way."""
    knocks = _schemes(signs, inbox)
    first = await _post(envelope, inbox, headers, next(knocks))
    if isinstance(first, Result):
        return first
    if first.status in _WRONG_SIGNATURE:
        for scheme in knocks:
            again = await _post(envelope, inbox, headers, scheme)
            if isinstance(again, http.Answered) and 200 <= again.status < 300:
                return Result(Verdict.ARRIVED, signs=scheme.value)
    return _meaning(first)


async def _headers(envelope: Envelope, domain: str) -> dict[str, str]:
    headers = {"Content-Type": ACTIVITY_JSON}
    if envelope.paper.for_followers and envelope.account is not None:
        headers["Collection-Synchronization"] = await synchronisation.header(envelope.account, domain)
    return headers


def _schemes(signs: str, inbox: str) -> Iterator[Scheme]:
    """The one that is known to be understood, then the others that make sense."""
    first = Scheme(signs) if signs in set(Scheme) else Scheme.CAVAGE
    yield first
    for scheme in Scheme:
        if scheme is not first and (scheme is not Scheme.CAVAGE_WITHOUT_QUERY or "?" in inbox):
            yield scheme


async def _post(
    envelope: Envelope, inbox: str, headers: dict[str, str], scheme: Scheme
) -> http.Answered | Result:
    sender, body = envelope.sender, envelope.paper.body

    def signed(outgoing: http.Outgoing) -> dict[str, str]:
        return sign("POST", outgoing.url, headers, body, sender.key_id, sender.private_key, scheme)

    try:
        return await http.post(inbox, body, headers, signer=signed)
    except http.Refused as refusal:
        return Result(Verdict.NEVER, refusal.reason)
    except http.Outside as trouble:
        return Result(Verdict.SERVER_FAILS, trouble.reason)


def _meaning(answer: http.Answered) -> Result:
    status, said = answer.status, f"status {answer.status}"
    if 200 <= status < 300:
        return Result(Verdict.ARRIVED)
    if status == 410:
        return Result(Verdict.GONE, said)
    if status in _FOR_THE_LETTER:
        return Result(Verdict.REFUSED, said)
    if status >= 500 or status in _OF_THE_SERVER:
        return Result(Verdict.SERVER_FAILS, said, answer.retry_after)
    return Result(Verdict.NEVER, said)
