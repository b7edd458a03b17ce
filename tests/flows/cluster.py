"""An installation of several machines' worth of processes: twice `web`, twice `worker`, and `beat`."""

import asyncio
import signal

from tests.harness.site import App, Process, Site


class Cluster:
    """The processes, on PostgreSQL and Redis. `urls` are the addresses of the two `web`s."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.urls = (site.url, site.free_url())
        self.webs: list[Process] = []
        self.workers: dict[str, Process] = {}

    async def start(self) -> "Cluster":
        """Bring the schema to head, then start everything at once. All of it is ready afterwards."""
        await self.site.command("db", "upgrade")
        self.webs = [self.site.start("web", "--workers", "2", url=url) for url in self.urls]
        for name in ("w1", "w2"):
            self.start_worker(name)
        beat = self.site.start("beat")
        await asyncio.gather(
            *(web.ready() for web in self.webs),
            *(worker.says("worker ready") for worker in self.workers.values()),
            beat.says("beat ready"),
        )
        return self

    def start_worker(self, name: str) -> Process:
        """Start a worker of this name (again)."""
        self.workers[name] = self.site.start("worker", "--name", name)
        return self.workers[name]

    async def people(self, *names: str) -> list[App]:
        """People, each using the other `web` than the one before."""
        tokens = await self.site.people(*names)
        return [await self.site.app(token, self.urls[n % 2]) for n, token in enumerate(tokens)]

    def freeze(self) -> None:
        """Let the workers stand still."""
        for worker in self.workers.values():
            worker.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for worker in self.workers.values():
            worker.send(signal.SIGCONT)
