"""Somebody with codes at sign-in: the app on the phone and the codes on paper."""

import pyotp

from fediblog import moments
from fediblog.models import Account
from fediblog.services import second_factor, sessions
from fediblog.services.sessions import SignedIn
from tests.people import PASSWORD, user_of
from tests.services.mailbox import Clock
from tests.services.newcomers import HERE

_STEP = 30


class App:
    """An app that makes codes, with the clock of the test."""

    def __init__(self, secret: str, clock: Clock, paper: tuple[str, ...] = ()) -> None:
        self.secret, self.paper, self._clock = secret, paper, clock

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many steps later."""
        return pyotp.TOTP(self.secret).at(self._clock() // moments.SECOND + steps * _STEP)

    def next(self) -> str:
        """The code after the one of now, once its time has come."""
        self._clock.forward(_STEP * moments.SECOND)
        return self.code()


async def with_codes(account: Account, clock: Clock) -> App:
    """Switch codes on for somebody. The session for that is over, and the code of it a while ago."""
    user = await user_of(account)
    opened = await sessions.sign_in(account.username, PASSWORD, HERE, "test")
    assert isinstance(opened, SignedIn)
    session = await sessions.find(opened.token)
    await second_factor.begin(user)
    offer = await second_factor.offered(user)
    assert session is not None and offer is not None
    code = App(offer.secret, clock).code()
    made = await second_factor.switch_on(user, session.id, PASSWORD, code, HERE)
    await sessions.sign_out(made.token)
    # Away from the edge of a step, which would make "the code of now" another one within a test.
    clock.forward(3 * _STEP * moments.SECOND - clock() % (_STEP * moments.SECOND) + moments.SECOND)
    return App(offer.secret, clock, made.codes)
