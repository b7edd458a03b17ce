"""Who asks: a bearer token becomes the viewer, and each route says which scope it needs.

A cookie never counts here. 401 makes apps log their people out, so it is only for tokens that do not hold;
a missing right is a 403 (CLIENT-API §3.6).
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from quart import g, request

from fediblog import allowances, moments
from fediblog.allowances import Allowance, Budget
from fediblog.api import dressing
from fediblog.config import settings
from fediblog.errors import Forbidden, Invalid, TooMany, Unauthenticated
from fediblog.models import Account, User
from fediblog.services import settings as site
from fediblog.services import throttle, tokens
from fediblog.services.tokens import Bearer
from fediblog.services.waiting_tokens import Pending

P = ParamSpec("P")
R = TypeVar("R")

Route = Callable[P, Awaitable[R]]

# What a route says about its scope, so that its description can be held against it.
NEEDS, READS = "needs_scope", "reads_with_scope"

# The numbers that Mastodon documents (CLIENT-API §3.9).
_ASKING = Budget("api", 300, 300)
_DELETING = Budget("api deletions", 30, 1_800)


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


def pending() -> Pending | None:
    """Who shows a token and is not let in yet; only in routes with a scope that say `waiting`."""
    return bearer().pending


def bearer() -> Bearer:
    """The token itself; only in routes with a scope."""
    found = _bearer()
    if found is None:
        raise Unauthenticated("The access token is invalid")
    return found


def token() -> str | None:
    """The token as it was sent, None when none was."""
    return token_in(request.headers.get("Authorization", ""))


def token_in(header: str) -> str | None:
    """The same of the value of an `Authorization` header (RFC 6750 §2.1)."""
    scheme, _, found = header.partition(" ")
    return found.strip() if scheme.lower() == "bearer" else None


async def identify() -> None:
    """Before every route: whose token was sent, and whether they may go on asking.

    Raises Unauthenticated for a token that does not hold, TooMany for who has asked too often.
    """
    sent = token()
    g.bearer = found = None if sent is None else await tokens.find(sent)
    spend(_ASKING, _caller(found, request.remote_addr))
    if found is None and sent is not None:
        raise Unauthenticated("The access token is invalid")


async def members_only() -> None:
    """For what strangers may not read where the site says so. Raises Unauthenticated, Forbidden."""
    found = _bearer()
    if (found is None or found.account is None) and (await site.get()).members_only:
        if found is not None and found.pending is not None:
            raise not_yet(found.pending)
        raise Unauthenticated("This method requires an authenticated user")


def spend(budget: Budget, caller: str) -> None:
    """Count once, and let the answer say what is left. Raises TooMany."""
    if not settings().limits.rate_limits:
        return
    left = allowances.take(budget, caller)
    cast(dict[str, Any], request.scope)[dressing.ALLOWANCE] = left
    _require(left)


def connects(found: Bearer | None, address: str | None) -> None:
    """The same for a WebSocket, which is one request more of whoever opens it. Raises TooMany."""
    if settings().limits.rate_limits:
        _require(allowances.take(_ASKING, _caller(found, address)))


def _caller(found: Bearer | None, address: str | None) -> str:
    """Who shows what is no token is a stranger at an address: that is how tokens are guessed."""
    return str(found.account.id) if found and found.account else throttle.network(address or "")


def _require(left: Allowance) -> None:
    if left.left < 0:
        wait = max(1, -(-(left.until - moments.now()) // moments.SECOND))
        raise TooMany("Too many requests", retry_after=wait)


def deleting(route: Route[P, R]) -> Route[P, R]:
    """The route takes something back for good, which Mastodon allows more seldom."""

    @wraps(route)
    async def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        spend(_DELETING, str(account().id))
        return await route(*args, **kwargs)

    return counted


def not_yet(pending: Pending) -> Forbidden:
    """In Mastodon's words: apps show them, and some wait for them to end."""
    if pending.confirmed:
        return Forbidden("Your login is currently pending approval")
    return Forbidden("Your login is missing a confirmed e-mail address")


def network() -> str:
    """Where the request comes from, as far as limits tell places apart."""
    return throttle.network(request.remote_addr or "")


def scope(needed: str, waiting: bool = False) -> Callable[[Route[P, R]], Route[P, R]]:
    """The route is for a signed-in user whose token has this scope.

    With `waiting` also for who has signed up and is not let in yet: such a route asks `pending`.
    """

    def decorate(route: Route[P, R]) -> Route[P, R]:
        @wraps(route)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            found = _bearer()
            if found is None:
                raise Unauthenticated("The access token is invalid")
            if not tokens.covers(found.scopes, needed):
                raise Forbidden("This action is outside the authorized scopes")
            if found.pending is not None and not waiting:
                raise not_yet(found.pending)
            if found.account is None and found.pending is None:
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
            of_somebody = found is not None and (found.account or found.pending)
            if found is not None and of_somebody and not tokens.covers(found.scopes, needed):
                raise Forbidden("This action is outside the authorized scopes")
            return await route(*args, **kwargs)

        setattr(guarded, READS, needed)
        return guarded

    return decorate


def _bearer() -> Bearer | None:
    found: Bearer | None = g.get("bearer")
    return found
