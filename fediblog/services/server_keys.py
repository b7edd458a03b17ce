"""Key pairs of the server itself: made when they are first asked for, and then the same for ever."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import orjson

from fediblog import db, keys
from fediblog.config import settings
from fediblog.remembering import Lately, Together

# Seconds: nothing but a restored backup could make it another, and that restarts us.
_FOR_EVER = 3_600.0


class Pair(NamedTuple):
    """The public half as it is told, the private half in DER."""

    public: str
    private: bytes


class Kept:
    """The pair of this name in the settings. `make` takes a while: it runs off the loop."""

    def __init__(self, name: str, make: Callable[[], tuple[str, bytes]]) -> None:
        self._name = name
        self._make = make
        self._lately = Lately(_FOR_EVER, self._stored_or_made)
        self._making: Together[dict[str, str]] = Together()

    async def get(self) -> Pair:
        """The pair. Its private half is sealed at rest."""
        stored = await self._lately.get()
        return Pair(stored["public"], unsealed(b64decode(stored["private"]), settings().secret))

    async def _stored_or_made(self) -> dict[str, str]:
        return await self._stored() or await self._making.get(self._name, self._made)

    async def _stored(self) -> dict[str, str] | None:
        found = await db.value("SELECT value FROM setting WHERE name = $1", self._name)
        return None if found is None else orjson.loads(found)

    async def _made(self) -> dict[str, str]:
        public, private = await asyncio.to_thread(self._make)
        sealed = b64encode(keys.seal(settings().secret, private)).decode()
        async with db.transaction():
            # Of two processes that start at once the first one's stays.
            await db.execute(
                "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                *(self._name, db.json({"public": public, "private": sealed})),
            )
        stored = await self._stored()
        assert stored is not None
        return stored


@lru_cache(maxsize=4_096)
def unsealed(sealed: bytes, secret: bytes) -> bytes:
    """A private key out of its seal, kept open for the next time."""
    return keys.unseal(secret, sealed)
