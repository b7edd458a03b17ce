"""A letter before it is posted, and whom those about a post are for (FEDERATION §5, addressing)."""

from collections.abc import Awaitable, Callable, Iterable, Set
from dataclasses import dataclass

from fediblog.activitypub.documents import Document
from fediblog.models import Account, Visibility
from fediblog.services import recipients
from fediblog.services.events import Happened
from fediblog.services.recipients import Addressee


@dataclass(frozen=True, slots=True)
class Letter:
    """An activity and the inboxes it goes to. `post_id`: the post of ours that it tells of.

    `for_followers`: only they get it, so each delivery says whom we take for one (FEP-8fcf).
    """

    activity: Document
    inboxes: Set[str]
    post_id: int | None = None
    for_followers: bool = False


# From an event to its letters; none when what happened has been overtaken.
Compose = Callable[[Happened, Account], Awaitable[list[Letter]]]


async def audience(
    author: Account, visibility: Visibility, addressed: Iterable[int], others: Iterable[int | None] = ()
) -> set[str]:
    """The inboxes that a post, its edit or its end is for.

    `others` (who is answered, who has passed it on) are told only of what is for everybody. A direct post
    goes to the inboxes of those named and nowhere else; one for followers takes the shared inbox of a named
    person only where followers bring it there anyway (SECURITY §6).
    """
    named = await recipients.people(addressed, author.id)
    if visibility == Visibility.DIRECT:
        return {person.inbox for person in named}
    inboxes = await recipients.followers(author.id)
    if visibility == Visibility.FOLLOWERS:
        return inboxes | {person.inbox for person in named if person.shared_inbox not in inboxes}
    concerned = await recipients.people(filter(None, others), author.id)
    inboxes |= _nearest(named) | _nearest(concerned)
    return inboxes | await recipients.relays() if visibility == Visibility.PUBLIC else inboxes


def _nearest(people: Iterable[Addressee]) -> set[str]:
    return {person.nearest for person in people}
