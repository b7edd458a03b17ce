"""What holds for every route: tokens, scopes, CORS, paging, errors."""

import pytest
from quart import Quart

from fediblog.models import Account
from fediblog.services import tokens
from tests.api.conftest import App, AppOf


async def test_a_token_that_does_not_hold_is_401_everywhere(
    app: Quart, app_of: AppOf, alice: Account
) -> None:
    hers = await app_of(alice)
    await tokens.revoke(hers.token)
    for client in (hers, App(app.test_client(), "made-up"), App(app.test_client(), "\u00ff" * 9)):
        for path in ("/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/instance"):
            assert (await client.get(path, 401))["error"] == "The access token is invalid"


async def test_cookies_open_nothing(app: Quart, alice: Account) -> None:
    client = app.test_client()
    client.set_cookie("localhost", "fediblog", "whatever")
    assert (await client.get("/api/v1/timelines/home")).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/statuses", "/api/v1/nothing", "/api/v2/media", "/oauth/token"])
async def test_preflights_need_no_token_and_errors_carry_cors(app_of: AppOf, path: str) -> None:
    nobody = await app_of()
    preflight = await nobody.send("OPTIONS", path)
    assert preflight.status_code in (200, 204)
    for answer in (preflight, await nobody.send("POST", path)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
        assert "Link" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_slash_at_the_end_changes_nothing(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    assert (await hers.get("/api/v1/instance/"))["version"]
    assert (await hers.post("/api/v1/statuses/", json={"status": "x"}))["content"] == "<p>x</p>"
    assert (await hers.get(f"/api/v1/accounts/{alice.id}/"))["acct"] == "alice"


async def test_unknown_paths_and_methods_answer_in_json(app_of: AppOf) -> None:
    nobody = await app_of()
    assert (await nobody.get("/api/v1/nothing", 404))["error"]
    assert (await nobody.delete("/api/v1/instance", 405))["error"]
    answer = await nobody.send("DELETE", "/api/v1/instance")
    assert "GET" in answer.headers["Allow"]


async def test_links_lead_through_all_pages_and_keep_the_callers_words(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    made = [(await hers.post("/api/v1/statuses", json={"status": str(n)}))["id"] for n in range(5)]
    seen: list[str] = []
    path = "/api/v1/timelines/public?local=true&limit=2"
    while path:
        answer = await hers.send("GET", path)
        seen += [status["id"] for status in await answer.get_json()]
        link = answer.headers.get("Link", "")
        assert not link or ("local=true" in link and link.index('rel="next"') < link.index('rel="prev"'))
        path = link.split(">")[0].removeprefix("<http://localhost:8000")
    assert seen == made[::-1]


@pytest.mark.parametrize("limit", ["0", "-1", "nonsense", "", "100000", "9" * 40])
async def test_garbage_in_cursors_counts_as_not_given(app_of: AppOf, alice: Account, limit: str) -> None:
    hers = await app_of(alice)
    await hers.post("/api/v1/statuses", json={"status": "x"})
    page = await hers.get(f"/api/v1/timelines/public?limit={limit}&max_id=x&min_id=&since_id=-5")
    assert len(page) == 1


async def test_answers_to_a_token_are_private(app_of: AppOf, alice: Account) -> None:
    answer = await (await app_of(alice)).send("GET", "/api/v1/timelines/home")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer.headers["Vary"]


async def test_what_everybody_may_read_is_sent_once_to_whoever_keeps_it(
    app_of: AppOf, alice: Account
) -> None:
    hers, nobody = await app_of(alice), await app_of()
    await hers.post("/api/v1/statuses", json={"status": "x"})
    first = await nobody.send("GET", "/api/v1/timelines/public")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = await nobody.send("GET", "/api/v1/timelines/public", headers={"If-None-Match": f'"old", W/{tag}'})
    assert (again.status_code, await again.get_data(), again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    await hers.post("/api/v1/statuses", json={"status": "y"})
    changed = await nobody.send("GET", "/api/v1/timelines/public", headers={"If-None-Match": tag})
    assert (changed.status_code, len(await changed.get_json())) == (200, 2)


async def test_what_is_for_one_or_went_wrong_is_kept_by_nobody(app_of: AppOf, alice: Account) -> None:
    hers, nobody = await app_of(alice), await app_of()
    registered = await nobody.send(
        "POST", "/api/v1/apps", json={"client_name": "a", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
    )
    mine = await hers.send("GET", "/api/v1/timelines/public")
    missing = await nobody.send("GET", "/api/v1/statuses/1")
    for answer, status in ((registered, 200), (mine, 200), (missing, 404)):
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in answer.headers


async def test_both_instance_answers_hold_what_apps_take_as_given(app_of: AppOf) -> None:
    nobody = await app_of()
    one, two = await nobody.get("/api/v1/instance"), await nobody.get("/api/v2/instance")
    assert one["uri"] == two["domain"] == "localhost:8000"
    assert one["version"].startswith("4.") and one["configuration"]["statuses"]["max_characters"] == 500
    assert two["configuration"]["urls"]["streaming"] == one["urls"]["streaming_api"] == "ws://localhost:8000"
    assert (one["approval_required"], two["registrations"]["enabled"]) == (True, True)
    assert two["thumbnail"]["url"].startswith("http") and one["thumbnail"].startswith("http")


async def test_notifications_are_told_in_the_words_of_the_api(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    status = await hers.post("/api/v1/statuses", json={"status": "x"})
    await his.post(f"/api/v1/statuses/{status['id']}/favourite")
    await his.post(f"/api/v1/statuses/{status['id']}/reblog")
    await his.post(f"/api/v1/accounts/{alice.id}/follow")
    await his.post("/api/v1/statuses", json={"status": "@alice hi"})

    told = await hers.get("/api/v1/notifications")
    assert [item["type"] for item in told] == ["mention", "follow", "reblog", "favourite"]
    assert told[2]["status"]["id"] == status["id"] and "status" not in told[1]
    assert (await hers.get("/api/v1/notifications/unread_count"))["count"] == 4
    only = await hers.get("/api/v1/notifications?types[]=follow&types[]=unheard_of")
    assert [item["type"] for item in only] == ["follow"]
    rest = await hers.get("/api/v1/notifications?exclude_types[]=follow&exclude_types[]=mention")
    assert [item["type"] for item in rest] == ["reblog", "favourite"]
    await his.get(f"/api/v1/notifications/{told[0]['id']}", 404)
    await his.post(f"/api/v1/notifications/{told[0]['id']}/dismiss", 404)
    await hers.post(f"/api/v1/notifications/{told[0]['id']}/dismiss")
    await his.post(f"/api/v1/statuses/{status['id']}/unfavourite")
    assert len(await hers.get("/api/v1/notifications")) == 2
    await hers.post("/api/v1/notifications/clear")
    assert await hers.get("/api/v1/notifications") == []


async def test_a_number_that_no_id_can_be_is_a_path_that_is_not_there(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    for number in (1 << 63, 1 << 64, 10**40):
        await hers.put(f"/api/v1/media/{number}", 404)
        await hers.get(f"/api/v1/statuses/{number}", 404)
        await hers.post(f"/api/v1/statuses/{number}/favourite", 404)
        await hers.get(f"/api/v1/accounts/{number}", 404)
    await hers.get(f"/api/v1/statuses/{(1 << 63) - 1}", 404)
