"""A real server is asked whatever the OpenAPI document allows, and what it does not allow.

`make fuzz` sends very many requests, other ones each time; here it is a small number, always the same ones.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import DATABASE
from tests.harness import generated
from tests.harness.site import App, Site

pytestmark = pytest.mark.once

_WANTED = int(os.environ.get("FEDIBLOG_GENERATED_REQUESTS", "0"))
_USUALLY = 200
# What is there of each sort, so that deleting some of it leaves something.
_OF_EACH = 5


@pytest.fixture
def big(install: Callable[..., Site], request: pytest.FixtureRequest) -> Site:
    """A site on the database of the suite."""
    if DATABASE == "sqlite":
        return install()
    return install(database__url=request.getfixturevalue("empty_database"))


@pytest.mark.timeout(_WANTED + 240)
async def test_whatever_is_asked_the_answer_is_as_described(big: Site) -> None:
    await big.run(log__level="warning")
    alice, bob = await big.person("alice"), await big.person("bob")
    pool = await _pool(alice, bob)

    asker = generated.Asker(big.url, (alice.token, alice.token, bob.token, ""), pool, not _WANTED)
    await asyncio.to_thread(asker.ask, _WANTED or _USUALLY)

    print(f"{asker.sent} requests, answered with {dict(sorted(asker.statuses.items()))}")
    assert not asker.found, "\n\n".join(generated.told(asker.found))
    assert "request failed" not in big.output()


async def _pool(alice: App, bob: App) -> dict[str, list[str]]:
    """Things that are there, and their ids by the names of parameters."""
    await alice.post(f"/api/v1/accounts/{bob.account_id}/follow")
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")
    made: dict[str, list[str]] = {}
    for number in range(_OF_EACH):
        for name, one in (await _things(alice, bob, number)).items():
            made.setdefault(name, []).append(one["id"])
    notices = [one["id"] for one in await alice.get("/api/v1/notifications")]
    people = [alice.account_id, bob.account_id]
    polls = made["poll_id"]
    posts = made.pop("posts")
    return {
        **made,
        "notification_id": notices,
        "account_id": people,
        "account_ids": people,
        "post_id": posts + polls,
        "status_id": posts,
        "in_reply_to_id": posts,
        "max_id": posts + notices,
        "min_id": posts + notices,
        "since_id": posts + notices,
        "id": posts + people + notices,
        "last_read_id": posts + notices,
    }


async def _things(alice: App, bob: App, number: int) -> dict[str, Any]:
    """One of each sort."""
    mine = await alice.write(f"#word{number} of mine", visibility="public" if number else "private")
    await bob.post(f"/api/v1/statuses/{mine['id']}/favourite")
    poll = {"options": ["one", "two"], "expires_in": 3600}
    words = {"title": f"Filter {number}", "context": ["home"], "keywords_attributes": [{"keyword": "word"}]}
    filtered = await alice.post("/api/v2/filters", json=words)
    marked = await alice.post(f"/api/v2/filters/{filtered['id']}/statuses", json={"status_id": mine["id"]})
    await bob.write("@alice a secret", visibility="direct")
    return {
        "posts": mine,
        "poll_id": await bob.write("Which?", poll=poll),
        "filter_id": filtered,
        "keyword_id": filtered["keywords"][0],
        "marked_id": marked,
        "list_id": await alice.post("/api/v1/lists", json={"title": f"List {number}"}),
        "featured_id": await alice.post("/api/v1/featured_tags", json={"name": f"word{number}"}),
        "conversation_id": (await alice.get("/api/v1/conversations"))[0],
        "scheduled_id": await alice.write("later", scheduled_at=f"203{number}-01-01T00:00:00Z"),
    }
