"""Signing up, in and out on the site, and the session behind it."""

from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart

from fediblog import db
from fediblog.config import Config
from fediblog.models import Account, Role, User
from fediblog.services import invites, one_time, sessions, settings, signups
from fediblog.services.settings import Mode
from tests.harness import apps
from tests.people import PASSWORD, person, user_of
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

FORM = {"username": "dora", "email": "dora@mail.example", "password": "a sentence of words", "agreement": "1"}


async def test_somebody_signs_in_with_a_name_and_lands_at_home(visitor: Browser, alice: Account):
    answer = await visitor.submit("/auth/sign_in", "/auth/sign_in", name="alice", password=PASSWORD)

    assert answer.location == "/home"
    assert "@alice" in (await visitor.open("/home")).text


async def test_somebody_signs_in_with_an_address_too(visitor: Browser, alice: Account):
    await visitor.submit("/auth/sign_in", "/auth/sign_in", name="alice@mail.example", password=PASSWORD)
    await visitor.open("/home")


async def test_a_wrong_password_and_an_unknown_name_look_the_same(visitor: Browser, alice: Account):
    wrong = await visitor.submit("/auth/sign_in", "/auth/sign_in", 422, name="alice", password="no")
    unknown = await visitor.submit("/auth/sign_in", "/auth/sign_in", 422, name="nobody", password="no")

    assert "The name or the password is wrong." in wrong.text
    assert wrong.form("/auth/sign_in").value("name") == "alice"
    assert wrong.text.replace("alice", "nobody") == unknown.text
    assert visitor.cookie("fediblog") == ""
    await visitor.open("/home", 303)


async def test_too_many_guesses_have_to_wait(visitor: Browser, alice: Account):
    for _ in range(10):
        await visitor.submit("/auth/sign_in", "/auth/sign_in", 422, name="alice", password="no")
    answer = await visitor.submit("/auth/sign_in", "/auth/sign_in", 429, name="alice", password=PASSWORD)

    assert int(answer.headers["Retry-After"]) > 0
    assert answer.form("/auth/sign_in").value("name") == "alice"


async def test_signing_in_again_ends_the_session_before(browser_of: BrowserOf, app: Quart, alice: Account):
    browser = await browser_of(alice)
    before = browser.cookie("fediblog")
    token = (await browser.open("/home")).form("/auth/sign_out").value("csrf")

    fields = [("csrf", token), ("name", "alice"), ("password", PASSWORD)]
    await browser.post("/auth/sign_in", fields)

    assert browser.cookie("fediblog") != before
    assert await sessions.find(before) is None


async def test_signing_out_ends_the_session_in_the_database_too(browser_of: BrowserOf, alice: Account):
    browser = await browser_of(alice)
    token = browser.cookie("fediblog")
    answer = await browser.submit("/home", "/auth/sign_out")

    assert await sessions.find(token) is None
    assert browser.cookie("fediblog") == ""
    assert "You are signed out." in (await browser.follow(answer)).text


async def test_a_session_that_is_over_is_taken_from_the_browser(browser_of: BrowserOf, alice: Account):
    browser = await browser_of(alice)
    await sessions.revoke_all(await user_of(alice))

    answer = await browser.open("/home", 303)
    assert answer.location.startswith("/auth/sign_in")
    assert browser.cookie("fediblog") == ""


@pytest.mark.parametrize("path", ["/home", "/notifications", "/settings/profile", "/publish", "/bookmarks"])
async def test_a_page_for_members_asks_to_sign_in_and_comes_back(visitor: Browser, alice: Account, path: str):
    asked = await visitor.open(f"{path}?max_id=5", 303)
    sign_in = await visitor.follow(asked)
    answer = await visitor.send_form(sign_in, "/auth/sign_in", name="alice", password=PASSWORD)

    assert answer.location == f"{path}?max_id=5"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/ok\\..\\evil",
        "/a\r\nSet-Cookie: x=y",
    ],
)
async def test_signing_in_leads_to_no_other_site(visitor: Browser, alice: Account, elsewhere: str):
    page = await visitor.open("/auth/sign_in")
    fields = [
        ("csrf", page.form("/auth/sign_in").value("csrf")),
        ("return_to", elsewhere),
        ("name", "alice"),
        ("password", PASSWORD),
    ]
    assert (await visitor.post("/auth/sign_in", fields)).location == "/home"


