"""Signing in and out, guessing, the list of sessions, and new passwords."""

import asyncio
import re
import threading
import time

import pytest
from argon2 import PasswordHasher

from fediblog import db, keys, moments
from fediblog.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from fediblog.models import Account, Role, User
from fediblog.services import accounts, members, moderation, names, one_time, passwords, sessions, tokens
from fediblog.services.sessions import SignedIn
from tests.harness.statements import analyse
from tests.people import PASSWORD, person, user_of
from tests.services.mailbox import Clock, clock
from tests.services.newcomers import HERE, mailed, sign_up

__all__ = ["clock"]

ELSEWHERE = "198.51.100.1"
NEW = "a quite different sentence"


async def sign_in(
    name: str = "alice", password: str = PASSWORD, address: str = HERE, **more: str
) -> SignedIn:
    return await sessions.sign_in(name, password, address, "Firefox on a test", **more)


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "Alice",
        "@alice",
        " alice ",
        "alice@mail.example",
        "ALICE@Mail.Example",
        " alice@mail.example",
    ],
)
async def test_signing_in_by_name_or_address(alice, name):
    opened = await sign_in(name)
    found = await sessions.find(opened.token)
    assert found is not None
    assert (found.account.id, found.user.email) == (alice.id, "alice@mail.example")
    assert isinstance(found.account, Account) and isinstance(found.user, User)
    assert found.account.fields_ == [] and found.account.local is True


async def test_what_is_found_is_the_same_as_what_the_orm_reads(alice):
    found = await sessions.find((await sign_in()).token)
    assert found is not None
    for mine, theirs in (
        (found.account, await Account.get(id=alice.id)),
        (found.user, await User.get(id=found.user.id)),
    ):
        columns = type(mine)._meta.fields_map
        assert {name: getattr(mine, name) for name in columns} == {
            name: getattr(theirs, name) for name in columns
        }


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "",
        "@",
        "nobody@mail.example",
        "alice@",
        "a" * 5000,
        "al\x00ice",
        "\ud800",
        "%",
        "bob",
        "carol",
    ],
)
async def test_who_is_unknown_is_told_what_a_wrong_password_is_told(alice, name):
    await person("bob", deleted_at=1, suspended_at=1)
    with pytest.raises(Unauthenticated) as unknown:
        await sign_in(name)
    with pytest.raises(Unauthenticated) as wrong:
        await sign_in("alice", "not the password")
    assert unknown.value.message == wrong.value.message
    assert await db.value("SELECT count(*) FROM session") == 0


async def test_an_unknown_name_costs_a_hash_like_a_wrong_password(alice, monkeypatch):
    checked = []
    check = keys.check_password
    monkeypatch.setattr(
        keys, "check_password", lambda stored, given: checked.append(stored) or check(stored, given)
    )
    for name in ("alice", "nobody", "nobody@mail.example"):
        with pytest.raises(Unauthenticated):
            await sign_in(name, "not the password")
    assert len(checked) == 3
    assert checked[1] == checked[2] == keys.dummy_hash()


@pytest.mark.parametrize(
    "password", ["", "x" * 1025, "x" * 100_000, PASSWORD + " ", PASSWORD.upper(), "\ud800"]
)
async def test_a_wrong_password_opens_nothing(alice, password):
    with pytest.raises(Unauthenticated):
        await sign_in("alice", password)


async def test_nobody_can_guess_for_long(alice, clock: Clock):
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await sign_in("alice" if number % 2 else " @ALICE ", f"guess {number}")
    with pytest.raises(TooMany) as refused:
        await sign_in(address=ELSEWHERE)
    assert 50 < refused.value.retry_after <= 60

    clock.forward(61 * moments.SECOND)
    with pytest.raises(Unauthenticated):
        await sign_in(password="guess 11", address=ELSEWHERE)
    with pytest.raises(TooMany) as refused:
        await sign_in(address=ELSEWHERE)
    assert 110 < refused.value.retry_after <= 120

    clock.forward(121 * moments.SECOND)
    await sign_in(address=ELSEWHERE)
    with pytest.raises(Unauthenticated):
        await sign_in(password="guess 12", address=ELSEWHERE)
    await sign_in(address=ELSEWHERE)


