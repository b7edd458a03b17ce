"""Everything that may go wrong, with a sentence fit for the outside and the status that a door answers.

    FediblogError                      500
    ├── Invalid                        422  what was sent breaks a rule; names the field
    │   └── Malformed                  400  what was sent cannot even be read
    ├── Unauthenticated                401  we do not know who asks
    ├── Forbidden                      403  we know, and the answer is no
    ├── NotFound                       404  not there, or not for this viewer: the same thing
    │   └── Gone                       410  was there and was deleted
    ├── Conflict                       409  somebody else was first
    ├── TooLarge                       413
    ├── Unsupported                    415
    ├── TooMany                        429  carries the seconds to wait
    ├── Unavailable                    503  a part of us is away; trying again is right
    └── NoSpace                        507  the disk is full

Services raise these; each door has one handler that turns them into its own words (ARCHITECTURE §6).
"""

from collections.abc import Mapping


class FediblogError(Exception):
    """The root of the tree. `message` is a sentence that a stranger may read."""

    http_status = 500
    default = "Something went wrong on our side."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default
        super().__init__(self.message)


class Invalid(FediblogError):
    """A rule is broken. `fields` maps the name of a form field to the sentence that stands beside it."""

    http_status = 422
    default = "That cannot be accepted."

    def __init__(
        self, message: str | None = None, field: str | None = None, fields: Mapping[str, str] | None = None
    ) -> None:
        self.fields = dict(fields or {})
        if field is not None:
            self.fields.setdefault(field, message or self.default)
        super().__init__(message or next(iter(self.fields.values()), None))


class Malformed(Invalid):
    """The request cannot be read at all."""

    http_status = 400
    default = "That could not be read."


class Unauthenticated(FediblogError):
    """No credentials, or ones that do not hold."""

    http_status = 401
    default = "Please sign in first."


class Forbidden(FediblogError):
    """Known, and not allowed."""

    http_status = 403
    default = "That is not allowed."


class NotFound(FediblogError):
    """Not there, or not visible to this viewer: nobody can tell the two apart (SECURITY §1.3)."""

    http_status = 404
    default = "Record not found"


class Gone(NotFound):
    """It was there and has been deleted."""

    http_status = 410
    default = "This has been deleted."


class Conflict(FediblogError):
    """A unique key is taken, or somebody else was first."""

    http_status = 409
    default = "That exists already."


class TooLarge(FediblogError):
    """A body or a file is over its limit."""

    http_status = 413
    default = "That is too large."


class Unsupported(FediblogError):
    """A media type that we do not take."""

    http_status = 415
    default = "That type of content is not supported."


class TooMany(FediblogError):
    """Too often. `retry_after` is in seconds."""

    http_status = 429
    default = "Too many requests. Please wait a little."

    def __init__(self, message: str | None = None, retry_after: int = 60) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Unavailable(FediblogError):
    """The database or another part is away. `retry_after` is in seconds."""

    http_status = 503
    default = "The server is busy. Please try again in a moment."

    def __init__(self, message: str | None = None, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NoSpace(FediblogError):
    """Nothing more can be stored."""

    http_status = 507
    default = "The server has no space left."
