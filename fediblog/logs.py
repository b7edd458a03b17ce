"""What is printed: structlog to stdout, one line for each event, as text for people or as JSON for machines.

The standard library's loggers (hypercorn, celery, tortoise) come out the same way. Every line carries what is
bound to its context: the id of the request or of the piece of work, which travels from a request into the
tasks it caused. Nothing that opens a door is ever printed: values of telling names and secrets inside texts
are blotted out here, whoever logs them (SECURITY §8).
"""

import logging
import re
import secrets
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from fediblog.config import Log

BLOT = "[redacted]"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_TELLING = frozenset(
    {
        "password", "passwd", "passphrase", "token", "tokens", "cookie", "cookies", "authorization",
        "secret", "secrets", "code", "codes", "signature", "credential", "credentials", "session", "csrf",
        "otp",
    }
)  # fmt: skip
_TELLING_NAMES = frozenset({"secret_key", "private_key", "api_key", "apikey"})
# Names that hold one of the words above and are harmless.
_HARMLESS = frozenset({"status_code", "exit_code", "token_id", "session_id", "language_code"})

_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")
_SECRETS_IN_TEXT = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{6,}=*"), r"\1 " + BLOT),
    (re.compile(r"(://[^/\s:@]*:)[^@/\s]+@"), r"\1" + BLOT + "@"),
    (
        re.compile(r"(?i)\b((?:[a-z]+_)?(?:password|token|secret|code|cookie|authorization))=[^\s&;,'\")]+"),
        r"\1=" + BLOT,
    ),
    # PostgreSQL repeats the values of a refused row in this line of its message.
    (re.compile(r"(?m)^DETAIL:.*$"), "DETAIL: " + BLOT),
)

# Their own lines below "warning" hold statements with their parameters, or say nothing worth a line.
_QUIET = (
    "tortoise",
    "aiosqlite",
    "asyncio",
    "amqp",
    "kombu",
    "httpx",
    "httpcore",
    "PIL",
    "celery.worker.strategy",
    "celery.worker.request",
    "celery.app.trace",
    "celery.beat",
)


def set_up(settings: Log, stream: TextIO | None = None) -> None:
    """Send all log lines to `stream` (stdout) in the form that the configuration asks for."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    common = _common()
    last = _as_json if settings.format == "json" else _Console(stream)
    structlog.configure(
        processors=[*common, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = _Stdout() if stream is None else logging.StreamHandler(stream)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[remove, last],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def request_id_from(given: str | None) -> str:
    """The id that a client sent when it is 1 to 64 of `A-Za-z0-9._-`, a fresh one for everything else."""
    return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def request_id() -> str:
    """The id of the request that this code runs for, empty outside of any."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The processor that blots out secrets: by the name of a value, and by their look inside a text."""
    return {name: _clean(name, value) for name, value in event.items()}


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        redact,
    ]


def _clean(name: str, value: Any) -> Any:
    if _telling(name):
        return BLOT if value not in (None, "", False) else value
    if isinstance(value, str):
        for pattern, blotted in _SECRETS_IN_TEXT:
            value = pattern.sub(blotted, value)
        return value
    if isinstance(value, Mapping):
        return {key: _clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", inner) for inner in value]
    return value


def _telling(name: str) -> bool:
    lower = name.lower()
    if lower in _HARMLESS or name.startswith("_"):
        return False
    return lower in _TELLING_NAMES or any(word.lower() in _TELLING for word in _WORDS.split(name))


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Console:
    """Lines for people, in colours when somebody looks."""

    def __init__(self, stream: TextIO | None) -> None:
        colours = (stream or sys.stdout).isatty()
        self._render = structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="ts", pad_event_to=0)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        # Taken out first: the renderer would print local variables beside the frames.
        trace = event.pop("exception", None)
        line = self._render(logger, method, event)
        return f"{line}\n{trace}" if trace else line


class _Stdout(logging.StreamHandler[TextIO]):
    """Writes to whatever stdout is at the moment of writing."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        self.stream = sys.stdout
        super().emit(record)
