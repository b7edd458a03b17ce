"""What runs in the nursery's own process (see nursery.py): fediblog's modules and nothing of the tests.

It has one thread and opens nothing, so that it may fork at any time.
"""

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from importlib import import_module
from typing import Any

LONGEST_MESSAGE = 1 << 20
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with(parent: int, farewell: int) -> None:
    """In a child: the kernel sends this signal when the parent dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, farewell)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Read all modules, then bear. What follows happens in each child, as `python -m` would do it."""
    line = socket.socket(fileno=int(sys.argv[1]))
    # As fediblog does it when it starts: what is read stays, and nobody needs to look for garbage in it.
    gc.disable()
    import_module("fediblog.cli")
    gc.freeze()
    module, *sys.argv[1:] = _bear(line)
    gc.enable()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _bear(line: socket.socket) -> list[str]:
    """Fork for each order and tell who has ended. Returns in the children, with their command lines."""
    ourselves = os.getpid()
    ends, ended = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(ended, warn_on_full_buffer=False)
    # The handler has nothing to do: that there is one lets the number of the signal come out of the pipe.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([line, ends], [], [])
        if ends in ready:
            os.read(ends, 4096)
            _tell_who_ended(line)
        if line in ready:
            message, files, _, _ = socket.recv_fds(line, LONGEST_MESSAGE, 3)
            if not message:
                os._exit(0)
            if (pid := os.fork()) == 0:
                die_with(ourselves, signal.SIGTERM)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, interrupt)
                return _stand_alone(json.loads(message), files, [line.detach(), ends, ended])
            line.send(json.dumps({"born": pid}).encode())
            for each in files:
                os.close(each)


def _tell_who_ended(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        line.send(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _stand_alone(order: dict[str, Any], files: list[int], foreign: list[int]) -> list[str]:
    """Stdin, stdout, stderr, folder and environment as ordered, and nothing of the nursery is left open."""
    for number, each in enumerate(files):
        os.dup2(each, number)
    for each in (*files, *foreign):
        os.close(each)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    command: list[str] = order["command"]
    return command


if __name__ == "__main__":
    main()
