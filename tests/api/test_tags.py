"""Hashtags through the API."""

from fediblog.models import Account
from tests.api.conftest import AppOf

TAG = {"id", "name", "url", "history"}


async def test_a_tag_is_shown_followed_and_left(app_of: AppOf, alice: Account) -> None:
    hers, nobody = await app_of(alice), await app_of()
    await hers.post("/api/v1/statuses", json={"status": "#Cats"})
    seen = await nobody.get("/api/v1/tags/cats")
    assert set(seen) == TAG and seen["name"] == "Cats" and seen["url"].endswith("/tags/cats")
    assert seen["history"][0]["uses"] == seen["history"][0]["accounts"] == "1"
    assert seen["history"][0]["day"].isdigit() and len(seen["history"]) == 7
    followed = await hers.post("/api/v1/tags/cats/follow")
    assert set(followed) == TAG | {"following", "featuring"} and followed["following"] is True
    await hers.post("/api/v1/tags/dogs/follow")
    answer = await hers.send("GET", "/api/v1/followed_tags?limit=1")
    assert [tag["name"] for tag in await answer.get_json()] == ["dogs"]
    older = answer.headers["Link"].split(">")[0].removeprefix("<http://localhost:8000")
    assert [tag["name"] for tag in await hers.get(older)] == ["Cats"]
    assert (await hers.post("/api/v1/tags/cats/unfollow"))["following"] is False

    await nobody.get("/api/v1/tags/no%20tag", 404)
    await nobody.post("/api/v1/tags/cats/follow", 401)
    await (await app_of(alice, "read")).post("/api/v1/tags/cats/follow", 403)
    await (await app_of(alice, "read:lists")).get("/api/v1/followed_tags", 403)


async def test_featured_tags_stand_on_the_account(app_of: AppOf, alice: Account, bob: Account) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    await hers.post("/api/v1/statuses", json={"status": "#cats #dogs"})
    assert {tag["name"] for tag in await hers.get("/api/v1/featured_tags/suggestions")} == {"cats", "dogs"}
    made = await hers.post("/api/v1/featured_tags", form={"name": "cats"})
    assert set(made) == {"id", "name", "url", "statuses_count", "last_status_at"}
    assert (made["statuses_count"], len(made["last_status_at"])) == ("1", 10)
    assert await his.get(f"/api/v1/accounts/{alice.id}/featured_tags") == [made]
    assert await hers.get("/api/v1/featured_tags") == [made]
    assert (await hers.post("/api/v1/tags/dogs/feature"))["featuring"] is True
    assert (await hers.post("/api/v1/tags/dogs/unfeature"))["featuring"] is False

    await his.delete(f"/api/v1/featured_tags/{made['id']}", 404)
    assert await hers.delete(f"/api/v1/featured_tags/{made['id']}") == {}
    assert await hers.get("/api/v1/featured_tags") == []
    await hers.post("/api/v1/featured_tags", 422, json={"name": "no tag"})
    await his.get("/api/v1/accounts/4711/featured_tags", 404)
    await (await app_of(alice, "read")).post("/api/v1/featured_tags", 403, json={"name": "x"})
