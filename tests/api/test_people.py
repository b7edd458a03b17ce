"""Notes, recommendations, directory, suggestions, hidden servers and one's own profile through the API."""

from fediblog.models import Account
from fediblog.services import settings
from tests.api.conftest import AppOf
from tests.api.test_accounts import ACCOUNT, RELATIONSHIP, picture
from tests.people import person, remote


async def test_notes_and_recommendations_show_in_the_relationship(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    noted = await hers.post(f"/api/v1/accounts/{bob.id}/note", form={"comment": "met in Graz"})
    assert set(noted) == RELATIONSHIP and noted["note"] == "met in Graz"
    (seen,) = await his.get(f"/api/v1/accounts/relationships?id={alice.id}")
    assert seen["note"] == ""
    await hers.post(f"/api/v1/accounts/{bob.id}/endorse", 422)
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    for word in ("endorse", "pin"):
        assert (await hers.post(f"/api/v1/accounts/{bob.id}/{word}"))["endorsed"] is True
    assert [one["acct"] for one in await hers.get("/api/v1/endorsements")] == ["bob"]
    nobody = await app_of()
    assert [one["acct"] for one in await nobody.get(f"/api/v1/accounts/{alice.id}/endorsements")] == ["bob"]
    for word in ("unendorse", "unpin"):
        assert (await hers.post(f"/api/v1/accounts/{bob.id}/{word}"))["endorsed"] is False
    assert (await hers.post(f"/api/v1/accounts/{bob.id}/note"))["note"] == ""

    await nobody.post(f"/api/v1/accounts/{bob.id}/note", 401)
    await (await app_of(alice, "read")).post(f"/api/v1/accounts/{bob.id}/endorse", 403)
    await hers.post("/api/v1/accounts/4711/note", 404)


async def test_several_accounts_come_in_the_order_asked_for(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    nobody = await app_of()
    waiting = await person("waiting", suspended_at=1, confirmed_at=None, approved_at=None)
    gone = await person("gone", deleted_at=1, suspended_at=1)
    put_away = await person("away", suspended_at=1)
    numbers = [bob.id, waiting.id, 4711, alice.id, gone.id, bob.id, put_away.id]
    query = "&".join(f"id[]={number}" for number in numbers)
    found = await nobody.get(f"/api/v1/accounts?{query}&id[]=x")
    assert [one["acct"] for one in found] == ["bob", "alice", "away"] and found[2]["suspended"] is True
    assert await nobody.get("/api/v1/accounts") == []
    assert set(found[0]) == ACCOUNT


async def test_the_directory_and_suggestions_give_accounts(
    app_of: AppOf, alice: Account, bob: Account, carol: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    await Account.filter(id__in=[bob.id, carol.id]).update(last_post_at=1)
    assert [one["acct"] for one in await (await app_of()).get("/api/v1/directory?order=new&local=1")] == [
        "carol",
        "bob",
        "alice",
    ]
    assert [one["acct"] for one in await hers.get("/api/v1/directory?limit=1&offset=1")] == ["bob"]
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    await his.post(f"/api/v1/accounts/{carol.id}/follow")
    (familiar,) = await hers.get(f"/api/v1/accounts/familiar_followers?id[]={carol.id}&id[]=4711")
    assert familiar["id"] == str(carol.id) and [one["acct"] for one in familiar["accounts"]] == ["bob"]
    (first,) = await hers.get("/api/v2/suggestions")
    assert (first["source"], first["sources"]) == ("past_interactions", ["friends_of_friends"])
    assert [one["acct"] for one in await hers.get("/api/v1/suggestions")] == ["carol"]
    assert await hers.delete(f"/api/v1/suggestions/{carol.id}") == {}
    assert await hers.get("/api/v2/suggestions") == []

    await (await app_of()).get("/api/v2/suggestions", 401)
    await (await app_of(alice, "write")).get("/api/v1/suggestions", 403)
    await (await app_of(alice, "write")).get(f"/api/v1/accounts/familiar_followers?id[]={carol.id}", 403)
    assert await hers.get(f"/api/v1/accounts/{bob.id}/identity_proofs") == []


async def test_where_only_members_look_strangers_see_no_directory(app_of: AppOf, alice: Account) -> None:
    await settings.change(None, members_only=True)
    await (await app_of()).get("/api/v1/directory", 401)
    await (await app_of(alice)).get("/api/v1/directory")


async def test_a_search_can_be_for_those_one_follows(app_of: AppOf, alice: Account, bob: Account) -> None:
    hers = await app_of(alice)
    await person("bobby")
    assert len(await hers.get("/api/v1/accounts/search?q=bob")) == 2
    assert await hers.get("/api/v1/accounts/search?q=bob&following=true") == []
    await hers.post(f"/api/v1/accounts/{bob.id}/follow")
    found = await hers.get("/api/v1/accounts/search?q=bob&following=true")
    assert [one["acct"] for one in found] == ["bob"]


async def test_a_server_is_hidden_and_shown_in_every_encoding(app_of: AppOf, alice: Account) -> None:
    hers, path = await app_of(alice), "/api/v1/domain_blocks"
    dave = await remote("dave", "far.example")
    for options in ({"json": {"domain": "far.example"}}, {"form": {"domain": "near.example"}}):
        assert await hers.post(path, **options) == {}
    (seen,) = await hers.get(f"/api/v1/accounts/relationships?id={dave.id}")
    assert seen["domain_blocking"] is True
    answer = await hers.send("GET", f"{path}?limit=1")
    assert await answer.get_json() == ["near.example"] and 'rel="next"' in answer.headers["Link"]
    assert await hers.delete(f"{path}?domain=near.example") == {}
    assert await hers.delete(path, json={"domain": "far.example"}) == {}
    assert await hers.get(path) == []
    await hers.post(path, 422, json={"domain": "localhost:8000"})
    await hers.post(path, 422)
    await (await app_of()).get(path, 401)
    await (await app_of(alice, "read")).post(path, 403, json={"domain": "far.example"})
    await (await app_of(alice, "follow")).post(path, json={"domain": "far.example"})


async def test_the_profile_is_read_and_written_as_typed_and_its_pictures_go(
    app_of: AppOf, alice: Account
) -> None:
    hers, path = await app_of(alice), "/api/v1/profile"
    answer = await hers.send(
        "PATCH",
        path,
        form={"note": "Hi <b>", "fields_attributes[0][name]": "a", "fields_attributes[0][value]": "b & c"},
        files={"avatar": picture(), "header": picture()},
    )
    changed = await answer.get_json()
    assert changed["note"] == "Hi <b>" and changed["fields"][0]["value"] == "b & c"
    assert "/media/" in changed["avatar"] and await hers.get(path) == changed
    for which in ("avatar", "header"):
        me = await hers.delete(f"{path}/{which}")
        assert me[which].endswith("missing.png") and "source" in me
    assert (await hers.get(path))["avatar"] is None
    refused = await hers.send("PATCH", path, json={"note": "x" * 2000})
    assert refused.status_code == 422
    await (await app_of()).get(path, 401)
    await (await app_of(alice, "read")).delete(f"{path}/avatar", 403)
