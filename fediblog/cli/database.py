"""`fediblog db …`: bring the schema to head, or look where it is."""

import asyncio
import sys

import typer

from fediblog import config as configuration
from fediblog import db, house, logs, schema
from fediblog.cli import shell
from fediblog.config import Log
from fediblog.services import indexed

commands = shell.group("The database.")


@commands.command()
def upgrade() -> None:
    """Bring the database to this version. Does nothing when it is there."""
    done = asyncio.run(_upgrade())
    for name in done:
        shell.note(f"done: {name}")
    shell.note("The database is up to date.")


@commands.command()
def reindex() -> None:
    """Write the words that are searched anew: needed once after an update to the version that brings it.

    The server may go on running meanwhile.
    """
    posts, accounts = asyncio.run(_reindex())
    shell.note(f"done: {posts} posts, {accounts} accounts")


@commands.command()
def status(json: shell.Json = False) -> None:
    """List the steps of the schema. Ends with 1 when some are still to be done."""
    pending = asyncio.run(_pending())
    steps = [{"step": name, "state": "pending" if name in pending else "done"} for name in schema.known()]
    shell.show(steps, json)
    if pending:
        raise typer.Exit(1)


async def _upgrade() -> list[str]:
    config = shell.configuration()
    logs.set_up(Log(level="warning", format=config.log.format), sys.stderr)
    configuration.use(config)
    house.prepare(config)
    await db.connect(config)
    try:
        return await schema.upgrade(config)
    finally:
        await db.close()


async def _reindex() -> tuple[int, int]:
    config = shell.configuration()
    configuration.use(config)
    house.prepare(config)
    await db.connect(config)
    try:
        return await indexed.rebuild()
    finally:
        await db.close()


async def _pending() -> set[str]:
    config = shell.configuration()
    configuration.use(config)
    house.prepare(config)
    await db.connect(config)
    try:
        return set(await schema.pending())
    finally:
        await db.close()
