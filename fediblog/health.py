"""`/livez` and `/readyz`: does the process answer, can it be useful? Neither tells a secret (R16)."""

import asyncio
from collections.abc import Callable

from quart import Blueprint, Quart, current_app, jsonify
from quart.typing import ResponseReturnValue

from fediblog import db, schema
from fediblog.errors import FediblogError

blueprint = Blueprint("health", __name__)

_KEY = "fediblog.health"
_PATIENCE = 1.0


class Health:
    """What a process knows of itself."""

    def __init__(self) -> None:
        self.draining = False
        self._at_drain: list[Callable[[], None]] = []
        # Once at head it stays there: the code that runs does not change.
        self._at_head = False

    def drain(self) -> None:
        """We are about to stop: nobody should come any more, and what does not end by itself is ended."""
        self.draining = True
        for callback in self._at_drain:
            callback()

    def at_drain(self, callback: Callable[[], None]) -> None:
        """Have this called at the begin of the end."""
        self._at_drain.append(callback)

    async def trouble(self) -> str:
        """Why this process should get no requests now; empty when it should."""
        if self.draining:
            return "stopping"
        try:
            async with asyncio.timeout(_PATIENCE):
                await db.value("SELECT 1")
                self._at_head = self._at_head or not await schema.pending()
        except (FediblogError, TimeoutError):
            return "the database does not answer"
        return "" if self._at_head else "the database is behind this version"


def install(app: Quart) -> Health:
    """Give an application the two addresses. Returns what the process has to tell it: `draining`."""
    health = Health()
    app.extensions[_KEY] = health
    app.register_blueprint(blueprint)
    return health


def of(app: Quart) -> Health:
    """The health of an application."""
    health = app.extensions[_KEY]
    assert isinstance(health, Health)
    return health


@blueprint.get("/livez")
async def live() -> ResponseReturnValue:
    """The event loop answers: nothing more is asked here, so that a slow database gets nobody killed."""
    return _answer("")


@blueprint.get("/health")
async def healthy() -> ResponseReturnValue:
    """The same as `/readyz`, in the one word that Mastodon's programs look for."""
    trouble = await of(current_app).trouble()
    kind = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return trouble or "OK", 503 if trouble else 200, kind


@blueprint.get("/readyz")
async def ready() -> ResponseReturnValue:
    """200 when requests may come, 503 with the reason when not."""
    return _answer(await of(current_app).trouble())


def _answer(trouble: str) -> ResponseReturnValue:
    response = jsonify({"status": trouble or "ok"})
    response.status_code = 503 if trouble else 200
    response.headers["Cache-Control"] = "no-store"
    return response
