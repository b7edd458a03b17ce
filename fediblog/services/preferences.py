"""How somebody likes to read and write: theme, language, what a new post starts with.

Which mails somebody wants is in `mail` (kinds, set_kinds).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fediblog import db
from fediblog.errors import Invalid
from fediblog.models import User, Visibility
from fediblog.services import languages
from fediblog.services.quotable import CHOICES

THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody wants to change. None means: as it is."""

    theme: str | None = None
    locale: str | None = None
    default_visibility: int | None = None
    default_sensitive: bool | None = None
    default_language: str | None = None  # Empty: not said.
    default_quote_policy: int | None = None


async def edit(user: User, draft: Preferences) -> User:
    """Change what is given; the user as it is afterwards. Raises Invalid with every fault."""
    check(draft)
    given = {name: value for name, value in asdict(draft).items() if value is not None}
    async with db.transaction():
        if given:
            await User.filter(id=user.id).update(**given)
        return await User.get(id=user.id)


def check(draft: Preferences) -> None:
    """Raises Invalid with every fault."""
    faults = {name: fault for name, fault in _faults(draft) if fault}
    if faults:
        raise Invalid(fields=faults)


def _faults(draft: Preferences) -> Iterable[tuple[str, str | None]]:
    if draft.theme is not None and draft.theme not in THEMES:
        yield "theme", "There is no such theme."
    if draft.locale is not None:
        yield "locale", languages.fault(draft.locale)
    if draft.default_language:
        yield "default_language", languages.fault(draft.default_language)
    if draft.default_quote_policy is not None and draft.default_quote_policy not in CHOICES.values():
        yield "default_quote_policy", "Choose everybody, followers or nobody."
    # Who writes to single people says so each time: as a default it would only surprise.
    if draft.default_visibility is not None and draft.default_visibility not in (
        Visibility.PUBLIC,
        Visibility.UNLISTED,
        Visibility.FOLLOWERS,
    ):
        yield "default_visibility", "Choose public, unlisted or followers."
