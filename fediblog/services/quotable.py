"""Who may quote a post: its policy (FEP-044f), read for one person.

The policy of what not everybody may see is NOBODY, whatever its author chose: its author alone quotes it.
"""

from enum import StrEnum

from fediblog.models import Quotable, Visibility

# What people here choose from: nobody is ever asked each time.
CHOICES = {"public": Quotable.PUBLIC, "followers": Quotable.FOLLOWERS, "nobody": Quotable.NOBODY}
_ASKING = Quotable.PUBLIC_ASKING | Quotable.FOLLOWERS_ASKING | Quotable.OTHERS_ASKING
_AT_ONCE = 3  # By so many bits the two halves of a policy are apart.


class Answer(StrEnum):
    """What somebody who wants to quote can expect."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    UNKNOWN = "unknown"  # Its server lets some people do so; whom, we cannot tell.
    DENIED = "denied"


def effective(wanted: Quotable, visibility: Visibility) -> Quotable:
    """The policy of a post that is seen by so many."""
    return wanted if visibility <= Visibility.UNLISTED else Quotable.NOBODY


def answer(policy: Quotable, own: bool, follows: bool) -> Answer:
    """What the policy says to somebody; one's own post one may always quote."""
    if own or _covers(policy, follows):
        return Answer.AUTOMATIC
    if _covers(Quotable(policy >> _AT_ONCE), follows):
        return Answer.MANUAL
    return Answer.UNKNOWN if policy & (Quotable.OTHERS | Quotable.OTHERS_ASKING) else Answer.DENIED


def asking(policy: Quotable) -> Quotable:
    """The half of a policy that is about who has to wait for the author's own word, in words of the other."""
    return Quotable((policy & _ASKING) >> _AT_ONCE)


def choice(policy: Quotable) -> str:
    """The word for one of the CHOICES."""
    return next((word for word, each in CHOICES.items() if each == policy), "nobody")


def _covers(policy: Quotable, follows: bool) -> bool:
    return bool(policy & Quotable.PUBLIC) or (follows and bool(policy & Quotable.FOLLOWERS))
