"""Migrations: hand-written SQL that gives the same schema on both databases, run one at a time under a lock.

Each file `migrations/NNNN_name.sql` is one step: statements parted by `;`, with a few words in braces where
the dialects differ. One that begins with `{sqlite}` or `{postgres}` is for that database alone, and `{;}` is
a semicolon inside of one. A step and the record of it are one transaction, so a step that was interrupted has
not happened. (Why not the ORM's own machinery: docs/decisions/0001-migrations-are-sql.md.)
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from fediblog import db, moments
from fediblog.config import Config

# Any number will do as long as nobody else takes an advisory lock with it on the same PostgreSQL database.
_LOCK = 0x66656469

_RECORD = "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY, done_at BIGINT NOT NULL)"

_WORDS: dict[db.Dialect, dict[str, str]] = {
    "sqlite": {
        "id": "INTEGER PRIMARY KEY NOT NULL",
        # The second word is what SQLite looks at: without it the text `5` would come back as a number.
        "json": "JSON TEXT",
        "bytes": "BLOB",
        "pair": " WITHOUT ROWID",
        "hot": "",
    },
    "postgres": {
        "id": "BIGINT PRIMARY KEY",
        "json": "JSONB",
        "bytes": "BYTEA",
        "pair": "",
        # Counters are updated in place (HOT) as long as the page has room for the new version.
        "hot": " WITH (fillfactor = 90)",
    },
}


def known() -> list[str]:
    """The names of all steps, in order."""
    return sorted(_steps())


async def pending() -> list[str]:
    """The names of the steps that this database still needs, in order. Changes nothing."""
    done = await db.column("SELECT name FROM migration") if await _has_record() else []
    return [name for name in known() if name not in set(done)]


async def upgrade(config: Config) -> list[str]:
    """Bring the schema to head and tell what was done. Of several processes one works, the others wait."""
    async with _lock(config):
        async with db.transaction():
            await db.execute(_RECORD)
        names = await pending()
        for name in names:
            await _run(name)
        return names


async def _run(name: str) -> None:
    async with db.transaction():
        for statement in _statements(_steps()[name].read_text(encoding="utf-8")):
            await db.execute(statement)
        await db.execute("INSERT INTO migration (name, done_at) VALUES ($1, $2)", name, moments.now())


def _steps() -> dict[str, Traversable]:
    folder = files("fediblog") / "migrations"
    return {file.name.removesuffix(".sql"): file for file in folder.iterdir() if file.name.endswith(".sql")}


def _statements(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    found = [statement.strip() for statement in "\n".join(lines).replace("{;}", "\0").split(";")]
    return [_spoken(statement) for statement in found if statement and not _for_the_other(statement)]


def _for_the_other(statement: str) -> bool:
    return any(statement.startswith("{" + other + "}") for other in _WORDS if other != db.dialect())


def _spoken(statement: str) -> str:
    statement = statement.removeprefix("{" + db.dialect() + "}").replace("\0", ";")
    for word, meaning in _WORDS[db.dialect()].items():
        statement = statement.replace("{" + word + "}", meaning)
    return statement


async def _has_record() -> bool:
    if db.dialect() == "postgres":
        return bool(await db.value("SELECT to_regclass('migration') IS NOT NULL"))
    return bool(await db.value("SELECT count(*) FROM sqlite_master WHERE name = 'migration'"))


@asynccontextmanager
async def _lock(config: Config) -> AsyncIterator[None]:
    if db.dialect() == "postgres":
        async with db.advisory_lock(_LOCK):
            yield
    else:
        path = Path(config.database_url.removeprefix("sqlite://") + ".migrating")
        with await asyncio.to_thread(path.open, "w") as file:
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
            yield
