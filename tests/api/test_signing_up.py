"""Signing up from an app: the answer is a token, and what it may do before its user is let in."""

from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart

from fediblog import allowances, db, moments
from fediblog.config import Config
from fediblog.models import Account, User
from fediblog.services import apps, invites, signups, tokens, upkeep
from fediblog.services import settings as site
from tests.api.conftest import App, AppOf
from tests.people import user_of
from tests.services.mailbox import Clock, clock
from tests.services.newcomers import PASSWORD, mailed

__all__ = ["clock"]

PATH = "/api/v1/accounts"
AGAIN, IS_CONFIRMED = "/api/v1/emails/confirmations", "/api/v1/emails/check_confirmation"
SELF = f"{PATH}/verify_credentials"
NO_MAIL_YET = "Your login is missing a confirmed e-mail address"


@pytest.fixture(autouse=True)
def _open_with_mail(database: None, configure: Callable[..., Config]) -> None:
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="open")


async def registered(app: Quart, scopes: str = "read write follow push") -> tuple[App, apps.App]:
    """An app with a token of its own."""
    made, _ = await apps.register("Tusk", [apps.OUT_OF_BAND], scopes)
    return App(app.test_client(), await tokens.create(None, None, scopes, made.id)), made


def form(username: str = "dora", **values: Any) -> dict[str, Any]:
    """What an app sends when nothing is wrong."""
    mine = {"username": username, "email": f"{username}@mail.example", "password": PASSWORD}
    return {**mine, "agreement": "true", "locale": "de", **values}


async def signed_up(app: Quart, username: str = "dora", **values: Any) -> App:
    phone, _ = await registered(app)
    return App(app.test_client(), (await phone.post(PATH, json=form(username, **values)))["access_token"])


async def test_the_token_of_a_sign_up_works_once_the_address_is_confirmed(app: Quart):
    phone, registration = await registered(app, "read write")
    made = await phone.post(PATH, form=form())
    assert set(made) == {"access_token", "token_type", "scope", "created_at"}
    assert (made["token_type"], made["scope"]) == ("Bearer", "read write")
    assert isinstance(made["created_at"], int)

    hers = App(app.test_client(), made["access_token"])
    for method, path in (("GET", SELF), ("GET", "/api/v1/timelines/home"), ("POST", "/api/v1/statuses")):
        answer = await hers.send(method, path)
        assert (answer.status_code, await answer.get_json()) == (403, {"error": NO_MAIL_YET})
    assert await hers.get("/api/v1/timelines/public") == []
    assert (await hers.get("/api/v1/apps/verify_credentials"))["id"] == str(registration.id)
    assert await hers.get(IS_CONFIRMED) is False
    of_people = await db.column("SELECT id FROM oauth_token WHERE user_id IS NOT NULL")
    assert len(of_people) == 1 and await tokens.holding(of_people) == set()

    [(address, token)] = await mailed("confirm")
    user = await signups.confirm(token)
    assert (address, user.locale) == ("dora@mail.example", "de")
    assert (await hers.get(SELF))["username"] == "dora"
    assert await hers.get(IS_CONFIRMED) is True


async def test_where_the_staff_decides_the_token_waits_for_it_too(
    app: Quart, configure: Callable[..., Config], alice: Account
):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    hers = await signed_up(app, reason="I like it")
    [(_, token)] = await mailed("confirm")
    user = await signups.confirm(token)
    assert user.reason == "I like it"
    assert await hers.get(SELF, 403) == {"error": "Your login is currently pending approval"}
    assert await hers.get(IS_CONFIRMED) is True
    await hers.post(AGAIN, 403)

    await signups.approve(user.id, None)
    assert (await hers.get(SELF))["username"] == "dora"


async def test_who_is_sent_away_or_put_away_has_no_token(app: Quart, configure: Callable[..., Config]):
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="approval")
    sent, put = await signed_up(app), await signed_up(app, "emil")
    for _, token in await mailed("confirm"):
        await signups.confirm(token)
    await signups.reject((await User.get(email_key="dora@mail.example")).id, None)
    async with db.transaction():
        await db.execute("UPDATE account SET suspended_at = created_at + 1 WHERE username_key = 'emil'")
    for gone in (sent, put):
        await gone.get(SELF, 401)


async def test_the_modes_close_the_door_and_an_invite_opens_it(
    app: Quart, configure: Callable[..., Config], alice: Account
):
    phone, _ = await registered(app)
    configure(mail__url="smtp://127.0.0.1:1", registration__mode="closed")
    assert "no new members" in (await phone.post(PATH, 403, json=form()))["error"]

    configure(mail__url="smtp://127.0.0.1:1", registration__mode="invite")
    refused = await phone.post(PATH, 422, json=form())
    assert refused["details"]["invite_code"][0]["error"] == "ERR_BLANK"
    refused = await phone.post(PATH, 422, json=form(invite_code="made-up"))
    assert refused["details"]["invite_code"][0]["error"] == "ERR_INVALID"
    invite = await invites.create(alice)
    await phone.post(PATH, json=form(invite_code=invite.code))
    assert (await User.get(email_key="dora@mail.example")).invite_id == invite.id


