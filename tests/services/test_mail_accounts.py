"""Mails about accounts: confirmations, resets, decisions. Their secrets stand nowhere in the clear."""

from collections.abc import Callable

import pytest
import structlog

from fediblog import db, keys, moments
from fediblog.config import Config, settings
from fediblog.errors import Unavailable
from fediblog.models import Account, User
from fediblog.services import mail
from tests.harness.mail import MailServer
from tests.people import person, user_of
from tests.services.mailbox import Clock, clock, deliver, owed, states

__all__ = ["clock"]

BOB = "bob@mail.example"
SECRET = "a-one-time-token-of-forty-three-characters-"


@pytest.fixture(autouse=True)
def _mail_is_configured(database: None, configure: Callable[..., Config], smtp: MailServer) -> None:
    configure(mail__url=smtp.url)


async def owe(account: Account, kind: str, secret: str = "", address: str = "") -> None:
    async with db.transaction():
        await mail.account_mail(await user_of(account), kind, secret, address)


async def test_what_the_staff_has_to_say_arrives_as_it_was_typed(bob: Account, smtp: MailServer) -> None:
    await owe(bob, "warned", "This is a warning.\nBe <b>kind</b>, {name}.")
    await deliver()
    [mail_] = smtp.mails
    assert mail_.message["Subject"] == "About your account at fediblog"
    assert "- Be <b>kind</b>, {name}." in mail_.text().splitlines()
    assert "Be &lt;b&gt;kind&lt;/b&gt;, {name}." in mail_.text("html")


@pytest.mark.parametrize(
    ("kind", "secret", "subject", "link"),
    [
        ("confirm", SECRET, "Confirm your e-mail address for fediblog", f"/auth/confirmation?token={SECRET}"),
        ("reset", SECRET, "Choose a new password for fediblog", f"/auth/password/edit?token={SECRET}"),
        ("approved", "", "Welcome to fediblog", "/auth/sign_in"),
        ("taken", "", "You have an account at fediblog already", "/auth/password/new"),
        ("password_changed", "", "Your password at fediblog has been changed", "/auth/password/new"),
        ("new_email", SECRET, "Confirm your new e-mail address for fediblog", f"/auth/email?token={SECRET}"),
        ("email_asked", "", "Another e-mail address for your account at fediblog", "/auth/password/new"),
        ("email_changed", "", "Your e-mail address at fediblog has been changed", "/about"),
    ],
)
async def test_each_kind_arrives_with_its_link(
    bob: Account, smtp: MailServer, kind: str, secret: str, subject: str, link: str
) -> None:
    await owe(bob, kind, secret)
    await deliver()
    await deliver()

    [mail_] = smtp.mails
    assert mail_.recipients == [BOB]
    assert mail_.message["Subject"] == subject
    assert f"http://localhost:8000{link}" in mail_.text().splitlines()
    assert f'href="http://localhost:8000{link}"' in mail_.text("html")
    assert "@bob" in mail_.text() and "@bob" in mail_.text("html")
    assert mail_.message["Auto-Submitted"] == "auto-generated"
    # Nobody may unsubscribe from what an account cannot do without.
    assert mail_.message["List-Unsubscribe"] is None


async def test_who_was_rejected_hears_of_it_although_the_user_is_deleted(
    bob: Account, smtp: MailServer
) -> None:
    user = await user_of(bob)
    async with db.transaction():
        await mail.account_mail(user, "rejected")
        await db.execute("DELETE FROM person WHERE id = $1", user.id)
    await deliver()
    [mail_] = smtp.mails
    assert mail_.recipients == [BOB]
    assert mail_.message["Subject"] == "Your sign-up at fediblog"
    assert "http" not in mail_.text()


async def test_a_new_address_can_be_confirmed_before_it_is_the_users(bob: Account, smtp: MailServer) -> None:
    await owe(bob, "confirm", SECRET, "bob@elsewhere.example")
    await deliver()
    assert smtp.mails[0].recipients == ["bob@elsewhere.example"]


