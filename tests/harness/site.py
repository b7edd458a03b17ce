"""fediblog as an admin runs it: a configuration file, and real processes started by its own command line.

Everything a process prints is kept. Processes are ended by their ids when the test is over, however it ends.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx
import orjson
from tortoise.backends.base.executor import EXECUTOR_CACHE

from fediblog import config as configuration
from fediblog import house
from fediblog.services import tokens
from tests.harness import described, processes
from tests.harness.nursery import Child, Files, nursery
from tests.people import person, user_of

SECRET_KEY = "S3cr3tKeyOfTheSiteThatNobodyMayEverSee.0123456789"
_HOME = Path(__file__).parents[2]

Start = Callable[[list[str], dict[str, str], Path, Files], "subprocess.Popen[bytes] | Child"]


async def until(
    true: Callable[[], Awaitable[Any] | Any], seconds: float = 30, what: str = "it did not come true in time"
) -> Any:
    """Ask again and again until the answer is true, and give it. Raises AssertionError when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


class App:
    """Somebody's program: requests over HTTP with a token, or with none."""

    def __init__(self, url: str, token: str = "", account_id: str = "", **options: Any) -> None:
        self.url, self.token, self.account_id = url, token, account_id
        # The environment may name a proxy; nothing here goes through one.
        self.http = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, **options)
        self.http.event_hooks["response"].append(_hear)
        if token:
            self.http.headers["Authorization"] = f"Bearer {token}"

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The raw answer. Raises httpx.TransportError when there is none."""
        return await self.http.request(method, path, **options)

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a GET that is expected to end with this status."""
        return await self._json("GET", path, status, **options)

    async def post(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a POST that is expected to end with this status."""
        return await self._json("POST", path, status, **options)

    async def write(self, text: str, **more: Any) -> Any:
        """Publish a status."""
        return await self.post("/api/v1/statuses", json={"status": text, **more})

    async def pages(self, path: str, **options: Any) -> list[Any]:
        """All pages of a list in one, by their own `next` links."""
        found: list[Any] = []
        url: str | None = path
        while url is not None:
            answer = await self.http.get(url, **options)
            assert answer.status_code == 200, answer.text
            found += answer.json()
            url, options = answer.links.get("next", {}).get("url"), {}
        return found

    async def home(self) -> list[str]:
        """The texts of the home timeline, newest first."""
        return [plain(status) for status in await self.pages("/api/v1/timelines/home", params={"limit": 40})]

    async def written(self) -> list[str]:
        """The texts of one's own statuses, newest first."""
        path = f"/api/v1/accounts/{self.account_id}/statuses"
        return [plain(status) for status in await self.pages(path, params={"limit": 40})]

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _json(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = await self.send(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


async def _hear(answer: httpx.Response) -> None:
    """Hold an answer against its description; not a stream, which has no end to wait for."""
    media = answer.headers.get("Content-Type", "").partition(";")[0]
    if media.endswith("json"):
        asked, body = answer.request, await answer.aread()
        described.heard(asked.method, asked.url.path, answer.status_code, media, body)


def plain(status: Any) -> str:
    """The text of a status that is one paragraph without links."""
    text: str = status["content"]
    return text.removeprefix("<p>").removesuffix("</p>")


class Process:
    """A process of fediblog that goes on until it is told to end."""

    def __init__(
        self, start: Start, command: list[str], environment: dict[str, str], log: Path, url: str
    ) -> None:
        self.log, self.url = log, url
        self._parent = "web" in command
        with log.open("wb") as output, Path(os.devnull).open("rb") as nothing:
            self._process = start(command, environment, log.parent, (nothing, output, output))

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """Its log lines so far, as they were written in JSON."""
        lines = self.output.splitlines()
        return [orjson.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    async def ended(self, seconds: float = 30) -> int:
        """Wait for its end and give the exit code."""
        await until(lambda: not self.running, seconds, f"{self.log.name} still runs after {seconds} s")
        return self._process.returncode

    async def says(self, words: str, seconds: float = 60) -> None:
        """Wait until it has printed something."""
        await self._wait(lambda: words in self.output, seconds)

    async def ready(self, seconds: float = 60) -> None:
        """Wait until `/readyz` answers with 200."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            await self._wait(lambda: self._answers(http), seconds)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def _wait(self, true: Callable[[], Awaitable[bool] | bool], seconds: float) -> None:
        def alive() -> Awaitable[bool] | bool:
            assert self.running, f"it ended with {self._process.returncode}:\n{self.output[-4000:]}"
            return true()

        await until(alive, seconds, f"it is not ready:\n{self.output[-4000:]}")

    def end(self) -> None:
        """End it for good, at the end of a test: at once when it has no children of its own."""
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM if self._parent else signal.SIGKILL)

    def gone(self) -> None:
        """Wait until it is."""
        processes.stop(self._process, signal.SIGTERM, patience=5)


class Site:
    """One installation: a folder with a configuration, and the processes that run on it.

    Keys are given as `mail__url=…`; they go into the environment of every command, as in a container. With
    `anew` each process is a fresh interpreter; else it is forked from one that has read all modules.
    """

    def __init__(self, folder: Path, anew: bool = False, **keys: Any) -> None:
        self.folder = folder
        self._start: Start = _anew if anew else nursery().start
        self.url = self.free_url()
        self.config = folder / "fediblog.toml"
        self.config.write_text(f'domain = "localhost:8000"\nbase_url = "{self.url}"\n')
        self.keys = {
            "secret_key": SECRET_KEY,
            "data_dir": folder / "data",
            "bind": self.url.removeprefix("http://"),
            "registration__mode": "open",
            "limits__rate_limits": "false",
            "log__level": "info",
            "log__format": "json",
            **keys,
        }
        self.processes: list[Process] = []
        self._apps: list[App] = []

    @staticmethod
    def free_url() -> str:
        """An address on this machine where nobody listens."""
        return f"http://127.0.0.1:{processes.free_port()}"

    def start(self, *words: str, url: str = "", module: str = "fediblog", **keys: Any) -> Process:
        """Start a command that goes on, such as `start("worker", "--name", "w1")`.

        `module` may be another program around fediblog's command line.
        """
        if url:
            keys["bind"] = url.removeprefix("http://")
        log = self.folder / f"{len(self.processes)}-{words[0]}.log"
        command = [module, *self._command(words)]
        process = Process(self._start, command, self._environment(keys), log, url or self.url)
        self.processes.append(process)
        return process

    async def run(self, **keys: Any) -> Process:
        """`fediblog run`, ready."""
        process = self.start("run", **keys)
        await process.ready()
        return process

    async def command(self, *words: str, given: str = "") -> str:
        """Run a command that ends by itself; gives its stdout. Raises AssertionError when it fails."""
        with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
            stdin.write(given.encode())
            stdin.seek(0)
            command = ["fediblog", *self._command(words)]
            process = self._start(command, self._environment({}), self.folder, (stdin, stdout, stderr))
            try:
                await until(lambda: process.poll() is not None, 60, f"{words} goes on and on")
            finally:
                process.kill()
            said, complained = _text(stdout), _text(stderr)
        assert process.returncode == 0, f"{words}: {process.returncode}\n{said}\n{complained}"
        return said.strip()

    async def person(self, name: str, role: str = "user", url: str = "") -> App:
        """Somebody whom the admin makes at the command line, with a token in their program."""
        email = f"{name}@mail.example"
        words = ("accounts", "create", name, "--email", email, "--role", role, "--confirmed")
        await self.command(*words, given=f"the password of {name}\n")
        token = await self.command("tokens", "create", name, "--scopes", "read write follow push")
        return await self.app(token, url)

    async def app(self, token: str = "", url: str = "") -> App:
        """A program that uses a token at one of the addresses of this site."""
        app = App(url or self.url, token)
        self._apps.append(app)
        if token:
            app.account_id = (await app.get("/api/v1/accounts/verify_credentials"))["id"]
        return app

    async def people(self, *names: str) -> list[str]:
        """Many people at once, past the command line. Gives a token for each."""
        async with self.inside():
            made = [await person(name) for name in names]
            return [await tokens.create(one, await user_of(one), "read write follow push") for one in made]

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """The services of this site in the test's own process, beside whatever runs."""
        before = configuration._current
        config = configuration.load(self.config, self._environment({}))
        # Tortoise keeps its statements for ever, and in this process they may be those of the other database.
        EXECUTOR_CACHE.clear()
        try:
            async with house.opened(config, migrate=True):
                yield
        finally:
            EXECUTOR_CACHE.clear()
            configuration._current = before

    def output(self) -> str:
        """What all processes have printed so far."""
        return "".join(process.output for process in self.processes)

    async def close(self) -> None:
        """End what runs and tell the last words of each: pytest shows them for a test that failed."""
        for app in self._apps:
            await app.close()
        for process in self.processes:
            process.end()
        for process in self.processes:
            process.gone()
            print(f"---- {process.log.name}\n{process.output[-3000:]}")

    def _command(self, words: Sequence[str]) -> list[str]:
        return ["--config", str(self.config), *words]

    def _environment(self, keys: dict[str, Any]) -> dict[str, str]:
        values = {**self.keys, **keys}
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("FEDIBLOG")},
            "PYTHONPATH": str(_HOME),
            **{f"FEDIBLOG__{name.upper()}": str(value) for name, value in values.items()},
        }


def _anew(
    command: list[str], environment: dict[str, str], folder: Path, files: Files
) -> "subprocess.Popen[bytes]":
    stdin, stdout, stderr = files
    options: dict[str, Any] = {"env": environment, "cwd": folder}
    options |= {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    return processes.start([sys.executable, "-m", *command], **options)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