async def test_every_fault_is_named_with_its_field_and_kind(app: Quart, alice: Account):
    phone, _ = await registered(app)

    async def kinds(**values: Any) -> dict[str, str]:
        answer = await phone.post(PATH, 422, json=form(**values))
        assert answer["error"].startswith("Validation failed: ")
        assert all(fault["description"] in answer["error"] for [fault] in answer["details"].values())
        return {name: fault["error"] for name, [fault] in answer["details"].items()}

    wrong = {"username": "al ice", "email": "nowhere", "password": "short"}
    assert await kinds(**wrong) == {
        "username": "ERR_INVALID",
        "email": "ERR_INVALID",
        "password": "ERR_TOO_SHORT",
    }
    long = {"username": "a" * 31, "email": "", "password": "x" * 1025, "reason": "x" * 1001}
    assert await kinds(**long) == {
        "username": "ERR_TOO_LONG",
        "email": "ERR_BLANK",
        "password": "ERR_TOO_LONG",
        "reason": "ERR_TOO_LONG",
    }
    allowances.forget()
    assert await kinds(username="alice") == {"username": "ERR_TAKEN"}
    assert await kinds(username="admin", agreement="") == {"agreement": "ERR_ACCEPTED"}
    assert await kinds(username="admin") == {"username": "ERR_RESERVED"}
    assert await db.value("SELECT count(*) FROM person") == 1


async def test_nobody_learns_from_a_token_that_an_address_has_an_account(
    app: Quart, alice: Account, clock: Clock
):
    """A token comes back, and does what the one of a real sign-up does, to the end."""
    taken = (await user_of(alice)).email
    phone, _ = await registered(app)
    other, stranger = await registered(app)
    real, nobody = await phone.post(PATH, json=form()), await phone.post(PATH, json=form("emil", email=taken))
    assert {**real, "access_token": ""} == {**nobody, "access_token": "", "created_at": real["created_at"]}
    assert await db.value("SELECT count(*) FROM person") == 2

    async def seen(token: str, email: str) -> list[Any]:
        theirs = App(app.test_client(), token)
        asked = [
            ("GET", SELF, {}),
            ("POST", "/api/v1/statuses", {}),
            ("GET", "/api/v1/timelines/public", {}),
            ("GET", "/api/v1/apps/verify_credentials", {}),
            ("GET", IS_CONFIRMED, {}),
            ("GET", "/api/v1/streaming/user", {}),
            ("POST", AGAIN, {"json": {"email": "else@mail.example"}}),
            ("POST", AGAIN, {"json": {"email": email}}),
            ("POST", AGAIN, {}),
            ("POST", AGAIN, {}),
            ("POST", AGAIN, {}),
        ]
        answers = [await theirs.send(method, path, **options) for method, path, options in asked]
        return [(answer.status_code, await answer.get_data()) for answer in answers]

    first, second = [
        await seen(one["access_token"], email)
        for one, email in ((real, "dora@mail.example"), (nobody, taken))
    ]
    assert first == second
    assert [status for status, _ in first] == [403, 403, 200, 200, 200, 403, 422, 200, 200, 200, 429]

    # No other app can end it, its own can; and else it ends by itself when the real one does.
    third = await phone.post(PATH, json=form("fred", email=taken))
    secrets = {"client_id": stranger.client_id, "client_secret": "x"}
    for one in (real, third):
        answer = await other.send("POST", "/oauth/revoke", json={**secrets, "token": one["access_token"]})
        assert answer.status_code == 403
    await tokens.revoke(third["access_token"])
    await App(app.test_client(), third["access_token"]).get(SELF, 401)
    clock.forward(8 * moments.DAY)
    for _ in range(2):
        await upkeep.prune()
        await signups.prune()
    for one in (real, nobody):
        await App(app.test_client(), one["access_token"]).get(SELF, 401)


async def test_the_mail_is_sent_again_only_to_who_waits_for_it(app: Quart, app_of: AppOf, alice: Account):
    hers = await signed_up(app)
    assert await hers.post(AGAIN) == {}
    [_, second] = await mailed("confirm")
    assert second[0] == "dora@mail.example"
    assert "cannot be changed" in (await hers.post(AGAIN, 422, json={"email": "d@mail.example"}))["error"]
    await signups.confirm(second[1])
    assert "awaiting confirmation" in (await hers.post(AGAIN, 403))["error"]
    assert await (await app_of(alice)).get(IS_CONFIRMED) is True


async def test_only_an_app_that_may_write_accounts_signs_people_up(app: Quart, app_of: AppOf):
    await App(app.test_client()).post(PATH, 401, json=form())
    reader, _ = await registered(app, "read")
    await reader.post(PATH, 403, json=form())
    await App(app.test_client(), await tokens.create(None, None, "write")).post(PATH, 403, json=form())
    await App(app.test_client()).post(AGAIN, 401)
    await App(app.test_client()).get(IS_CONFIRMED, 401)
    writer, _ = await registered(app, "write")
    for path, method in ((AGAIN, writer.post), (IS_CONFIRMED, reader.get)):
        await method(path, 422)
    waiting = App(app.test_client(), (await writer.post(PATH, json=form()))["access_token"])
    await waiting.get(IS_CONFIRMED, 403)
    await waiting.get("/api/v1/timelines/public", 403)


async def test_sign_ups_from_one_place_have_an_end(app: Quart):
    phone, _ = await registered(app)
    for number in range(5):
        await phone.post(PATH, 422, json=form(f"name{number}", password=""))
    answer = await phone.send("POST", PATH, json=form())
    assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (429, "5")
    assert int(answer.headers["Retry-After"]) <= 1800


async def test_what_is_for_members_only_is_not_for_who_waits(app: Quart, alice: Account):
    hers = await signed_up(app)
    await site.change(None, members_only=True)
    assert await hers.get("/api/v1/timelines/public", 403) == {"error": NO_MAIL_YET}