async def test_guessing_for_a_name_does_not_tell_whose_an_address_is(alice):
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await sign_in("alice", "guess", f"192.0.2.{number}")
    for email in ("alice@mail.example", "nobody@mail.example"):
        for number in range(10):
            with pytest.raises(Unauthenticated):
                await sign_in(email, "guess", f"198.51.100.{number}")
        with pytest.raises(TooMany):
            await sign_in(email.upper(), address=ELSEWHERE)


async def test_a_name_of_a_million_marks_takes_no_time(alice):
    # Normalising them would hold up everybody for a minute.
    for heap in ("a" + "\u0301\u0316" * 250_000, "a@" + "\u0301\u0316" * 250_000):
        started = time.perf_counter()
        with pytest.raises(Unauthenticated):
            await sign_in(heap)
        with pytest.raises(Invalid):
            await sign_up("dora", email=heap)
        with pytest.raises(Invalid):
            await sign_up(heap)
        assert time.perf_counter() - started < 10


async def test_nobody_can_guess_for_many_names_from_one_address(alice, bob):
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await sign_in(f"nobody{number}", "guess")
    with pytest.raises(TooMany):
        await sign_in("bob")
    await sign_in("bob", address=ELSEWHERE)


async def test_fifty_guesses_at_once_are_not_fifty_guesses(alice):
    guesses = [sign_in("alice", f"guess {number}", f"192.0.2.{number}") for number in range(50)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) <= 11
    assert all(isinstance(outcome, Unauthenticated | TooMany) for outcome in outcomes)


async def test_of_twenty_sign_ins_two_are_hashed_at_a_time_and_off_the_loop(alice, bob, monkeypatch):
    check, loops_thread = keys.check_password, threading.get_ident()
    lock, now, most = threading.Lock(), 0, 0
    pair = threading.Barrier(2, timeout=10)

    def watched(stored: str, given: str) -> bool:
        nonlocal now, most
        assert threading.get_ident() != loops_thread
        with lock:
            now += 1
            most = max(most, now)
        pair.wait()
        try:
            return check(stored, given)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(keys, "check_password", watched)
    opened = await asyncio.gather(*(sign_in("alice" if n % 2 else "bob") for n in range(20)))
    assert len({one.token for one in opened}) == 20
    assert most == 2


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"disabled_at": 1}, "switched off"),
        ({"approved_at": None}, "waiting for approval"),
        ({"suspended_at": 1}, "suspended"),
    ],
)
async def test_who_may_not_be_here_is_told_why_only_after_the_right_password(database, columns, reason):
    await person("alice", **columns)
    with pytest.raises(Unauthenticated):
        await sign_in(password="not the password")
    with pytest.raises(Forbidden, match=reason):
        await sign_in()
    assert await db.value("SELECT count(*) FROM session") == 0


async def test_who_never_confirmed_the_address_is_answered_like_nobody(database, configure):
    configure(mail__url="smtp://127.0.0.1:1")
    await person("alice", confirmed_at=None)
    for place, name in enumerate(("alice", "alice@mail.example", "nobody")):
        for _ in range(10):
            with pytest.raises(Unauthenticated) as refused:
                await sign_in(name, address=f"192.0.2.{place}")
            assert "has not been confirmed yet" in refused.value.message
        with pytest.raises(TooMany):
            await sign_in(name, address=ELSEWHERE)


async def test_a_weak_hash_is_made_anew_at_sign_in(database):
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    user = await user_of(await person("alice", password_hash=weak))
    assert passwords.needs_rehash(user.password_hash)
    await sign_in()
    stored = (await user_of(await Account.get(username_key="alice"))).password_hash
    assert not passwords.needs_rehash(stored)
    await sign_in()


# ------------------------------------------------------------------------------------------------- a session


