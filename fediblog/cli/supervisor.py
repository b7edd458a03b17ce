"""Several processes that answer on one socket: start them, replace one that ends, end them all together.

The parent does nothing else: no threads, no database, so that it may fork at any time. The children hold the
reading end of a pipe; when the parent dies, however it dies, they read its end there and stop.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

log = structlog.get_logger()

# SECURITY R8: all is over after 30 s.
_PATIENCE = 28
# A child that dies younger than this did not get going, and after some of these in a row we give up.
_YOUNG = 10.0
_MOST_YOUNG_DEATHS = 5
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)


def supervise(number: int, child: Callable[[int], None], socket: int) -> int:
    """Keep so many processes running `child(pipe)` until a signal comes. Returns the exit code.

    `socket` is the descriptor on which all of them listen.
    """
    return _Supervisor(number, child, socket).run()


class _Supervisor:
    def __init__(self, number: int, child: Callable[[int], None], socket: int) -> None:
        self._number = number
        self._child = child
        self._socket = socket
        self._pipe, self._held = os.pipe()
        self._started: dict[int, float] = {}
        self._stopping = False
        self._young_deaths = 0

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        for _ in range(self._number):
            self._start()
        while self._started:
            pid, status = os.wait()
            self._ended(pid, os.waitstatus_to_exitcode(status))
        signal.alarm(0)
        # Python takes its handlers away before it ends; one more signal then must not be the cause of that.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        return 1 if self._young_deaths >= _MOST_YOUNG_DEATHS else 0

    def _start(self) -> None:
        # A signal that comes while the child is not on our list yet must wait until it is.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._become_child()
        self._started[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _become_child(self) -> None:
        code = 1
        try:
            os.close(self._held)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._child(self._pipe)
            code = 0
        except Exception:
            log.exception("web process failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _ended(self, pid: int, code: int) -> None:
        age = time.monotonic() - self._started.pop(pid, 0.0)
        if self._stopping:
            return
        if code == 0:
            log.info("web process replaced", pid=pid)
        else:
            log.error("web process died", pid=pid, exit_code=code)
        self._young_deaths = self._young_deaths + 1 if code and age < _YOUNG else 0
        if self._young_deaths >= _MOST_YOUNG_DEATHS:
            log.critical("the web processes die as soon as they start")
            self._stop()
            return
        if self._young_deaths:
            time.sleep(1)
        # The signal to stop may have come during the sleep.
        if not self._stopping:
            self._start()

    def _stop(self, *_: int | FrameType | None) -> None:
        if not self._stopping:
            # Once the children have let go of it too, who comes is turned away and does not wait in vain.
            os.close(self._socket)
        self._stopping = True
        self._signal_all(signal.SIGTERM)
        signal.alarm(_PATIENCE)

    def _kill(self, *_: int | FrameType | None) -> None:
        log.error("web processes did not end in time and were killed", pids=list(self._started))
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in list(self._started):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
