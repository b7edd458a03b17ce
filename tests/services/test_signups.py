"""Signing up: the four modes, what is refused, the link in the mail, and the queue of the staff."""

import asyncio
from collections.abc import Callable

import pytest

from fediblog import db, keys, moments
from fediblog.config import Config, settings
from fediblog.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from fediblog.models import Account, User
from fediblog.services import accounts, invites, moderation, sessions, signups, upkeep
from fediblog.services import settings as site
from tests.people import person, remote, user_of
from tests.services.mailbox import Clock, clock
from tests.services.newcomers import HERE, PASSWORD, account_of, audited, form, mailed, sign_up

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _open_with_mail(database: None, configure: Callable[..., Config]) -> None:
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="open")


async def test_who_signs_up_is_somebody_once_the_address_is_confirmed(database):
    user = await sign_up("Dora", reason="I like it here", locale="de")
    assert not user.active
    account = await account_of(user)
    assert await accounts.find("dora") is None
    with pytest.raises(NotFound):
        await accounts.get(account.id)
    with pytest.raises(Unauthenticated, match="confirmed"):
        await sessions.sign_in("dora", PASSWORD, HERE, "test")

    [(address, token)] = await mailed("confirm")
    assert address == "Dora@mail.example"
    confirmed = await signups.confirm(token)

    assert confirmed.active
    assert confirmed.id == user.id
    assert (confirmed.reason, confirmed.locale) == ("I like it here", "de")
    assert (await accounts.lookup("@dora")).id == account.id
    assert (await sessions.sign_in("dora", PASSWORD, HERE, "test")).account.id == account.id


async def test_a_new_account_is_complete_and_its_key_is_sealed(database):
    account = await account_of(await sign_up("Dora"))
    assert (account.username, account.username_key, account.local) == ("Dora", "dora", True)
    assert account.uri == f"http://localhost:8000/ap/accounts/{account.id}"
    assert account.url == "http://localhost:8000/@Dora"
    assert account.inbox == account.uri + "/inbox"
    assert account.key_id == account.uri + "#main-key"
    assert "BEGIN PUBLIC KEY" in account.public_key
    assert keys.unseal(settings().secret, account.private_key)
    stored = await db.rows("SELECT * FROM person")
    assert PASSWORD not in str(stored)
    assert stored[0]["password_hash"].startswith("$argon2id$")


async def test_all_faults_come_together_and_nothing_is_stored(database):
    bad = form(
        "no spaces", email="nowhere", password="short", reason="x" * 1001, locale="../etc", invite_code="?"
    )
    with pytest.raises(Invalid) as refused:
        await signups.register(bad, HERE)
    assert set(refused.value.fields) == {"username", "email", "password", "reason", "locale", "invite_code"}
    assert await User.all().count() == await Account.all().count() == 0
    assert await mailed("confirm") == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a-b",
        "a.b",
        "dörte",
        "x" * 31,
        "аlice",
        "al\x00ice",
        "a\nb",
        "a@b",
        "\ud800",
        "admin",
        "ADMIN",
        "adm1n",
        "r00t",
        "_root_",
        "settings",
        "fediblog",
        "localhost",
        "api",
        "We11known",
    ],
)
async def test_a_name_that_nobody_gets(name):
    with pytest.raises(Invalid) as refused:
        await sign_up(name, email="d@mail.example")
    assert set(refused.value.fields) == {"username"}


@pytest.mark.parametrize("name", ["a", "Al1ce_", "x" * 30, "1234", "_", "administer", "rooted"])
async def test_a_name_that_anybody_may_have(name):
    assert (await account_of(await sign_up(name, email="d@mail.example"))).username == name


async def test_a_name_is_the_same_in_wide_letters():
    assert (await account_of(await sign_up("ｄｏｒａ", email="d@mail.example"))).username == "dora"


@pytest.mark.parametrize("name", ["Ollie", "OLLIE", " @ollie ", "oIlie", "o1lie", "0llie", "oI1ie"])
async def test_a_name_that_is_taken_or_looks_like_one(name):
    await person("ollie")
    with pytest.raises(Invalid) as refused:
        await sign_up(name, email="d@mail.example")
    assert set(refused.value.fields) == {"username"}


