"""A process from which others are forked: fediblog's modules are read once and not by each of its processes.

Reading them takes a second of CPU, and the tests of whole installations start hundreds of processes. Who is
born here is a process like any other: its command line runs as `python -m` runs it, in a folder and an
environment of its own; it gets signals, ends, is killed, and is a parent itself. Only the reading is spared,
so that a fresh interpreter finds all it needs is what `Site(…, anew=True)` is for.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from tests.harness import cradle, processes

_HOME = Path(__file__).parents[2]

Files = tuple[IO[bytes], IO[bytes], IO[bytes]]


@cache
def nursery() -> "Nursery":
    """The one of this test process: it dies with it, and its children with the nursery."""
    return Nursery()


class Nursery:
    """Our end of the line to it. For the thread of the tests alone."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = processes.start(
                [sys.executable, "-m", "tests.harness.cradle", str(theirs.fileno())],
                signal.SIGKILL,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=_HOME,
            )
        self._ended: dict[int, int] = {}

    def start(self, command: list[str], environment: dict[str, str], folder: Path, files: Files) -> "Child":
        """Run `python -m` with this command line. `files` are stdin, stdout and stderr."""
        order = {"command": command, "environment": environment, "folder": str(folder)}
        socket.send_fds(self._line, [json.dumps(order).encode()], [file.fileno() for file in files])
        while "born" not in (news := self._news()):
            self._ended[news["ended"]] = news["code"]
        return Child(self, news["born"], command)

    def code(self, pid: int, seconds: float = 0) -> int | None:
        """The exit code of a child when it has ended, or does so within these seconds."""
        deadline = time.monotonic() + seconds
        while pid not in self._ended:
            if not select.select([self._line], [], [], max(0, deadline - time.monotonic()))[0]:
                return None
            news = self._news()
            self._ended[news["ended"]] = news["code"]
        return self._ended[pid]

    def _news(self) -> dict[str, int]:
        message = self._line.recv(cradle.LONGEST_MESSAGE)
        if not message:
            raise RuntimeError(f"the nursery has ended with {self._process.wait()}")
        news: dict[str, int] = json.loads(message)
        return news


class Child:
    """To those who are born here what subprocess.Popen is to others."""

    def __init__(self, nursery: Nursery, pid: int, args: list[str]) -> None:
        self._nursery = nursery
        self.pid, self.args = pid, args
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.code(self.pid)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self._nursery.code(self.pid, timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)
