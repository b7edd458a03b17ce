"""The commands that do not end by themselves: `run`, `web`, `worker`, `beat`."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated

import structlog
import typer
from celery import Celery

from fediblog import house, logs, queue
from fediblog.app import create_app
from fediblog.cli import shell
from fediblog.cli.serving import Stop, listen, serve_http
from fediblog.cli.supervisor import supervise
from fediblog.config import Config
from fediblog.house import StartRefused
from fediblog.services import setup
from fediblog.tasks.schedule import beating
from fediblog.tasks.worker import working

log = structlog.get_logger()

_AT_ONCE = 8
_MOST_WORKERS = 100
_NEEDS_REDIS = "needs redis.url: without Redis everything runs in one process, `fediblog run`."


def run() -> None:
    """Run everything in one process: pages, API, jobs and clock."""
    config = _start()
    with house.claimed(config, "run") as name:
        asyncio.run(_run(config, name))


def web(workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer.")] = 1) -> None:
    """Answer requests. The jobs are done by `fediblog worker`."""
    config = _start(_need_redis("web"))
    asyncio.run(_look(config))
    descriptor = listen(config)
    _warn(config)
    raise typer.Exit(supervise(workers, lambda pipe: asyncio.run(_web(config, descriptor, pipe)), descriptor))


def worker(
    queues: Annotated[str, typer.Option(help=f"Only these queues, of {','.join(queue.QUEUES)}.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="How many jobs at one time.")] = _AT_ONCE,
    name: Annotated[str, typer.Option(help="The name of this worker, unique on its machine.")] = "",
) -> None:
    """Do the jobs."""
    wanted = _queues(queues)
    config = _start(_need_redis("worker"))
    names = [name] if name else [f"worker-{number}" for number in range(1, _MOST_WORKERS)]
    with house.claimed(config, *names) as claimed:
        asyncio.run(_worker(config, claimed, wanted, concurrency))


def beat() -> None:
    """Say when the jobs that come by the clock are due. Of several, one does and the others stand by."""
    config = _start(_need_redis("beat"))
    asyncio.run(_beat(config))


async def _run(config: Config, name: str) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(house.opened(config, migrate=True))
        celery = stack.enter_context(queue.sending(config))
        descriptor = listen(config)
        stop = Stop(impatient=True)
        _warn(config)
        await _greet(config)
        app = create_app(config, open_house=False)
        # Both end at the signal and at the same time: requests in flight and jobs in progress.
        async with asyncio.TaskGroup() as group:
            group.create_task(_work(config, celery, name, stop))
            group.create_task(serve_http(app, descriptor, stop))


async def _work(config: Config, celery: Celery, name: str, stop: Stop) -> None:
    async with working(celery, _owner(name), queue.QUEUES, _AT_ONCE), beating(celery, config):
        await stop.wait()


async def _look(config: Config) -> None:
    """Refuse now rather than in each of the processes."""
    async with house.opened(config):
        pass


async def _web(config: Config, descriptor: int, pipe: int) -> None:
    async with house.opened(config):
        with queue.sending(config):
            app = create_app(config, open_house=False)
            await serve_http(app, descriptor, Stop(pipe), replaceable=True)


async def _worker(config: Config, name: str, queues: Sequence[str], at_once: int) -> None:
    async with house.opened(config):
        with queue.sending(config) as celery:
            stop = Stop()
            async with working(celery, _owner(name), queues, at_once):
                log.info("worker ready", name=name, queues=list(queues), concurrency=at_once)
                await stop.wait()
    log.info("worker ended", name=name)


async def _beat(config: Config) -> None:
    with queue.sending(config) as celery:
        stop = Stop()
        async with beating(celery, config):
            log.info("beat ready", pid=os.getpid())
            await stop.wait()


async def _greet(config: Config) -> None:
    """What somebody sees who has just started it."""
    shell.say(f"fediblog is at {config.origin}")
    token = await setup.setup_token()
    if token is not None:
        shell.say("Make the first account, an admin, here (the link works once):")
        shell.say(f"{config.origin}/setup?token={token}")


def _start(needs: str = "") -> Config:
    config = shell.configuration()
    if needs and config.embedded:
        raise StartRefused(needs)
    logs.set_up(config.log)
    house.prepare(config)
    return config


def _need_redis(command: str) -> str:
    return f"`fediblog {command}` {_NEEDS_REDIS}"


def _owner(name: str) -> str:
    return f"{name}@{socket.gethostname()}"


def _queues(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in queue.QUEUES]
    if unknown:
        raise typer.BadParameter(f"There is no queue {unknown[0]!r}. There are: {', '.join(queue.QUEUES)}.")
    return [name for name in queue.QUEUES if name in names] or queue.QUEUES


def _warn(config: Config) -> None:
    """What is for labs only is said at each start (CONTRACT)."""
    if config.federation.allow_http:
        log.warning("federation.allow_http is on: for labs only")
    if config.federation.allow_networks:
        log.warning("federation.allow_networks opens networks that are not public: for labs only")
    if not config.limits.rate_limits:
        log.warning("limits.rate_limits is off: for labs only")
