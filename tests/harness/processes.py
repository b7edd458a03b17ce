"""Programs that the tests start: found, given a folder of their own, and never left behind.

A child is told by the kernel when we die (PR_SET_PDEATHSIG), so that even a killed test run leaves no server;
its folder is locked while we live, and folders without a living owner are swept by the next run.
"""

import atexit
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cradle import die_with

_PREFIX = "fediblog-test-"


def need(program: str, package: str, *places: str) -> str:
    """The path of a program. Skips the test when FEDIBLOG_TEST_WITHOUT names the package, else fails it."""
    found = shutil.which(program) or next((path for path in places if os.access(path, os.X_OK)), None)
    if found is not None:
        return found
    if package in os.environ.get("FEDIBLOG_TEST_WITHOUT", "").split():
        pytest.skip(f"{package} is not installed")
    pytest.fail(f"{program} is missing: install {package}, or name it in FEDIBLOG_TEST_WITHOUT to skip")


def free_port() -> int:
    """A TCP port on the loopback address that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def folder(name: str) -> Path:
    """A fresh folder with a short path (sockets need one), removed at the end of the run."""
    _sweep()
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{name}-"))
    # A bare descriptor, never closed: the kernel gives up the lock when we end, and no child inherits it.
    fcntl.flock(os.open(path / ".lock", os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def start(command: list[str], farewell: int = signal.SIGTERM, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a program that gets the signal `farewell` when this process dies, however it dies."""
    parent = os.getpid()

    process = subprocess.Popen(command, preexec_fn=partial(die_with, parent, farewell), **options)
    atexit.register(stop, process, farewell)
    return process


def stop(process: "subprocess.Popen[bytes]", farewell: int = signal.SIGTERM, patience: float = 10) -> int:
    """Ask the program to end, wait, and insist after `patience` seconds. Gives its exit code."""
    if process.poll() is None:
        process.send_signal(farewell)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a server to come up. Raises RuntimeError with its log when it ends or takes a minute."""
    deadline = time.monotonic() + 60
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not come up:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)


def _sweep() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            with (path / ".lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue  # Its owner lives, has not locked it yet, or it is somebody else's.