async def test_a_name_that_looks_a_little_like_one():
    await person("ollie")
    for name in ("ollie_", "olly", "oliie"):
        await sign_up(name)


async def test_the_name_of_somebody_who_has_left_stays_taken():
    await person("ollie", deleted_at=1, suspended_at=1)
    with pytest.raises(Invalid) as refused:
        await sign_up("ollie", email="d@mail.example")
    assert set(refused.value.fields) == {"username"}


async def test_a_name_from_elsewhere_is_free_here():
    await remote("ollie", "far.example")
    assert (await account_of(await sign_up("ollie"))).domain == ""


@pytest.mark.parametrize(
    "email",
    [
        "",
        "dora",
        "@mail.example",
        "dora@",
        "a@b",
        "a b@mail.example",
        "a@mail.example\x00",
        "Dora <d@mail.example>",
        "dora@mail..example",
        "dora@-mail.example",
        "x" * 250 + "@mail.example",
        "a@mail.example, b@mail.example",
        "a\r\nBcc: b@mail.example",
        "\ud800@mail.example",
        '"a b"@mail.example',
        "a@[127.0.0.1]",
    ],
)
async def test_what_is_no_email_address(email):
    with pytest.raises(Invalid) as refused:
        await sign_up(email=email)
    assert set(refused.value.fields) == {"email"}


@pytest.mark.parametrize("email", ["d+tag@mail.example", "d@bücher.example", "d@lab.test", "d@localhost"])
async def test_an_unusual_email_address_is_one(email):
    assert "@" in (await sign_up(email=email)).email


@pytest.mark.parametrize(
    "password",
    [
        "",
        "seven77",
        "x" * 1025,
        "password",
        "PASSWORD1",
        "Password123!",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "abababab",
        "12345678",
        "doraemon22",
        "DORAEMON22",
        "doraemon22@mail.example",
    ],
)
async def test_a_password_that_is_refused(password):
    with pytest.raises(Invalid) as refused:
        await sign_up("doraemon22", password=password)
    assert set(refused.value.fields) == {"password"}


@pytest.mark.parametrize(
    "password", ["eight888", "x1y" * 341, "pass\ud800word with half a letter", "пароль и ещё"]
)
async def test_a_password_that_is_taken_as_it_is(password):
    user = await sign_up(password=password)
    await signups.confirm((await mailed("confirm"))[0][1])
    assert (await sessions.sign_in(user.email, password, HERE, "")).user.id == user.id


async def test_an_address_that_is_taken_is_answered_like_any_other_and_its_owner_hears_of_it(alice):
    owner = await user_of(alice)
    answer = await sign_up("dora", email="ALICE@mail.example")
    assert not answer.active
    assert await User.all().count() == await Account.all().count() == 1
    assert await mailed("confirm") == []
    assert await mailed("taken") == [(owner.email, "")]


async def test_the_name_given_with_a_taken_address_is_kept_like_any_other(alice, clock: Clock):
    await sign_up("dora", email="alice@mail.example")
    with pytest.raises(Invalid) as refused:
        await sign_up("Dora", email="dora@mail.example")
    assert refused.value.fields["username"].startswith("This name is taken")
    clock.forward(6 * moments.DAY)
    await upkeep.prune()
    with pytest.raises(Invalid):
        await sign_up("Dora", email="dora@mail.example")
    clock.forward(moments.DAY + 1)
    await upkeep.prune()
    assert (await sign_up("Dora", email="dora@mail.example")).email == "dora@mail.example"


async def test_who_signs_up_cannot_tell_by_anything_whether_the_address_was_taken(alice, bob, clock: Clock):
    """Twice the same, with an address that is free and with one that is not."""
    outcomes = []
    for name, email in (("dora", "free@mail.example"), ("dana", "alice@mail.example")):
        invite = await invites.create(bob, most_uses=1)
        user = await sign_up(name, email=email, invite_code=invite.code)
        seen = [bool(user.approved_at), bool(user.confirmed_at), user.role, user.invite_id == invite.id]
        [line] = [line for line in await invites.listing(bob) if line.id == invite.id]
        seen += [line.uses, line.open, await invites.find(invite.code)]
        for typed in (name, email):
            with pytest.raises(Unauthenticated) as refused:
                await sessions.sign_in(typed, PASSWORD, HERE, "test")
            seen.append(refused.value.message)
        with pytest.raises(Invalid) as taken:
            await sign_up(name, email="other@mail.example")
        seen.append(taken.value.fields)
        outcomes.append(seen)
    assert outcomes[0] == outcomes[1]

    for days, free in ((2, False), (6, True)):
        clock.forward(days * moments.DAY)
        await upkeep.prune()
        for number, name in enumerate(("dora", "dana")):
            signing = sign_up(name, email=f"other{number}@mail.example")
            assert (await asyncio.gather(signing, return_exceptions=True))[0].__class__ is (
                User if free else Invalid
            )


