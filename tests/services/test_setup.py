"""The first admin, and people made on the command line."""

import asyncio

import pytest

from fediblog import db, moments
from fediblog.errors import Forbidden, Invalid
from fediblog.models import Account, Role, User
from fediblog.services import sessions, settings, setup, signups
from fediblog.services.settings import Mode
from tests.people import person
from tests.services.mailbox import Clock, clock
from tests.services.newcomers import HERE, PASSWORD, audited, form, mailed

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _database(database: None) -> None:
    """Every test here starts with an empty one."""


async def test_the_link_makes_the_admin_once():
    token = await setup.setup_token()
    assert token and await setup.may_set_up(token)
    user = await setup.setup(token, form("admin"), "open", "Our place")
    assert user.active and user.role is Role.ADMIN
    site = await settings.get()
    assert (site.title, site.registration) == ("Our place", Mode.OPEN)
    assert (await sessions.sign_in("admin", PASSWORD, HERE, "")).user.id == user.id
    assert await audited() == ["setup"]
    assert await setup.setup_token() is None
    assert not await setup.may_set_up(token)
    with pytest.raises(Forbidden):
        await setup.setup(token, form("other"), "open", "Mine now")
    assert await User.all().count() == 1


async def test_a_fresh_link_ends_the_old_one_and_each_ends_after_a_day(clock: Clock):
    old = await setup.setup_token()
    new = await setup.setup_token()
    assert old and new
    assert not await setup.may_set_up(old)
    assert token_is_hashed(new, await db.rows("SELECT * FROM one_time_token"))
    clock.forward(moments.DAY + 1)
    for token in (old, new, "", "\x00", "x" * 43):
        with pytest.raises(Forbidden):
            await setup.setup(token, form(), "open", "Our place")
    assert await User.all().count() == 0


def token_is_hashed(token: str, rows: list[dict[str, object]]) -> bool:
    return bool(rows) and token not in str(rows)


async def test_faults_leave_the_link_as_it_was():
    token = await setup.setup_token() or ""
    bad = form("no spaces", email="nowhere", password="short")
    with pytest.raises(Invalid) as refused:
        await setup.setup(token, bad, "sometimes", "")
    assert set(refused.value.fields) == {"username", "email", "password", "registration", "title"}
    assert await User.all().count() == 0
    await setup.setup(token, form(), "closed", "Our place")


async def test_of_two_who_use_the_link_at_once_one_becomes_the_admin():
    token = await setup.setup_token() or ""
    both = [setup.setup(token, form(name), "open", "Our place") for name in ("dora", "dana")]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Forbidden) for outcome in outcomes) == 1
    assert await User.all().count() == await Account.all().count() == 1


async def test_no_link_where_there_is_an_admin():
    token = await setup.setup_token() or ""
    await person("mia", role="admin")
    assert await setup.setup_token() is None
    with pytest.raises(Forbidden):
        await setup.setup(token, form(), "open", "Our place")


async def test_a_token_for_something_else_makes_no_admin(configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="open")
    await signups.register(form(), HERE)
    [(_, token)] = await mailed("confirm")
    with pytest.raises(Forbidden):
        await setup.setup(token, form("admin"), "open", "Our place")


async def test_people_made_by_hand(configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="closed")
    user = await setup.create_account("root", "root@mail.example", PASSWORD, "admin", confirmed=True)
    assert user.active and user.role is Role.ADMIN
    assert await mailed("confirm") == []
    waiting = await setup.create_account("dora", "dora@mail.example", PASSWORD)
    assert not waiting.active and waiting.role is Role.USER
    assert (await signups.confirm((await mailed("confirm"))[0][1])).active
    assert await audited() == ["account.create", "account.create"]


async def test_people_made_by_hand_where_no_mail_can_be_sent():
    assert (await setup.create_account("dora", "dora@mail.example", PASSWORD)).active


async def test_people_who_cannot_be_made_by_hand(alice):
    with pytest.raises(Invalid) as refused:
        await setup.create_account("ALICE", "Alice@Mail.example", "alice@mail.example", "emperor", True)
    assert set(refused.value.fields) == {"username", "email", "password", "role"}
    assert await User.all().count() == 1
