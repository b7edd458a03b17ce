"""What goes wrong outside: another server, the way there, or an address that we do not go to.

    FediblogError
    └── Outside                 422  never raised itself; catch it for "that could not be had"
        ├── Refused             422  we will not contact that: scheme, port, name, address
        ├── TooMuch             422  a budget is used up: bytes, redirects
        ├── Unwelcome           422  it answered, and the answer is of no use; carries its status
        └── Unreachable         503  name, connection, certificate, time: trying again later is right
            └── HungUp          a connection kept from before was closed under the request

Whoever asked us has done nothing wrong, and a status of 500 would make other servers repeat for days what
will never work (SECURITY §1.5): so 422 for what stays as it is, and 503 only for what may pass.

Each has two faces. `message` is a fixed sentence for strangers: it tells nothing about the target, and no
word of another server ever gets into it. `reason` is one word of ours out of a short list, fit for counters,
logs and the author's list of deliveries.
"""

from fediblog.errors import FediblogError


class Outside(FediblogError):
    """Something outside was not to be had."""

    http_status = 422
    default = "Another server could not be asked."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Refused(Outside):
    """We do not contact that address, whoever asks."""

    default = "That address cannot be asked."


class TooMuch(Outside):
    """The answer is over its budget."""

    default = "The other server sends more than can be accepted."


class Unwelcome(Outside):
    """It answered with something else than what was asked for.

    `status` is the status of the answer, `wait` its Retry-After in seconds where there was one.
    """

    default = "The other server gave no answer that could be used."

    def __init__(self, reason: str, status: int, wait: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.wait = wait


class Unreachable(Outside):
    """No answer, and no verdict either. `retry_after` is in seconds, for our own visitor."""

    http_status = 503
    default = "The other server could not be reached. Please try again later."
    retry_after = 60


class HungUp(Unreachable):
    """Peers close idle connections at will; this time the request crossed the close (RFC 9112 §9.3.1)."""
