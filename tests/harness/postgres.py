"""A private PostgreSQL: no fsync, no password, reached through the loopback address only."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.harness import processes

Result = TypeVar("Result")

# Durability is what a database that lives for one test run needs least.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "UTC",
}

# What each test must find as if it were the first: no rows, no pages and indexes full of dead ones, no
# statistics of the planner. Emptying the few tables that a test filled takes a seventh of a TRUNCATE of all.
# One without pages has had no rows since it was last vacuumed.
_FILLED = """
SELECT quote_ident(relname), pg_indexes_size(oid) > 400000 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migration'
AND pg_relation_size(oid) > 0
"""
_FORGET = """
DELETE FROM pg_statistic WHERE starelid >= 16384;
UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relkind = 'r' AND oid >= 16384 AND reltuples <> -1
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# What a broom is told that a test has cut, or whose server was away meanwhile.
_CUT = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError, OSError)


class Postgres:
    """The server. `url(database)` is what fediblog's configuration takes; `settings` are PostgreSQL's own."""

    def __init__(self, **settings: str) -> None:
        found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), key=_version)
        self._server = processes.need("postgres", "postgresql", *reversed(found))
        self._settings = {**_SETTINGS, **settings}
        self.port = processes.free_port()
        self._folder = processes.folder("pg")
        self._who = _unprivileged(self._folder)
        # Connections that empty databases stay, on a loop that outlives those of the tests: a new one would
        # read about all tables anew each time, which is three quarters of the price.
        self._brooms: dict[str, asyncpg.Connection[Any]] = {}
        self._loop = asyncio.new_event_loop()
        self._initdb(Path(self._server).resolve().with_name("initdb"))
        self.start()

    def url(self, database: str = "postgres") -> str:
        """The address of a database on this server."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    async def connect(self, database: str = "postgres") -> "asyncpg.Connection[Any]":
        """A connection of the test's own, past fediblog's pool."""
        return await asyncpg.connect(host="127.0.0.1", port=self.port, user="postgres", database=database)

    async def create(self, database: str) -> str:
        """A fresh, empty database. Gives its address."""
        connection = await self.connect()
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{database}"')
        finally:
            await connection.close()
        return self.url(database)

    def prepare(self, database: str) -> bool:
        """Make the database, or take every row out of every table. True when it is new and has no tables.

        For fixtures outside of the test's loop.
        """
        if database not in self._brooms:
            self._run(self.create(database))
            self._brooms[database] = self._run(self._broom(database))
            return True
        try:
            self._run(self._sweep(self._brooms[database]))
        except _CUT:
            self._run(_drop(self._brooms[database]))
            self._brooms[database] = self._run(self._broom(database))
            self._run(self._sweep(self._brooms[database]))
        return False

    def start(self) -> None:
        """Come (back) up."""
        data, log = self._folder / "data", self._folder / "log"
        settings = {
            **self._settings,
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            self._process = processes.start(
                [self._server, "-D", str(data), *flags],
                signal.SIGQUIT,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                **self._who,
            )
        pid = data / "postmaster.pid"
        processes.wait_until(lambda: pid.exists() and "ready" in pid.read_text(), self._process, log)

    def crash(self) -> None:
        """Cut all connections at once and write nothing more; `start` recovers what had been committed."""
        processes.stop(self._process, signal.SIGQUIT)

    def stop(self) -> None:
        """End the server, whoever is connected, and remove its files."""
        for broom in self._brooms.values():
            self._run(_drop(broom))
        self._loop.close()
        processes.stop(self._process, signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(coroutine)

    async def _broom(self, database: str) -> "asyncpg.Connection[Any]":
        connection = await self.connect(database)
        # Rows go in any order, whatever refers to them.
        await connection.execute("SET session_replication_role = replica")
        return connection

    async def _sweep(self, broom: "asyncpg.Connection[Any]") -> None:
        """First end what an earlier test may have left connected."""
        await broom.execute(_END_OTHERS)
        if filled := await broom.fetch(_FILLED):
            await broom.execute("; ".join(f"DELETE FROM {table}" for table, _ in filled))
            await broom.execute(f"VACUUM {', '.join(table for table, _ in filled)}")
        for table in (table for table, grown in filled if grown):
            await broom.execute(f"REINDEX TABLE {table}")
        await broom.execute(_FORGET)

    def _initdb(self, initdb: Path) -> None:
        command = [str(initdb), "-D", str(self._folder / "data"), "-U", "postgres", "--auth=trust"]
        subprocess.run(
            [*command, "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._who,
        )


async def _drop(broom: "asyncpg.Connection[Any]") -> None:
    broom.terminate()
    # The loop sees its end.
    await asyncio.sleep(0)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: options that make it run as `postgres`, who then owns the folder."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _version(path: str) -> int:
    part = path.split("/")[4]
    return int(part) if part.isdigit() else 0
