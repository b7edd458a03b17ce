"""A browser without scripts that remembers every secret it was given."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx


class Browser:
    """Opens pages and sends their forms as they stand. `secrets` are all cookies and form tokens so far."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)
        self.secrets: set[str] = set()

    async def open(self, path: str) -> str:
        """The page. Raises AssertionError when there is none."""
        answer = await self.http.get(path, follow_redirects=True)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        self._remember(answer)
        return answer.text

    async def submit(self, path: str, action: str, **fields: Any) -> httpx.Response:
        """Open the page at `path`, fill in its form for `action`, send it. Gives the answer, unfollowed."""
        forms = _Forms(await self.open(path)).found
        assert action in forms, f"{path} has no form for {action}"
        self.secrets |= {forms[action][name] for name in ("csrf", "token") if forms[action].get(name)}
        answer = await self.http.post(urljoin(path, action), data={**forms[action], **fields})
        self._remember(answer)
        return answer

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def _remember(self, answer: httpx.Response) -> None:
        for response in (*answer.history, answer):
            self.secrets |= {value for value in response.cookies.values() if len(value) > 15}


class _Forms(HTMLParser):
    """What stands in the forms of a page: their action, and the fields that are filled in already."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._open: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self.found.setdefault(given.get("action", ""), {})
        elif tag == "input" and given.get("type") == "hidden":
            self._open[given["name"]] = given.get("value", "")
