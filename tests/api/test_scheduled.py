"""Statuses for later through the API."""

from fediblog import moments
from fediblog.models import Account
from tests.api.conftest import AppOf
from tests.services.making import file_of

PATH = "/api/v1/scheduled_statuses"


def soon(minutes: int = 10) -> str:
    return moments.iso(moments.now() + minutes * moments.MINUTE)


async def test_a_status_for_later_is_seen_moved_and_cancelled(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    file = await file_of(alice)
    at = soon()
    made = await hers.post(
        "/api/v1/statuses",
        form={"status": "Hello", "scheduled_at": at, "media_ids[]": str(file.id), "visibility": "private"},
    )
    assert set(made) == {"id", "scheduled_at", "params", "media_attachments"} and made["scheduled_at"] == at
    assert made["params"]["text"] == "Hello" and made["params"]["visibility"] == "private"
    assert made["params"]["media_ids"] == [str(file.id)] == [one["id"] for one in made["media_attachments"]]
    poll = {"options": ["a", "b"], "expires_in": 600}
    asked = await hers.post("/api/v1/statuses", json={"scheduled_at": soon(9), "poll": poll})
    assert asked["params"]["poll"]["options"] == ["a", "b"]
    assert await hers.get(f"/api/v1/accounts/{alice.id}/statuses") == []

    answer = await hers.send("GET", f"{PATH}?limit=1")
    assert [one["id"] for one in await answer.get_json()] == [asked["id"]]
    assert f"max_id={asked['id']}" in answer.headers["Link"]
    assert await hers.get(f"{PATH}/{made['id']}") == made and await his.get(PATH) == []
    moved = soon(60)
    assert (await hers.put(f"{PATH}/{made['id']}", json={"scheduled_at": moved}))["scheduled_at"] == moved
    assert await hers.delete(f"{PATH}/{made['id']}") == {}
    for method in ("get", "delete"):
        await getattr(hers, method)(f"{PATH}/{made['id']}", 404)
        await getattr(his, method)(f"{PATH}/{asked['id']}", 404)
    await his.put(f"{PATH}/{asked['id']}", 404, json={"scheduled_at": moved})


async def test_the_same_key_schedules_once(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    sent = {"json": {"status": "x", "scheduled_at": soon()}, "headers": {"Idempotency-Key": "k"}}
    first = await hers.post("/api/v1/statuses", **sent)
    assert (await hers.post("/api/v1/statuses", **sent))["id"] == first["id"]
    assert len(await hers.get(PATH)) == 1


async def test_moments_that_cannot_be_and_rights_that_are_not_there_are_refused(
    app_of: AppOf, alice: Account
) -> None:
    hers = await app_of(alice)
    made = await hers.post("/api/v1/statuses", json={"status": "x", "scheduled_at": soon()})
    for wrong in (
        soon(4),
        "2001-01-01",
        "tomorrow",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ):
        await hers.post("/api/v1/statuses", 422, json={"status": "x", "scheduled_at": wrong})
        await hers.put(f"{PATH}/{made['id']}", 422, json={"scheduled_at": wrong})
    await hers.put(f"{PATH}/{made['id']}", 422)
    await hers.post("/api/v1/statuses", 422, json={"status": "", "scheduled_at": soon()})
    assert len(await hers.get(PATH)) == 1
    await (await app_of()).get(PATH, 401)
    await (await app_of(alice, "read:lists")).get(PATH, 403)
    await (await app_of(alice, "read")).delete(f"{PATH}/{made['id']}", 403)
