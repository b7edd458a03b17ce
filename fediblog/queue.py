"""The names of the jobs, the Celery application that carries them, and `nudge`.

Rows are the truth, jobs are nudges (ARCHITECTURE §4): a message says "wake up, this is due" and may be lost
at any time. So sending one never blocks the event loop and never fails anybody: `nudge` puts it into a
bounded queue, a thread hands it to the broker, and when that is down the message is thrown away.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from fediblog import db, logs
from fediblog.bells import REST, Bell
from fediblog.config import Config

log = structlog.get_logger()

# The most urgent first: what a person waits for, then what other servers wait for, then the rest.
QUEUES = ("local", "inbox", "deliver", "fetch", "media", "maintenance")


class Job(StrEnum):
    """All work that is done outside of requests: `owed` jobs are rows of `work`, others come by the clock."""

    FAN_OUT = "fan_out"  # key: post
    BACKFILL = "backfill"  # key: "follower:target"
    CLOSE_POLL = "close_poll"  # key: post
    PUBLISH = "publish"  # key: scheduled post
    TALLY = "tally"  # key: post whose poll has new numbers for other servers
    MAIL = "mail"  # key: mail
    PUSH = "push"  # key: "notification:subscription"
    MEDIA = "media"  # key: media
    ERASE = "erase"  # key: account
    FEDERATE = "federate"  # key: account whose events become letters, 0 for the server itself
    CHECK_LINKS = "check_links"  # key: account whose profile names pages
    CARD = "card"  # key: page that posts link to
    RESOLVE = "resolve"  # key: uri of a post or account that is worth having
    REFRESH = "refresh"  # key: account elsewhere that is to be read anew
    CONSENT = "consent"  # key: post elsewhere that says that who is quoted in it has agreed
    SYNCHRONISE = "synchronise"  # key: account elsewhere and the address of its list of us
    RULES = "rules"  # key: domain whose accounts are to be brought in line with the rules, "*" for all
    MOVE = "move"  # key: "old:new", an account and where it has moved to
    HIDE_DOMAIN = "hide_domain"  # key: "account:domain" that the account hides
    SEVER = "sever"  # key: account elsewhere that was put away
    ANNOUNCE = "announce"  # key: announcement that came, changed or went
    RECEIVE = "receive"
    DELIVER = "deliver"
    SWEEP = "sweep"
    EXPIRE_MUTES = "expire_mutes"
    STATISTICS = "statistics"
    UPKEEP = "upkeep"
    TRENDS = "trends"
    TRIM = "trim"
    ORPHANS = "orphans"

    @property
    def queue(self) -> str:
        """Where its messages wait."""
        return _QUEUE_OF[self]

    @property
    def owed(self) -> bool:
        """True when it is a row with a key, false when it comes by the clock."""
        return self not in _BY_THE_CLOCK

    @property
    def seconds(self) -> int:
        """How long it may take; after that it is ended and counts as failed."""
        return _SECONDS.get(self, 60)


_QUEUE_OF = {
    Job.FAN_OUT: "local",
    Job.BACKFILL: "local",
    Job.CLOSE_POLL: "local",
    Job.PUBLISH: "local",
    Job.ANNOUNCE: "local",
    Job.TALLY: "deliver",
    Job.SWEEP: "local",
    Job.RECEIVE: "inbox",
    Job.FEDERATE: "deliver",
    Job.DELIVER: "deliver",
    Job.MAIL: "deliver",
    Job.PUSH: "deliver",
    Job.CHECK_LINKS: "fetch",
    Job.CARD: "fetch",
    Job.RESOLVE: "fetch",
    Job.REFRESH: "fetch",
    Job.CONSENT: "fetch",
    Job.SYNCHRONISE: "fetch",
    Job.MEDIA: "media",
    Job.TRIM: "maintenance",
    Job.ORPHANS: "maintenance",
    Job.ERASE: "maintenance",
    Job.RULES: "maintenance",
    Job.SEVER: "maintenance",
    Job.HIDE_DOMAIN: "maintenance",
    Job.MOVE: "maintenance",
    Job.EXPIRE_MUTES: "maintenance",
    Job.STATISTICS: "maintenance",
    Job.UPKEEP: "maintenance",
    Job.TRENDS: "maintenance",
}
_BY_THE_CLOCK = frozenset(
    {
        *(Job.SWEEP, Job.EXPIRE_MUTES, Job.STATISTICS, Job.UPKEEP, Job.TRENDS, Job.TRIM, Job.ORPHANS),
        *(Job.RECEIVE, Job.DELIVER),
    }
)
_SECONDS = {
    Job.RECEIVE: 900,
    Job.DELIVER: 120,
    Job.MEDIA: 600,
    Job.STATISTICS: 3600,
    Job.UPKEEP: 900,
    Job.TRENDS: 600,
    Job.TRIM: 3600,
    Job.ORPHANS: 3600,
    Job.ERASE: 600,
    Job.RULES: 900,
    Job.SEVER: 600,
    Job.HIDE_DOMAIN: 600,
    Job.MOVE: 600,
}

IN_MEMORY = "memory://localhost"

# A message that nobody took in this time is void: the sweep has sent another by then, so that a long queue
# never fills up with repetitions.
LIFETIME = 60

# Jobs by the clock look themselves for what is due. Of many nudges within a moment (bells.REST) the first is
# sent, and the last at its end: under load there would be one for each letter, and each costs a millisecond.
_MOST_WAITING = 10_000
_PAUSE = 2.0
_SILENCE = 30.0
_BROKER_ERRORS = (KombuError, RedisError, OSError)

_Message = tuple["Job", tuple[int | str, ...], str]
_sender: "_Sender | None" = None
_bells: dict["Job", Bell] = {}


def make_app(config: Config) -> Celery:
    """The Celery application for this configuration: JSON only, no results, no remote control, no eta."""
    app = Celery("fediblog", set_as_current=False)
    app.conf.update(
        broker_url=config.redis.url.get_secret_value() or IN_MEMORY,
        broker_transport_options=_transport(config.embedded),
        broker_connection_timeout=2,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_publish_retry=False,
        task_queues={name: {"exchange": "", "routing_key": name} for name in QUEUES},
        task_default_queue=QUEUES[-1],
        task_create_missing_queues=False,
        task_acks_late=False,
        # Concerns late acknowledgement alone; left out, Celery warns at each loss of the connection.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_disable_rate_limits=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        beat_max_loop_interval=1,
        timezone="UTC",
        enable_utc=True,
    )
    return app


@contextmanager
def sending(config: Config) -> Iterator[Celery]:
    """The application of this process, and nudges that leave it, for the time of the block."""
    app = make_app(config)
    start(app)
    try:
        yield app
    finally:
        stop()


def start(app: Celery) -> None:
    """Start the thread that hands messages to the broker."""
    global _sender
    stop()
    _sender = _Sender(app)
    _sender.start()


def stop() -> None:
    """Hand over what waits, as far as the broker takes it, and end the thread. Without one: nothing."""
    global _sender
    sender, _sender = _sender, None
    if sender is not None:
        sender.close()


def nudge(job: Job, *args: int | str) -> None:
    """Say that a job has something to do, once the open transaction is committed.

    Never blocks, never raises. In a process that has started no sender (a command, a test) nothing is sent:
    the sweep of a running server finds the row.
    """
    request_id = logs.request_id()
    db.after_commit(lambda: _hand_over(job, args, request_id))


def reachable() -> bool:
    """False while the broker is known to be down."""
    return _sender is not None and time.monotonic() >= _sender.down_until


def send(app: Celery, job: Job, args: tuple[int | str, ...], request_id: str) -> None:
    """Give one message to the broker and wait for that. Raises the broker's errors."""
    app.send_task(
        job.value,
        args,
        queue=job.queue,
        headers={"request_id": request_id},
        expires=LIFETIME,
        ignore_result=True,
        retry=False,
    )