async def test_an_unknown_kind_is_a_fault_of_ours(bob: Account) -> None:
    with pytest.raises(ValueError, match="no such mail"):
        await owe(bob, "greeting")
    assert await owed() == []


async def test_the_secret_stands_in_no_row_and_no_line_and_goes_with_the_mail(
    bob: Account, smtp: MailServer, config: Config
) -> None:
    with structlog.testing.capture_logs() as lines:
        await owe(bob, "reset", SECRET)
        sealed = bytes(await db.value("SELECT secret FROM mail"))
        assert SECRET.encode() not in sealed
        assert keys.unseal(settings().secret, sealed) == SECRET.encode()
        assert SECRET not in str(await db.rows("SELECT * FROM work"))
        for file in config.data_dir.rglob("*.sqlite3*"):
            assert SECRET.encode() not in file.read_bytes()
        smtp.stop()
        await deliver()
        smtp.start()
        [mail_id] = await owed()
        await mail.send(mail_id)

    assert len(smtp.mails) == 1
    row = await db.row("SELECT secret, address FROM mail")
    assert row == {"secret": None, "address": ""}
    assert lines and SECRET not in str(lines) and "bob" not in str(lines)


@pytest.mark.parametrize(("state", "refusal"), [("refused", "550 no"), ("waiting", "450 later")])
async def test_the_secret_is_kept_only_while_the_mail_waits(
    bob: Account, smtp: MailServer, state: str, refusal: str
) -> None:
    smtp.refuse_recipient = refusal
    await owe(bob, "reset", SECRET)
    await deliver()
    assert await states("reset") == [state]
    assert (await db.value("SELECT secret FROM mail") is None) == (state == "refused")


@pytest.mark.parametrize(
    ("kind", "patience"),
    [("confirm", moments.DAY), ("reset", moments.DAY), ("approved", 3 * moments.DAY)],
)
async def test_a_mail_that_comes_too_late_is_given_up(
    bob: Account, smtp: MailServer, clock: Clock, kind: str, patience: int
) -> None:
    smtp.stop()
    await owe(bob, kind, SECRET if kind != "approved" else "")
    clock.forward(patience - moments.MINUTE)
    assert await deliver() == 1
    clock.forward(2 * moments.MINUTE)
    smtp.start()
    with structlog.testing.capture_logs() as lines:
        assert await deliver() == 0

    assert await states(kind) == ["expired"]
    assert smtp.mails == []
    assert await owed() == []
    assert await db.value("SELECT secret FROM mail") is None
    assert any("given up" in line["event"] for line in lines)


