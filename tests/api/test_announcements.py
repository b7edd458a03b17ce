"""What the staff gives to everybody: announcements and custom emoji."""

from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account
from fediblog.services import announcements
from tests.api.conftest import AppOf
from tests.people import person, user_of
from tests.services.making import announced
from tests.services.newcomers import audited


async def test_announcements_are_those_that_hold_now_and_can_be_put_away(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    now = moments.now()
    number = await announced("We move on <b>Sunday</b>. #news", ends_at=now + moments.DAY)
    over = await announced("Over", ends_at=now - 1)
    draft = await announced("A draft", published_at=None)
    hers = await app_of(alice)
    (found,) = await hers.get("/api/v1/announcements")
    assert set(found) == set(
        """id content starts_at ends_at all_day published_at updated_at read mentions statuses tags emojis
        reactions""".split()
    )
    assert (found["id"], found["read"], found["reactions"]) == (str(number), False, [])
    assert "&lt;b&gt;" in found["content"] and [tag["name"] for tag in found["tags"]] == ["news"]
    for _ in range(2):
        assert await hers.post(f"/api/v1/announcements/{number}/dismiss") == {}
    assert [one["read"] for one in await hers.get("/api/v1/announcements")] == [True]
    assert [one["read"] for one in await (await app_of(bob)).get("/api/v1/announcements")] == [False]

    for unknown in (over, draft, 4711):
        await hers.post(f"/api/v1/announcements/{unknown}/dismiss", 404)
    await (await app_of()).get("/api/v1/announcements", 401)
    await (await app_of(alice, "read")).post(f"/api/v1/announcements/{number}/dismiss", 403)


async def test_reactions_are_counted_once_for_each_and_can_be_taken_back(
    app_of: AppOf, alice: Account, bob: Account, queries: Any
) -> None:
    number = await announcements.add(None, "We move")
    async with db.transaction():
        await db.execute(
            "INSERT INTO emoji (id, shortcode, domain, file, updated_at) VALUES (1, 'cat', '', 'ab.png', 0)"
        )
    hers, his = await app_of(alice), await app_of(bob)
    path = f"/api/v1/announcements/{number}/reactions"
    for _ in range(2):
        assert await hers.put(f"{path}/🎉") == {}
    await his.put(f"{path}/🎉")
    await his.put(f"{path}/cat")
    with queries() as sent:
        (found,) = await hers.get("/api/v1/announcements")
    assert len(sent.sql) - len(sent.writes) == 3  # The token, the list, the reactions.
    picture = "http://localhost:8000/media/ab.png"
    assert found["reactions"] == [
        {"name": "🎉", "count": 2, "me": True},
        {"name": "cat", "count": 1, "me": False, "url": picture, "static_url": picture},
    ]
    for _ in range(2):
        assert await hers.delete(f"{path}/🎉") == {}
    (found,) = await hers.get("/api/v1/announcements")
    first = found["reactions"][0]
    assert (first["name"], first["count"], first["me"]) == ("🎉", 1, False)


async def test_reactions_that_are_refused(app_of: AppOf, alice: Account, bob: Account) -> None:
    number = await announcements.add(None, "We move")
    draft = await announced("A draft", published_at=None)
    hers = await app_of(alice)
    path = f"/api/v1/announcements/{number}/reactions"
    for name in ("hello", "nocat", "%F0%9F%8E%89%F0%9F%8E%89", "%C3%A4"):
        await hers.put(f"{path}/{name}", 422)
    for unknown in (draft, 4711):
        for method in (hers.put, hers.delete):
            await method(f"/api/v1/announcements/{unknown}/reactions/🎉", 404)
    for emoji in "🍇🍈🍉🍊🍋🍌🍍🥭":
        await hers.put(f"{path}/{emoji}")
    await hers.put(f"{path}/🎉", 422)
    await (await app_of(bob)).put(f"{path}/🍇")
    without = await app_of(bob, "read write:accounts")
    await without.put(f"{path}/🍇", 403)
    await without.delete(f"{path}/🍇", 403)
    await (await app_of()).put(f"{path}/🍇", 401)


async def test_what_is_withdrawn_is_shown_to_nobody_until_it_is_published_again(
    app_of: AppOf, alice: Account
) -> None:
    hers = await app_of(alice)
    number = await announcements.add(None, "We move")
    await announcements.unpublish(None, number)
    assert await hers.get("/api/v1/announcements") == []
    await announcements.publish(None, number)
    assert [one["id"] for one in await hers.get("/api/v1/announcements")] == [str(number)]
    await announcements.remove(None, number)
    assert await hers.get("/api/v1/announcements") == []
    with pytest.raises(NotFound):
        await announcements.publish(None, number)
    verbs = ("add", "unpublish", "publish", "remove")
    assert await audited() == [f"announcement.{verb}" for verb in verbs]


async def test_only_admins_announce_and_not_everything(alice: Account) -> None:
    mona = await user_of(await person("mona", role="moderator"))
    for by in (await user_of(alice), mona):
        with pytest.raises(Forbidden):
            await announcements.add(by, "We move")
    now = moments.now()
    for words, start, end in (("", None, None), ("x" * 5001, None, None), ("We move", now, now - 1)):
        with pytest.raises(Invalid):
            await announcements.add(None, words, start, end)
    assert await announcements.kept() == []


async def test_custom_emoji_are_those_of_this_server_that_are_switched_on(app_of: AppOf) -> None:
    rows = [
        ("blobcat", "", "ab.png", "cats", True, False),
        ("hushed", "", "cd.png", "", False, False),
        ("off", "", "ef.png", "", True, True),
        ("far", "far.example", "gh.png", "", True, False),
    ]
    async with db.transaction():
        for row in rows:
            await db.execute(
                "INSERT INTO emoji (id, shortcode, domain, file, category, listed, disabled, updated_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
                *(ids.new(), *row),
            )
    hushed, cat = await (await app_of()).get("/api/v1/custom_emojis")
    assert cat == {
        "shortcode": "blobcat",
        "url": "http://localhost:8000/media/ab.png",
        "static_url": "http://localhost:8000/media/ab.png",
        "visible_in_picker": True,
        "category": "cats",
    }
    assert (hushed["shortcode"], hushed["visible_in_picker"], hushed["category"]) == ("hushed", False, None)