def hang(job: Job, bell: Bell) -> None:
    """Have nudges for a job ring here first: they become messages only when nobody here is at it."""
    _bells[job] = bell


def _hand_over(job: Job, args: tuple[int | str, ...], request_id: str) -> None:
    bell = _bells.get(job)
    if bell is None or not bell.ring(lambda: _offer(job, args, request_id)):
        _offer(job, args, request_id)


def _offer(job: Job, args: tuple[int | str, ...], request_id: str) -> None:
    if _sender is not None:
        _sender.offer((job, args, request_id))


class _Sender(threading.Thread):
    """Takes messages from the event loop's hands and gives them to the broker, at whatever pace that has."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="nudges", daemon=True)
        self._app = app
        self._waiting: queue.Queue[_Message | None] = queue.Queue(_MOST_WAITING)
        self._rests_until: dict[Job, float] = {}
        self._resting: dict[Job, _Message] = {}
        self._lost = 0
        self._silent_until = 0.0
        self.down_until = 0.0

    def offer(self, message: _Message) -> None:
        """Take a message without waiting; when there are too many it is dropped."""
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._lose("too many are waiting")

    def run(self) -> None:
        """Until `close`: one message after the other."""
        while (message := self._next()) is not None:
            self._send(message)
        for message in self._resting.values():
            self._send(message)

    def _next(self) -> _Message | None:
        """The next message that need not rest. None at the end."""
        while True:
            first = min(self._resting, key=self._rests_until.__getitem__, default=None)
            wait = None if first is None else self._rests_until[first] - time.monotonic()
            if first is not None and wait is not None and wait <= 0:
                return self._sent_now(self._resting.pop(first))
            try:
                message = self._waiting.get(timeout=wait)
            except queue.Empty:
                continue
            if message is None or message[0].owed:
                return message
            if self._rests_until.get(message[0], 0.0) <= time.monotonic():
                return self._sent_now(message)
            self._resting[message[0]] = message

    def _sent_now(self, message: _Message) -> _Message:
        self._rests_until[message[0]] = time.monotonic() + REST
        return message

    def _send(self, message: _Message) -> None:
        if time.monotonic() < self.down_until:
            self._lost += 1
            return
        try:
            send(self._app, *message)
        except _BROKER_ERRORS as error:
            # Without this pause every message would wait for a time-out of its own.
            self.down_until = time.monotonic() + _PAUSE
            self._lose(str(error) or type(error).__name__)

    def close(self) -> None:
        """End after what waits. A broker that hangs does not hold us up: the thread is a daemon."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self.join(timeout=2)

    def _lose(self, reason: str) -> None:
        self._lost += 1
        if time.monotonic() < self._silent_until:
            return
        self._silent_until = time.monotonic() + _SILENCE
        log.warning("nudges lost, the sweep will find the work", lost=self._lost, reason=reason)
        self._lost = 0


def _transport(embedded: bool) -> dict[str, Any]:
    if embedded:
        return {"polling_interval": 0.01}
    return {
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # The order of QUEUES is the order of urgency.
        "queue_order_strategy": "priority",
        "visibility_timeout": 600,
    }
