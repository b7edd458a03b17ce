"""The database goes away and comes back; the disk is full and is emptied again."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.stream import Stream, all_there_once
from tests.harness.postgres import Postgres
from tests.harness.site import Site, until

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
    await all_there_once(stream, [alice], [bob])


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
