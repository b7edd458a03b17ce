"""A foreign implementation, Fedify, and one of ours: each follows, writes, edits, likes and deletes."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.towns import LAB, Resident, Town
from tests.harness import processes
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_SERVER = Path(__file__).parent.parent / "interop" / "fedify"


class Fedify:
    """The server on Fedify. `act` tells its one person what to do, `heard` is what came in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.domain = url.removeprefix("http://")
        self.actor = f"{url}/users/fed"

    async def act(self, act: str, **details: Any) -> dict[str, Any]:
        """Do something; gives the activity, or the note."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            answer = await http.post(f"{self.url}/act", json={"act": act, **details})
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def heard(self, kind: str, text: str = "") -> dict[str, Any]:
        """An activity of this kind with these words in it, as soon as it is there."""

        async def there() -> dict[str, Any] | None:
            async with httpx.AsyncClient(trust_env=False) as http:
                found = (await http.get(f"{self.url}/heard")).json()
            return next((one for one in found if one["type"] == kind and text in str(one)), None)

        return await until(there, what=f"Fedify hears of no {kind} with {text!r}")


@pytest.fixture(scope="module")
def fedify(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fedify]:
    """Installed from the lock into a folder of its own, and listening."""
    processes.need("npm", "npm")
    folder = tmp_path_factory.mktemp("fedify")
    for name in ("package.json", "package-lock.json", ".npmrc", "server.mjs"):
        shutil.copy(_SERVER / name, folder)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
    port = processes.free_port()
    process = processes.start(["node", "server.mjs", str(port)], cwd=folder, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        yield Fedify(f"http://127.0.0.1:{port}")
    finally:
        processes.stop(process)


@pytest.fixture
async def alice(install: Callable[..., Site]) -> Resident:
    """She lives here."""
    town = Town(install(**LAB))
    await town.site.run()
    return await town.resident("alice")


async def test_people_of_fedify_and_ours_follow_write_and_answer(alice: Resident, fedify: Fedify) -> None:
    fed = Resident(alice.app, "fed", fedify.domain)
    uri = (await alice.app.get("/api/v1/accounts/verify_credentials"))["uri"]
    await alice.follow(fed)
    await fedify.heard("Follow", uri)

    note = await fedify.act("note", text="from-fedify")
    seen = await alice.sees("from-fedify")
    assert seen["uri"] == note["id"]
    await fedify.act("edit", id=note["id"], text="changed-by-fedify")
    await alice.sees("changed-by-fedify")

    await fedify.act("follow", actor=uri)
    assert (await alice.notice("follow"))["account"]["acct"] == fed.handle
    await fedify.heard("Accept", uri)
    written = await alice.app.write("from-fediblog")
    heard = await fedify.heard("Create", "from-fediblog")
    assert heard["object"]["attributedTo"] == uri

    await alice.app.post(f"/api/v1/statuses/{seen['id']}/favourite")
    await fedify.heard("Like", note["id"])
    await alice.app.write(f"@{fed.handle} an-answer", in_reply_to_id=seen["id"])
    answer = await fedify.heard("Create", "an-answer")
    assert answer["object"]["inReplyTo"] == note["id"]

    like = await fedify.act("like", id=written["uri"], author=uri)
    assert (await alice.notice("favourite"))["status"]["id"] == written["id"]
    await fedify.act("unlike", id=written["uri"], author=uri, like=like["id"])
    await until(lambda: _counts(alice, written["id"], 0))
    await fedify.act("boost", id=written["uri"], author=uri)
    await alice.notice("reblog")
    await fedify.act("note", text="replied", replyTo=written["uri"], mention=uri, name="@alice")
    assert (await alice.notice("mention", "replied"))["status"]["in_reply_to_id"] == written["id"]

    await alice.app.http.delete(f"/api/v1/statuses/{written['id']}")
    await fedify.heard("Delete", written["uri"])
    await fedify.act("remove", id=note["id"])
    await until(lambda: alice.gone(seen["id"]))


async def _counts(alice: Resident, number: str, likes: int) -> bool:
    return (await alice.status(number))["favourites_count"] == likes
