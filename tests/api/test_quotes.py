"""Quotes through the API: written, shown as far as the viewer may see, listed, and taken back."""

from typing import Any

import pytest

from fediblog.models import Account, Consent, Post, Visibility
from fediblog.services import blocks, follows
from tests.api.conftest import App, AppOf
from tests.harness.statements import recorded
from tests.people import remote
from tests.services.making import post

Json = dict[str, Any]


async def write(app: App, text: str = "Look", **more: Any) -> Json:
    made: Json = await app.post("/api/v1/statuses", json={"status": text, **more})
    return made


async def show(app: App, status: Json) -> Json:
    found: Json = await app.get(f"/api/v1/statuses/{status['id']}")
    return found


@pytest.fixture
async def hers(app_of: AppOf, alice: Account) -> App:
    """Alice writes what is quoted."""
    return await app_of(alice)


@pytest.fixture
async def his(app_of: AppOf, bob: Account) -> App:
    """Bob quotes."""
    return await app_of(bob)


async def test_a_quote_holds_the_whole_status_and_the_numbers_rise(hers: App, his: App) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])

    assert made["quote"]["state"] == "accepted"
    inner = made["quote"]["quoted_status"]
    assert set(inner) == set(made) - {"pinned"} and inner["id"] == quoted["id"]
    assert (inner["quote"], inner["quotes_count"], inner["favourited"]) == (None, 1, False)
    assert (await show(hers, quoted))["quotes_count"] == 1
    assert (await show(hers, made))["quote"]["quoted_status"]["content"] == "<p>Hello</p>"


async def test_a_link_stands_for_the_quote_where_quotes_are_not_known(hers: App, his: App) -> None:
    """Once, and marked: who shows quotes leaves it out."""
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    assert made["content"].startswith('<p>Look</p><p class="quote-inline">RE: <a href="')
    assert made["content"].count(f'href="{quoted["url"]}"') == 1
    source = await his.get(f"/api/v1/statuses/{made['id']}/source")
    assert source["text"] == "Look"


async def test_a_quote_in_a_quote_is_named_only(hers: App, his: App) -> None:
    first = await write(hers, "Hello")
    second = await write(his, quoted_status_id=first["id"])
    third = await write(hers, quoted_status_id=second["id"])
    inner = third["quote"]["quoted_status"]
    assert inner["quote"] == {"state": "accepted", "quoted_status_id": first["id"]}


async def test_a_boost_passes_the_quote_on(hers: App, his: App) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    boost = await hers.post(f"/api/v1/statuses/{made['id']}/reblog")
    assert boost["quote"] is None
    assert boost["reblog"]["quote"]["quoted_status"]["id"] == quoted["id"]


async def test_what_one_may_not_see_is_not_in_a_quote(
    app_of: AppOf, hers: App, his: App, alice: Account, carol: Account
) -> None:
    """Also when it stood there before: nothing of it is kept for others."""
    quoted = await write(hers, "Secret")
    made = await write(his, quoted_status_id=quoted["id"])
    her, nobody = await app_of(carol), await app_of()
    for app in (her, nobody):
        assert (await show(app, made))["quote"]["state"] == "accepted"
    await Post.filter(id=int(quoted["id"])).update(visibility=Visibility.FOLLOWERS)
    for app in (her, nobody):
        assert (await show(app, made))["quote"] == {"state": "unauthorized", "quoted_status": None}
    await follows.follow(carol, alice)
    assert (await show(her, made))["quote"]["state"] == "accepted"
    assert "Secret" not in str(await show(nobody, made))
    await blocks.block(alice, carol)
    assert (await show(her, made))["quote"]["state"] == "unauthorized"


async def test_what_one_has_blocked_says_so(app_of: AppOf, hers: App, his: App, carol: Account) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    her = await app_of(carol)
    author = quoted["account"]["id"]
    for verb, state in (("mute", "muted_account"), ("block", "blocked_account")):
        await her.post(f"/api/v1/accounts/{author}/{verb}")
        found = (await show(her, made))["quote"]
        assert (found["state"], found["quoted_status"]["id"]) == (state, quoted["id"])
    assert (await show(hers, made))["quote"]["state"] == "accepted"


