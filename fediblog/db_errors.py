"""What the drivers of the databases complain of, as errors of ours."""

import sqlite3
from collections.abc import Callable
from typing import Any

import asyncpg
from tortoise.exceptions import BaseORMException, DBConnectionError, DoesNotExist, IntegrityError

from fediblog import reserve
from fediblog.errors import Conflict, FediblogError, Malformed, NoSpace, NotFound, Unavailable


class translated:  # noqa: N801 - it reads as a word where it is used
    """Driver errors inside the block come out as ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        ours = translate(error)
        if ours is not None:
            raise ours from error
        if _is_misplaced(error):
            error.add_note(_MISPLACED)


# SQLite alone can tell, since on PostgreSQL one pool reads and writes. The tests run on both.
_MISPLACED = (
    "Writes belong into `async with db.transaction():`. Outside of one, plain SQL and what begins with"
    " `Model.all()` go to the connection that only reads."
)


def _is_misplaced(error: BaseException) -> bool:
    cause = _cause(error)
    is_refused = isinstance(cause, sqlite3.OperationalError)
    return is_refused and getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY


def _cause(error: BaseException) -> Any:
    """The driver's error, which the ORM wraps."""
    return error.args[0] if isinstance(error, BaseORMException) and error.args else error


def translate(error: BaseException) -> FediblogError | None:
    """Our error for one of the drivers', or None when it is not about the database's state.

    A broken statement of ours stays what it is: hiding it as "busy" would hide a fault.
    """
    if isinstance(error, IntegrityError):
        return Conflict()
    if isinstance(error, DoesNotExist):
        # Somebody else was quicker to delete what this transaction was about.
        return NotFound()
    cause = _cause(error)
    if isinstance(cause, sqlite3.OperationalError):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, lambda: None)()
    if isinstance(cause, asyncpg.DiskFullError):
        return NoSpace()
    if isinstance(error, DBConnectionError) or isinstance(cause, _AWAY):
        return Unavailable()
    return _translate_value(cause)


_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # What the next statement gets on a connection that has just been cut.
    ConnectionError,
)


def _full() -> NoSpace:
    reserve.give_up()
    return NoSpace()


# A quota that is used up comes as an I/O error.
_SQLITE: dict[int, Callable[[], FediblogError]] = {
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_IOERR: _full,
    sqlite3.SQLITE_BUSY: Unavailable,
    sqlite3.SQLITE_LOCKED: Unavailable,
}


def _translate_value(error: object) -> FediblogError | None:
    """What no column can hold came from outside: no row has such a number, and such a text is none."""
    cause = error.__cause__ if isinstance(error, asyncpg.DataError) and error.__cause__ else error
    if isinstance(cause, OverflowError):
        return NotFound()
    if isinstance(cause, UnicodeEncodeError | _NUL):
        return Malformed()
    return None


# PostgreSQL stores no NUL, in text or in JSON.
_NUL = asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError
