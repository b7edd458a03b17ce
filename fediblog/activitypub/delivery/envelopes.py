"""What is sent and who signs it, kept for the time of a drain: one post goes to a thousand inboxes."""

from collections.abc import Iterable

from fediblog.activitypub import senders
from fediblog.activitypub.delivery.attempts import Envelope
from fediblog.activitypub.senders import Sender
from fediblog.models import Account
from fediblog.services import outgoing
from fediblog.services.outgoing import Paper

# More than one look takes out (64 servers, 8 letters each); an activity may have a hundred kilobytes.
_MOST_PAPERS = 600
_MOST_SIGNERS = 256

Signer = tuple[Sender, Account | None]


class Envelopes:
    """Activities with their senders, by id."""

    def __init__(self) -> None:
        self._papers: dict[int, Paper] = {}
        self._signers: dict[int | None, Signer] = {}

    async def fetch(self, activity_ids: Iterable[int]) -> None:
        """Have these ready. A key that cannot be used is found out later, by the lane that needs it."""
        missing = [number for number in dict.fromkeys(activity_ids) if number not in self._papers]
        if missing:
            self._papers |= await outgoing.papers(missing)
        for oldest in list(self._papers)[: max(0, len(self._papers) - _MOST_PAPERS)]:
            del self._papers[oldest]

    async def get(self, activity_id: int) -> Envelope | None:
        """The activity, ready to be signed and sent. None when nobody can sign it any more."""
        if activity_id not in self._papers:
            await self.fetch([activity_id])
        paper = self._papers.get(activity_id)
        signer = await self._signer(paper.account_id) if paper else None
        return Envelope(paper, *signer) if paper and signer else None

    async def _signer(self, account_id: int | None) -> Signer | None:
        if account_id not in self._signers:
            found = await _find_signer(account_id)
            if found is None:
                return None
            if len(self._signers) >= _MOST_SIGNERS:
                self._signers.clear()
            self._signers[account_id] = found
        return self._signers[account_id]


async def _find_signer(account_id: int | None) -> Signer | None:
    """The account, or the server itself. None when the key has gone with its account."""
    if account_id is None:
        return await senders.of_server(), None
    account = await Account.get_or_none(id=account_id)
    if account is None or account.private_key is None:
        return None
    return senders.of_account(account), account