@pytest.mark.parametrize("state", [Consent.PENDING, Consent.REJECTED, Consent.REVOKED, Consent.NONE])
async def test_what_is_not_agreed_to_is_not_shown(hers: App, his: App, state: Consent) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    await Post.filter(id=int(made["id"])).update(quote_state=state)
    found = await show(his, made)
    assert found["quote"] == ({"state": state.value, "quoted_status": None} if state else None)
    assert quoted["url"] in found["content"]


async def test_what_is_deleted_is_gone_from_the_quote(hers: App, his: App) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    await hers.delete(f"/api/v1/statuses/{quoted['id']}")
    assert (await show(his, made))["quote"] == {"state": "deleted", "quoted_status": None}


async def test_the_readers_filters_are_for_quoted_statuses_too(
    app_of: AppOf, hers: App, his: App, carol: Account
) -> None:
    made = await write(his, quoted_status_id=(await write(hers, "A spoiler"))["id"])
    her = await app_of(carol)
    await her.post(
        "/api/v2/filters",
        json={"title": "No", "context": ["home"], "keywords_attributes": [{"keyword": "spoiler"}]},
    )
    found = await show(her, made)
    assert found["filtered"] == []
    assert found["quote"]["quoted_status"]["filtered"][0]["keyword_matches"] == ["spoiler"]


async def test_a_page_of_quotes_costs_the_same_whatever_its_length(hers: App, his: App) -> None:
    path = f"/api/v1/accounts/{(await write(his))['account']['id']}/statuses"
    costs = []
    for number in (1, 6):
        for _ in range(number):
            await write(his, quoted_status_id=(await write(hers, "Hello"))["id"])
        with recorded() as cold:
            listed = await hers.get(path)
        with recorded() as warm:
            assert await hers.get(path) == listed
        costs.append((len(cold), len(warm)))
    assert costs[0] == costs[1] and costs[0][1] <= 4, costs


# ---------------------------------------------------------------------------------------- who may, and asking


async def test_who_may_quote_is_said_for_everybody_and_for_the_viewer(
    app_of: AppOf, hers: App, his: App, alice: Account, bob: Account
) -> None:
    nobody = await app_of()
    table: dict[str, tuple[list[str], str]] = {
        "public": (["public"], "automatic"),
        "followers": (["followers"], "denied"),
        "nobody": ([], "denied"),
    }
    for policy, (automatic, answer) in table.items():
        made = await write(hers, quote_approval_policy=policy)
        assert made["quote_approval"] == {"automatic": automatic, "manual": [], "current_user": "automatic"}
        for app in (his, nobody):
            assert (await show(app, made))["quote_approval"]["current_user"] == answer
    await follows.follow(bob, alice)
    assert (await show(his, await write(hers, quote_approval_policy="followers")))["quote_approval"][
        "current_user"
    ] == "automatic"
    direct = await write(hers, visibility="direct", quote_approval_policy="public")
    assert direct["quote_approval"] == {"automatic": [], "manual": [], "current_user": "denied"}


async def test_what_may_not_be_quoted_is_refused(hers: App, his: App) -> None:
    closed = await write(hers, quote_approval_policy="nobody")
    hidden = await write(hers, visibility="private")
    await his.post("/api/v1/statuses", 422, json={"status": "x", "quoted_status_id": closed["id"]})
    for number in (hidden["id"], "4711", "x"):
        await his.post("/api/v1/statuses", 404, json={"status": "x", "quoted_status_id": number})
    await hers.post("/api/v1/statuses", 422, json={"status": "x", "quote_approval_policy": "some"})


