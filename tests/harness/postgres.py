"""A private PostgreSQL: no fsync, no password, reached through the loopback address only."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg

from tests.harness import processes

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
_TABLES = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migration'
"""
_GROWN = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_indexes_size(oid) > 400000
"""
_FORGET = """
DELETE FROM pg_statistic WHERE starelid >= 16384;
UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relkind = 'r' AND oid >= 16384 AND reltuples <> -1
"""


class Postgres:
    """The server. `url(database)` is what fediblog's configuration takes; `settings` are PostgreSQL's own."""

    def __init__(self, **settings: str) -> None:
        found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), key=_version)
        self._server = processes.need("postgres", "postgresql", *reversed(found))
        self._settings = {**_SETTINGS, **settings}
        self.port = processes.free_port()
        self._folder = processes.folder("pg")
        self._who = _unprivileged(self._folder)
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

    async def empty(self, database: str) -> None:
        """Take every row out of every table; first end what an earlier test may have left connected."""
        connection = await self.connect(database)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await connection.execute("SET session_replication_role = replica")
            if filled := await self._filled(connection):
                await connection.execute("; ".join(f"DELETE FROM {table}" for table in filled))
                await connection.execute(f"VACUUM {', '.join(filled)}")
            for line in await connection.fetch(_GROWN):
                await connection.execute(f"REINDEX TABLE {line[0]}")
            await connection.execute(_FORGET)
        finally:
            await connection.close()

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

    async def _filled(self, connection: "asyncpg.Connection[Any]") -> list[str]:
        tables = [line[0] for line in await connection.fetch(_TABLES)]
        probes = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables]
        return [line[0] for line in await connection.fetch(" UNION ALL ".join(probes))] if probes else []

    def stop(self) -> None:
        """End the server, whoever is connected, and remove its files."""
        processes.stop(self._process, signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initdb(self, initdb: Path) -> None:
        command = [str(initdb), "-D", str(self._folder / "data"), "-U", "postgres", "--auth=trust"]
        subprocess.run(
            [*command, "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._who,
        )


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
