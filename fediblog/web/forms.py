"""Forms as pages show them: what is filled in, and the sentence beside each field that was refused."""

from collections.abc import Mapping

from fediblog.errors import FediblogError, Invalid, TooMany, Unavailable
from fediblog.web.submitted import Form


class Filled:
    """A form with its values. After a fault these are what was typed, so that nothing is lost."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.faults: dict[str, str] = {}
        self.message = ""
        self.status = 200
        self.pause = 0  # Seconds, when it is only too early.

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def refuse(self, error: FediblogError) -> None:
        """Show what is wrong: at its fields, or above the form when it is about none of them."""
        faults = error.fields if isinstance(error, Invalid) else {}
        self.faults |= faults
        if not faults:
            self.message = error.message
        self.status = error.http_status if error.http_status != 401 else 422
        self.pause = error.retry_after if isinstance(error, TooMany | Unavailable) else 0


def typed(form: Form, *names: str) -> Filled:
    """The fields of a form that came in."""
    return Filled(**{name: form.text(name) for name in names})


def ticked(values: Mapping[str, bool]) -> dict[str, str]:
    """Boxes as `Filled` keeps them."""
    return {name: "1" if value else "" for name, value in values.items()}
