"""Markers and preferences: what apps of one person share."""

from fediblog.models import Account, User
from fediblog.services import markers
from tests.api.conftest import AppOf
from tests.people import user_of


async def test_markers_are_saved_in_every_encoding_and_are_those_of_the_site(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    saved = await hers.post("/api/v1/markers", form={"home[last_read_id]": "12"})
    assert set(saved) == {"home"} and set(saved["home"]) == {"last_read_id", "version", "updated_at"}
    assert (saved["home"]["last_read_id"], saved["home"]["version"]) == ("12", 1)
    both = await hers.post(
        "/api/v1/markers", json={"home": {"last_read_id": "15"}, "notifications": {"last_read_id": 7}}
    )
    assert (both["home"]["version"], both["notifications"]["last_read_id"]) == (2, "7")
    assert (await markers.get(alice))["home"].last_read_id == 15

    await markers.set(alice, markers.NOTIFICATIONS, 9)
    seen = await hers.get("/api/v1/markers?timeline[]=home&timeline[]=notifications&timeline[]=public")
    assert {name: seen[name]["last_read_id"] for name in seen} == {"home": "15", "notifications": "9"}
    assert await hers.get("/api/v1/markers") == {}
    assert await his.get("/api/v1/markers?timeline=home") == {}


async def test_an_app_that_is_behind_hears_where_the_marker_stands(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    await hers.post("/api/v1/markers", json={"home": {"last_read_id": "15"}})
    late = await hers.post("/api/v1/markers", json={"home": {"last_read_id": "3"}})
    assert (late["home"]["last_read_id"], late["home"]["version"]) == ("15", 1)


async def test_what_is_no_marker_is_refused_and_changes_nothing(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    wrong = {"home": {"last_read_id": "1"}, "notifications": {"last_read_id": "x"}}
    await hers.post("/api/v1/markers", 422, json=wrong)
    await hers.post("/api/v1/markers", 422, json={"home": {}})
    await hers.post("/api/v1/markers", 422, json={"home": {"last_read_id": "-1"}})
    assert await hers.post("/api/v1/markers", json={"public": {"last_read_id": "1"}}) == {}
    assert await markers.get(alice) == {}
    await (await app_of()).get("/api/v1/markers", 401)
    await (await app_of(alice, "read:accounts")).get("/api/v1/markers", 403)
    await (await app_of(alice, "read")).post("/api/v1/markers", 403, json={"home": {"last_read_id": "1"}})


async def test_preferences_are_those_of_the_settings(app_of: AppOf, alice: Account) -> None:
    await User.filter(id=(await user_of(alice)).id).update(default_visibility=2, default_language="de")
    hers = await app_of(alice)
    found = await hers.get("/api/v1/preferences")
    assert found == {
        "posting:default:visibility": "private",
        "posting:default:sensitive": False,
        "posting:default:language": "de",
        "posting:default:quote_policy": "public",
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }
    await (await app_of()).get("/api/v1/preferences", 401)
    await (await app_of(alice, "read:statuses")).get("/api/v1/preferences", 403)
