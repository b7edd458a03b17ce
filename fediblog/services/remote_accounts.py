"""Accounts on other servers, as far as they are known here."""

from fediblog.models import Account
from fediblog.services.incoming import IncomingAccount


async def store(incoming: IncomingAccount, confirmed: bool = False) -> Account:
    """Keep what another server says about an account of its own; the account as it is now.

    `confirmed` says that WebFinger has confirmed the handle in both directions: then it is taken from whoever
    had it. Raises Conflict when it is not confirmed and another account has it, Gone for an account that has
    been deleted, Forbidden for a handle or an address of ours.
    """
    raise NotImplementedError


async def gone(account: Account) -> None:
    """An account has been deleted elsewhere: all of it goes here too, at once for everybody's eyes.

    Twice is the same as once. Raises Forbidden for an account of ours.
    """
    raise NotImplementedError
