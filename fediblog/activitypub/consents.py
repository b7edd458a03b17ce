"""Whether a post of another server may quote what it quotes: the consent, read where it lives (FEP-044f)."""

import structlog

from fediblog import http
from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.budgets import Budget
from fediblog.activitypub.compact import Node
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import id_of
from fediblog.errors import Unavailable
from fediblog.models import Account, Consent, Post
from fediblog.queue import Job
from fediblog.services import dropped, quoting, work

log = structlog.get_logger()

_MOST_TRIES = 10
_OPEN = (Consent.PENDING, Consent.ACCEPTED)


async def check(post_id: int) -> None:
    """Look at the consent that a post names, and note what came of it. For any other post: nothing.

    Raises Unavailable when its server cannot be reached, to be tried again, a few times.
    """
    post = await Post.get_or_none(id=post_id, local=False)
    if post is None or post.quote_state not in _OPEN or not post.quote_authorization:
        return
    try:
        await _look(post)
    except http.Unreachable as error:
        if await work.tries(Job.CONSENT, post_id) < _MOST_TRIES:
            raise Unavailable(error.message, error.retry_after) from error
        await _refuse(post, error.message)
    except resolver.TROUBLE as error:
        await _refuse(post, error.message)
    else:
        await quoting.held(post.id, post.quote_authorization)


def check_consent(consent: Node, name: str, quoting_uri: str, quoted_uri: str, author_uri: str) -> None:
    """Raises Forged unless this is the author's word, under this name, for this very pair of posts."""
    if id_of(consent) != name or not ownership.same_origin(name, author_uri):
        raise Forged(Reason.ORIGIN)
    if consent.get("type") != "QuoteAuthorization" or id_of(consent.get("attributedTo")) != author_uri:
        raise Forged(Reason.OWNER)
    pair = id_of(consent.get("interactingObject")), id_of(consent.get("interactionTarget"))
    if pair != (quoting_uri, quoted_uri):
        raise Forged(Reason.OWNER)


async def _look(post: Post) -> None:
    budget = Budget()
    quoted = await resolver.post(post.quote_uri, budget)
    if quoted is None or quoted.boost_of_id is not None:
        raise Forged(Reason.OWNER)
    name = post.quote_authorization
    author = await Account.get(id=quoted.author_id)
    # Before anything is fetched: nobody makes us ask a third one.
    if not ownership.same_origin(name, author.uri) or await quoting.is_buried(name, author.id):
        raise Forged(Reason.ORIGIN)
    consent = await resolver.document(name, budget)
    check_consent(consent, name, post.uri, quoted.uri, author.uri)


async def _refuse(post: Post, reason: str) -> None:
    log.info("a quote without consent", uri=post.uri, quoted=post.quote_uri, reason=reason)
    await dropped.count("quote without consent")
    await quoting.does_not_hold(post.id, post.quote_authorization)
