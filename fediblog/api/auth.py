"""Who asks: a bearer token becomes the viewer, and each route says which scope it needs.

A cookie never counts here. 401 makes apps log their people out, so it is only for tokens that do not hold;
a missing right is a 403 (CLIENT-API §3.6).
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from quart import g, request

from fediblog.errors import Forbidden, Invalid, Unauthenticated
from fediblog.models import Account, User
from fediblog.services import tokens
from fediblog.services.tokens import Bearer

P = ParamSpec("P")
R = TypeVar("R")

Route = Callable[P, Awaitable[R]]

# What a route says about its scope, so that its description can be held against it.
NEEDS, READS = "needs_scope", "reads_with_scope"


def viewer() -> Account | None:
    """The account that looks, None for nobody."""
    found = _bearer()
    return found.account if found else None


def account() -> Account:
    """The account that acts; only in routes with a scope."""
    found = viewer()
    if found is None:
        raise Unauthenticated("This method requires an authenticated user")
    return found


def user() -> User:
    """The one who is signed in; only in routes with a scope."""
    found = _bearer()
    if found is None or found.user is None:
        raise Unauthenticated("This method requires an authenticated user")
    return found.user


def bearer() -> Bearer:
    """The token itself; only in routes with a scope."""
    found = _bearer()
    if found is None:
        raise Unauthenticated("The access token is invalid")
    return found


async def identify() -> None:
    """Before every route: whose token was sent. Raises Unauthenticated for one that does not hold."""
    g.bearer = None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return
    g.bearer = await tokens.find(token.strip())
    if g.bearer is None:
        raise Unauthenticated("The access token is invalid")


def scope(needed: str) -> Callable[[Route[P, R]], Route[P, R]]:
    """The route is for a signed-in user whose token has this scope."""

    def decorate(route: Route[P, R]) -> Route[P, R]:
        @wraps(route)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            found = _bearer()
            if found is None:
                raise Unauthenticated("The access token is invalid")
            if not tokens.covers(found.scopes, needed):
                raise Forbidden("This action is outside the authorized scopes")
            if found.account is None:
                raise Invalid("This method requires an authenticated user")
            return await route(*args, **kwargs)

        setattr(guarded, NEEDS, needed)
        return guarded

    return decorate


def reads(needed: str) -> Callable[[Route[P, R]], Route[P, R]]:
    """The route is for everybody; a token that is shown must have this scope."""

    def decorate(route: Route[P, R]) -> Route[P, R]:
        @wraps(route)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            found = _bearer()
            if found is not None and found.account and not tokens.covers(found.scopes, needed):
                raise Forbidden("This action is outside the authorized scopes")
            return await route(*args, **kwargs)

        setattr(guarded, READS, needed)
        return guarded

    return decorate


def _bearer() -> Bearer | None:
    found: Bearer | None = g.get("bearer")
    return found
