"""What one person has that is nobody else's, and how every described route is asked for it.

The routes come from the description: one that is new is asked by itself, as long as the names in its path are
known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from fediblog import moments
from fediblog.description import openapi, schemas
from fediblog.description.route import Route
from fediblog.models import Account
from fediblog.services import tokens
from tests.api.conftest import App, AppOf
from tests.harness.devices import Device
from tests.people import person, user_of
from tests.services.making import file_of

EVERYTHING = " ".join(sorted(tokens.SCOPES))
"""All scopes there are, for a token."""

# A word for each thing that is private, which stands nowhere else.
POST, WARNING, OPTION, PICTURE = "vulpine", "gardenia", "quokka", "pangolin"
DIRECT, HEARD, HELD = "marzipan", "periwinkle", "saffron"
LIST, FILTER, KEYWORD, NOTE = "tamarind", "zeppelin", "obsidian", "rhubarb"
LATER, LOOSE, DEVICE, MARKER, TAG = "kumquat", "narwhal", "wolverine", "777000777", "tamarillo"
_SECRETS = (
    *(POST, WARNING, OPTION, PICTURE),
    *(DIRECT, HEARD, HELD),
    *(LIST, FILTER, KEYWORD, NOTE),
    *(LATER, LOOSE, DEVICE, MARKER, TAG),
)
PAGE = "https://page.example/ibex"

# Names in paths that lead to nothing of anybody's own.
_COMMON = {
    "announcement_id": ["1"],
    "report_id": ["1"],
    "number": ["1"],
    "tag_id": ["1"],
    "link_id": ["1"],
    "version": ["2.0"],
    "place": ["user"],
    "name": ["foxes"],
}


@dataclass(frozen=True)
class Belongings:
    """Somebody's private things: ids by the name that they have in paths, and what tells of them."""

    owner: Account
    app: App
    private: Mapping[str, list[str]]
    secrets: frozenset[str]
    email: str
    urls: Sequence[str]
    people: Sequence[str]

    def paths(self, route: Route) -> Iterator[str]:
        """A route's path with all these ids. Raises KeyError for a name in it that nobody knows."""
        known = {**_COMMON, "account_id": self.people, **self.private}
        for values in product(*(known[name] for name in route.names_in_path)):
            path = route.path
            for name, value in zip(route.names_in_path, values, strict=True):
                path = path.replace(f"{{{name}}}", value)
            yield path

    def is_private(self, route: Route) -> bool:
        """Whether its path names something that is private."""
        return any(name in self.private for name in route.names_in_path)

    def questions(self, route: Route) -> Iterator[dict[str, Any]]:
        """What can be asked of a route in its query: all ids at once, each id, each word.

        A single field for words is filled in together with the owner's id, too: "what has she said of …".
        """
        kinds = {name: schemas.schema(kind) for name, kind in route.query.items()}
        lists = {name: self._all(kind) for name, kind in kinds.items() if kind.get("type") == "array"}
        numbers = [name for name, kind in kinds.items() if _is_id(kind)]
        texts = [name for name, kind in kinds.items() if _is_text(kind)]
        yield lists
        for name, number in product(numbers, self._ids()):
            yield {**lists, name: number}
        for name, word in product(texts, (*sorted(self.secrets), self.email, PAGE, *self.urls)):
            yield {**lists, name: word, "resolve": "true"}
            if numbers and len(texts) == 1:
                yield {**lists, name: word, **dict.fromkeys(numbers, str(self.owner.id))}

    def form(self, route: Route) -> dict[str, Any]:
        """What a route has to be sent."""
        needed = {
            name: schemas.schema(kind) for name, kind in route.form.items() if schemas.is_required(kind)
        }
        return {name: self._some(kind) for name, kind in needed.items()}

    def handed_in(self, route: Route) -> Iterator[dict[str, str]]:
        """Forms in which one of these ids stands where an id may stand, each time another."""
        kinds = {name: schemas.schema(kind) for name, kind in openapi.flat(route.form).items()}
        # Where words may stand these are good for everything, also as a language.
        words = {name: "en" for name, kind in kinds.items() if _is_text(kind) and "format" not in kind}
        needed = {name: self._some(kind) for name, kind in kinds.items() if name in self.form(route)}
        about = {name: str(self.owner.id) for name, kind in kinds.items() if name in needed and _is_id(kind)}
        for name, number in product(kinds, self._ids()):
            if _is_id(kinds[name]) or _is_id(kinds[name].get("items", {})):
                yield {**needed, **about, **words, name: number}

    def _ids(self) -> list[str]:
        return sorted({number for found in self.private.values() for number in found if number.isdigit()})

    def _all(self, kind: schemas.Json) -> list[str]:
        items = kind["items"]
        return [*self.people, *self._ids()] if _is_id(items) else items.get("enum", [])

    def _some(self, kind: schemas.Json) -> Any:
        if kind.get("type") == "array":
            return [self._some(kind["items"])]
        if "enum" in kind:
            return kind["enum"][0]
        if kind.get("format") == "date-time":
            return _in_an_hour()
        if _is_id(kind):
            return self.private["post_id"][0]
        return {"integer": 0, "boolean": True}.get(kind.get("type", ""), "x")


