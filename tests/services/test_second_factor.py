"""Codes at sign-in: switching them on and off, what each of them opens, and what none of them does."""

import asyncio
from typing import Any

import pyotp
import pytest

from fediblog import db, moments
from fediblog.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from fediblog.models import Account, User
from fediblog.services import (
    authenticator,
    email_changes,
    one_time,
    second_factor,
    sessions,
    throttle,
    tokens,
)
from fediblog.services.sessions import Halfway, Session, SignedIn
from tests.people import PASSWORD, user_of
from tests.services.codes import App, with_codes
from tests.services.mailbox import Clock, clock
from tests.services.newcomers import HERE, audited

__all__ = ["clock"]

ELSEWHERE = "198.51.100.1"
NEW = "a quite different sentence"
WRONG = "000000"


async def opened(name: str = "alice") -> Session:
    """A session opened with the password alone."""
    outcome = await sessions.sign_in(name, PASSWORD, HERE, "test")
    assert isinstance(outcome, SignedIn)
    found = await sessions.find(outcome.token)
    assert found is not None
    return found


async def halfway(name: str = "alice", password: str = PASSWORD) -> str:
    """The token of the first step."""
    outcome = await sessions.sign_in(name, password, HERE, "test")
    assert isinstance(outcome, Halfway)
    return outcome.token


async def finish(token: str, code: str, address: str = HERE) -> SignedIn:
    return await sessions.sign_in_with_code(token, code, address, "test")


@pytest.fixture
async def app(alice: Account, clock: Clock) -> App:
    """The app on Alice's phone; her codes are switched on."""
    return await with_codes(alice, clock)


async def refused(token: str, code: str) -> None:
    with pytest.raises(Invalid) as fault:
        await finish(token, code)
    assert set(fault.value.fields) == {"code"}


# -------------------------------------------------------------------------------------------- switching on


async def test_switching_on_takes_the_password_and_a_code_of_the_app(alice: Account, clock: Clock):
    session = await opened()
    user = session.user
    await second_factor.begin(user)
    offer = await second_factor.offered(user)
    assert offer is not None
    parsed = pyotp.parse_uri(offer.uri)
    assert (parsed.secret, parsed.issuer, parsed.name) == (offer.secret, "fediblog", user.email)
    assert isinstance(await sessions.sign_in("alice", PASSWORD, HERE, ""), SignedIn), "not on yet"

    app = App(offer.secret, clock)
    for password, code, field in (("wrong", app.code(), "password"), (PASSWORD, WRONG, "code")):
        with pytest.raises(Invalid) as fault:
            await second_factor.switch_on(user, session.id, password, code, HERE)
        assert set(fault.value.fields) == {field}
    made = await second_factor.switch_on(user, session.id, PASSWORD, app.code(), HERE)

    assert len(set(made.codes)) == 10 and all(len(code) == 19 for code in made.codes)
    assert await second_factor.offered(user) is None
    with pytest.raises(Conflict):
        await second_factor.begin(user)
    await refused(await halfway(), app.code())  # The code that switched it on is used.
    assert await db.column("SELECT kind FROM mail") == ["second_factor_on"]


async def test_no_secret_of_it_is_stored_or_shown_as_it_is(alice: Account, app: App):
    token = await halfway()
    stored = "".join(
        [str(await db.rows(f"SELECT * FROM {name}")) for name in ("second_factor", "recovery_code")]
    )
    assert app.secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in app.paper)
    assert token not in str(await db.rows("SELECT * FROM one_time_token")) + repr(Halfway(token))
    assert app.secret not in repr(second_factor.Offer(app.secret, app.secret))
    assert app.paper[0] not in repr(second_factor.SwitchedOn("", app.paper))


