"""A stream of posts, and the question whether all of it arrived."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import httpx

from tests.harness.site import App, until

_PAUSE = 0.05


class Stream:
    """Several programs that post one text after the other while the block runs, and never give up.

    Each post has its own Idempotency-Key. What was refused or had no answer is sent again with the same key
    until it is acknowledged; at the end of the block everything that was begun has been.
    """

    def __init__(self, *apps: App) -> None:
        self._apps = apps
        self.acknowledged: dict[str, str] = {}  # Text to id.
        self.refusals: list[httpx.Response] = []
        self.unanswered = 0
        self._enough = False

    async def __aenter__(self) -> "Stream":
        self._tasks = [asyncio.create_task(self._write(*numbered)) for numbered in enumerate(self._apps)]
        return self

    async def __aexit__(self, *problem: object) -> None:
        self._enough = True
        if problem[0] is not None:
            for task in self._tasks:
                task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def more(self, number: int, seconds: float = 60) -> None:
        """Wait until so many more posts are acknowledged."""
        goal = len(self.acknowledged) + number
        await until(lambda: len(self.acknowledged) >= goal, seconds, "the stream does not flow")

    async def _write(self, number: int, app: App) -> None:
        count = 0
        while not self._enough:
            count += 1
            await self._insist(app, f"post {count} of {number}")

    async def _insist(self, app: App, text: str) -> None:
        while True:
            try:
                answer = await app.send(
                    "POST",
                    "/api/v1/statuses",
                    json={"status": text},
                    headers={"Idempotency-Key": text.replace(" ", "-")},
                )
            except httpx.TransportError:
                self.unanswered += 1
            else:
                if answer.is_success:
                    self.acknowledged[text] = answer.json()["id"]
                    return
                self.refusals.append(answer)
            await asyncio.sleep(_PAUSE)


async def all_there_once(
    stream: Stream, authors: Sequence[App], readers: Sequence[App], seconds: float = 40
) -> None:
    """Every acknowledged post is there, none twice; counters agree; in the end all readers have it."""
    written = [text for author in authors for text in await author.written()]
    assert Counter(written) == Counter(list(stream.acknowledged))
    for author in authors:
        account = await author.get("/api/v1/accounts/verify_credentials")
        assert account["statuses_count"] == len(await author.written())
    for reader in readers:
        await until(lambda reader=reader: _has_all(reader, stream), seconds, "home lacks posts")


async def _has_all(reader: App, stream: Stream) -> bool:
    home = await reader.home()
    assert len(home) == len(set(home)), "a post is twice on home"
    return set(stream.acknowledged) <= set(home)
