"""Every described route asks for its scope: without it nothing is told, and nothing happens (SECURITY §6).

Which scopes cover what stands here once more, in other words than in tokens.py.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from fediblog.description import book
from fediblog.description.route import Needs, Route
from fediblog.models import Account
from fediblog.services import tokens
from tests.api import belongings
from tests.api.belongings import EVERYTHING
from tests.api.conftest import App, AppOf
from tests.harness.contents import contents
from tests.people import person

pytestmark = pytest.mark.once

# The other address of the streams has in its path which one is asked for; this one does not know before that.
_ROUTES = [route for route in book.ROUTES if route.path != "/api/v1/streaming"]
_FOLLOWING = {f"{verb}:{noun}" for verb in ("read", "write") for noun in ("follows", "blocks", "mutes")}
# What any request may note: that somebody was here.
_NOTED = ("used_at", "last_active_at")


class Askers(NamedTuple):
    """Who shall not come in."""

    nobody: App
    ended: App  # Whose token has been revoked.
    program: App  # That is nobody's: its token is for what is public.
    weak: dict[str, App]  # By the one scope that each of them lacks, of somebody who may do everything.

    def refused(self, route: Route) -> Iterator[tuple[App, int]]:
        """Who asks a route, and what it has to say."""
        if route.path.startswith("/api/"):
            yield self.ended, 401
        if route.needs in (Needs.PERSON, Needs.BEARER):
            yield self.nobody, 401
        if route.needs is Needs.PERSON:
            yield self.program, 422
        if route.scope:
            yield self.weak[route.scope], 403


async def test_no_route_does_anything_without_its_scope(configure: Callable[..., Any], app_of: AppOf) -> None:
    configure(limits__rate_limits=False)
    chief = await person("chief", role="admin")
    hers = await belongings.of(chief, app_of)
    askers = await _askers(chief, app_of)
    before = await contents(columns=_NOTED)

    wrong, asked = [], 0
    for route in _ROUTES:
        path = next(hers.paths(route))
        options = {} if route.method == "GET" else {"json": hers.form(route)}
        for app, refusal in askers.refused(route):
            answer = await app.send(route.method, path, **options)
            asked += 1
            if answer.status_code != refusal:
                wrong.append((route.method, path, route.scope, answer.status_code, refusal))

    assert wrong == []
    assert asked > 3 * len([route for route in book.ROUTES if route.scope])
    assert await contents(columns=_NOTED) == before


def test_nothing_else_is_done_without_a_scope() -> None:
    """A route that is new has one, or is named here."""
    acting = {
        (route.method, route.path) for route in book.ROUTES if route.method != "GET" and not route.scope
    }

    assert acting == {
        ("POST", "/api/v1/apps"),
        ("POST", "/api/v1/accounts"),  # By the app's own token.
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
    }
    assert {route.needs for route in book.ROUTES if route.scope} == {Needs.PERSON, Needs.READS}


async def _askers(chief: Account, app_of: AppOf) -> Askers:
    nobody, ended, program = await app_of(), await app_of(chief, EVERYTHING), await app_of()
    await tokens.revoke(ended.token)
    client = {"client_name": "Bot", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": EVERYTHING}
    keys = await nobody.post("/api/v1/apps", json=client)
    wish = {**keys, "grant_type": "client_credentials", "scope": EVERYTHING}
    program.token = (await nobody.post("/oauth/token", json=wish))["access_token"]
    needed = sorted({route.scope for route in book.ROUTES} - {""})
    weak = {scope: await app_of(chief, " ".join(tokens.SCOPES - _opening(scope))) for scope in needed}
    return Askers(nobody, ended, program, weak)


def _opening(needed: str) -> set[str]:
    """All scopes with any of which one may do what needs this one."""
    found = {needed}
    if needed.count(":") == needed.startswith("admin:") + 1:
        found.add(needed.rpartition(":")[0])
    if needed in _FOLLOWING:
        found.add("follow")
    if needed == "profile":
        found |= {"read", "read:accounts"}
    return found