async def test_other_sessions_and_sign_ins_half_done_end_and_apps_go_on(alice: Account, clock: Clock):
    first, other = await opened(), await opened()
    api = await tokens.create(alice, first.user, "read")
    await second_factor.begin(first.user)
    offer = await second_factor.offered(first.user)
    assert offer is not None
    app = App(offer.secret, clock)
    made = await second_factor.switch_on(first.user, first.id, PASSWORD, app.code(), HERE)

    goes_on = await sessions.find(made.token)
    assert goes_on is not None and goes_on.id == first.id
    assert [line.id for line in await sessions.list(first.user)] == [first.id] != [other.id]
    assert await tokens.find(api) is not None

    waiting = await halfway()
    token = await second_factor.switch_off(first.user, first.id, PASSWORD, app.next(), HERE)
    assert await sessions.find(made.token) is None and await sessions.find(token) is not None
    with pytest.raises(Unauthenticated):
        await finish(waiting, app.next())


async def test_an_offer_is_good_for_half_an_hour_and_for_its_own_secret(alice: Account, clock: Clock):
    session = await opened()
    await second_factor.begin(session.user)
    first = await second_factor.offered(session.user)
    await second_factor.begin(session.user)
    second = await second_factor.offered(session.user)
    assert first is not None and second is not None and first.secret != second.secret
    with pytest.raises(Invalid):
        await second_factor.switch_on(
            session.user, session.id, PASSWORD, App(first.secret, clock).code(), HERE
        )
    clock.forward(31 * moments.MINUTE)
    with pytest.raises(Invalid, match="too long"):
        await second_factor.switch_on(
            session.user, session.id, PASSWORD, App(second.secret, clock).code(), HERE
        )
    await second_factor.begin(session.user)
    await second_factor.withdraw(session.user)
    assert await second_factor.offered(session.user) is None
    assert not await authenticator.is_on(session.user.id)


async def test_of_two_tabs_that_switch_on_at_once_one_does(alice: Account, clock: Clock):
    session = await opened()
    await second_factor.begin(session.user)
    offer = await second_factor.offered(session.user)
    assert offer is not None
    code = App(offer.secret, clock).code()
    both = [second_factor.switch_on(session.user, session.id, PASSWORD, code, HERE) for _ in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(one, second_factor.SwitchedOn) for one in outcomes) == 1
    assert sum(isinstance(one, Conflict | Invalid) for one in outcomes) == 1
    assert await authenticator.left(session.user.id) == 10


# ---------------------------------------------------------------------------------------------- signing in


async def test_signing_in_takes_a_password_and_a_code(alice: Account, app: App):
    token = await halfway()
    assert await sessions.find(token) is None
    outcome = await finish(token, app.code())
    found = await sessions.find(outcome.token)
    assert found is not None and found.account.id == alice.id
    with pytest.raises(Unauthenticated):
        await finish(token, app.next())


async def test_the_session_that_the_browser_had_ends_with_the_second_step(alice: Account, app: App):
    before = await finish(await halfway(), app.code())
    outcome = await sessions.sign_in("alice", PASSWORD, HERE, "test", before.token)
    assert isinstance(outcome, Halfway) and await sessions.find(before.token) is not None
    await sessions.sign_in_with_code(outcome.token, app.next(), HERE, "test", before.token)
    assert await sessions.find(before.token) is None


async def test_codes_may_be_typed_with_spaces(app: App):
    code = app.code()
    await finish(await halfway(), f" {code[:3]} {code[3:]}\n")


async def test_a_code_works_once_however_often_it_comes_at_once(alice: Account, app: App):
    token, code = await halfway(), app.code()
    steps = [finish(one, code) for one in (token, await halfway(), await halfway())]
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    assert sum(isinstance(one, SignedIn) for one in outcomes) == 1
    assert sum(isinstance(one, Invalid) for one in outcomes) == 2
    await refused(await halfway(), code)


async def test_after_a_later_code_an_earlier_one_is_refused(app: App):
    earlier, later = app.code(), app.code(steps=1)
    await finish(await halfway(), later)
    await refused(await halfway(), earlier)


async def test_clocks_may_differ_by_a_step_and_no_more(app: App):
    for steps in (-2, 2):
        await refused(await halfway(), app.code(steps=steps))
    await finish(await halfway(), app.code(steps=-1))
    await finish(await halfway(), app.code(steps=1))


