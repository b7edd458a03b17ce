"""What many talk about, through the API and on the site."""

import pytest

from fediblog import db
from fediblog.models import Account
from fediblog.services import likes, posts, settings, trending, trends
from fediblog.services.composing import Draft
from fediblog.services.trending import Kind
from tests.api.conftest import AppOf
from tests.people import person


@pytest.fixture
async def talk(database: None) -> int:
    """Three people use one hashtag and like the same post; all of it may be shown."""
    crowd = [await person(f"person{number}") for number in range(trending.FEW)]
    made = [await posts.publish(one, Draft("#Ours")) for one in crowd]
    for one in crowd:
        await likes.like(one, made[0])
    await trending.compute()
    for kind in Kind:
        for one in await trends.standing(kind):
            await trends.review(kind, one.id, True, None)
    return made[0].id


async def test_trends_are_there_for_everybody(app_of: AppOf, alice: Account, talk: int) -> None:
    for asker in (await app_of(), await app_of(alice)):
        (tag,) = await asker.get("/api/v1/trends/tags")
        assert (tag["name"], len(tag["history"])) == ("Ours", 7)
        assert (tag["history"][0]["accounts"], tag["history"][0]["uses"]) == ("3", "3")
        assert ("following" in tag) == bool(asker.token)
        assert await asker.get("/api/v1/trends") == [tag]
        (status,) = await asker.get("/api/v1/trends/statuses")
        assert (status["id"], status["favourites_count"]) == (str(talk), 3)
        assert await asker.get("/api/v1/trends/links") == []
        for path in ("tags", "statuses", "links"):
            assert await asker.get(f"/api/v1/trends/{path}?offset=1&limit=5") == []


async def test_a_link_is_a_card_with_its_days(app_of: AppOf, alice: Account) -> None:
    async with db.transaction():
        await db.execute("INSERT INTO link_card (id, url, title) VALUES (1, 'https://news.example/', 'News')")
        await db.execute(
            "INSERT INTO trend (kind, subject_id, score, allowed, computed_at) VALUES ('link', 1, 1, TRUE, 0)"
        )
    (link,) = await (await app_of()).get("/api/v1/trends/links")
    assert (link["url"], link["title"], link["type"]) == ("https://news.example/", "News", "link")
    assert [day["uses"] for day in link["history"]] == ["0"] * 7


async def test_where_timelines_are_for_members_strangers_see_no_trends(
    app_of: AppOf, alice: Account, talk: int
) -> None:
    await settings.change(None, members_only=True)
    nobody = await app_of()
    for path in ("", "/tags", "/statuses", "/links"):
        await nobody.get(f"/api/v1/trends{path}", 401)
    assert len(await (await app_of(alice)).get("/api/v1/trends/tags")) == 1


async def test_a_page_leads_to_the_posts_under_which_it_is_shown(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    url = "https://news.example/"
    shown, private, other = [
        int((await hers.post("/api/v1/statuses", json={"status": text, "visibility": visibility}))["id"])
        for text, visibility in (("a", "public"), ("b", "private"), ("c", "public"))
    ]
    async with db.transaction():
        await db.execute("INSERT INTO link_card (id, url, title) VALUES (1, $1, 'News')", url)
        for post_id in (shown, private):
            await db.execute("INSERT INTO post_card (post_id, card_id) VALUES ($1, 1)", post_id)
    nobody = await app_of()
    found = await nobody.get("/api/v1/timelines/link", query_string={"url": url})
    assert [int(status["id"]) for status in found] == [shown] and other
    assert await nobody.get("/api/v1/timelines/link", query_string={"url": "https://else.example/"}) == []
    assert await nobody.get("/api/v1/timelines/link") == []
