"""A process that sends what is due, eight mails at a time, until somebody kills it."""

import asyncio

from fediblog import config, db
from fediblog.queue import Job
from fediblog.services import mail, work
from tests.services.mailbox import OWNER


async def main() -> None:
    configuration = config.load(None)
    config.use(configuration)
    await db.connect(configuration)
    room = asyncio.Semaphore(8)
    while True:
        found = await work.sweep([Job.MAIL], patience=0, limit=40)
        await asyncio.gather(*(_send(work_id, room) for _, work_id in found))


async def _send(work_id: int, room: asyncio.Semaphore) -> None:
    async with room:
        held = await work.lease(Job.MAIL, work_id, OWNER)
        if held is not None:
            await mail.send(int(held.key))
            await work.done(held)


if __name__ == "__main__":
    asyncio.run(main())
