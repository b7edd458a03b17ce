"""What is sent and who signs it, kept for the time of a drain: one post goes to a thousand inboxes."""

from collections.abc import Iterable

from fediblog.activitypub import senders
from fediblog.activitypub.delivery.attempts import Envelope
from fediblog.models import Account
from fediblog.services import outgoing
from fediblog.services.outgoing import Paper

_MOST_KEPT = 256


class Envelopes:
    """Activities with their senders, by id."""

    def __init__(self) -> None:
        self._papers: dict[int, Paper] = {}
        self._sealed: dict[int, Envelope | None] = {}

    async def fetch(self, activity_ids: Iterable[int]) -> None:
        """Have the texts of these at hand."""
        missing = [number for number in dict.fromkeys(activity_ids) if number not in self._papers]
        if len(self._papers) + len(missing) > _MOST_KEPT:
            self._papers.clear()
            self._sealed.clear()
        if missing:
            self._papers |= await outgoing.papers(missing)

    async def get(self, activity_id: int) -> Envelope | None:
        """The activity, ready to be sent. None when nobody can sign it any more.

        Raises whatever is wrong with the key of its sender: nobody else has to do with that.
        """
        if activity_id not in self._sealed:
            await self.fetch([activity_id])
            paper = self._papers.get(activity_id)
            self._sealed[activity_id] = await _seal(paper) if paper else None
        return self._sealed[activity_id]


async def _seal(paper: Paper) -> Envelope | None:
    if paper.account_id is None:
        return Envelope(paper, await senders.of_server(), None)
    account = await Account.get_or_none(id=paper.account_id)
    if account is None or account.private_key is None:
        return None
    return Envelope(paper, senders.of_account(account), account)