async def test_who_is_not_let_in_yet_hears_why_after_the_right_password(visitor: Browser, database: None):
    await person("dora", approved_at=None, suspended_at=1)
    answer = await visitor.submit("/auth/sign_in", "/auth/sign_in", 403, name="dora", password=PASSWORD)

    assert "waiting for approval" in answer.text


# ----------------------------------------------------------------------------------------------- signing up


async def _mode(mode: Mode) -> None:
    await settings.change(None, registration=mode)


async def test_with_open_registration_one_signs_up_and_signs_in(visitor: Browser, database: None):
    await _mode(Mode.OPEN)
    answer = await visitor.submit("/auth/sign_up", "/auth/sign_up", **FORM)
    assert answer.location == "/auth/sign_in"

    await visitor.submit("/auth/sign_in", "/auth/sign_in", name="dora", password=FORM["password"])
    await visitor.open("/home")


async def test_with_approval_the_staff_lets_people_in(
    visitor: Browser, browser_of: BrowserOf, database: None
):
    await _mode(Mode.APPROVAL)
    boss = await browser_of(await person("boss", role=Role.ADMIN))
    told = await visitor.submit("/auth/sign_up", "/auth/sign_up", 200, reason="I like boats.", **FORM)
    assert "reads your sign-up" in told.text

    assert "Sign-ups, 1 new" in (await boss.open("/home")).text
    waiting = await boss.open("/admin/signups")
    assert "@dora" in waiting.text and "I like boats." in waiting.text
    user = (await signups.waiting())[0].user
    await boss.send_form(waiting, f"/admin/signups/{user.id}/approve")

    await visitor.submit("/auth/sign_in", "/auth/sign_in", name="dora", password=FORM["password"])


async def test_a_rejected_sign_up_leaves_nothing(visitor: Browser, browser_of: BrowserOf, database: None):
    await _mode(Mode.APPROVAL)
    boss = await browser_of(await person("boss", role=Role.MODERATOR))
    await visitor.submit("/auth/sign_up", "/auth/sign_up", 200, **FORM)
    user = (await signups.waiting())[0].user
    await boss.send_form(await boss.open("/admin/signups"), f"/admin/signups/{user.id}/reject")

    assert "Nobody is waiting." in (await boss.open("/admin/signups")).text
    assert await db.value("SELECT count(*) FROM account WHERE username = 'dora'") == 0


async def test_only_the_staff_sees_the_sign_ups(visitor: Browser, browser_of: BrowserOf, alice: Account):
    browser = await browser_of(alice)
    assert "staff" in (await browser.open("/admin/signups", 403)).text
    token = await browser.token()
    await browser.post("/admin/signups/1/approve", [("csrf", token)], 403)
    await visitor.open("/admin/signups", 303)


async def test_closed_and_invited_servers_say_so(visitor: Browser, database: None):
    await _mode(Mode.CLOSED)
    assert "takes no new members" in (await visitor.open("/auth/sign_up")).text
    await _mode(Mode.INVITE)
    page = await visitor.open("/auth/sign_up")
    assert "invite" in page.text and not page.forms


async def test_an_invite_opens_the_door(visitor: Browser, alice: Account):
    await _mode(Mode.INVITE)
    invite = await invites.create(alice, most_uses=1)
    await visitor.submit(f"/invite/{invite.code}", "/auth/sign_up", **FORM)

    assert await db.value("SELECT count(*) FROM account WHERE username = 'dora'") == 1
    assert "not valid any more" in (await visitor.open(f"/invite/{invite.code}", 404)).text


async def test_faults_of_the_form_stand_at_their_fields_and_what_was_typed_stays(
    visitor: Browser, alice: Account
):
    await _mode(Mode.OPEN)
    answer = await visitor.submit(
        "/auth/sign_up", "/auth/sign_up", 422, username="alice", email="no", password="short", agreement="1"
    )
    form = answer.form("/auth/sign_up")

    for name in ("username", "email", "password"):
        assert f'id="{name}-fault"' in answer.html
    assert (form.value("username"), form.value("email"), form.value("password")) == ("alice", "no", "")
    assert await User.all().count() == 1


async def test_the_rules_have_to_be_agreed_to(visitor: Browser, database: None):
    await _mode(Mode.OPEN)
    form = {name: value for name, value in FORM.items() if name != "agreement"}
    answer = await visitor.submit("/auth/sign_up", "/auth/sign_up", 422, **form)

    assert "agree" in answer.text
    assert await User.all().count() == 0


