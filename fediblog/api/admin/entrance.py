"""Who may come in here: a scope of the staff's, and a user who is of the staff at this moment."""

from collections.abc import Callable
from functools import wraps

from fediblog.api import auth
from fediblog.api.auth import P, R, Route
from fediblog.models import Role
from fediblog.services import members


def staff(needed: str, least: Role = Role.MODERATOR) -> Callable[[Route[P, R]], Route[P, R]]:
    """The route is for the staff, by tokens with this scope."""

    def decorate(route: Route[P, R]) -> Route[P, R]:
        @auth.scope(needed)
        @wraps(route)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            members.require_staff(auth.user(), least)
            return await route(*args, **kwargs)

        return guarded

    return decorate
