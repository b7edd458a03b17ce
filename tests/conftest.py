"""Fixtures that every test may use. Tests that touch data ask for `database`.

FEDIBLOG_TEST_DATABASE=sqlite (the default) or postgres says which one the suite runs on. Servers are started
when the first test asks for one, each test process has its own, and they end with it.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from tortoise.apps import Apps
from werkzeug.routing import Rule

from fediblog import config as configuration
from fediblog import db, http, keys, schema
from fediblog.config import Config
from fediblog.models import Account
from tests.harness import described, statements
from tests.harness.fediverse import Fediverse
from tests.harness.mail import MailServer
from tests.harness.postgres import Postgres
from tests.harness.redis import RedisServer
from tests.people import person

# How long an example takes says how busy the machine is, not whether the sentence holds.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")


def _compile_builders_when_asked() -> None:
    """werkzeug compiles two programs for each route, to build addresses with.

    We build ours in `uris`, and each of the tests' many applications would spend a tenth of a second on it.
    """
    compile_builder = Rule._compile_builder

    def later(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        def build(rule: Rule, *args: Any, **values: Any) -> Any:
            return compile_builder(rule, append_unknown)(rule, *args, **values)

        return build

    Rule._compile_builder = later  # type: ignore[method-assign,assignment]


_compile_builders_when_asked()


def _prepare_models_once() -> None:
    """Tortoise prepares all models at each `connect`. What it makes hangs on them and on the database's kind.

    That takes a few milliseconds, a third of the price of an open database, thousands of times.
    """
    prepare = Apps._build_initial_querysets
    prepared_for: type[object] | None = None

    def once(self: Apps) -> None:
        nonlocal prepared_for
        kind = type(self._connections.get("default"))
        if kind is not prepared_for:
            prepare(self)
            prepared_for = kind

    Apps._build_initial_querysets = once  # type: ignore[method-assign]


_prepare_models_once()

# Hashing is slow on purpose, a tenth of all the time of the suite. What it really costs has a test.
_REAL_HASHER = keys._hasher
keys._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

DATABASE = os.environ.get("FEDIBLOG_TEST_DATABASE", "sqlite")
_NAME = "suite"
_MEMORY = Path("/dev/shm")


# What starts processes of its own waits most of the time.
_WAITING = ("cli", "flows", "test_story.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process of a run begin with its share of the tests that wait, and fill up with the others.

    Each gets one stretch of the list; at the end nobody shall sit with a few long ones alone.
    """
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    home = Path(__file__).parent
    waiting = [item for item in items if item.path.relative_to(home).parts[0] in _WAITING]
    quick = [item for item in items if item.path.relative_to(home).parts[0] not in _WAITING]
    size = -(-len(items) // shares)
    items[:] = []
    for share in range(shares):
        mine = waiting[share::shares]
        items += mine + quick[: size - len(mine)]
        del quick[: size - len(mine)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test during which an answer was not as it is described has failed."""
    described.take()
    yield
    if found := described.take():
        pytest.fail("Not as described:\n" + "\n".join(found), pytrace=False)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that a test calls sets the logs up for its process: those after it see nothing of that."""
    ours = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**ours)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def slow_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as they are outside of tests."""
    monkeypatch.setattr(keys, "_hasher", _REAL_HASHER)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL, whichever database the suite runs on."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
def redis(_redis: RedisServer) -> Iterator[RedisServer]:
    """A private Redis with nothing in it. A test may stop it: it is up again for the next."""
    _redis.flush()
    yield _redis
    if not _redis.running:
        _redis.start()


@pytest.fixture(scope="session")
def _mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
def smtp(_mail_server: MailServer) -> Iterator[MailServer]:
    """A real SMTP server that has received nothing. A test may stop it: it is up again for the next."""
    _mail_server.reset()
    yield _mail_server
    if not _mail_server.running:
        _mail_server.start()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """The folder for the data of one test, in memory where there is such a place.

    SQLite keeps its promises there too, and needs to wait for no disk at each of them.
    """
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="fediblog-", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def configure(data_dir: Path, database_url: str) -> Iterator[Callable[..., Config]]:
    """Makes and uses a configuration: `configure(mail__url=smtp.url, registration__mode="open")`."""
    before = configuration._current

    def make(**values: object) -> Config:
        given = {"database__url": database_url, **values}
        keys = {f"FEDIBLOG__{name.upper()}": str(value) for name, value in given.items()}
        made = configuration.load(None, {**_basics(data_dir), **keys})
        configuration.use(made)
        return made

    yield make
    configuration._current = before


@pytest.fixture
def config(configure: Callable[..., Config]) -> Config:
    """The configuration of most tests, in use: http://localhost:8000, data in a folder of the test's own."""
    return configure()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Where `database` is: empty for SQLite in the data folder."""
    return "" if DATABASE == "sqlite" else request.getfixturevalue("postgres").url(_NAME)


@pytest.fixture
def _is_new(request: pytest.FixtureRequest) -> bool:
    """On PostgreSQL: empties the database, or makes it. True when it has no tables yet."""
    return DATABASE == "postgres" and request.getfixturevalue("postgres").prepare(_NAME)


@pytest.fixture
async def database(
    config: Config, _is_new: bool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[None]:
    """An open database with all tables and no rows."""
    if DATABASE == "sqlite":
        await _copy_template(config, tmp_path_factory)
    await db.connect(config)
    try:
        if _is_new:
            await schema.upgrade(config)
        yield
    finally:
        await db.close()


@pytest.fixture
async def alice(database: None) -> Account:
    """Somebody who lives here."""
    return await person("alice")


@pytest.fixture
async def bob(database: None) -> Account:
    """Somebody else who lives here."""
    return await person("bob")


@pytest.fixture
async def carol(database: None) -> Account:
    """A third one."""
    return await person("carol")


@pytest.fixture
async def mona(database: None) -> Account:
    """A moderator."""
    return await person("mona", role="moderator")


@pytest.fixture
async def fediverse(config: Config, database: None) -> AsyncIterator[Fediverse]:
    """Other servers, played by us; ours speaks to nobody else."""
    played = Fediverse()
    await http.open(config, transport=played.transport())
    yield played
    await http.close()


@pytest.fixture
def queries(database: None) -> Callable[[], AbstractContextManager[statements.Statements]]:
    """`with queries() as sent:` records what the driver is told: `len(sent)` statements, `sent.sql` texts."""
    return statements.recorded


@pytest.fixture
def explain(database: None) -> Callable[..., object]:
    """`await explain(sql, *values)` gives the lines of the plan, as our own connections would run it."""
    return statements.explain


_template: Path | None = None


async def _copy_template(config: Config, factory: pytest.TempPathFactory) -> None:
    """A file with the schema is made once: copying it takes a millisecond, the migrations a hundred."""
    global _template
    if _template is None:
        folder = factory.mktemp("template")
        made = configuration.load(None, _basics(folder))
        await db.connect(made)
        try:
            await schema.upgrade(made)
        finally:
            await db.close()
        _template = _file(made)
    _file(config).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_template, _file(config))


def _file(config: Config) -> Path:
    return Path(config.database_url.removeprefix("sqlite://"))


def _basics(folder: Path) -> dict[str, str]:
    return {
        "FEDIBLOG__DOMAIN": "localhost:8000",
        "FEDIBLOG__BASE_URL": "http://localhost:8000",
        "FEDIBLOG__SECRET_KEY": "a secret that is long enough for a test",
        "FEDIBLOG__DATA_DIR": str(folder),
    }
