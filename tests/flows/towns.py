"""Servers that speak with each other, and the people who live on them."""

from typing import Any

from tests.harness.site import App, Site, until

LAB = {
    "federation__allow_http": "true",
    "federation__allow_networks": '["127.0.0.0/8"]',
}


class Resident:
    """Somebody on one of the two servers, with an app and a handle."""

    def __init__(self, app: App, name: str, domain: str) -> None:
        self.app, self.name, self.domain = app, name, domain

    @property
    def handle(self) -> str:
        """As others write it."""
        return f"{self.name}@{self.domain}"

    async def find(self, text: str) -> dict[str, Any]:
        """What a search finds that may ask other servers."""
        return await self.app.get("/api/v2/search", params={"q": text, "resolve": "true"})

    async def meet(self, other: "Resident") -> str:
        """The id that somebody else has here, looked up by handle."""
        found = await self.find(f"@{other.handle}")
        expected = other.name if other.domain == self.domain else other.handle
        assert [one["acct"] for one in found["accounts"]][:1] == [expected], found
        return found["accounts"][0]["id"]

    async def follow(self, other: "Resident") -> str:
        """Follow somebody and wait until they have agreed."""
        number = await self.meet(other)
        await self.app.post(f"/api/v1/accounts/{number}/follow")
        await until(lambda: self.relation(number, "following"))
        return number

    async def relation(self, number: str, name: str) -> bool:
        """One word of what stands between us."""
        found = await self.app.get("/api/v1/accounts/relationships", params={"id[]": number})
        return found[0][name]

    async def home(self, text: str) -> dict[str, Any] | None:
        """The status on the home timeline that has these words in it."""
        for status in await self.app.get("/api/v1/timelines/home", params={"limit": 40}):
            shown = status["reblog"] or status
            if text in shown["content"] or text in shown["spoiler_text"]:
                return status
        return None

    async def sees(self, text: str) -> dict[str, Any]:
        """The same, as soon as it is there."""
        return await until(lambda: self.home(text), what=f"{self.handle} does not see {text!r}")

    async def notice(self, kind: str, text: str = "") -> dict[str, Any]:
        """A notification of this kind, as soon as it is there."""

        async def there() -> dict[str, Any] | None:
            for one in await self.app.get("/api/v1/notifications", params={"types[]": kind}):
                if not text or text in (one.get("status") or {}).get("content", ""):
                    return one
            return None

        return await until(there, what=f"{self.handle} hears of no {kind}")

    async def status(self, number: str) -> dict[str, Any]:
        """A status by its id here."""
        return await self.app.get(f"/api/v1/statuses/{number}")

    async def gone(self, number: str) -> bool:
        """Whether a status is not there any more."""
        return (await self.app.send("GET", f"/api/v1/statuses/{number}")).status_code == 404


class Town:
    """One of the servers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.domain = site.url.removeprefix("http://")
        site.keys["domain"] = self.domain

    async def resident(self, name: str) -> Resident:
        """Somebody new."""
        (token,) = await self.site.people(name)
        return Resident(await self.site.app(token), name, self.domain)
