"""Changing the e-mail address: two mails, one link, and nothing to be learnt about others."""

import asyncio
from collections.abc import Callable

import pytest

from fediblog import db, moments
from fediblog.config import Config
from fediblog.errors import Invalid, TooMany
from fediblog.models import Account, User
from fediblog.services import email_changes, sessions
from tests.harness.mail import MailServer
from tests.people import PASSWORD, user_of
from tests.services.mailbox import Clock, clock, deliver
from tests.services.newcomers import HERE, mailed

__all__ = ["clock"]

OLD, NEW = "alice@mail.example", "alice@new.example"
ANOTHER_PASSWORD = "a quite different sentence"


@pytest.fixture(autouse=True)
def _with_mail(database: None, configure: Callable[..., Config], smtp: MailServer) -> None:
    configure(mail__url=smtp.url)


async def ask(account: Account, email: str = NEW, password: str = PASSWORD) -> None:
    await email_changes.request(await user_of(account), password, email, HERE)


async def link() -> str:
    return (await mailed("new_email"))[-1][1]


async def address(account: Account) -> str:
    return (await user_of(account)).email


async def test_the_new_address_counts_once_its_link_is_opened(alice: Account, smtp: MailServer) -> None:
    await ask(alice, " Alice@NEW.example ")
    assert await address(alice) == OLD
    assert await email_changes.pending(await user_of(alice)) == "Alice@new.example"
    token = await link()
    assert token not in str(await db.rows("SELECT * FROM one_time_token"))

    changed = await email_changes.confirm(token)

    assert (changed.email, changed.email_key) == ("Alice@new.example", NEW)
    assert await email_changes.pending(changed) is None
    await sessions.sign_in(NEW, PASSWORD, HERE, "test")
    await deliver()
    told = [(one.recipients[0], one.message["Subject"]) for one in smtp.mails]
    assert sorted(told) == [
        ("Alice@new.example", "Confirm your new e-mail address for fediblog"),
        (OLD, "Another e-mail address for your account at fediblog"),
        (OLD, "Your e-mail address at fediblog has been changed"),
    ]
    assert [one.recipients[0] for one in smtp.mails if token in one.text()] == ["Alice@new.example"]


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        (NEW, "not the password", "password"),
        ("nowhere", PASSWORD, "email"),
        (OLD, PASSWORD, "email"),
        ("x" * 5000 + "@mail.example", PASSWORD, "email"),
        ("a\r\nBcc: b@mail.example", PASSWORD, "email"),
    ],
)
async def test_what_is_refused_sends_nothing(alice: Account, email: str, password: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await ask(alice, email, password)
    assert set(refused.value.fields) == {field}
    assert await db.value("SELECT count(*) FROM mail") == 0
    assert await email_changes.pending(await user_of(alice)) is None


async def test_the_link_works_once_for_a_day_and_until_the_next_one(alice: Account, clock: Clock) -> None:
    await ask(alice, "first@new.example")
    first = await link()
    await ask(alice, "second@new.example")
    second = await link()
    with pytest.raises(Invalid):
        await email_changes.confirm(first)
    await email_changes.confirm(second)
    await ask(alice, "third@new.example")
    third = await link()
    clock.forward(moments.DAY + 1)
    for token in (first, second, third, "", "x" * 43, "\x00", "\ud800"):
        with pytest.raises(Invalid) as refused:
            await email_changes.confirm(token)
        assert set(refused.value.fields) == {"token"}
    assert await address(alice) == "second@new.example"


async def test_a_link_for_something_else_changes_nothing(alice: Account) -> None:
    await sessions.request_reset(OLD, HERE)
    [(_, token)] = await mailed("reset")
    with pytest.raises(Invalid):
        await email_changes.confirm(token)
    await ask(alice)
    with pytest.raises(Invalid):
        await sessions.reset(await link(), ANOTHER_PASSWORD)


async def test_that_an_address_is_taken_is_told_only_to_whoever_reads_its_mail(
    alice: Account, bob: Account
) -> None:
    for email in ("BOB@mail.example", "nobody@mail.example"):
        await ask(alice, email)
    assert await db.value("SELECT count(*) FROM mail WHERE kind = 'new_email'") == 2
    await ask(alice, "bob@mail.example")
    with pytest.raises(Invalid) as refused:
        await email_changes.confirm(await link())
    assert set(refused.value.fields) == {"email"}
    assert (await address(alice), await address(bob)) == (OLD, "bob@mail.example")
    assert await mailed("email_changed") == []


async def test_of_two_who_want_one_address_the_later_is_refused(alice: Account, bob: Account) -> None:
    links = []
    for account in (alice, bob):
        await ask(account, NEW)
        links.append(await link())
    outcomes = await asyncio.gather(*map(email_changes.confirm, links), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "User"]
    assert await User.filter(email_key=NEW).count() == 1


async def test_a_new_password_ends_the_change_by_whoever_knew_the_old_one(alice: Account) -> None:
    await ask(alice)
    await sessions.change_password(await user_of(alice), PASSWORD, ANOTHER_PASSWORD)
    with pytest.raises(Invalid):
        await email_changes.confirm(await link())
    assert await address(alice) == OLD


async def test_a_reset_sent_to_the_old_address_opens_nothing_afterwards(alice: Account) -> None:
    await ask(alice)
    await sessions.request_reset(OLD, HERE)
    [(_, reset)] = await mailed("reset")
    await email_changes.confirm(await link())
    assert not await sessions.may_reset(reset)


async def test_the_change_can_be_withdrawn(alice: Account) -> None:
    await ask(alice)
    await email_changes.withdraw(await user_of(alice))
    assert await email_changes.pending(await user_of(alice)) is None
    with pytest.raises(Invalid):
        await email_changes.confirm(await link())


async def test_who_has_been_switched_off_changes_nothing(alice: Account) -> None:
    await ask(alice)
    await User.filter(email=OLD).update(disabled_at=1)
    with pytest.raises(Invalid):
        await email_changes.confirm(await link())


async def test_nobody_is_flooded_with_links(alice: Account, bob: Account) -> None:
    for _ in range(3):
        await ask(alice, "victim@mail.example")
    with pytest.raises(TooMany):
        await ask(alice, "another@mail.example")
    with pytest.raises(TooMany):
        await ask(bob, "victim@mail.example")


async def test_without_a_mail_server_the_new_address_counts_at_once(
    alice: Account, bob: Account, configure: Callable[..., Config]
) -> None:
    configure()
    await ask(alice)
    assert await address(alice) == NEW
    with pytest.raises(Invalid) as refused:
        await ask(bob, NEW.upper())
    assert set(refused.value.fields) == {"email"}