async def test_somebody_elsewhere_is_asked_first(his: App) -> None:
    rita = await remote("rita", "remote.example")
    quoted = await post(rita, uri="https://remote.example/1", quote_policy=9)
    approval = (await his.get(f"/api/v1/statuses/{quoted.id}"))["quote_approval"]
    assert approval == {"automatic": ["public"], "manual": ["public"], "current_user": "automatic"}
    made = await write(his, quoted_status_id=str(quoted.id))
    assert made["quote"] == {"state": "pending", "quoted_status": None}


async def test_the_policy_can_be_changed_alone_and_with_an_edit(hers: App, his: App) -> None:
    made = await write(hers)
    path = f"/api/v1/statuses/{made['id']}"
    changed = await hers.put(f"{path}/interaction_policy", json={"quote_approval_policy": "nobody"})
    assert changed["quote_approval"]["automatic"] == [] and changed["edited_at"] is None
    kept = await hers.put(path, json={"status": "x"})
    assert kept["quote_approval"]["automatic"] == []
    edited = await hers.put(path, json={"status": "x", "quote_approval_policy": "followers"})
    assert edited["quote_approval"]["automatic"] == ["followers"]
    for policy in ("some", ""):
        await hers.put(f"{path}/interaction_policy", 422, json={"quote_approval_policy": policy})
    await his.put(f"{path}/interaction_policy", 404, json={"quote_approval_policy": "public"})


async def test_the_usual_policy_is_a_setting(hers: App) -> None:
    mine = await hers.get("/api/v1/accounts/verify_credentials")
    assert mine["source"]["quote_policy"] == "public"
    changed = await hers.send(
        "PATCH", "/api/v1/accounts/update_credentials", json={"source": {"quote_policy": "followers"}}
    )
    assert (await changed.get_json())["source"]["quote_policy"] == "followers"
    assert (await hers.get("/api/v1/preferences"))["posting:default:quote_policy"] == "followers"
    assert (await write(hers))["quote_approval"]["automatic"] == ["followers"]
    refused = await hers.send(
        "PATCH", "/api/v1/accounts/update_credentials", json={"source": {"quote_policy": "some"}}
    )
    assert refused.status_code == 422


async def test_a_quote_for_later_says_what_it_will_quote(hers: App, his: App) -> None:
    quoted = await write(hers, "Hello")
    later = await write(his, quoted_status_id=quoted["id"], scheduled_at="2035-01-01T00:00:00Z")
    assert later["params"]["quoted_status_id"] == quoted["id"]
    assert later["params"]["quote_approval_policy"] == "public"


# ------------------------------------------------------------------------------------ the list, taking back


async def test_quotes_are_listed_and_taken_back_by_who_is_quoted(
    app_of: AppOf, hers: App, his: App, carol: Account
) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    path = f"/api/v1/statuses/{quoted['id']}/quotes"
    her = await app_of(carol)
    for app in (hers, her):
        [listed] = await app.get(path)
        assert listed["id"] == made["id"] and listed["quote"]["quoted_status"]["id"] == quoted["id"]
    for app in (his, her):
        await app.post(f"{path}/{made['id']}/revoke", 404)
    await hers.post(f"{path}/4711/revoke", 404)
    for _ in range(2):
        revoked = await hers.post(f"{path}/{made['id']}/revoke")
        assert (revoked["id"], revoked["quote"]) == (made["id"], {"state": "revoked", "quoted_status": None})
    assert await hers.get(path) == [] and (await show(hers, quoted))["quotes_count"] == 0


async def test_being_quoted_is_a_notification_and_so_is_an_edit_of_what_one_quotes(
    hers: App, his: App
) -> None:
    quoted = await write(hers, "Hello")
    made = await write(his, quoted_status_id=quoted["id"])
    [told] = await hers.get("/api/v1/notifications?types[]=quote")
    assert (told["type"], told["status"]["id"]) == ("quote", made["id"])
    await hers.put(f"/api/v1/statuses/{quoted['id']}", json={"status": "Bye"})
    [told] = await his.get("/api/v1/notifications?types[]=quoted_update")
    assert (told["type"], told["status"]["id"]) == ("quoted_update", made["id"])
    assert told["account"]["id"] == quoted["account"]["id"]