async def test_the_owner_of_an_address_is_told_three_times_a_day_at_most(alice):
    for number in range(5):
        await sign_up(f"dora{number}", email="alice@mail.example")
    assert len(await mailed("taken")) == 3


async def test_two_who_want_one_name_at_the_same_moment(database):
    both = [sign_up("dora", email="one@mail.example"), sign_up("DORA", email="two@mail.example")]
    first, second = await asyncio.gather(*both, return_exceptions=True)
    refused = first if isinstance(first, Exception) else second
    assert isinstance(refused, Invalid)
    assert set(refused.fields) == {"username"}
    assert await User.all().count() == await Account.all().count() == 1


async def test_two_who_want_one_address_at_the_same_moment(database):
    await asyncio.gather(sign_up("dora", email="one@mail.example"), sign_up("dana", email="ONE@mail.example"))
    assert await User.all().count() == await Account.all().count() == 1
    assert len(await mailed("taken")) == 1


async def test_the_eleventh_sign_up_in_an_hour_from_one_address_is_refused(database, clock: Clock):
    for number in range(10):
        await sign_up(f"dora_{number}", address=HERE)
    with pytest.raises(TooMany) as refused:
        await sign_up("dora_x", address=HERE)
    assert 3500 < refused.value.retry_after <= 3600
    await sign_up("dora_y", address="192.0.2.2")
    clock.forward(moments.HOUR)
    await sign_up("dora_z", address=HERE)


# ------------------------------------------------------------------------------------------------- the modes


async def test_nobody_signs_up_where_it_is_closed(configure):
    configure(registration__mode="closed")
    with pytest.raises(Forbidden):
        await sign_up()
    assert await User.all().count() == 0


async def test_the_mode_in_the_settings_wins_over_the_configuration(database):
    await site.change(None, registration="closed")
    with pytest.raises(Forbidden):
        await sign_up()


async def test_with_approval_the_staff_lets_people_in(configure, database):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    moderator = await user_of(await person("mia", role="moderator"))
    user = await sign_up(reason="Let me in")
    assert await signups.waiting() == ()
    assert await mailed("waiting") == []

    await signups.confirm((await mailed("confirm"))[0][1])
    [applicant] = await signups.waiting()
    assert (applicant.user.id, applicant.user.reason, applicant.account.username) == (
        user.id,
        "Let me in",
        "dora",
    )
    assert len(await mailed("waiting")) == 1
    assert await accounts.find("dora") is None
    with pytest.raises(Forbidden, match="approval"):
        await sessions.sign_in("dora", PASSWORD, HERE, "")

    approved = await signups.approve(user.id, moderator)
    again = await signups.approve(user.id, moderator)
    assert approved.active and again.active
    assert await signups.waiting() == ()
    assert await accounts.find("dora") is not None
    assert await mailed("approved") == [(user.email, "")]
    assert await audited() == ["signup.approve"]


async def test_who_is_rejected_is_forgotten(configure, database):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    admin = await user_of(await person("mia", role="admin"))
    user = await sign_up()
    await signups.confirm((await mailed("confirm"))[0][1])
    await signups.reject(user.id, admin)
    assert await signups.waiting() == ()
    assert await User.all().count() == await Account.all().count() == 1
    assert await mailed("rejected") == [(user.email, "")]
    assert await audited() == ["signup.reject"]
    assert (await sign_up()).id != user.id


