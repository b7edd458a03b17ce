"""The server's side: start a child for a file, wait for its answer, end it when it takes too long."""

import asyncio
import json
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fediblog.errors import FediblogError, Invalid, NoSpace, Unavailable
from fediblog.imaging.shapes import (
    DAMAGED,
    MIB,
    NOT_NOW,
    READY,
    TOO_SLOW,
    TYPES,
    UNREADABLE,
    Job,
    Limits,
    Made,
    Recipe,
    Result,
    Small,
)
from fediblog.imaging.sniffing import HEAD, sniff

AT_ONCE = 2
"""So many children run at one time in a process, whichever of its event loops asked: 1 GiB at the worst."""

_places = threading.BoundedSemaphore(AT_ONCE)
_log = logging.getLogger(__name__)


async def make(source: Path, workdir: Path, limits: Limits) -> Made:
    """Make safe files from an upload, in `workdir`; `source` stays as it is.

    Raises Invalid for what cannot be read, is over a limit or could not be played; NoSpace when the disk is
    full; Unavailable when the child cannot start. No file is left behind then.
    """
    return await _made("media", source, workdir, limits)


async def make_picture(source: Path, workdir: Path, limits: Limits) -> Made:
    """A still picture and its small one, also of what moves. Raises as `make_avatar` does."""
    return await _made("picture", source, workdir, limits)


async def make_emoji(source: Path, workdir: Path, limits: Limits) -> Made:
    """A still picture that fits into 128 x 128, whole. Raises as `make_picture` does."""
    return await _made("emoji", source, workdir, limits)


async def make_avatar(source: Path, workdir: Path, limits: Limits) -> Made:
    """A still picture of 400 x 400, cut from the middle. Raises as `make` does, also for sound and video."""
    return await _made("avatar", source, workdir, limits)


async def make_header(source: Path, workdir: Path, limits: Limits) -> Made:
    """A still picture of 1500 x 500, cut from the middle. Raises as `make` does, also for sound and video."""
    return await _made("header", source, workdir, limits)


async def _made(recipe: Recipe, source: Path, workdir: Path, limits: Limits) -> Made:
    job = await asyncio.to_thread(_admitted, recipe, source, workdir, limits)
    complete = False
    try:
        made = await _answer(job)
        complete = True
    finally:
        if not complete:
            _discard(Path(job.stem))
    return made


def _admitted(recipe: Recipe, source: Path, workdir: Path, limits: Limits) -> Job:
    """The job, when the file is of a type that we take and not over its number of bytes."""
    with source.open("rb") as file:
        head = file.read(HEAD)
        size = os.fstat(file.fileno()).st_size
    mime = sniff(head)
    if mime is None or (recipe != "media" and not mime.startswith("image/")):
        raise Invalid(UNREADABLE)
    most = limits.image_bytes if mime.startswith("image/") else limits.video_bytes
    if size > most:
        raise Invalid(f"The file is too big: at most {most / MIB:.3g} MB.")
    stem = workdir.absolute() / secrets.token_hex(16)
    return Job(recipe, mime, str(source.absolute()), str(stem), limits)


async def _answer(job: Job) -> Made:
    seconds = job.limits.seconds if job.mime.startswith("image/") else job.limits.video_seconds
    async with _place(), _child(job, seconds) as process:
        try:
            async with asyncio.timeout(seconds):
                answer = await _listen(process)
        except TimeoutError:
            raise Invalid(TOO_SLOW) from None
    if "cause" in answer:
        _log.info("an upload of type %s could not be read: %r", job.mime, answer["cause"])
    if "refused" in answer:
        raise _refusals.get(str(answer["refused"]), Invalid)(str(answer.get("sentence")))
    try:
        return _made_of(job, answer["result"])
    except (TypeError, LookupError):
        # A child that makes up answers has been taken over by its file.
        raise Invalid(DAMAGED) from None


@asynccontextmanager
async def _place() -> AsyncIterator[None]:
    """Wait for one of the AT_ONCE places.

    A look every 50 ms instead of an asyncio.Semaphore: that one belongs to a single loop, and the embedded
    server has two in one process.
    """
    while not _places.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    try:
        yield
    finally:
        _places.release()


@asynccontextmanager
async def _child(job: Job, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child at work. However the block is left, the process is gone afterwards."""
    order = json.dumps({"job": asdict(job), "seconds": seconds, "parent": os.getpid()})
    process = await _started(order)
    try:
        yield process
    finally:
        if process.returncode is None:
            # It may have ended in this very moment, before asyncio was told.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def _started(order: str) -> asyncio.subprocess.Process:
    """The same Python, deaf to its surroundings (`-I`): no secret and no path comes in by the environment."""
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "fediblog.imaging.child", order),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # One heap for all threads: each further one would take 64 MiB of the address space that we allow.
            env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        _log.error("the imaging child could not be started: %s", error)
        raise Unavailable(NOT_NOW) from error


async def _listen(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The child's answer. One that dies over a file, or talks nonsense, has met a file that is damaged."""
    stdout, stderr = process.stdout, process.stderr
    assert stdout is not None and stderr is not None
    first = await stdout.readline()
    if first != READY:
        _log.error("the imaging child did not start: %r", first or (await stderr.read(8192))[-1000:])
        raise Unavailable(NOT_NOW)
    try:
        return dict(json.loads(await stdout.readline()))
    except (ValueError, TypeError):
        code = await process.wait()
        _log.info("the imaging child ended with %s", code)
        raise Invalid(TOO_SLOW if -code in (signal.SIGXCPU, signal.SIGKILL) else DAMAGED) from None


def _made_of(job: Job, answer: dict[str, Any]) -> Made:
    result = Result(**answer)
    small = Small(**answer["small"]) if result.small else None
    suffix = TYPES[result.mime]
    return Made(
        kind=result.kind,
        mime=result.mime,
        file=job.file(suffix),
        suffix=suffix,
        small=job.small_file(small.suffix) if small else None,
        small_suffix=small.suffix if small else None,
        width=result.width,
        height=result.height,
        small_width=small.width if small else None,
        small_height=small.height if small else None,
        duration=result.duration,
        frame_rate=result.frame_rate,
        bitrate=result.bitrate,
        blurhash=small.blurhash if small else None,
    )


_refusals: dict[str, type[FediblogError]] = {"invalid": Invalid, "space": NoSpace, "unavailable": Unavailable}


def _discard(stem: Path) -> None:
    for path in stem.parent.glob(f"{stem.name}*"):
        path.unlink(missing_ok=True)
