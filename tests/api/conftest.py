"""An app of the people of the tests: requests with a token, answers as JSON."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from quart import Quart, Response
from quart.typing import TestClientProtocol

from fediblog import allowances
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import tokens
from tests.harness import apps
from tests.people import user_of


class App:
    """A client with one person's token, or with none."""

    def __init__(self, client: TestClientProtocol, token: str = "") -> None:
        self._client = client
        self.token = token

    async def send(self, method: str, path: str, **options: Any) -> Response:
        """The raw answer."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return await self._client.open(path, method=method, headers=headers, **options)

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a GET that is expected to end with this status."""
        return await self._json("GET", path, status, **options)

    async def post(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a POST that is expected to end with this status."""
        return await self._json("POST", path, status, **options)

    async def put(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a PUT that is expected to end with this status."""
        return await self._json("PUT", path, status, **options)

    async def delete(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of a DELETE that is expected to end with this status."""
        return await self._json("DELETE", path, status, **options)

    async def _json(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = await self.send(method, path, **options)
        assert answer.status_code == status, await answer.get_data()
        assert answer.content_type.startswith("application/json")
        return await answer.get_json()


AppOf = Callable[..., Awaitable[App]]


@pytest.fixture
async def app(config: Config, database: None) -> Quart:
    """The application on the test's open database; nobody has asked it for anything yet."""
    allowances.forget()
    return apps.shared(config)


@pytest.fixture
def app_of(app: Quart) -> AppOf:
    """`await app_of(alice)` is an app in her hands; scopes may be given."""

    async def make(account: Account | None = None, scopes: str = "read write follow push") -> App:
        token = await tokens.create(account, await user_of(account), scopes) if account else ""
        return App(app.test_client(), token)

    return make