async def test_of_a_moderator_who_approves_and_one_who_rejects_one_is_late(configure, database):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    admin = await user_of(await person("mia", role="admin"))
    for number in range(5):
        user = await sign_up(f"dora_{number}", address=f"192.0.2.{number}")
        acts = [signups.approve(user.id, admin), signups.reject(user.id, admin)]
        approved, rejected = await asyncio.gather(*acts, return_exceptions=True)
        assert await User.exists(id=user.id) is isinstance(rejected, Conflict)
        assert isinstance(approved, NotFound) is (rejected is None)


async def test_of_confirming_late_and_being_forgotten_one_happens(database, clock: Clock):
    for number in range(5):
        user = await sign_up(f"dora_{number}", address=f"192.0.2.{number}")
        [(_, token)] = [pair for pair in await mailed("confirm") if pair[0] == user.email]
        await sign_up(f"dana_{number}", address=f"192.0.2.{number}")
        async with db.transaction():
            await db.execute("UPDATE person SET created_at = 1 WHERE confirmed_at IS NULL")
        confirmed, forgotten, _ = await asyncio.gather(
            signups.confirm(token),
            signups.prune(),
            signups.request_confirmation(f"dana_{number}@mail.example", f"192.0.2.{number}"),
            return_exceptions=True,
        )
        assert await User.exists(id=user.id) is isinstance(confirmed, User)
        assert forgotten == (1 if isinstance(confirmed, User) else 2)
        assert await User.filter(confirmed_at=None).count() == 0


async def test_confirming_does_not_bring_back_whom_the_staff_has_suspended(database):
    admin = await user_of(await person("mia", role="admin"))
    user = await sign_up()
    await moderation.suspend(await account_of(user), admin)
    await signups.confirm((await mailed("confirm"))[0][1])
    assert (await account_of(user)).suspended_at is not None
    await moderation.unsuspend(await account_of(user), admin)
    assert (await accounts.find("dora")) is not None


async def test_a_reset_tells_the_staff_too_that_somebody_waits_now(configure, database):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    await person("mia", role="moderator")
    user = await sign_up()
    await sessions.request_reset(user.email, HERE)
    await sessions.reset((await mailed("reset"))[0][1], PASSWORD)
    assert len(await mailed("waiting")) == 1


async def test_the_staff_reads_of_as_many_as_fit_a_page(configure, database):
    configure(registration__mode="approval")
    for number in range(4):
        await sign_up(f"dora_{number}")
    assert [one.account.username for one in await signups.waiting(3)] == ["dora_0", "dora_1", "dora_2"]
    assert await signups.count_waiting() == 4


