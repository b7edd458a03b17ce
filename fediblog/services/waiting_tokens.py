"""Tokens that are given out at sign-up and open nothing yet, and those that never will.

Who signs up through an app gets a token at once. Somebody whose e-mail address is taken gets one as well, or
the answer would tell: it is nobody's, waits for a confirmation that cannot come, and ends when a sign-up
that is never confirmed would. It stands apart from real ones, so that nothing takes it for an app's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from fediblog.services import one_time


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who has signed up: the address has to be confirmed yet, or the staff to agree."""

    email: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Nobodys:
    """What is known of a token that never opens anything."""

    app_id: int
    scopes: frozenset[str]
    email: str


async def make(app_id: int, scopes: Iterable[str], email: str, seconds: int) -> str:
    """A fresh token of nobody. Inside a transaction."""
    detail = orjson.dumps([app_id, sorted(scopes), email]).decode()
    return await one_time.make(one_time.NOBODYS, None, seconds, detail)


async def find(token: str) -> Nobodys | None:
    """What is known of this token, when it is nobody's."""
    detail = await one_time.held(one_time.NOBODYS, token)
    if detail is None:
        return None
    app_id, scopes, email = orjson.loads(detail)
    return Nobodys(app_id, frozenset(scopes), email)


async def end(token: str) -> None:
    """It is known no longer. Inside a transaction."""
    await one_time.take(one_time.NOBODYS, token)
