"""OAuth as programs see it: registering, tokens for codes, signing out, and where all of that is."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from quart import Quart

from fediblog import db
from fediblog.models import Account
from fediblog.services import apps, oauth, push_subscriptions, throttle, tokens
from tests.api.conftest import App, AppOf
from tests.people import user_of
from tests.services.test_apps import CALLBACK
from tests.services.test_apps_codes import CHALLENGE, VERIFIER

FORM = {
    "client_name": "Elk",
    "redirect_uris": CALLBACK,
    "scopes": "read write",
    "website": "https://elk.zone",
}


@pytest.fixture
async def nobody(app_of: AppOf) -> App:
    return await app_of()


@pytest.fixture
async def keys(nobody: App) -> dict[str, str]:
    """What an app keeps of its registration."""
    made = await nobody.post("/api/v1/apps", json=FORM)
    return {name: made[name] for name in ("client_id", "client_secret")}


async def code_for(keys: dict[str, str], account: Account, challenge: str = "") -> dict[str, str]:
    """What the app sends once somebody has agreed."""
    found = await oauth.client(keys["client_id"], CALLBACK)
    wish = oauth.wish(found, CALLBACK, "code", "read", challenge, "S256" if challenge else "")
    code = await oauth.grant(wish, await user_of(account))
    return {**keys, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}


def basic(keys: dict[str, str]) -> dict[str, str]:
    """Id and secret in the head."""
    pair = f"{keys['client_id']}:{keys['client_secret']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


# -------------------------------------------------------------------------------------------------- the app


async def test_an_app_registers_without_an_account(nobody: App) -> None:
    made = await nobody.post("/api/v1/apps", form=FORM)
    assert made["id"].isdigit() and made["client_id"] and made["client_secret"]
    assert {name: made[name] for name in set(made) - {"id", "client_id", "client_secret"}} == {
        "name": "Elk",
        "website": "https://elk.zone",
        "scopes": ["read", "write"],
        "redirect_uris": [CALLBACK],
        "redirect_uri": CALLBACK,
        "client_secret_expires_at": 0,
        "vapid_key": await push_subscriptions.public_key(),
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"client_name": "x", "redirect_uris": ["a://b", "https://c/"]}},
        {"json": {"client_name": "x", "redirect_uris": "a://b\nhttps://c/"}},
        {"form": {"client_name": "x", "redirect_uris": "a://b\r\nhttps://c/"}},
        {"query_string": {"client_name": "x", "redirect_uris[]": ["a://b", "https://c/"]}},
    ],
)
async def test_redirect_uris_come_in_many_forms(nobody: App, sent: dict[str, Any]) -> None:
    made = await nobody.post("/api/v1/apps", **sent)
    assert made["redirect_uris"] == ["a://b", "https://c/"]
    assert (made["website"], made["scopes"], made["redirect_uri"]) == (None, ["read"], "a://b\nhttps://c/")


@pytest.mark.parametrize(
    "wrong",
    [{"client_name": ""}, {"redirect_uris": "javascript:x"}, {"scopes": "everything"}, {"website": "x"}],
)
async def test_what_an_app_may_not_register_is_422(nobody: App, wrong: dict[str, str]) -> None:
    assert (await nobody.post("/api/v1/apps", 422, json={**FORM, **wrong}))["error"]


async def test_an_app_asks_who_it_is_with_either_token(
    nobody: App, app_of: AppOf, keys: dict[str, str], alice: Account
) -> None:
    its_own = {**keys, "grant_type": "client_credentials"}
    for sent in (its_own, await code_for(keys, alice)):
        nobody.token = (await nobody.post("/oauth/token", json=sent))["access_token"]
        told = await nobody.get("/api/v1/apps/verify_credentials")
        assert (told["name"], told["redirect_uris"]) == ("Elk", [CALLBACK])
        assert "client_secret" not in told
    nobody.token = ""
    await nobody.get("/api/v1/apps/verify_credentials", 401)
    await (await app_of(alice)).get("/api/v1/apps/verify_credentials", 403)


# --------------------------------------------------------------------------------------------------- tokens


@pytest.mark.parametrize("encoding", ["json", "form", "data"])
async def test_a_code_becomes_a_token_in_all_encodings(
    nobody: App, keys: dict[str, str], alice: Account, encoding: str
) -> None:
    sent = await code_for(keys, alice)
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    match encoding:
        case "json":
            options: dict[str, Any] = {"json": sent}
        case "form":
            options = {"form": sent}
        case _:
            parts = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}' for k, v in sent.items()]
            options = {"data": "\r\n".join([*parts, "--x--\r\n"]), "headers": multipart}
    answer = await nobody.send("POST", "/oauth/token", **options)
    told = await answer.get_json()
    assert (told["token_type"], told["scope"]) == ("Bearer", "read") and isinstance(told["created_at"], int)
    assert set(told) == {"access_token", "token_type", "scope", "created_at"}
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    nobody.token = told["access_token"]
    assert (await nobody.get("/api/v1/accounts/verify_credentials"))["acct"] == "alice"


async def test_id_and_secret_may_come_in_the_head(nobody: App, keys: dict[str, str], alice: Account) -> None:
    sent = await code_for(keys, alice)
    alone = {name: value for name, value in sent.items() if name not in keys}
    await nobody.post("/oauth/token", form=alone, headers=basic(keys))
    twice = await code_for(keys, alice)
    await nobody.post("/oauth/token", form=twice, headers=basic(keys))
    other = {**await code_for(keys, alice), "client_id": "another"}
    told = await nobody.post("/oauth/token", 400, form=other, headers=basic(keys))
    assert told["error"] == "invalid_request"


async def test_the_verifier_is_asked_for(nobody: App, keys: dict[str, str], alice: Account) -> None:
    sent = await code_for(keys, alice, CHALLENGE)
    assert (await nobody.post("/oauth/token", 400, json=sent))["error"] == "invalid_grant"
    await nobody.post("/oauth/token", json={**sent, "code_verifier": VERIFIER})
    assert (await nobody.post("/oauth/token", 400, json=sent))["error"] == "invalid_grant"
    assert await db.value("SELECT count(*) FROM oauth_token") == 0


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "\0"}, 400, "invalid_request"),
        ({"client_id": ["x"]}, 400, "invalid_request"),
        ({"code": None}, 400, "invalid_request"),
        ({"code": "x"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, 400, "invalid_grant"),
    ],
)
async def test_refusals_have_the_words_of_the_rfc(
    nobody: App, keys: dict[str, str], alice: Account, changed: dict[str, Any], status: int, error: str
) -> None:
    sent = {**await code_for(keys, alice), **changed}
    told = await nobody.post("/oauth/token", status, json=sent)
    assert told["error"] == error and told["error_description"]
    assert await db.value("SELECT count(*) FROM oauth_token") == 0


async def test_a_head_that_cannot_be_read_is_a_client_that_nobody_knows(nobody: App) -> None:
    for head in ("Basic !", "Basic /w==", "Basic "):
        answer = await nobody.send(
            "POST", "/oauth/token", json={"grant_type": "client_credentials"}, headers={"Authorization": head}
        )
        assert answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"]


async def test_secrets_in_the_address_do_not_count(nobody: App, keys: dict[str, str]) -> None:
    query = urlencode({**keys, "grant_type": "client_credentials"})
    assert (await nobody.post(f"/oauth/token?{query}", 400))["error"] == "invalid_request"


async def test_an_app_alone_has_its_scopes_and_no_person(nobody: App, keys: dict[str, str]) -> None:
    sent = {**keys, "grant_type": "client_credentials"}
    assert (await nobody.post("/oauth/token", json=sent))["scope"] == "read"
    told = await nobody.post("/oauth/token", json={**sent, "scope": "read write"})
    assert told["scope"] == "read write"
    too_much = await nobody.post("/oauth/token", 400, json={**sent, "scope": "push"})
    assert too_much["error"] == "invalid_scope"
    nobody.token = told["access_token"]
    await nobody.get("/api/v1/accounts/verify_credentials", 422)


async def test_very_many_who_ask_for_tokens_have_to_wait(
    nobody: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "_MOST_TOKENS", 1)
    await nobody.post("/oauth/token", 400, json={})
    answer = await nobody.send("POST", "/oauth/token", json={})
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0


# ------------------------------------------------------------------------------------------------- revoking


async def test_signing_out_ends_the_token_at_once_and_only_by_its_app(
    nobody: App, keys: dict[str, str], alice: Account
) -> None:
    token = (await nobody.post("/oauth/token", json=await code_for(keys, alice)))["access_token"]
    stranger = await nobody.post("/api/v1/apps", json=FORM)
    other = {name: stranger[name] for name in keys}
    for wrong in (other, {**keys, "client_secret": "x"}, {}):
        told = await nobody.post("/oauth/revoke", 403, json={**wrong, "token": token})
        assert told["error"] == "unauthorized_client"
    assert await tokens.find(token) is not None

    nobody.token = token  # Apps send it in the head besides; the second time it does not hold any more.
    assert await nobody.post("/oauth/revoke", form={**keys, "token": token}) == {}
    assert await tokens.find(token) is None
    assert await nobody.post("/oauth/revoke", form={**keys, "token": token}) == {}
    assert await nobody.post("/oauth/revoke") == {}


# ----------------------------------------------------------------------------------------- what there is


async def test_userinfo_tells_who_somebody_is(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice, "profile")
    for method in (hers.get, hers.post):
        assert await method("/oauth/userinfo") == {
            "iss": "http://localhost:8000/",
            "sub": alice.uri,
            "name": "Alice",
            "preferred_username": "alice",
            "profile": alice.url,
            "picture": "http://localhost:8000/avatars/original/missing.png",
        }
    await (await app_of(alice, "write")).get("/oauth/userinfo", 403)
    await (await app_of()).get("/oauth/userinfo", 401)


async def test_the_metadata_says_what_is_true(nobody: App, app: Quart) -> None:
    answer = await nobody.send("GET", "/.well-known/oauth-authorization-server")
    told = json.loads(await answer.get_data())
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert told["issuer"] == "http://localhost:8000/"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert set(told["scopes_supported"]) == tokens.SCOPES
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    endpoints = {url.removeprefix("http://localhost:8000") for name, url in told.items() if "endpoint" in name
                 and isinstance(url, str)}  # fmt: skip
    assert len(endpoints) == 5 and endpoints <= routes


@pytest.mark.parametrize(
    "path",
    ["/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known/oauth-authorization-server"],
)
async def test_browsers_may_ask_from_other_sites(nobody: App, path: str) -> None:
    answer = await nobody.send("OPTIONS", path)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_registrations_are_counted_by_network(nobody: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "_MOST_REGISTRATIONS", 1)
    await throttle.clear(throttle.bucket("apps", ""))
    await nobody.post("/api/v1/apps", json=FORM)
    assert (await nobody.post("/api/v1/apps", 429, json=FORM))["error"]