async def test_each_sign_in_is_a_new_session_and_the_browser_keeps_one(alice):
    first = await sign_in()
    second = await sign_in(replaces=first.token)
    assert first.token != second.token
    assert await sessions.find(first.token) is None
    assert await sessions.find(second.token) is not None
    assert await db.value("SELECT count(*) FROM session") == 1


async def test_the_token_is_stored_as_a_hash_only(alice):
    opened = await sign_in()
    assert len(opened.token) >= 43
    assert opened.token not in str(await db.rows("SELECT * FROM session"))
    assert opened.token not in repr(opened)


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "x" * 100_000])
async def test_no_token_no_session(alice, token):
    await sign_in()
    assert await sessions.find(token) is None
    await sessions.sign_out(token)


async def test_finding_is_one_statement_and_a_write_once_an_hour(alice, queries, clock: Clock):
    token = (await sign_in()).token
    with queries() as sent:
        for _ in range(3):
            assert await sessions.find(token)
    assert len(sent) == 3
    clock.forward(moments.HOUR + 1)
    with queries() as sent:
        for _ in range(3):
            assert await sessions.find(token)
    assert len(sent.writes) == 2
    user = await user_of(alice)
    [line] = await sessions.list(user)
    assert line.seen_at == user.last_active_at


async def test_finding_looks_up_one_row(alice, explain):
    token = (await sign_in()).token
    async with db.transaction():
        for number in range(500):
            await db.execute(
                "INSERT INTO session (id, token_hash, user_id, account_id, created_at, seen_at)"
                " SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), user_id, account_id, 1, 1"
                " FROM session LIMIT 1",
                *(number, str(number)),
            )
    await analyse()
    plan = "\n".join(await explain(sessions._FIND, keys.token_hash(token), 1, 1))
    assert "session_token" in plan, plan
    assert "SCAN" not in plan, plan


async def test_a_session_ends_after_two_weeks_without_use(alice, clock: Clock):
    token = (await sign_in()).token
    for _ in range(3):
        clock.forward(13 * moments.DAY)
        assert await sessions.find(token)
    clock.forward(14 * moments.DAY + 1)
    assert await sessions.find(token) is None


async def test_a_session_ends_after_ninety_days_of_use(alice, clock: Clock):
    token = (await sign_in()).token
    for _ in range(9):
        clock.forward(10 * moments.DAY - moments.SECOND)
        assert await sessions.find(token)
    clock.forward(moments.DAY)
    assert await sessions.find(token) is None
    assert await sessions.list(await user_of(alice)) == ()


@pytest.mark.parametrize("column", ["disabled_at", "confirmed_at", "approved_at"])
async def test_a_session_ends_with_its_users_right_to_be_here(alice, column):
    token = (await sign_in()).token
    async with db.transaction():
        await db.execute(f"UPDATE person SET {column} = {1 if column == 'disabled_at' else 'NULL'}")
    assert await sessions.find(token) is None


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
async def test_a_session_ends_with_its_account(alice, column):
    token = (await sign_in()).token
    async with db.transaction():
        await db.execute(f"UPDATE account SET {column} = 1")
    assert await sessions.find(token) is None


async def test_a_session_ends_when_the_user_may_no_longer_act_for_the_account(alice):
    token = (await sign_in()).token
    async with db.transaction():
        await db.execute("DELETE FROM membership")
    assert await sessions.find(token) is None


async def test_signing_out(alice):
    first, second = await sign_in(), await sign_in()
    await sessions.sign_out(first.token)
    assert await sessions.find(first.token) is None
    assert await sessions.find(second.token) is not None


async def test_the_list_of_sessions(alice, bob, clock: Clock):
    await sign_in()
    clock.forward(moments.MINUTE)
    await sessions.sign_in("alice", PASSWORD, "2001:db8::1", "Phone\x00\n" + "x" * 1000)
    await sign_in("bob")
    newest, oldest = await sessions.list(await user_of(alice))
    assert (oldest.agent, oldest.address) == ("Firefox on a test", HERE)
    assert newest.address == "2001:db8::1"
    assert newest.agent.startswith("Phone") and len(newest.agent) == 300
    assert newest.created_at == newest.seen_at > oldest.seen_at