def _is_id(kind: schemas.Json) -> bool:
    return kind.get("pattern") == "^[0-9]+$"


def _is_text(kind: schemas.Json) -> bool:
    return kind.get("type", "string") == "string" and "enum" not in kind and not _is_id(kind)


def _in_an_hour() -> str:
    return moments.iso(moments.now() + moments.HOUR)


async def of(owner: Account, app_of: AppOf) -> Belongings:
    """Let somebody have one of everything. Two people, carol and dora, write to them."""
    app, user = await app_of(owner, EVERYTHING), await user_of(owner)
    carol, dora = await person("carol"), await person("dora")
    posts = await _posts(app, owner)
    heard = await _say(await app_of(carol), f"@{owner.username} {HEARD}", visibility="direct")
    (notice,) = await app.get("/api/v1/notifications")
    await app.put("/api/v1/notifications/policy", json={"filter_private_mentions": True})
    held = await _say(await app_of(dora), f"@{owner.username} {HELD}", visibility="direct")
    (request,) = await app.get("/api/v1/notifications/requests")
    conversations = await app.get("/api/v1/conversations")
    loose = await file_of(owner, description=LOOSE)
    listed = await app.post("/api/v1/lists", json={"title": LIST})
    return Belongings(
        owner=owner,
        app=app,
        private={
            "post_id": [post["id"] for post in (*posts, heard, held)],
            "quoting_id": [posts[0]["id"]],
            "poll_id": [posts[1]["id"]],
            "scheduled_id": [await _scheduled(app)],
            "media_id": [str(loose.id), posts[0]["media_attachments"][0]["id"]],
            "list_id": [listed["id"]],
            "conversation_id": [one["id"] for one in conversations],
            "notification_id": [notice["id"]],
            "group_key": [f"ungrouped-{notice['id']}"],
            "request_id": [request["id"]],
            **await _rest(app, carol, posts[0]["id"]),
        },
        secrets=frozenset(_SECRETS),
        email=user.email,
        urls=[url for post in (*posts, heard, held) for url in (post["url"], post["uri"])],
        people=[str(one.id) for one in (owner, carol, dora)],
    )


async def _say(app: App, text: str, **more: Any) -> Any:
    return await app.post("/api/v1/statuses", json={"status": text, **more})


async def _posts(app: App, owner: Account) -> list[Any]:
    """Two for followers, of which one has what cannot stand beside a poll, and a direct one."""
    poll = {"options": [OPTION, "other"], "expires_in": 3600}
    file = await file_of(owner, description=PICTURE)
    return [
        await _say(
            app, f"{POST} #foxes {PAGE}", visibility="private", spoiler_text=WARNING, media_ids=[str(file.id)]
        ),
        await _say(app, f"{POST}?", visibility="private", poll=poll),
        await _say(app, f"@carol {DIRECT}", visibility="direct"),
    ]


async def _scheduled(app: App) -> str:
    found: str = (await _say(app, LATER, scheduled_at=_in_an_hour()))["id"]
    return found


async def _rest(app: App, other: Account, post_id: str) -> dict[str, list[str]]:
    """Filters, a note, a followed tag, a marker and a device; what has an id of its own."""
    keywords = [{"keyword": KEYWORD}]
    words = {"title": FILTER, "context": ["home"], "keywords_attributes": keywords}
    filtered = await app.post("/api/v2/filters", json=words)
    marked = await app.post(f"/api/v2/filters/{filtered['id']}/statuses", json={"status_id": post_id})
    await app.post(f"/api/v1/accounts/{other.id}/note", json={"comment": NOTE})
    await app.post(f"/api/v1/tags/{TAG}/follow")
    await app.post("/api/v1/markers", json={"home": {"last_read_id": MARKER}})
    device = Device()
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    subscription = {"endpoint": f"https://push.example/{DEVICE}", "keys": keys}
    await app.post("/api/v1/push/subscription", json={"subscription": subscription})
    featured = await app.post("/api/v1/featured_tags", json={"name": "shown"})
    return {
        "filter_id": [filtered["id"]],
        "keyword_id": [filtered["keywords"][0]["id"]],
        "marked_id": [marked["id"]],
        "featured_id": [featured["id"]],
    }
