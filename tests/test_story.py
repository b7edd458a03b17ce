"""The story that the first storey is for, told by real browsers without scripts (issue 2, "It must show")."""

from pathlib import Path

import pytest

from tests.harness.site import Site
from tests.harness.story import play

pytestmark = pytest.mark.once


async def test_two_people_and_a_stranger_on_a_fresh_server(tmp_path: Path):
    site = Site(tmp_path, anew=True, registration__mode="open")
    try:
        process = await site.run()
        await process.says("/setup?token=")
        link = next(line for line in process.output.splitlines() if "/setup?token=" in line)
        await play(site.url, link.strip())
    finally:
        await site.close()
