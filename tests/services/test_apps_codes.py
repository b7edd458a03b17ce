"""Codes: once, for a short while, for the app and the address and the proof that they were made for."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable

import pytest

from fediblog import db, moments
from fediblog.errors import Forbidden, Malformed, Unauthenticated
from fediblog.models import Account, User
from fediblog.services import apps, members, moderation, oauth, sessions, tokens
from fediblog.services.apps import App
from fediblog.services.members import Membership
from fediblog.services.oauth import Refusal
from tests.people import PASSWORD, person, user_of
from tests.services.mailbox import Clock, clock
from tests.services.test_apps import CALLBACK, registered

__all__ = ["clock"]

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
async def elk(database: None) -> App:
    """A registered app."""
    return await registered()


async def granted(app: App, account: Account, challenge: str = "", scope: str = "read") -> str:
    """A code that somebody has given the app."""
    wish = oauth.wish(app, CALLBACK, "code", scope, challenge, "S256" if challenge else "")
    return await oauth.grant(wish, await user_of(account))


async def refused(app: App, code: str, uri: str = CALLBACK, verifier: str = "") -> None:
    """The code is worth nothing."""
    with pytest.raises(Refusal) as error:
        await oauth.exchange(app, code, uri, verifier)
    assert error.value.code == "invalid_grant"


async def test_a_code_becomes_a_token_of_the_person_the_app_and_the_scopes(elk: App, alice: Account) -> None:
    code = await granted(elk, alice, scope="write:statuses read")
    token, scopes = await oauth.exchange(elk, code, CALLBACK)
    found = await tokens.find(token)
    assert found is not None and found.account is not None and found.user is not None
    assert (found.account.id, found.app_id, found.app_name) == (alice.id, elk.id, "Elk")
    assert found.scopes == scopes == {"read", "write:statuses"}
    kept = str(await db.rows("SELECT * FROM oauth_code")) + str(await db.rows("SELECT * FROM oauth_token"))
    assert code not in kept and token not in kept


async def test_a_code_that_comes_again_ends_the_token_it_became(elk: App, alice: Account) -> None:
    other, _ = await oauth.exchange(elk, await granted(elk, alice), CALLBACK)
    code = await granted(elk, alice)
    token, _ = await oauth.exchange(elk, code, CALLBACK)
    await refused(elk, code, "https://elk.zone/other", "x")
    assert await tokens.find(token) is None
    assert await tokens.find(other) is not None


async def test_of_two_who_bring_a_code_at_once_nobody_keeps_a_token(elk: App, alice: Account) -> None:
    code = await granted(elk, alice)
    tries = [oauth.exchange(elk, code, CALLBACK) for _ in range(4)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Refusal) for result in results) >= 3
    assert await db.value("SELECT count(*) FROM oauth_token") == 0


async def test_a_code_is_for_its_app_and_its_address(elk: App, alice: Account) -> None:
    code = await granted(elk, alice)
    await refused(await registered(), code)
    await refused(elk, code, "https://elk.zone/callback/")
    await refused(elk, "unknown")
    token, _ = await oauth.exchange(elk, code, CALLBACK)
    await refused(await registered(), code)
    assert await tokens.find(token) is not None, "another app cannot end it"


@pytest.mark.parametrize("verifier", ["", "w" * 43, CHALLENGE, "v" * 42, "\ud800" * 43])
async def test_a_challenge_wants_its_verifier(elk: App, alice: Account, verifier: str) -> None:
    code = await granted(elk, alice, CHALLENGE)
    await refused(elk, code, verifier=verifier)
    await oauth.exchange(elk, code, CALLBACK, VERIFIER)


async def test_a_verifier_without_a_challenge_shows_that_one_was_taken_away(elk: App, alice: Account) -> None:
    await refused(elk, await granted(elk, alice), verifier=VERIFIER)


async def test_a_code_ends_after_a_minute(elk: App, alice: Account, clock: Clock) -> None:
    code, user = await granted(elk, alice), await user_of(alice)
    assert await oauth.waits(user, code)
    clock.forward(oauth.LIFETIME)
    assert not await oauth.waits(user, code)
    await refused(elk, code)


async def test_a_code_that_is_copied_by_hand_works_for_ten_minutes(alice: Account, clock: Clock) -> None:
    app, user = await registered(uri=apps.OUT_OF_BAND), await user_of(alice)
    code = await oauth.grant(oauth.Wish(app, apps.OUT_OF_BAND, frozenset(["read"])), user)
    clock.forward(9 * moments.MINUTE)
    assert await oauth.waits(user, code)
    clock.forward(moments.MINUTE)
    assert not await oauth.waits(user, code)


async def _new_password(account: Account, user: User) -> None:
    await sessions.change_password(user, PASSWORD, "an entirely new one")


async def _suspended(account: Account, user: User) -> None:
    await moderation.suspend(account, await user_of(await person("boss", role="admin")))


async def test_who_is_suspended_at_this_very_moment_gives_no_code(
    elk: App, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def a_moment_ago(user: User, account_id: int | None) -> Account:
        return alice

    monkeypatch.setattr(members, "acted_for", a_moment_ago)
    user = await user_of(alice)
    await Account.filter(id=alice.id).update(suspended_at=1)
    with pytest.raises(Unauthenticated):
        await oauth.grant(oauth.Wish(elk, CALLBACK, frozenset(["read"])), user)


async def test_of_an_apps_own_tokens_the_latest_few_work(elk: App) -> None:
    made = [(await oauth.for_app(elk))[0] for _ in range(12)]
    works = [await tokens.find(token) is not None for token in made]
    assert works == [False] * 2 + [True] * 10


@pytest.mark.parametrize("end", [_new_password, _suspended])
async def test_a_code_ends_with_the_right_to_give_it(
    elk: App, alice: Account, end: Callable[[Account, User], Awaitable[None]]
) -> None:
    code = await granted(elk, alice)
    await end(alice, await user_of(alice))
    await refused(elk, code)


async def test_who_was_put_out_a_moment_ago_gives_no_code(elk: App, alice: Account) -> None:
    user, wish = await user_of(alice), oauth.wish(elk, CALLBACK, "code")
    await _new_password(alice, await user_of(alice))
    with pytest.raises(Unauthenticated):
        await oauth.grant(wish, user)


async def test_one_agrees_for_ones_own_accounts_alone(elk: App, alice: Account, bob: Account) -> None:
    user, wish = await user_of(alice), oauth.wish(elk, CALLBACK, "code")
    with pytest.raises(Forbidden):
        await oauth.grant(wish, user, bob.id)
    async with db.transaction():
        await members.add(user.id, bob.id, Membership.EDITOR)
    token, _ = await oauth.exchange(elk, await oauth.grant(wish, user, bob.id), CALLBACK)
    found = await tokens.find(token)
    assert found is not None and found.account is not None and found.account.id == bob.id
    await Account.filter(id=bob.id).update(suspended_at=1)
    with pytest.raises(Forbidden):
        await oauth.grant(wish, user, bob.id)


async def test_a_code_is_shown_to_who_gave_it_alone(elk: App, alice: Account, bob: Account) -> None:
    code = await granted(elk, alice)
    assert not await oauth.waits(await user_of(bob), code)
    await oauth.exchange(elk, code, CALLBACK)
    assert not await oauth.waits(await user_of(alice), code)


async def test_an_app_that_is_not_registered_like_that_goes_nowhere(elk: App) -> None:
    for client_id, uri in (("x", CALLBACK), (elk.client_id, CALLBACK + "/"), (elk.client_id, "")):
        with pytest.raises(Malformed):
            await oauth.client(client_id, uri)
    assert await oauth.client(elk.client_id, CALLBACK) == elk


@pytest.mark.parametrize(
    ("registered_for", "asked", "given"),
    [
        ("read write", "", "read"),
        ("write", "", "write"),
        ("read write", "read:statuses write", "read:statuses write"),
        ("read", "profile", "profile"),
        ("read", "write", None),
        ("read:statuses", "read", None),
        ("read write", "admin:read", None),
        ("read", "everything", None),
    ],
)
async def test_an_app_gets_what_it_has_registered_or_less(
    database: None, registered_for: str, asked: str, given: str | None
) -> None:
    app = await registered(registered_for)
    if given is not None:
        assert oauth.wish(app, CALLBACK, "code", asked).scopes == set(given.split())
        assert (await oauth.for_app(app, asked))[1] == set(given.split())
        return
    with pytest.raises(Refusal) as error:
        oauth.wish(app, CALLBACK, "code", asked)
    assert error.value.code == "invalid_scope"
    with pytest.raises(Refusal):
        await oauth.for_app(app, asked)


@pytest.mark.parametrize(
    ("kind", "challenge", "method", "code"),
    [
        ("token", "", "", "unsupported_response_type"),
        ("", "", "", "unsupported_response_type"),
        ("code", CHALLENGE, "plain", "invalid_request"),
        ("code", CHALLENGE, "", "invalid_request"),
        ("code", "short", "S256", "invalid_request"),
        ("code", "", "S256", "invalid_request"),
    ],
)
async def test_wishes_that_are_refused(elk: App, kind: str, challenge: str, method: str, code: str) -> None:
    with pytest.raises(Refusal) as error:
        oauth.wish(elk, CALLBACK, kind, "read", challenge, method)
    assert error.value.code == code


async def test_tokens_are_taken_back_by_their_own_app(elk: App, alice: Account) -> None:
    token, _ = await oauth.exchange(elk, await granted(elk, alice), CALLBACK)
    for stranger in (None, await registered()):
        with pytest.raises(Refusal) as error:
            await oauth.revoke(token, stranger)
        assert error.value.http_status == 403
    assert await tokens.find(token) is not None
    await oauth.revoke(token, elk)
    assert await tokens.find(token) is None
    await oauth.revoke(token, None)

    from_the_shell = await tokens.create(alice, await user_of(alice), "read")
    await oauth.revoke(from_the_shell, None)
    assert await tokens.find(from_the_shell) is None


async def test_the_app_knows_its_token_for_itself(elk: App) -> None:
    token, _ = await oauth.for_app(elk)
    found = await tokens.find(token)
    assert found is not None and found.user is None
    assert await apps.of_token(found.app_id) == elk
    assert await apps.of_token(None) is None
