"""fediblog whose mails are entries in a table instead: for tests that kill it and count afterwards.

`python -m tests.cli.puppet run` is `fediblog run`. Each run of a job is one row, and so is its effect, which
has a natural key as every effect must.
"""

import asyncio
import os

from fediblog import db, ids, logs
from fediblog.cli import main
from fediblog.queue import Job
from fediblog.tasks import worker

_SECONDS = 0.05
POISON = "666"


async def act(key: str) -> None:
    """Take a moment, note that this ran, and have an effect."""
    if key == POISON:
        os._exit(1)
    await asyncio.sleep(_SECONDS)
    async with db.transaction():
        await _put(f"run {key} {ids.new()} {logs.request_id()}")
        await _put(f"effect {key}")


async def _put(name: str) -> None:
    await db.execute("INSERT INTO setting (name, value) VALUES ($1, '1') ON CONFLICT DO NOTHING", name)


if __name__ == "__main__":
    worker.duties[Job.MAIL] = act
    main()