@pytest.mark.parametrize(
    "code", ["", WRONG, "12345", "1234567", "x" * 100_000, "\x00", "\ud800", "١٢٣٤٥٦", "aaaa-aaaa-aaaa-aaaa"]
)
async def test_what_is_no_code_opens_nothing(alice: Account, app: App, code: str):
    await refused(await halfway(), code)
    assert await authenticator.left((await user_of(alice)).id) == 10


async def test_a_recovery_code_works_once(alice: Account, app: App):
    await finish(await halfway(), app.paper[0].upper().replace("-", " "))
    await refused(await halfway(), app.paper[0])
    assert await authenticator.left((await user_of(alice)).id) == 9
    both = [finish(await halfway(), app.paper[1]) for _ in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(one, SignedIn) for one in outcomes) == 1


async def test_codes_of_others_open_nothing(alice: Account, bob: Account, app: App, clock: Clock):
    his = await with_codes(bob, clock)
    mine = await halfway("bob")
    for code in (app.code(), app.paper[0]):
        await refused(mine, code)
    # Whoever holds the state of somebody else needs that person's code, and becomes that person only.
    assert (await finish(await halfway("alice"), app.code())).user.id == (await user_of(alice)).id
    assert (await finish(mine, his.code())).account.id == bob.id


@pytest.mark.parametrize("token", ["", "x" * 43, "\x00", "\ud800"])
async def test_without_the_first_step_there_is_no_second(app: App, token: str):
    with pytest.raises(Unauthenticated, match="sign in again"):
        await finish(token, app.code())


async def test_a_link_for_something_else_is_no_first_step(alice: Account, app: App):
    async with db.transaction():
        token = await one_time.make(one_time.RESET, (await user_of(alice)).id, 60)
    with pytest.raises(Unauthenticated):
        await finish(token, app.code())


async def test_the_first_step_holds_ten_minutes(app: App, clock: Clock):
    token = await halfway()
    clock.forward(10 * moments.MINUTE + 1)
    with pytest.raises(Unauthenticated):
        await finish(token, app.code())


async def test_a_new_password_ends_sign_ins_that_are_half_done(alice: Account, app: App):
    token = await halfway()
    await sessions.change_password(await user_of(alice), PASSWORD, NEW, code=app.code())
    with pytest.raises(Unauthenticated):
        await finish(token, app.next())
    await sessions.request_reset("alice@mail.example", HERE)
    assert isinstance(await sessions.sign_in("alice", NEW, HERE, ""), Halfway), "the codes stay on"


@pytest.mark.parametrize(
    ("columns", "reason"), [({"disabled_at": 1}, "switched off"), ({"approved_at": None}, "approval")]
)
async def test_who_is_put_out_between_the_steps_stays_out(app: App, columns: dict[str, Any], reason: str):
    token = await halfway()
    await User.filter(email="alice@mail.example").update(**columns)
    with pytest.raises(Forbidden, match=reason):
        await finish(token, app.code())


# ------------------------------------------------------------------------------------------------ guessing


async def test_nobody_can_guess_codes_for_long(app: App, clock: Clock):
    for number in range(10):
        with pytest.raises(Invalid):
            await finish(await halfway(), WRONG, f"192.0.2.{number}")
    # Neither another state, another address nor the right password again helps.
    for code in (app.code(), app.paper[0]):
        with pytest.raises(TooMany) as waits:
            await finish(await halfway(), code, ELSEWHERE)
        assert 50 < waits.value.retry_after <= 60
    clock.forward(61 * moments.SECOND)
    await finish(await halfway(), app.code(), ELSEWHERE)
    await refused(await halfway(), WRONG)


async def test_one_address_cannot_guess_for_many(alice: Account, bob: Account, app: App, clock: Clock):
    await with_codes(bob, clock)
    for number in range(10):
        await refused(await halfway("bob" if number % 2 else "alice"), WRONG)
    with pytest.raises(TooMany):
        await finish(await halfway(), app.code())
    await finish(await halfway(), app.code(), ELSEWHERE)


