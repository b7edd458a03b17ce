"""The database goes away and comes back; the disk is full and is emptied again."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.browser import Browser
from tests.flows.stream import Stream, all_there_once
from tests.harness.postgres import Postgres
from tests.harness.site import App, Process, Site, until
from tests.people import PASSWORD

pytestmark = pytest.mark.once

_MEGABYTE = 1024 * 1024


@pytest.fixture
def mortal_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that may crash and then knows what it has acknowledged."""
    server = Postgres(synchronous_commit="on", full_page_writes="on")
    yield server
    server.stop()


async def test_a_database_that_restarts_costs_a_503_and_nothing_else(
    install: Callable[..., Site], mortal_postgres: Postgres
) -> None:
    site = install(database__url=await mortal_postgres.create("fediblog"))
    tokens = await site.people("alice", "bob")
    process = await site.run()
    alice, bob = [await site.app(token) for token in tokens]
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")

    async with Stream(alice, alice, alice) as stream:
        await stream.more(20)
        mortal_postgres.crash()
        await until(lambda: len(stream.refusals) >= 10)
        for path in ("/readyz", "/api/v1/timelines/home", "/"):
            assert (await alice.send("GET", path)).status_code == 503
        assert (await alice.send("GET", "/livez")).status_code == 200
        mortal_postgres.start()
        back = time.monotonic()
        await stream.more(20, 30)
        print(f"20 posts are acknowledged {time.monotonic() - back:.1f} s after the database is back")
        await process.ready(10)

    assert {refusal.status_code for refusal in stream.refusals} == {503}
    assert all(int(refusal.headers["Retry-After"]) > 0 for refusal in stream.refusals)
    assert stream.unanswered == 0
    # What was begun in the outage is put off by 20 s, or twice.
    await all_there_once(stream, [alice], [bob], seconds=90)


class Disk:
    """A small file system of its own."""

    def __init__(self, place: Path, megabytes: int) -> None:
        self.place = place
        place.mkdir()
        size = f"size={megabytes}m,nr_inodes=10k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)

    def fill(self) -> None:
        """Leave not one byte."""
        with (self.place / "ballast").open("wb", buffering=0) as ballast:
            try:
                for size in (_MEGABYTE, 4096, 1):
                    while ballast.write(b"\0" * size) == size:
                        pass
            except OSError:
                pass
        assert shutil.disk_usage(self.place).free == 0

    def empty(self) -> None:
        """Give the room back."""
        (self.place / "ballast").unlink()

    def remove(self) -> None:
        """Unmount."""
        subprocess.run(["umount", "--lazy", str(self.place)], check=True)


class Quota:
    """The same for who may not mount: no file of the process may grow any further."""

    def __init__(self, process: Process) -> None:
        self._pid = process.pid

    def fill(self) -> None:
        """Nothing can be appended anywhere."""
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

    def empty(self) -> None:
        """It can again."""
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, unlimited)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk, unmounted afterwards."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    made = Disk(tmp_path / "disk", 130)
    yield made
    made.remove()


async def test_on_a_full_disk_people_read_and_sign_in_and_it_recovers_by_itself(
    install: Callable[..., Site], disk: Disk
) -> None:
    site = install(data_dir=disk.place / "data")
    tokens = await site.people("alice", "bob")
    await site.run()
    alice, bob = [await site.app(token) for token in tokens]
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")

    async with Stream(alice, alice) as stream:
        await stream.more(20)
        disk.fill()
        await until(lambda: len(stream.refusals) >= 10)
        await people_read_and_sign_in(site, bob)
        disk.empty()
        await stream.more(20)

    assert {refusal.status_code for refusal in stream.refusals} == {507}
    assert stream.unanswered == 0
    await all_there_once(stream, [alice], [bob])


async def test_a_quota_that_is_used_up_is_refused_in_words_and_forgotten_when_it_is_raised(
    site: Site,
) -> None:
    tokens = await site.people("alice", "bob")
    quota = Quota(await site.run())
    alice, bob = [await site.app(token) for token in tokens]

    async with Stream(alice, alice) as stream:
        await stream.more(20)
        quota.fill()
        await until(lambda: len(stream.refusals) >= 10)
        for path in ("/api/v1/timelines/home", "/api/v1/timelines/public"):
            await bob.get(path)
        quota.empty()
        await stream.more(20)

    assert {refusal.status_code for refusal in stream.refusals} <= {503, 507}
    assert stream.unanswered == 0
    await all_there_once(stream, [alice], [])


async def people_read_and_sign_in(site: Site, bob: App) -> None:
    """In an app, and on the site with a new session."""
    for path in ("/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/notifications"):
        await bob.get(path)
    page = "/auth/sign_in"
    async with Browser(site.url) as browser:
        assert (await browser.submit(page, page, name="bob", password=PASSWORD)).status_code == 303
        for path in ("/home", "/public", "/notifications"):
            await browser.open(path)
        assert (await browser.submit("/home", "/publish", source="no room")).status_code == 507
        assert (await browser.submit("/home", "/auth/sign_out")).status_code == 303
