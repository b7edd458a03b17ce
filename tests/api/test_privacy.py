"""What is one person's is nobody else's, through no route that is described (SECURITY §6).

Somebody has one of everything; another one, nobody and a moderator ask every route for it, by its ids and by
its words. tests/api/belongings.py says what there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from fediblog.description import book
from fediblog.description.route import Route
from fediblog.models import Account
from tests.api import belongings
from tests.api.belongings import EVERYTHING, Belongings
from tests.api.conftest import App, AppOf
from tests.harness.contents import contents
from tests.harness.fediverse import Fediverse
from tests.people import person

# A stream has no end; who hears what on it is told in test_streaming.py.
_ENDLESS = ("/api/v1/streaming", "/api/v1/streaming/{place}")
# Who is not let in at all.
_REFUSED = (401, 403)
# Says nothing of whether there was something, as in Mastodon.
_FOR_NOTHING = {"/api/v2/notifications/{group_key}/dismiss": (200,)}
# When one was last here.
_NOTED = ("used_at", "last_active_at")
_GETS = [route for route in book.ROUTES if route.method == "GET" and route.path not in _ENDLESS]


@pytest.fixture
async def hers(
    configure: Callable[..., Any], fediverse: Fediverse, alice: Account, app_of: AppOf
) -> Belongings:
    configure(limits__rate_limits=False)
    return await belongings.of(alice, app_of)


@pytest.fixture
async def others(hers: Belongings, bob: Account, app_of: AppOf) -> dict[str, App]:
    """Who asks, with tokens that may do everything."""
    mona = await person("mona", role="moderator")
    return {
        "another": await app_of(bob, EVERYTHING),
        "nobody": await app_of(),
        "moderator": await app_of(mona, EVERYTHING),
    }


async def test_what_is_ones_own_is_not_there_for_anybody_else(
    hers: Belongings, others: dict[str, App]
) -> None:
    before = await contents(columns=_NOTED)
    wrong = []
    for route in filter(hers.is_private, book.ROUTES):
        for path, (who, app) in product(hers.paths(route), others.items()):
            options = {} if route.method == "GET" else {"json": hers.form(route)}
            answer = await app.send(route.method, path, **options)
            told = _told(await answer.get_data(), hers.secrets)
            if told or answer.status_code not in (*_REFUSED, 404, *_FOR_NOTHING.get(route.path, ())):
                wrong.append((who, route.method, path, answer.status_code, told))

    assert wrong == []
    assert await contents(columns=_NOTED) == before


async def test_no_answer_tells_anybody_else_of_it(hers: Belongings, others: dict[str, App]) -> None:
    wrong = []
    for route, (who, app) in product(_GETS, others.items()):
        secrets = _secret(hers, who, route)
        for path, query in _asked(hers, route):
            answer = await app.send("GET", path, query_string=query)
            told = _told(await answer.get_data(), secrets)
            if told or answer.status_code >= 500:
                wrong.append((who, path, query, answer.status_code, told))
            if answer.status_code == 401 or (answer.status_code == 403 and "/admin/" in path):
                break  # Whatever is asked for: the route is not for them.

    assert wrong == []


async def test_no_form_gets_hold_of_it_and_its_owner_has_all_of_it_still(
    hers: Belongings, others: dict[str, App]
) -> None:
    """Somebody answers, quotes, reports, attaches, filters … by ids that are not theirs."""
    his = replace(hers, private=await _a_few(others["another"]))
    wrong, asked = [], 0
    for route in book.ROUTES:
        if hers.is_private(route) and not his.is_private(route):
            continue
        for form in hers.handed_in(route):
            answer = await others["another"].send(route.method, next(his.paths(route)), form=form)
            told = _told(await answer.get_data(), hers.secrets)
            asked += 1
            if told or answer.status_code >= 500:
                wrong.append((route.method, route.path, form, answer.status_code, told))

    assert asked > 100 and wrong == []
    for app in others.values():
        assert await _found(hers, app) == set()
    assert await _found(hers, hers.app) == hers.secrets


async def _found(hers: Belongings, app: App) -> set[str]:
    """What an app is told when it asks for everything, by the ids alone."""
    told: set[str] = set()
    for route in _GETS:
        for path in hers.paths(route):
            answer = await app.send("GET", path, query_string=next(hers.questions(route)))
            told |= _told(await answer.get_data(), hers.secrets)
    return told


async def _a_few(app: App) -> dict[str, list[str]]:
    """Things of one's own that others' can be put into."""
    words = {"title": "mine", "context": ["home"]}
    made = {
        "post_id": await app.post("/api/v1/statuses", json={"status": "mine"}),
        "list_id": await app.post("/api/v1/lists", json={"title": "mine"}),
        "filter_id": await app.post("/api/v2/filters", json=words),
    }
    return {name: [one["id"]] for name, one in made.items()}


def _asked(hers: Belongings, route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from product(hers.paths(route), hers.questions(route))


def _secret(hers: Belongings, who: str, route: Route) -> frozenset[str]:
    """The staff writes to people, so it knows their addresses."""
    knows = who == "moderator" and "/admin/" in route.path
    return hers.secrets if knows else hers.secrets | {hers.email}


def _told(body: bytes, secrets: frozenset[str]) -> set[str]:
    return {secret for secret in secrets if secret.encode() in body}
