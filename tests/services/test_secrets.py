"""Passwords and tokens appear in no log line and in no column, whatever is done with them (SECURITY §8)."""

import logging

import pytest

from fediblog import db
from fediblog.errors import FediblogError
from fediblog.services import sessions, signups, tokens
from tests.people import user_of
from tests.services.mailbox import deliver
from tests.services.newcomers import HERE, account_of, mailed, sign_up

FIRST = "the first secret sentence"
WRONG = "a wrong secret sentence"
SECOND = "the second secret sentence"
THIRD = "the third secret sentence"

TABLES = "account person session one_time_token oauth_token mail work audit_entry throttle setting"


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("tortoise", "aiosqlite", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    # The mail server of the test, which is no part of us, prints what it is told.
    caplog.set_level(logging.WARNING, "mail.log")


async def test_no_secret_is_logged_or_stored(database, configure, smtp, caplog, capsys):
    configure(mail__url=smtp.url, registration__mode="open")
    secrets = [FIRST, WRONG, SECOND, THIRD]
    user = await sign_up(password=FIRST)
    link = (await mailed("confirm"))[0][1]
    await signups.confirm(link)
    opened = await sessions.sign_in("dora", FIRST, HERE, "test")
    for bad in ({"password": WRONG}, {"password": WRONG, "name_or_email": "nobody"}):
        with pytest.raises(FediblogError):
            await sessions.sign_in(**{"name_or_email": "dora", "address": HERE, "agent": "", **bad})
    session = await sessions.find(opened.token)
    assert session is not None
    api = await tokens.create(await account_of(user), user, "read write")
    assert await tokens.find(api)
    fresh = await sessions.change_password(session.user, FIRST, SECOND, session.id, HERE)
    await sessions.request_reset(user.email, HERE)
    reset = (await mailed("reset"))[0][1]
    await sessions.reset(reset, THIRD)
    await deliver()
    secrets += [link, opened.token, api, fresh or "", reset]
    assert all(len(secret) > 20 for secret in secrets)

    printed = caplog.text + "".join(capsys.readouterr())
    stored = [str(await db.rows(f"SELECT * FROM {table}")) for table in TABLES.split()]
    for secret in secrets:
        assert secret not in printed
        assert not [table for table in stored if secret in table]
    assert len(smtp.mails) >= 3


async def test_no_secret_is_shown_by_an_object(alice):
    opened = await sessions.sign_in("alice", "correct horse battery staple", HERE, "")
    user = await user_of(alice)
    shown = f"{opened!r} {user!r} {await sessions.find(opened.token)!r} {await sessions.list(user)!r}"
    assert opened.token not in shown
    assert user.password_hash not in shown
