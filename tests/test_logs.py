"""What is printed, and above all what is not."""

import logging

import orjson
import pytest
import structlog
from structlog.contextvars import bound_contextvars

from fediblog import logs
from fediblog.config import Log

pytestmark = pytest.mark.once

SECRET = "hunter2hunter2"


@pytest.fixture(params=["console", "json"])
def printed(request, capsys):
    """Sets the logs up in either form; gives what was printed so far."""
    logs.set_up(Log(format=request.param))
    return lambda: capsys.readouterr().out


@pytest.fixture
def lines(capsys):
    logs.set_up(Log(format="json"))
    return lambda: [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "Password", "token", "access_token", "accessToken", "cookie", "Set-Cookie",
     "authorization", "Authorization", "secret", "client_secret", "secret_key", "private_key", "code",
     "csrf_token", "signature", "invite_code", "session"],
)  # fmt: skip
def test_values_of_telling_names_are_blotted_out(printed, name):
    structlog.get_logger().info("event", **{name: SECRET})
    structlog.get_logger().info("event", headers={name: SECRET}, list=[{name: SECRET}])
    text = printed()
    assert SECRET not in text
    assert logs.BLOT in text


@pytest.mark.parametrize(
    "text",
    [f"Bearer {SECRET}", f"authorization: Bearer {SECRET}", f"redis://:{SECRET}@host/0",
     f"postgres://someone:{SECRET}@host/name", f"GET /reset?token={SECRET}&x=1", f"password={SECRET}",
     f"/oauth/callback?code={SECRET}", f"access_token={SECRET}",
     f'duplicate key\nDETAIL:  Key (email)=({SECRET}) already exists.'],
)  # fmt: skip
def test_secrets_inside_texts_are_blotted_out(printed, text):
    structlog.get_logger().info(text)
    structlog.get_logger().info("event", reason=text, inner={"reason": text}, parts=[text])
    logging.getLogger("hypercorn.error").warning("%s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("celery").exception("failed")
    assert SECRET not in printed()


def test_a_traceback_shows_no_local_variables(printed):
    hidden = SECRET
    try:
        raise KeyError("seen")
    except KeyError:
        structlog.get_logger().exception("failed")
    text = printed()
    assert "KeyError: 'seen'" in text
    assert hidden not in text


@pytest.mark.parametrize("name", ["status_code", "exit_code", "token_id", "key", "kind", "job", "decoder"])
def test_harmless_names_keep_their_values(printed, name):
    structlog.get_logger().info("event", **{name: "kept-value"})
    assert "kept-value" in printed()


def test_what_is_empty_stays_empty(lines):
    structlog.get_logger().info("event", password="", token=None)
    [line] = lines()
    assert (line["password"], line["token"]) == ("", None)


def test_the_standard_library_s_loggers_come_out_the_same_way(lines):
    with bound_contextvars(request_id="abc"):
        structlog.get_logger().info("ours", number=1)
        logging.getLogger("hypercorn.error").info("theirs %s", 2)
    ours, theirs = lines()
    assert (ours["event"], ours["number"], ours["request_id"], ours["level"]) == ("ours", 1, "abc", "info")
    assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("theirs 2", "hypercorn.error", "abc")
    assert ours["ts"].endswith("Z")


def test_statements_and_their_parameters_are_never_printed(capsys):
    logs.set_up(Log(level="debug", format="json"))
    logging.getLogger("tortoise.db_client").debug("SELECT 1: %s", [SECRET])
    logging.getLogger("aiosqlite").debug("executing %s", SECRET)
    assert SECRET not in capsys.readouterr().out


def test_what_is_below_the_level_is_not_printed(lines):
    structlog.get_logger().debug("quiet")
    logging.getLogger("any").debug("quiet")
    assert lines() == []


@pytest.mark.parametrize("given", ["a", "my.id-1_X", "x" * 64])
def test_a_good_request_id_is_taken(given):
    assert logs.request_id_from(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "é", "a/b", "<script>", "a\n"])
def test_any_other_request_id_is_replaced(given):
    made = logs.request_id_from(given)
    assert made != given
    assert logs.request_id_from(made) == made


def test_the_id_of_the_request_is_that_of_the_context():
    assert logs.request_id() == ""
    with bound_contextvars(request_id="abc"):
        assert logs.request_id() == "abc"
