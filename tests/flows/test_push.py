"""Devices are woken over real HTTP: by a process that is killed, beside services that are dead or hang."""

from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from tests.flows.push_services import PushService
from tests.flows.towns import LAB
from tests.harness.devices import Device
from tests.harness.site import App, Site, until

pytestmark = pytest.mark.once

PATH = "/api/v1/push/subscription"
_DEVICES = 30
_KILL_AFTER = 10
_SLOTS = 8


async def subscribe(app: App, device: Device, endpoint: str, standard: bool = True) -> Any:
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    wish = {"endpoint": endpoint, "keys": keys, "standard": standard}
    return await app.post(PATH, json={"subscription": wish, "data": {"alerts": {"mention": True}}})


async def test_every_device_is_woken_though_the_process_is_killed_and_other_services_are_dead(
    install: Callable[..., Site],
) -> None:
    site = install(**LAB)
    names = [f"p{number}" for number in range(_DEVICES)]
    tokens = await site.people("bob", "left", "stuck", *names)
    good, gone, stuck = PushService(seconds=0.1), PushService("410 Gone"), PushService(None)
    async with AsyncExitStack() as stack:
        for service in (good, gone, stuck):
            await stack.enter_async_context(service.open())
        process = await site.run()
        bob, left, waits, *others = [await site.app(token) for token in tokens]
        await subscribe(left, Device(), f"{gone.url}/left")
        await subscribe(waits, Device(), f"{stuck.url}/stuck")
        devices = {f"/{name}": (Device(), app) for name, app in zip(names, others, strict=True)}
        for number, (path, (device, app)) in enumerate(devices.items()):
            await subscribe(app, device, good.url + path, standard=number % 2 == 0)

        post = await bob.write(f"@left {' '.join(f'@{name}' for name in names)} hello")
        await until(lambda: len(good.book) >= _KILL_AFTER)
        process.kill()
        assert len(good.book) < _DEVICES
        await site.run()
        await bob.write("@stuck hello")
        await until(lambda: stuck.book)
        await until(lambda: {one.path for one in good.book} == set(devices), 60)
        await until(lambda: left_alone(left))
        assert (await waits.get(PATH))["endpoint"].endswith("/stuck")

    times = Counter(one.path for one in good.book)
    assert max(times.values()) <= 2 and times.total() - _DEVICES <= _SLOTS
    for path, (device, app) in devices.items():
        (told, *_), (topic,) = read(good, path, device)
        assert told["access_token"] == app.token and told["notification_type"] == "mention"
        (notice,) = await app.get("/api/v1/notifications")
        assert told["notification_id"] == topic == notice["id"]
        assert notice["status"]["id"] == post["id"]


def read(service: PushService, path: str, device: Device) -> tuple[list[Any], set[str]]:
    """What the device reads, and the topics under which it came: a twin replaces the first."""
    came = [one for one in service.book if one.path == path]
    return [orjson.loads(device.read(one.body, one.headers)) for one in came], {
        one.headers["Topic"] for one in came
    }


async def left_alone(app: App) -> bool:
    """The service has said that there is no such device, and it is forgotten."""
    return (await app.send("GET", PATH)).status_code == 404
