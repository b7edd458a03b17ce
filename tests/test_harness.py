"""The fixtures themselves: what others rely on when they write tests."""

import signal
import smtplib
import subprocess
import sys
from email.message import EmailMessage

import pytest
import redis as redis_client

from fediblog import db, keys
from fediblog.config import settings
from fediblog.models import Account, User
from tests import people
from tests.harness import processes
from tests.harness.statements import analyse


async def test_people_are_complete(alice, bob):
    user = await people.user_of(alice)
    assert user.active
    assert keys.check_password(user.password_hash, people.PASSWORD)
    assert keys.unseal(settings().secret, alice.private_key) == people.pair()[1]
    assert (await Account.get(username_key="bob")).uri == f"http://localhost:8000/ap/accounts/{bob.id}"


async def test_people_take_columns_of_both_tables(database):
    root = await people.person("Root", role="admin", locked=True)
    assert root.locked
    assert (await people.user_of(root)).role == "admin"


async def test_a_remote_account_has_no_user(database):
    dave = await people.remote("dave", "far.example")
    assert dave.handle == "dave@far.example"
    assert await User.all().count() == 0


async def test_each_test_starts_with_no_rows(database):
    assert await Account.all().count() == 0


async def test_statements_of_the_orm_and_of_sql_are_counted(alice, queries):
    with queries() as sent:
        await Account.get(id=alice.id)
        async with db.transaction():
            await db.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", "a", "1")
            await db.rows("SELECT name FROM setting")
    assert len(sent) == 3
    assert len(sent.writes) == 1
    with queries() as sent:
        pass
    assert len(sent) == 0


async def test_plans_name_the_index(alice, explain):
    await analyse()
    plan = await explain("SELECT id FROM account WHERE uri = $1", alice.uri)
    assert "account_uri" in " ".join(plan) or db.dialect() == "postgres"


@pytest.mark.once
async def test_the_mail_server_records_and_refuses(smtp):
    mail = EmailMessage()
    mail["Subject"] = "Hello"
    mail.set_content("Text")
    with smtplib.SMTP("127.0.0.1", smtp.port) as client:
        client.send_message(mail, "a@here.example", ["b@there.example"])
        smtp.refuse = "451 later"
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(mail, "a@here.example", ["b@there.example"])
    [received] = await smtp.wait(1)
    assert received.message["Subject"] == "Hello"
    assert received.text().strip() == "Text"
    assert smtp.attempts == 2


@pytest.mark.once
def test_the_mail_server_goes_down_and_comes_back(smtp):
    smtp.stop()
    with pytest.raises(OSError):
        smtplib.SMTP("127.0.0.1", smtp.port)
    smtp.start()
    smtplib.SMTP("127.0.0.1", smtp.port).close()


@pytest.mark.once
def test_redis_goes_down_and_comes_back_empty(redis):
    with redis.client() as client:
        client.set("a", "1")
    redis.stop()
    redis.start()
    with redis.client() as client:
        assert client.get("a") is None


@pytest.mark.once
def test_what_is_missing_is_skipped_when_it_is_named_and_a_failure_otherwise(monkeypatch):
    monkeypatch.setenv("FEDIBLOG_TEST_WITHOUT", "chromium no-such-package")
    with pytest.raises(pytest.skip.Exception, match="no-such-package is not installed"):
        processes.need("no-such-program", "no-such-package")
    with pytest.raises(pytest.fail.Exception, match="install another-package"):
        processes.need("no-such-program", "another-package")


_START_AND_WAIT = """
from tests.harness.redis import RedisServer
server = RedisServer()
print(server.port, flush=True)
input()
"""


@pytest.mark.once
def test_a_killed_test_run_leaves_no_server_behind(redis):
    run = subprocess.Popen(
        [sys.executable, "-c", _START_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    port = int(run.stdout.readline())
    client = redis_client.Redis(host="127.0.0.1", port=port)
    blocked = client.connection_pool.get_connection()
    blocked.connect()
    run.send_signal(signal.SIGKILL)
    run.communicate()
    # The server's end closes what is connected to it.
    assert blocked._sock.recv(1) == b""
    client.close()