async def test_ending_one_session_or_all(alice, bob):
    opened = [await sign_in() for _ in range(3)]
    other = await sign_in("bob")
    user = await user_of(alice)
    lines = await sessions.list(user)
    with pytest.raises(NotFound):
        await sessions.revoke(await user_of(bob), lines[0].id)
    await sessions.revoke(user, lines[0].id)
    assert len(await sessions.list(user)) == 2
    kept = await sessions.find(opened[0].token)
    assert kept is not None
    await sessions.revoke_all(user, but=kept.id)
    assert [line.id for line in await sessions.list(user)] == [kept.id]
    await sessions.revoke_all(user)
    assert await sessions.list(user) == ()
    assert await sessions.find(other.token) is not None


async def test_a_session_can_get_a_new_token(alice):
    opened = await sign_in()
    session = await sessions.find(opened.token)
    assert session is not None
    fresh = await sessions.rotate(session.id)
    assert await sessions.find(opened.token) is None
    found = await sessions.find(fresh)
    assert found is not None and found.id == session.id


async def test_acting_for_another_account_of_ones_own(alice, bob, carol):
    user = await user_of(alice)
    async with db.transaction():
        await members.add(user.id, carol.id, members.Membership.EDITOR)
    opened = await sign_in()
    session = await sessions.find(opened.token)
    assert session is not None and session.account.id == alice.id
    await sessions.act_for(session, carol.id)
    session = await sessions.find(opened.token)
    assert session is not None and session.account.id == carol.id
    with pytest.raises(Forbidden):
        await sessions.act_for(session, bob.id)
    await Account.filter(id=alice.id).update(suspended_at=1)
    with pytest.raises(Forbidden, match="suspended"):
        await sessions.act_for(session, alice.id)
    assert await sessions.find(opened.token) is not None


# ------------------------------------------------------------------------------------------- a new password


async def test_a_new_password_ends_all_other_sessions_and_all_tokens(alice, bob):
    user = await user_of(alice)
    here, there, bobs = await sign_in(), await sign_in(), await sign_in("bob")
    api = await tokens.create(alice, user, "read write")
    session = await sessions.find(here.token)
    assert session is not None
    await sessions.request_reset(user.email, HERE)
    link = (await mailed("reset"))[0][1]

    fresh = await sessions.change_password(user, PASSWORD, NEW, session.id, HERE)

    assert fresh is not None and fresh != here.token
    found = await sessions.find(fresh)
    assert found is not None and found.id == session.id
    for token in (here.token, there.token):
        assert await sessions.find(token) is None
    assert await tokens.find(api) is None
    assert await sessions.find(bobs.token) is not None
    assert not await sessions.may_reset(link)
    assert await mailed("password_changed") == [(user.email, "")]
    with pytest.raises(Unauthenticated):
        await sign_in()
    await sign_in(password=NEW)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", NEW, "old"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "password123", "new"),
        (PASSWORD, "alice@mail.example", "new"),
        (PASSWORD, "x" * 1025, "new"),
    ],
)
async def test_a_password_that_is_not_changed(alice, old, new, field):
    opened = await sign_in()
    with pytest.raises(Invalid) as refused:
        await sessions.change_password(await user_of(alice), old, new)
    assert set(refused.value.fields) == {field}
    assert await sessions.find(opened.token) is not None
    assert await mailed("password_changed") == []
    await sign_in()


async def test_the_old_password_cannot_be_guessed_in_the_settings(alice):
    user = await user_of(alice)
    for number in range(10):
        with pytest.raises(Invalid):
            await sessions.change_password(user, f"guess {number}", NEW, None, HERE)
    with pytest.raises(TooMany):
        await sessions.change_password(user, PASSWORD, NEW, None, ELSEWHERE)
    with pytest.raises(TooMany):
        await sessions.require_password(user, PASSWORD, ELSEWHERE)


