"""What the staff gives to everybody: announcements and custom emoji."""

from typing import Any

from fediblog import db, ids, moments
from fediblog.models import Account
from tests.api.conftest import AppOf


async def announced(text: str, **columns: Any) -> int:
    """A row as the staff makes it."""
    now = moments.now()
    values = {"id": ids.new(), "text": text, "published_at": now, "updated_at": now, **columns}
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    async with db.transaction():
        await db.execute(
            f"INSERT INTO announcement ({', '.join(values)}) VALUES ({places})", *values.values()
        )
    return int(values["id"])


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
