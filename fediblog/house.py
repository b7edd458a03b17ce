"""Opening and closing what every process of fediblog needs: configuration, disk, database, schema.

A process that serves or works refuses to start on a disk that is nearly full or on a schema it does not know:
better a clear line now than a fault in the middle of somebody's post.
"""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from fediblog import allowances, bus, db, http, reserve, schema, storage
from fediblog import config as configuration
from fediblog.config import Config, ConfigError

_MEGABYTE = 1024 * 1024
_USUAL = "fediblog.toml"


class StartRefused(Exception):
    """fediblog cannot start. The message is one line that says why and what to do."""


def configuration_of(path: Path | None = None) -> Config:
    """The configuration in a file, in the one that `FEDIBLOG_CONFIG` names, or in `fediblog.toml` right here.

    Raises ConfigError.
    """
    named = path or Path(os.environ.get("FEDIBLOG_CONFIG") or _USUAL)
    if path is not None or "FEDIBLOG_CONFIG" in os.environ or named.exists():
        return configuration.load(named)
    try:
        return configuration.load(None)
    except ConfigError as error:
        raise ConfigError(f"{error}\nThere is no {_USUAL} here: `fediblog config init` writes one.") from None


@asynccontextmanager
async def opened(config: Config, migrate: bool = False) -> AsyncIterator[None]:
    """The house, open for the time of the block. With `migrate` the schema is brought to head first.

    Raises StartRefused, or Unavailable when the database cannot be reached.
    """
    configuration.use(config)
    prepare(config)
    await db.connect(config)
    try:
        if migrate:
            await schema.upgrade(config)
        elif await schema.pending():
            raise StartRefused("The database is behind this version: run `fediblog db upgrade` first.")
        await http.open(config)
        bus.open(config)
        allowances.open(config)
        yield
    finally:
        await bus.close()
        await allowances.close()
        await http.close()
        await db.close()


def prepare(config: Config) -> None:
    """Make the data folder, see that something fits into it, and keep a reserve. Raises StartRefused."""
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = free_space(config.data_dir)
    except OSError as error:
        raise StartRefused(f"{config.data_dir} cannot be used: {error.strerror}.") from None
    if free < storage.RESERVE:
        raise StartRefused(
            f"Only {free // _MEGABYTE} MB are free in {config.data_dir}, and fediblog starts with"
            f" {storage.RESERVE // _MEGABYTE} MB or more: free some space first."
        )
    if config.database_url.startswith("sqlite://"):
        reserve.keep(Path(config.database_url.removeprefix("sqlite://")).parent)


def free_space(folder: Path) -> int:
    """Bytes that can still be written there."""
    return shutil.disk_usage(folder).free


@contextmanager
def claimed(config: Config, *names: str) -> Iterator[str]:
    """The first of these names that no living process has on this data folder, ours for the block.

    The kernel lets go of it when we die, however we die. Raises StartRefused when all are taken.
    """
    folder = config.data_dir / "running"
    folder.mkdir(exist_ok=True)
    for name in names:
        with (folder / f"{name}.lock").open("w") as file:
            if _lock(file):
                yield name
                return
    raise StartRefused(f"A process of this name ({names[-1]}) is running already in {config.data_dir}.")


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