async def test_who_signs_in_with_the_old_password_while_it_is_changed_is_not_in(alice, monkeypatch):
    user, acted_for = await user_of(alice), members.acted_for

    async def changed_meanwhile(who: User) -> Account:
        monkeypatch.setattr(members, "acted_for", acted_for)
        await sessions.change_password(user, PASSWORD, NEW)
        return await acted_for(who)

    monkeypatch.setattr(members, "acted_for", changed_meanwhile)
    with pytest.raises(Unauthenticated):
        await sign_in()
    assert await sessions.list(user) == ()
    await sign_in(password=NEW)


async def test_of_many_sign_ins_that_hash_anew_each_is_in(database):
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    user = await user_of(await person("alice", password_hash=weak))
    await asyncio.gather(*(sign_in() for _ in range(6)))
    assert len(await sessions.list(user)) == 6


async def test_the_user_is_written_before_what_hangs_on_them(alice, queries, clock: Clock):
    """In one order everywhere: else two acts at once would wait for each other on PostgreSQL."""
    admin = await user_of(await person("mia", role="admin"))
    user, opened = await user_of(alice), await sign_in()
    api = await tokens.create(alice, user, "read")
    clock.forward(2 * moments.HOUR)
    acts = [
        lambda: sessions.find(opened.token),
        lambda: sign_in(replaces=opened.token),
        lambda: tokens.find(api),
        lambda: sessions.change_password(user, PASSWORD, NEW),
        lambda: moderation.suspend(alice, admin),
        lambda: moderation.unsuspend(alice, admin),
        lambda: moderation.set_role(user.id, Role.MODERATOR, None),
        lambda: moderation.disable(user.id, admin),
    ]
    for act in acts:
        with queries() as sent:
            await act()
        written = re.findall(
            r"(?:UPDATE|INTO|FROM) \"?(account|person|session|oauth_token)\b", "\n".join(sent.writes)
        )
        ranks = ["account person session oauth_token".split().index(table) for table in written]
        assert ranks == sorted(ranks) != [], written


async def test_a_reset_and_a_change_at_once_do_not_wait_crosswise(alice):
    password = PASSWORD
    for number in range(5):
        user, fresh = await user_of(alice), [f"{NEW} {number} {way}" for way in ("reset", "change")]
        async with db.transaction():
            link = await one_time.make(one_time.RESET, user.id, 60)
        outcomes = await asyncio.gather(
            sessions.reset(link, fresh[0]),
            sessions.change_password(user, password, fresh[1]),
            return_exceptions=True,
        )
        # Whoever is late finds another password, or a link that has ended.
        assert sum(isinstance(one, Conflict | Invalid) for one in outcomes) == 1
        password = fresh[isinstance(outcomes[0], Exception)]


async def test_of_two_changes_at_once_one_is_refused(alice):
    user = await user_of(alice)
    changes = [sessions.change_password(user, PASSWORD, f"{NEW} {number}") for number in range(2)]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    assert any(isinstance(outcome, Conflict) for outcome in outcomes)


async def test_a_forgotten_password_is_set_anew_by_a_link(alice, clock: Clock):
    user = await user_of(alice)
    opened = await sign_in()
    api = await tokens.create(alice, user, "read")
    await sessions.request_reset("Alice@MAIL.example", HERE)
    [(address, link)] = await mailed("reset")
    assert address == user.email
    assert await sessions.may_reset(link)
    assert link not in str(await db.rows("SELECT * FROM one_time_token"))

    with pytest.raises(Invalid) as refused:
        await sessions.reset(link, "short")
    assert set(refused.value.fields) == {"new"}
    await sessions.reset(link, NEW)

    assert await sessions.find(opened.token) is None
    assert await tokens.find(api) is None
    assert await mailed("password_changed") == [(user.email, "")]
    await sign_in(password=NEW)
    with pytest.raises(Invalid) as refused:
        await sessions.reset(link, NEW + "!")
    assert set(refused.value.fields) == {"token"}


