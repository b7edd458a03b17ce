"""How others find us: WebFinger, host-meta, NodeInfo (FEDERATION §1)."""

import random
import re
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from quart import Quart

from fediblog import db
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import census, deletion, posts, settings
from fediblog.services.composing import Draft
from tests.harness import apps
from tests.people import person, remote, user_of

# What they say to the database is tried on both by their neighbours.
pytestmark = pytest.mark.once

SERVER = "http://localhost:8000/ap/actor"


@pytest.fixture
async def app(config: Config, database: None) -> Quart:
    settings.forget()
    return apps.shared(config)


async def get(app: Quart, path: str, status: int = 200, kind: str = "application/json") -> Any:
    answer = await app.test_client().get(path)
    assert answer.status_code == status, (path, answer.status_code)
    assert answer.content_type.partition(";")[0] == kind
    if status == 200:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return await answer.get_data()


async def finger(app: Quart, resource: str, status: int = 200, more: str = "") -> dict[str, Any]:
    kind = "application/jrd+json" if status == 200 else "application/json"
    path = f"/.well-known/webfinger?resource={quote(resource, safe='')}{more}"
    found: dict[str, Any] = orjson.loads(await get(app, path, status, kind))
    return found


def links(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {link["rel"]: link for link in found["links"]}


# ------------------------------------------------------------------------------------------------ WebFinger


async def test_a_handle_leads_to_the_actor_the_page_and_the_dialog(app, alice):
    found = await finger(app, "acct:alice@localhost:8000")
    assert found["subject"] == "acct:alice@localhost:8000"
    assert found["aliases"] == [alice.url, alice.uri]
    by_rel = links(found)
    assert by_rel["self"] == {"rel": "self", "type": "application/activity+json", "href": alice.uri}
    page = by_rel["http://webfinger.net/rel/profile-page"]
    assert (page["type"], page["href"]) == ("text/html", alice.url)
    template = by_rel["http://ostatus.org/schema/1.0/subscribe"]["template"]
    assert template == "http://localhost:8000/authorize_interaction?uri={uri}"


@pytest.mark.parametrize(
    "resource",
    [
        "acct:ALICE@localhost:8000",
        "ACCT:alice@LOCALHOST:8000",
        "acct:@alice@localhost:8000",
        "alice@localhost:8000",
        "@alice@localhost:8000",
        "http://localhost:8000/@alice",
        "http://localhost:8000/@ALICE",
    ],
)
async def test_all_spellings_of_a_name_lead_to_the_one_that_is_right(app, alice, resource):
    assert (await finger(app, resource))["subject"] == "acct:alice@localhost:8000"


async def test_the_id_is_a_name_too(app, alice):
    assert (await finger(app, alice.uri))["subject"] == "acct:alice@localhost:8000"


async def test_a_resource_may_come_without_escapes(app, alice):
    body = await get(
        app, "/.well-known/webfinger?resource=acct:alice@localhost:8000", 200, "application/jrd+json"
    )
    assert orjson.loads(body)["subject"] == "acct:alice@localhost:8000"


@pytest.mark.parametrize("resource", ["acct:localhost:8000@localhost:8000", SERVER])
async def test_the_server_has_a_name_as_well(app, resource):
    found = await finger(app, resource)
    assert found["subject"] == "acct:localhost:8000@localhost:8000"
    assert links(found)["self"]["href"] == SERVER


async def test_only_the_relations_asked_for_are_told(app, alice):
    found = await finger(app, "acct:alice@localhost:8000", more="&rel=self&rel=other")
    assert list(links(found)) == ["self"]


async def test_who_has_a_picture_shows_it(app):
    await person("dora", avatar="ab/cd/ef01.webp")
    avatar = links(await finger(app, "acct:dora@localhost:8000"))["http://webfinger.net/rel/avatar"]
    assert avatar["type"] == "image/webp" and avatar["href"].endswith("/media/ab/cd/ef01.webp")


@pytest.mark.parametrize(
    "resource",
    [
        "acct:nobody@localhost:8000",
        "acct:alice@elsewhere.example",
        "acct:alice@böse.example",
        "acct:alice@xn--.example",
        "https://elsewhere.example/@alice",
        "http://localhost:8000/@nobody",
        "http://localhost:8000/ap/accounts/12",
        "http://localhost:8000/ap/accounts/99999999999999999999",
        "http://localhost:8000/ap/posts/12",
        "http://localhost:8000/",
        "http://localhost:80000/@alice",
        "http://localhost:8000.evil.example/@alice",
    ],
)
async def test_who_does_not_live_here_is_not_found(app, alice, resource):
    await finger(app, resource, 404)


@pytest.mark.parametrize(
    "resource",
    ["", "alice", "acct:", "acct:alice", "acct:@", "a b@localhost:8000", "x\0@y", "a@b@c", "x" * 3000],
)
async def test_what_is_no_name_is_refused(app, resource):
    await finger(app, resource, 400)


async def test_without_a_resource_there_is_no_answer(app):
    await get(app, "/.well-known/webfinger", 400)


async def test_somebody_elsewhere_has_their_own_webfinger(app):
    rita = await remote("rita", "remote.example")
    await finger(app, "acct:rita@remote.example", 404)
    await finger(app, f"http://localhost:8000/ap/accounts/{rita.id}", 404)
    await finger(app, rita.uri, 404)


async def test_who_waits_to_be_let_in_or_has_left_is_not_found(app, alice):
    await person("dora", approved_at=None, suspended_at=5, created_at=5)
    await finger(app, "acct:dora@localhost:8000", 404)
    await person("root", role="admin")
    await deletion.delete(alice, await user_of(alice))
    await finger(app, "acct:alice@localhost:8000", 404)
    await finger(app, alice.uri, 410)


async def test_who_is_suspended_can_still_be_asked_for(app, alice):
    """Other servers learn from the actor that it is so."""
    await Account.filter(id=alice.id).update(suspended_at=7)
    assert links(await finger(app, "acct:alice@localhost:8000"))["self"]["href"] == alice.uri


@pytest.fixture
async def split(configure, database: None) -> Quart:
    """Handles on one host, the server on another."""
    return create_app(
        configure(domain="fediblog.example", base_url="https://social.fediblog.example"), open_house=False
    )


async def test_handles_may_live_on_another_host_than_the_server(split):
    await person("alice")
    for resource in (
        "acct:alice@fediblog.example",
        "acct:alice@social.fediblog.example",
        "https://social.fediblog.example/@alice",
    ):
        found = await finger(split, resource)
        assert found["subject"] == "acct:alice@fediblog.example"
        assert links(found)["self"]["href"].startswith("https://social.fediblog.example/ap/accounts/")
    await finger(split, "https://fediblog.example/@alice", 404)


# ------------------------------------------------------------------------------------- host-meta, NodeInfo


async def test_host_meta_leads_to_webfinger(app):
    template = "http://localhost:8000/.well-known/webfinger?resource={uri}"
    xml = (await get(app, "/.well-known/host-meta", kind="application/xrd+xml")).decode()
    assert f'<Link rel="lrdd" template="{template}"/>' in xml
    found = orjson.loads(await get(app, "/.well-known/host-meta.json"))
    assert found["links"] == [{"rel": "lrdd", "template": template}]


async def test_nodeinfo_leads_to_its_two_versions_and_to_the_server_itself(app):
    found = orjson.loads(await get(app, "/.well-known/nodeinfo"))
    by_rel = {link["rel"].rpartition("/")[2]: link["href"] for link in found["links"]}
    assert by_rel["2.0"] == "http://localhost:8000/nodeinfo/2.0"
    assert by_rel["2.1"] == "http://localhost:8000/nodeinfo/2.1"
    assert by_rel["activitystreams#Application"] == SERVER


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_the_server_describes_itself(app, alice, version):
    await posts.publish(alice, Draft("Hello"))
    async with db.transaction():
        await db.execute(
            "INSERT INTO setting (name, value) VALUES ($1, $2)", "short_description", db.json("A place")
        )
    settings.forget()
    census.forget()
    answer = await app.test_client().get(f"/nodeinfo/{version}")
    assert f'profile="http://nodeinfo.diaspora.software/ns/schema/{version}#"' in answer.content_type
    found = orjson.loads(await answer.get_data())
    assert found["version"] == version
    assert re.fullmatch(r"[a-z0-9-]+", found["software"]["name"]) and found["software"]["version"]
    assert found["protocols"] == ["activitypub"] and found["openRegistrations"] is True
    assert found["services"]["inbound"] == []
    assert found["usage"]["users"]["total"] == 1 and found["usage"]["localPosts"] == 1
    assert found["metadata"] == {"nodeName": "fediblog", "nodeDescription": "A place"}
    settings.forget()


async def test_there_is_no_other_version(app):
    await get(app, "/nodeinfo/1.0", 404)
    await get(app, "/nodeinfo/2.2", 404)


async def test_discovery_is_only_read(app, alice):
    for path in (
        "/.well-known/webfinger",
        "/.well-known/host-meta",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.1",
    ):
        assert (await app.test_client().post(path)).status_code == 405
    path = "/.well-known/webfinger?resource=acct:alice@localhost:8000"
    assert (await app.test_client().head(path)).status_code == 200


async def test_no_resource_breaks_anything(app, alice):
    """Pieces of names and addresses in every order, five hundred of them."""
    chance = random.Random(7)
    pieces = ["acct:", "alice", "@", "localhost:8000", "http://", "https://", "/@", "/ap/accounts/", "1", "%"]
    pieces += ["\0", " ", "ß", "xn--", "..", "\u202e", "9" * 30, "[", "]", "{uri}", "#", "?", "\\", "😀"]
    for _ in range(500):
        resource = "".join(chance.choices(pieces, k=chance.randrange(1, 6)))
        path = f"/.well-known/webfinger?resource={quote(resource, safe='', errors='replace')}"
        answer = await app.test_client().get(path)
        assert answer.status_code in (200, 400, 404), resource


async def test_what_is_no_utf8_is_no_resource(app):
    assert (await app.test_client().get("/.well-known/webfinger?resource=%ff%fe@x")).status_code in (400, 404)