async def test_only_the_staff_approves_and_rejects(alice, configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    user = await sign_up()
    for act in (signups.approve, signups.reject):
        with pytest.raises(Forbidden):
            await act(user.id, await user_of(alice))
    assert (await User.get(id=user.id)).approved_at is None
    assert await audited() == []


async def test_who_has_been_let_in_cannot_be_rejected(alice):
    admin = await user_of(await person("mia", role="admin"))
    with pytest.raises(Conflict):
        await signups.reject((await user_of(alice)).id, admin)
    with pytest.raises(NotFound):
        await signups.reject(12345, admin)
    with pytest.raises(NotFound):
        await signups.approve(12345, admin)
    assert await User.all().count() == 2


async def test_approving_before_the_address_is_confirmed_shows_nothing_yet(configure, database):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    admin = await user_of(await person("mia", role="admin"))
    user = await sign_up()
    await signups.approve(user.id, admin)
    assert await accounts.find("dora") is None
    await signups.confirm((await mailed("confirm"))[0][1])
    assert await accounts.find("dora") is not None
    assert await mailed("waiting") == []


async def test_an_invite_is_needed_where_it_is_asked_for(alice, configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="invite")
    with pytest.raises(Invalid) as refused:
        await sign_up()
    assert set(refused.value.fields) == {"invite_code"}
    invite = await invites.create(alice, most_uses=1)
    user = await sign_up(invite_code=invite.code)
    assert user.approved_at is not None
    assert user.invite_id == invite.id
    with pytest.raises(Invalid) as refused:
        await sign_up("dana", invite_code=invite.code)
    assert set(refused.value.fields) == {"invite_code"}


async def test_who_has_an_invite_waits_for_nobody(alice, configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    user = await sign_up(invite_code=(await invites.create(alice)).code)
    assert (await signups.confirm((await mailed("confirm"))[0][1])).active
    assert (await accounts.get((await account_of(user)).id)).username == "dora"


async def test_two_for_the_last_place_of_an_invite(alice, configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="invite")
    code = (await invites.create(alice, most_uses=1)).code
    both = [sign_up("dora", invite_code=code), sign_up("dana", invite_code=code)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    [refused] = [outcome for outcome in outcomes if not isinstance(outcome, User)]
    assert isinstance(refused, Invalid)
    assert await User.all().count() == 2
    assert await db.value("SELECT uses FROM invite") == 1


async def test_without_a_mail_server_nobody_waits_for_a_mail(configure):
    configure(registration__mode="open")
    assert (await sign_up()).active
    assert await accounts.find("dora") is not None
    assert await mailed("confirm") == []
    with pytest.raises(Invalid) as refused:
        await sign_up("dana", email="dora@mail.example")
    assert set(refused.value.fields) == {"email"}


async def test_without_a_mail_server_the_staff_still_decides(configure, database):
    configure(registration__mode="approval")
    await person("mia", role="admin")
    user = await sign_up()
    assert user.confirmed_at and not user.approved_at
    assert [applicant.user.id for applicant in await signups.waiting()] == [user.id]
    assert len(await mailed("waiting")) == 1


# -------------------------------------------------------------------------------------------------- the link


async def test_the_link_works_once_and_for_two_days(database, clock: Clock):
    await sign_up("dora")
    await sign_up("dana")
    [(_, first), (_, second)] = await mailed("confirm")
    await signups.confirm(first)
    clock.forward(48 * moments.HOUR + 1)
    for token in (first, second, "", "x" * 43, "\x00", "\ud800"):
        with pytest.raises(Invalid):
            await signups.confirm(token)
    assert await User.filter(confirmed_at=None).count() == 1


async def test_a_link_for_something_else_confirms_nobody(database):
    user = await sign_up()
    await sessions.request_reset(user.email, HERE)
    [(_, token)] = await mailed("reset")
    with pytest.raises(Invalid):
        await signups.confirm(token)


async def test_the_link_is_stored_as_a_hash_only(database):
    await sign_up()
    [(_, token)] = await mailed("confirm")
    assert token not in str(await db.rows("SELECT * FROM one_time_token"))


async def test_a_fresh_link_ends_the_old_one(database):
    user = await sign_up()
    [(_, old)] = await mailed("confirm")
    await signups.request_confirmation(user.email, HERE)
    new = (await mailed("confirm"))[-1][1]
    with pytest.raises(Invalid):
        await signups.confirm(old)
    await signups.confirm(new)
    await signups.request_confirmation(user.email, HERE)
    assert len(await mailed("confirm")) == 2


async def test_a_fresh_link_can_be_asked_for_three_times_an_hour(database):
    user = await sign_up()
    for number in range(3):
        await signups.request_confirmation(user.email, f"192.0.2.{number}")
    with pytest.raises(TooMany):
        await signups.request_confirmation(user.email.upper(), "192.0.2.9")
    assert len(await mailed("confirm")) == 4


async def test_asking_by_address_tells_nobody_whether_it_is_known(alice):
    user = await sign_up()
    for email in ("unknown@mail.example", "alice@mail.example", user.email):
        assert await signups.request_confirmation(email, HERE) is None
    assert [address for address, _ in await mailed("confirm") if address] == [user.email]
    assert len(await mailed("confirm")) == 2
    with pytest.raises(Invalid):
        await signups.request_confirmation("nowhere", HERE)


async def test_sign_ups_that_were_never_confirmed_go_after_a_week(alice, clock: Clock):
    await sign_up("dora")
    confirmed = await sign_up("dana")
    await signups.confirm((await mailed("confirm"))[1][1])
    assert await signups.prune() == 0
    clock.forward(7 * moments.DAY + 1)
    assert await signups.prune() == 1
    assert await User.filter(id=confirmed.id).exists()
    assert {account.username for account in await Account.all()} == {"alice", "dana"}


def test_the_form_does_not_show_its_password():
    assert PASSWORD not in repr(form())
