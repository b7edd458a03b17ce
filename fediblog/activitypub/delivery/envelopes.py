"""What is sent and who signs it, kept for the time of a drain: one post goes to a thousand inboxes."""

from collections.abc import Iterable

from fediblog.activitypub import senders
from fediblog.activitypub.delivery.attempts import Envelope
from fediblog.models import Account
from fediblog.services import outgoing

_MOST_KEPT = 256


class Envelopes:
    """Activities with their senders, by id."""

    def __init__(self) -> None:
        self._kept: dict[int, Envelope | None] = {}

    async def fetch(self, activity_ids: Iterable[int]) -> None:
        """Have these ready, as far as they fit."""
        missing = [number for number in dict.fromkeys(activity_ids) if number not in self._kept]
        if len(self._kept) + len(missing) > _MOST_KEPT:
            self._kept.clear()
        for number, paper in (await outgoing.papers(missing[:_MOST_KEPT])).items():
            try:
                self._kept[number] = await _sealed(paper)
            except ValueError:
                self._kept[number] = None  # The key is gone with its account.

    async def get(self, activity_id: int) -> Envelope | None:
        """The activity, ready to be sent. None when nobody can sign it any more."""
        if activity_id not in self._kept:
            await self.fetch([activity_id])
        return self._kept.get(activity_id)


async def _sealed(paper: outgoing.Paper) -> Envelope:
    if paper.account_id is None:
        return Envelope(paper, await senders.of_server(), None)
    account = await Account.get(id=paper.account_id)
    return Envelope(paper, senders.of_account(account), account)
