"""Push subscriptions through the API."""

from typing import Any

from fediblog.models import Account
from fediblog.services import push_subscriptions, tokens
from tests.api.conftest import App, AppOf
from tests.harness.devices import Device
from tests.people import user_of

PATH = "/api/v1/push/subscription"


def _wish(device: Device, **data: Any) -> dict[str, Any]:
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    return {"subscription": {"endpoint": "https://push.example/1", "keys": keys}, "data": data}


async def test_a_subscription_is_made_changed_and_ended(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    await hers.get(PATH, 404)
    made = await hers.post(
        PATH, json=_wish(Device(), alerts={"mention": True, "reblog": "1"}, policy="followed")
    )
    assert isinstance(made["id"], str) and made["endpoint"] == "https://push.example/1"
    assert (made["standard"], made["policy"]) == (False, "followed")
    assert {name for name, wanted in made["alerts"].items() if wanted} == {"mention", "reblog"}
    assert {"status", "favourite", "follow", "follow_request", "poll", "update", "admin.sign_up"} <= set(
        made["alerts"]
    )
    assert made["server_key"] == await push_subscriptions.public_key()
    assert await hers.get(PATH) == made

    changed = await hers.put(PATH, json={"data": {"alerts": {"follow": True}}})
    assert {name for name, wanted in changed["alerts"].items() if wanted} == {"follow"}
    assert changed["policy"] == "followed" and changed["id"] == made["id"]
    assert (await hers.put(PATH, json={"data": {"policy": "none"}}))["alerts"] == changed["alerts"]

    beside = {**_wish(Device()), "policy": "follower"}  # As Mastodon.py sends it.
    assert (await hers.post(PATH, json=beside))["policy"] == "follower"
    again = await hers.post(PATH, json=_wish(Device()))
    assert again["id"] != made["id"] and again["policy"] == "all" and not any(again["alerts"].values())
    assert await hers.delete(PATH) == {}
    assert await hers.delete(PATH) == {}
    await hers.get(PATH, 404)
    await hers.put(PATH, 404, json={"data": {}})


async def test_forms_with_brackets_do_as_well(app_of: AppOf, alice: Account) -> None:
    device = Device()
    made = await (await app_of(alice)).post(
        PATH,
        form={
            "subscription[endpoint]": "https://push.example/1",
            "subscription[keys][p256dh]": device.p256dh,
            "subscription[keys][auth]": device.auth,
            "subscription[standard]": "true",
            "data[alerts][mention]": "true",
        },
    )
    assert made["standard"] is True and made["alerts"]["mention"] is True


async def test_what_cannot_be_used_is_refused(app_of: AppOf, alice: Account) -> None:
    hers, wish = await app_of(alice), _wish(Device())
    for wrong in (
        {},
        {"subscription": "x"},
        {"subscription": {**wish["subscription"], "endpoint": "http://push.example/"}},
        {"subscription": {**wish["subscription"], "keys": {"p256dh": "x", "auth": "y"}}},
        {**wish, "data": {"policy": "nonsense"}},
    ):
        assert (await hers.post(PATH, 422, json=wrong))["error"]
    await hers.get(PATH, 404)


async def test_each_token_has_its_own_and_needs_the_scope(app_of: AppOf, alice: Account) -> None:
    hers, other = await app_of(alice), await app_of(alice)
    await hers.post(PATH, json=_wish(Device()))
    await other.get(PATH, 404)
    weak = App(hers._client, await tokens.create(alice, await user_of(alice), "read write"))
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert (await weak.send(method, PATH)).status_code == 403
        assert (await (await app_of()).send(method, PATH)).status_code == 401


async def test_the_key_stands_where_apps_look_for_it(app_of: AppOf) -> None:
    nobody, key = await app_of(), await push_subscriptions.public_key()
    assert (await nobody.get("/api/v2/instance"))["configuration"]["vapid"]["public_key"] == key
    wish = {"client_name": "a", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
    assert (await nobody.post("/api/v1/apps", json=wish))["vapid_key"] == key
