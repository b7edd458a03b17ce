"""The walls around the child: what it may use up, and that it never outlives its parent."""

import ctypes
import math
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 64


def confine(memory: int, seconds: float, file_bytes: int) -> None:
    """Limit this process for the rest of its life. Goes only one way: limits of the machine stay if lower."""
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, math.ceil(seconds))
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    # Whoever waits for a page comes before whoever waits for a picture.
    os.nice(5)


def die_with(parent: int) -> None:
    """Ask the kernel to kill us when the parent is gone, and give up the way to more rights (Linux)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # The parent may have died before the call above; then no signal will ever come.
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, value))
