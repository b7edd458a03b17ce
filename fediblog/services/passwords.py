"""Passwords: which are good enough, and hashing them without holding up everybody else.

argon2id takes some 30 ms of one core on purpose, so it runs in threads, two at a time per event loop: twenty
people who sign in at once wait for each other and nobody else waits for them.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from weakref import WeakKeyDictionary

from fediblog import keys

SHORTEST = 8
LONGEST = 1024

_AT_ONCE = 2
# One for each loop, because a semaphore belongs to the loop that first waited for it.
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def fault(password: str, *known: str) -> str | None:
    """Why this password is refused, or None. `known` are words of the person that must not be it."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password can have {LONGEST} characters at most."
    folded = _prepared(password).casefold()
    if folded in common() or folded.rstrip("!?.#*$") in common() or len(set(folded)) < 3:
        return "This password is one of the first that anybody would try. Please choose another one."
    if folded in _forbidden(known):
        return "The password must not be your name or your e-mail address."
    return None


@asynccontextmanager
async def place() -> AsyncIterator[None]:
    """Wait for one of the places where hashing is done."""
    loop = asyncio.get_running_loop()
    async with _places.setdefault(loop, asyncio.Semaphore(_AT_ONCE)):
        yield


async def hash_new(password: str) -> str:
    """The hash to store."""
    async with place():
        return await asyncio.to_thread(keys.hash_password, _prepared(password))


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; call it in a `place()`.

    Without a hash, for somebody who does not exist, the answer takes as long and is no.
    """
    return await asyncio.to_thread(_matches, stored, password)


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with weaker figures than today's."""
    return keys.password_needs_rehash(stored)


@lru_cache(1)
def common() -> frozenset[str]:
    """The passwords that are tried first, in lower case."""
    text = (files("fediblog.services") / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def _matches(stored: str | None, password: str) -> bool:
    fits = len(password) <= LONGEST
    found = keys.check_password(stored or keys.dummy_hash(), _prepared(password if fits else ""))
    return found and fits and stored is not None


def _prepared(password: str) -> str:
    """The same text whatever keyboard and system it was typed on (NIST SP 800-63B §5.1.1.2)."""
    normal = unicodedata.normalize("NFKC", password)
    return normal.encode("utf-8", "replace").decode()


def _forbidden(known: tuple[str, ...]) -> set[str]:
    words = {word.casefold() for word in known if word}
    return words | {word.split("@")[0] for word in words}