async def test_the_server_is_down_and_the_mail_arrives_once_afterwards(
    bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.stop()
    await owe(bob, "confirm", SECRET)
    for _ in range(3):
        assert await deliver() == 1
        clock.forward(2 * moments.MINUTE)
    smtp.start()
    for _ in range(3):
        await deliver()
        clock.forward(moments.HOUR)
    assert len(smtp.mails) == 1
    assert SECRET in smtp.mails[0].text()


async def test_when_a_link_is_asked_for_twice_only_the_newer_one_waits(
    bob: Account, smtp: MailServer
) -> None:
    await owe(bob, "reset", "older" + SECRET)
    await owe(bob, "reset", "newer" + SECRET)
    await deliver()
    [mail_] = smtp.mails
    assert "newer" in mail_.text()
    assert await states("reset") == ["dropped", "sent"]


async def test_a_mail_sealed_with_another_key_is_dropped(
    bob: Account, smtp: MailServer, configure: Callable[..., Config]
) -> None:
    await owe(bob, "reset", SECRET)
    configure(mail__url=smtp.url, secret_key="another secret that is long enough for it")
    await deliver()
    assert smtp.mails == []
    assert await states("reset") == ["dropped"]


async def test_a_mail_without_the_secret_it_needs_is_dropped(bob: Account, smtp: MailServer) -> None:
    await owe(bob, "reset")
    await deliver()
    assert smtp.mails == []


async def test_without_a_mail_server_the_log_says_so_once_and_names_nobody(
    bob: Account, configure: Callable[..., Config]
) -> None:
    configure()
    await owe(bob, "reset", SECRET)
    with structlog.testing.capture_logs() as lines:
        await deliver()
        await deliver()

    [line] = lines
    assert "not sent" in line["event"] and line["kind"] == "reset"
    assert "bob" not in str(line) and SECRET not in str(line)
    assert await states("reset") == ["unsent"]
    assert await db.value("SELECT secret FROM mail") is None


async def test_the_site_goes_by_its_title_of_the_moment(
    bob: Account, smtp: MailServer, configure: Callable[..., Config]
) -> None:
    configure(mail__url=smtp.url, web__site_title="Käse & Wein {0}")
    await owe(bob, "approved")
    await deliver()
    [mail_] = smtp.mails
    assert mail_.message["Subject"] == "Welcome to Käse & Wein {0}"
    assert mail_.message["From"].addresses[0].display_name == "Käse & Wein {0}"
    assert "Käse &amp; Wein {0}" in mail_.text("html")


# ------------------------------------------------------------------------------------ who waits for approval


async def applicant(name: str, reason: str = "", **columns: object) -> Account:
    return await person(name, **{"approved_at": None, "reason": reason, **columns})


async def test_all_of_the_staff_hear_who_waits(bob: Account, smtp: MailServer) -> None:
    await person("ada", role="admin")
    await person("mo", role="moderator")
    await person("off", role="admin", disabled_at=1)
    dora = await applicant("dora", "I like\ncheese <b>a lot</b>")
    await applicant("spam", "unconfirmed", confirmed_at=None)

    await owe(dora, "waiting")
    await deliver()

    assert sorted(mail_.recipients[0] for mail_ in smtp.mails) == ["ada@mail.example", "mo@mail.example"]
    text, html = smtp.mails[0].text(), smtp.mails[0].text("html")
    assert "- @dora: I like cheese <b>a lot</b>" in text
    assert "@dora: I like cheese &lt;b&gt;a lot&lt;/b&gt;" in html
    assert "http://localhost:8000/admin/signups" in text
    assert "spam" not in text and "dora@" not in text


async def test_a_wave_of_sign_ups_is_no_wave_of_mails(smtp: MailServer, clock: Clock) -> None:
    await person("ada", role="admin")
    await owe(await applicant("first"), "waiting")
    await deliver()
    for number in range(15):
        await owe(await applicant(f"next{number}"), "waiting")
        await deliver()
    assert len(smtp.mails) == 1

    clock.forward(moments.HOUR)
    await deliver()
    assert len(smtp.mails) == 2
    assert "and 6 more" in smtp.mails[1].text()


async def test_nobody_is_told_of_what_a_colleague_has_settled(smtp: MailServer) -> None:
    await person("ada", role="admin")
    dora = await applicant("dora")
    await owe(dora, "waiting")
    await User.filter(id=(await user_of(dora)).id).update(approved_at=1)
    await deliver()
    assert smtp.mails == []
    assert await states("waiting") == ["dropped"]


# -------------------------------------------------------------------------------------------- old secrets


async def test_a_secret_that_waits_in_vain_goes_after_a_day(
    bob: Account, smtp: MailServer, clock: Clock
) -> None:
    await owe(bob, "reset", SECRET)
    smtp.refuse_recipient = "450 later"
    await deliver()
    await mail.forget_secrets()
    assert await db.value("SELECT count(*) FROM mail WHERE secret IS NOT NULL") == 1

    clock.forward(moments.DAY + 1)
    await mail.forget_secrets()
    assert await db.value("SELECT count(*) FROM mail WHERE secret IS NOT NULL") == 0
    smtp.refuse_recipient = None
    await deliver()
    assert await states("reset") == ["expired"]


async def test_what_is_put_off_says_so_in_the_log_without_the_address(bob: Account, smtp: MailServer) -> None:
    smtp.refuse_recipient = f"450 <{BOB}> later"
    await owe(bob, "approved")
    [mail_id] = await owed()
    with structlog.testing.capture_logs() as lines, pytest.raises(Unavailable):
        await mail.send(mail_id)
    assert lines[0]["event"] == "mail put off"
    assert "bob" not in str(lines)
