"""Where a post of one's own has gone: the receipt that its author can ask for, and another try."""

from collections import Counter
from typing import NamedTuple

from quart import Blueprint, Response

from fediblog import moments
from fediblog.errors import NotFound
from fediblog.models import Account, Post
from fediblog.services import deliveries, posts
from fediblog.services.deliveries import Receipt
from fediblog.web import answers, lines, who, words

blueprint = Blueprint("deliveries", __name__)

_STATES = {"done": "arrived", "due": "waiting", "failed": "failed", "quarantined": "failed"}
_REASONS = {
    "name": "its name is not known",
    "connection": "no connection",
    "certificate": "its certificate is not trusted",
    "time": "no answer in time",
    "answer": "an answer that makes no sense",
    "given up": "it has not answered for a week",
    "blocked": "this server has nothing to do with it",
    "status 401": "it does not accept our signature",
    "status 403": "it does not take anything from here",
    "status 404": "there is no such inbox",
    "status 410": "the account is gone",
    "status 413": "the post is too large for it",
    "status 429": "it asks us to wait",
}
_ACTS = {"Create": "The post", "Update": "An edit", "Announce": "A boost", "Delete": "The deletion"}


class Place(NamedTuple):
    """One line of the receipt, in words."""

    host: str
    what: str
    state: str
    why: str
    when: int | None


# What failed or waits comes first; of what has arrived nobody reads more.
_MOST = 300


@blueprint.get("/@<handle:name>/<int:post_id>/deliveries")
async def show(name: str, post_id: int) -> Response:
    """The receipt."""
    account, post = await _own(post_id)
    places = [_place(receipt) for receipt in await deliveries.receipt(account, post.id)]
    return await answers.page(
        "deliveries.html",
        line=await lines.of(post.id, account),
        places=places[:_MOST],
        left=len(places[_MOST:]),
        counts=Counter(place.state for place in places),
    )


@blueprint.post("/@<handle:name>/<int:post_id>/deliveries")
async def retry(name: str, post_id: int) -> Response:
    """Try what has not arrived once more, now."""
    account, post = await _own(post_id)
    await deliveries.retry(account, post.id)
    line = await lines.of(post.id, account)
    return answers.see_other(f"{line.href}/deliveries", done="retried")


async def _own(post_id: int) -> tuple[Account, Post]:
    account = who.member().account
    post = await posts.get(post_id, account)
    if post.author_id != account.id:
        raise NotFound
    return account, post


def _place(receipt: Receipt) -> Place:
    state, why = _STATES[receipt.state], ""
    if state != "arrived":
        why = _REASONS.get(receipt.error, receipt.error.replace("status ", "it answers with status "))
    if state == "waiting":
        why = "; ".join(filter(None, (why, _next(receipt.next_at))))
    return Place(receipt.host, _ACTS.get(receipt.kind, receipt.kind), state, why, receipt.ended_at)


def _next(moment: int | None) -> str:
    pause = (moment or 0) - moments.now()
    return f"next try in {words.span(pause)}" if pause > 0 else "next try now"