async def test_fifty_guesses_at_once_are_not_fifty_guesses(app: App):
    token = await halfway()
    guesses = [finish(token, WRONG, f"192.0.2.{number}") for number in range(50)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(one, Invalid) for one in outcomes) == 10
    assert sum(isinstance(one, TooMany) for one in outcomes) == 40


# ---------------------------------------------------------------------------------------- what it guards


async def test_a_new_password_and_another_address_need_a_code(alice: Account, app: App):
    user = await user_of(alice)
    for code in ("", WRONG):
        for attempt in (
            sessions.change_password(user, PASSWORD, NEW, code=code),
            email_changes.request(user, PASSWORD, "alice@new.example", code=code),
        ):
            with pytest.raises(Invalid) as fault:
                await attempt
            assert set(fault.value.fields) == {"code"}
    assert (await user_of(alice)).email == user.email
    await email_changes.request(user, PASSWORD, "alice@new.example", code=app.code())
    await sessions.change_password(user, PASSWORD, NEW, code=app.paper[0])


async def test_a_fault_elsewhere_in_the_form_spends_no_code(alice: Account, app: App):
    user, code = await user_of(alice), app.code()
    for attempt in (
        sessions.change_password(user, PASSWORD, "short", code=code),
        sessions.change_password(user, "wrong", NEW, code=code),
        email_changes.request(user, PASSWORD, "nonsense", code=code),
    ):
        with pytest.raises(Invalid):
            await attempt
    await sessions.change_password(user, PASSWORD, NEW, code=code)


async def test_new_recovery_codes_and_switching_off_need_both(alice: Account, app: App):
    user, session = await user_of(alice), await finish(await halfway(), app.code())
    found = await sessions.find(session.token)
    assert found is not None
    for password, code, field in (("wrong", app.paper[0], "password"), (PASSWORD, WRONG, "code")):
        for attempt in (
            second_factor.renew(user, password, code, HERE),
            second_factor.switch_off(user, found.id, password, code, HERE),
        ):
            with pytest.raises(Invalid) as fault:
                await attempt
            assert set(fault.value.fields) == {field}
    fresh = await second_factor.renew(user, PASSWORD, app.paper[0], HERE)
    assert len(fresh) == 10 and not set(fresh) & set(app.paper)
    await refused(await halfway(), app.paper[1])

    await second_factor.switch_off(user, found.id, PASSWORD, fresh[0], HERE)
    assert isinstance(await sessions.sign_in("alice", PASSWORD, HERE, ""), SignedIn)
    assert await db.value("SELECT count(*) FROM recovery_code") == 0
    assert await db.column("SELECT kind FROM mail ORDER BY id") == ["second_factor_on", "second_factor_off"]
    with pytest.raises(Invalid):
        await second_factor.switch_off(user, found.id, PASSWORD, fresh[1], HERE)


async def test_whoever_runs_the_server_can_take_it_away(alice: Account, bob: Account, app: App):
    token, user = await halfway(), await user_of(alice)
    inside = await finish(await halfway(), app.code())
    await throttle.failed(*[authenticator._bucket(user.id)] * 11)
    assert await second_factor.take_away(user)
    assert not await second_factor.take_away(user)
    assert not await second_factor.take_away(await user_of(bob))
    assert await sessions.find(inside.token) is None
    with pytest.raises(Unauthenticated):
        await finish(token, app.next())
    assert isinstance(await sessions.sign_in("alice", PASSWORD, HERE, ""), SignedIn)
    assert await audited() == ["user.disable_2fa"]
    assert (await db.column("SELECT kind FROM mail ORDER BY id"))[-1] == "second_factor_off"


async def test_after_the_servers_secret_has_changed_nobody_gets_in_with_old_codes(
    alice: Account, app: App, configure: Any
):
    token = await halfway()
    configure(secret_key="another secret that is long enough")
    for code in (app.code(), app.paper[0]):
        await refused(token, code)


async def test_codes_go_with_their_user(alice: Account, app: App):
    async with db.transaction():
        await db.execute("DELETE FROM person")
    assert await db.value("SELECT count(*) FROM second_factor") == 0
    assert await db.value("SELECT count(*) FROM recovery_code") == 0
