"""A private Redis that keeps nothing on disk."""

import shutil
import signal

import redis

from tests.harness import processes


class RedisServer:
    """The server. It can be stopped and started again on the same port, with nothing left in it."""

    def __init__(self) -> None:
        self._server = processes.need("redis-server", "redis-server")
        self.port = processes.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = processes.folder("redis")
        self.start()

    def client(self) -> "redis.Redis":
        """A connection of the test's own."""
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=10)

    def flush(self) -> None:
        """Forget everything, as if the broker had lost it."""
        with self.client() as client:
            client.flushall()

    def start(self) -> None:
        """Come (back) up."""
        log = self._folder / "log"
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with log.open("wb") as output:
            self._process = processes.start(
                [self._server, *flags, "--dir", str(self._folder)], stdout=output, stderr=output
            )
        processes.wait_until(self._answers, self._process, log)

    def stop(self) -> None:
        """Go away; all connections break."""
        processes.stop(self._process, signal.SIGKILL)

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self._process.poll() is None

    def remove(self) -> None:
        """Stop for good."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
