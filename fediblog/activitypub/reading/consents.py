"""What a post says of consent: to its own quote, and who may quote it (FEP-044f)."""

from typing import Any

from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading.addresses import identity
from fediblog.activitypub.vocabulary import PUBLICS, as_list, id_of
from fediblog.models import Quotable

_MOST = 100
# Beside each what GoToSocial called it before.
_AT_ONCE = (("automaticApproval", "always"), (Quotable.PUBLIC, Quotable.FOLLOWERS, Quotable.OTHERS))
_ASKING = (
    ("manualApproval", "approvalRequired", "withApproval"),
    (Quotable.PUBLIC_ASKING, Quotable.FOLLOWERS_ASKING, Quotable.OTHERS_ASKING),
)


def authorization(node: Node) -> str:
    """Where the consent of who is quoted can be read; "" when it names none."""
    return identity(node.get("quoteAuthorization"))


def quotable(node: Node, author: str, followers: str | None) -> Quotable:
    """Who may quote it. A post that says nothing of it is for nobody to quote."""
    policy = node.get("interactionPolicy")
    rules = policy.get("canQuote") if isinstance(policy, dict) else None
    if not isinstance(rules, dict):
        return Quotable.NOBODY
    found = Quotable.NOBODY
    for names, (everybody, followed, others) in (_AT_ONCE, _ASKING):
        for who in _listed(rules, names):
            if who in PUBLICS:
                found |= everybody
            elif who == followers:
                found |= followed
            elif who != author:
                found |= others
    return found


def _listed(rules: Node, names: tuple[str, ...]) -> list[str]:
    values: list[Any] = [each for name in names for each in as_list(rules.get(name))]
    return list(filter(None, map(id_of, values[:_MOST])))