@pytest.fixture
async def mailing(configure: Callable[..., Config], database: None) -> Browser:
    """A visitor of a server that can send mail."""
    config = configure(mail__url="smtp://localhost:1")
    settings.forget()
    return Browser(apps.shared(config))


async def test_an_address_is_confirmed_with_a_button(mailing: Browser):
    await _mode(Mode.OPEN)
    told = await mailing.submit("/auth/sign_up", "/auth/sign_up", 200, **FORM)
    assert "dora@mail.example" in told.text
    user = await User.get(email="dora@mail.example")
    async with db.transaction():
        token = await one_time.make(one_time.CONFIRM, user.id, 60)

    page = await mailing.open(f"/auth/confirmation?token={token}")
    assert not (await User.get(id=user.id)).confirmed_at, "looking at it must not use it up"
    await mailing.send_form(page, "/auth/confirmation", 200)

    assert (await User.get(id=user.id)).confirmed_at
    again = await mailing.send_form(page, "/auth/confirmation", 422)
    assert "used or is too old" in again.text


async def test_another_confirmation_can_be_asked_for(mailing: Browser):
    answer = await mailing.submit("/auth/confirmation", "/auth/confirmation", 200, email="who@mail.example")
    assert "another mail is on its way" in answer.text


async def test_a_taken_address_is_told_to_nobody(mailing: Browser, alice: Account):
    await _mode(Mode.OPEN)
    form = {**FORM, "email": "alice@mail.example"}
    taken = await mailing.submit("/auth/sign_up", "/auth/sign_up", 200, **form)
    form = {**FORM, "email": "fresh@mail.example", "username": "eve"}
    fresh = await mailing.submit("/auth/sign_up", "/auth/sign_up", 200, **form)

    assert taken.text.replace("alice@", "fresh@") == fresh.text


# --------------------------------------------------------------------------------------------- the password


async def _reset_token(account: Account) -> str:
    user = await user_of(account)
    async with db.transaction():
        return await one_time.make(one_time.RESET, user.id, 60)


async def test_a_forgotten_password_is_replaced_and_ends_all_sessions(
    visitor: Browser, browser_of: BrowserOf, alice: Account
):
    elsewhere = await browser_of(alice)
    path = f"/auth/password/edit?token={await _reset_token(alice)}"
    await visitor.submit(path, "/auth/password/edit", new="an entirely new one")

    await elsewhere.open("/home", 303)
    await visitor.submit("/auth/sign_in", "/auth/sign_in", name="alice", password="an entirely new one")
    assert "used or is too old" in (await visitor.open(path)).text


async def test_asking_for_a_link_says_the_same_for_every_address(visitor: Browser, alice: Account):
    answers = [
        await visitor.submit("/auth/password/new", "/auth/password/new", 200, email=f"{name}@mail.example")
        for name in ("alice", "nobody")
    ]
    assert answers[0].text == answers[1].text


async def test_a_weak_new_password_is_refused_at_its_field(visitor: Browser, alice: Account):
    path = f"/auth/password/edit?token={await _reset_token(alice)}"
    answer = await visitor.submit(path, "/auth/password/edit", 422, new="short")

    assert 'id="new-fault"' in answer.html
    await visitor.send_form(answer, "/auth/password/edit", new="an entirely new one")


# ----------------------------------------------------------------------------------------------- the cookie


@pytest.fixture
async def secure(configure: Callable[..., Any], database: None) -> Browser:
    """A visitor of a server on https."""
    config = configure(domain="social.example", base_url="https://social.example")
    settings.forget()
    return Browser(apps.shared(config), secure=True)


async def test_cookies_are_for_this_host_alone_and_for_no_script(secure: Browser):
    await person("alice")
    page = await secure.open("/auth/sign_in")
    assert "__Host-fediblog-visitor=" in page.headers["Set-Cookie"]
    fields = [
        ("csrf", page.form("/auth/sign_in").value("csrf")),
        ("name", "alice"),
        ("password", PASSWORD),
    ]
    visitor_cookie = page.headers["Set-Cookie"].partition(";")[0]
    answer = await secure.post("/auth/sign_in", fields, Cookie=visitor_cookie)

    cookies = answer.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-fediblog="))
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in session
    assert "Domain" not in session


async def test_on_plain_http_the_cookie_has_a_plain_name(browser_of: BrowserOf, alice: Account):
    assert (await browser_of(alice)).cookie("fediblog")


async def test_password_managers_find_the_form(visitor: Browser):
    assert (await visitor.open("/.well-known/change-password", 303)).location == "/settings/password"