async def test_a_link_is_good_for_half_an_hour_and_the_next_one_ends_it(alice, bob, clock: Clock):
    await sessions.request_reset("alice@mail.example", HERE)
    first = (await mailed("reset"))[-1][1]
    await sessions.request_reset("bob@mail.example", HERE)
    bobs = (await mailed("reset"))[-1][1]
    await sessions.request_reset("alice@mail.example", HERE)
    second = (await mailed("reset"))[-1][1]
    with pytest.raises(Invalid):
        await sessions.reset(first, NEW)
    await sessions.reset(second, NEW)
    clock.forward(30 * moments.MINUTE + 1)
    assert not await sessions.may_reset(bobs)
    for token in (bobs, "", "x" * 43, "\x00"):
        with pytest.raises(Invalid):
            await sessions.reset(token, NEW)


async def test_one_link_used_twice_at_once_works_once(alice):
    await sessions.request_reset("alice@mail.example", HERE)
    link = (await mailed("reset"))[0][1]
    both = [sessions.reset(link, f"{NEW} {number}") for number in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Invalid | Conflict) for outcome in outcomes) == 1


async def test_whether_an_address_is_known_cannot_be_told_from_the_answer(alice, queries):
    costs = []
    for email in ("alice@mail.example", "nobody@mail.example"):
        with queries() as sent:
            assert await sessions.request_reset(email, HERE) is None
        costs.append(sent.writes)
    assert await mailed("reset") != []
    assert len(await mailed("reset")) == 1
    assert any("one_time_token" in sql for sql in costs[1])
    assert await db.value("SELECT count(*) FROM one_time_token") == 2


async def test_a_token_that_belongs_to_nobody_opens_nothing(alice, monkeypatch):
    monkeypatch.setattr(keys, "new_token", lambda: "x" * 43)
    await sessions.request_reset("nobody@mail.example", HERE)
    assert not await sessions.may_reset("x" * 43)
    with pytest.raises(Invalid):
        await sessions.reset("x" * 43, NEW)


async def test_links_can_be_asked_for_three_times_an_hour_for_known_and_unknown_alike(alice):
    for email in ("alice@mail.example", "nobody@mail.example"):
        for number in range(3):
            await sessions.request_reset(email, f"192.0.2.{number}")
        with pytest.raises(TooMany):
            await sessions.request_reset(email.upper(), "192.0.2.9")


async def test_links_can_be_asked_for_ten_times_an_hour_from_one_address(alice):
    for number in range(10):
        await sessions.request_reset(f"nobody{number}@mail.example", HERE)
    with pytest.raises(TooMany):
        await sessions.request_reset("alice@mail.example", HERE)
    await sessions.request_reset("alice@mail.example", ELSEWHERE)


async def test_no_link_for_what_is_no_address_and_for_a_log_in_that_is_off(database):
    user = await user_of(await person("alice", disabled_at=1))
    await sessions.request_reset(user.email, HERE)
    assert await mailed("reset") == []
    with pytest.raises(Invalid) as refused:
        await sessions.request_reset("nowhere", HERE)
    assert set(refused.value.fields) == {"email"}


async def test_a_reset_confirms_the_address_it_was_mailed_to(database, configure):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="open")
    user = await sign_up()
    await sessions.request_reset(user.email, HERE)
    await sessions.reset((await mailed("reset"))[0][1], NEW)
    assert await accounts.find("dora") is not None
    assert (await sign_in("dora", NEW)).user.active


async def test_a_reset_ends_the_wait_after_too_many_guesses(alice):
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await sign_in(password="guess")
    await sessions.request_reset("alice@mail.example", ELSEWHERE)
    await sessions.reset((await mailed("reset"))[0][1], NEW)
    await sign_in(password=NEW, address=ELSEWHERE)


async def test_a_user_with_two_accounts_starts_with_the_own_one(alice, bob):
    user = await user_of(alice)
    async with db.transaction():
        await members.add(user.id, bob.id, members.Membership.EDITOR)
    assert [account.id for account in await members.accounts(user)] == [alice.id, bob.id]
    assert (await sign_in()).account.id == alice.id
    assert names.key("ALICE") == alice.username_key
