"""Fixtures of the pages: the application on the test's database, and browsers in people's hands."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from PIL import Image
from quart import Quart

from fediblog import db
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import media, settings
from tests.harness import apps
from tests.people import PASSWORD
from tests.web.browser import Browser

BrowserOf = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def app(config: Config, database: None) -> Quart:
    """The application on the test's open database."""
    settings.forget()
    return apps.shared(config)


@pytest.fixture
def visitor(app: Quart) -> Browser:
    """Somebody who is not signed in."""
    return Browser(app)


@pytest.fixture
def browser_of(app: Quart) -> BrowserOf:
    """`await browser_of(alice)` is a browser in which she is signed in."""

    async def make(account: Account) -> Browser:
        browser = Browser(app)
        await browser.submit("/auth/sign_in", "/auth/sign_in", name=account.username, password=PASSWORD)
        return browser

    return make


@pytest.fixture
async def worker(database: None) -> AsyncIterator[None]:
    """Somebody who makes uploaded files ready, as a worker would."""

    async def work() -> None:
        while True:
            for number in await db.column("SELECT id FROM media WHERE state = 'waiting'"):
                await media.process(number)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small JPEG."""
    return jpeg(320, 240)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG of this size."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (11, 107, 117)).save(buffer, "JPEG")
    return buffer.getvalue()
