"""Codes at sign-in on the pages: two steps, what each refusal shows, and the settings."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from quart import Quart

from fediblog import db, moments
from fediblog.config import Config
from fediblog.models import Account, User
from fediblog.services import authenticator, sessions, settings
from tests.harness import apps
from tests.people import PASSWORD, user_of
from tests.services.codes import App, with_codes
from tests.services.mailbox import Clock, clock
from tests.services.test_apps import CALLBACK, registered
from tests.web.browser import Browser, Page
from tests.web.conftest import BrowserOf

__all__ = ["clock"]

pytestmark = pytest.mark.once

FIRST, SECOND, PAGE = "/auth/sign_in", "/auth/sign_in/otp", "/settings/security"
WRONG = "000000"


@pytest.fixture
async def phone(alice: Account, clock: Clock) -> App:
    """The app on Alice's phone; her codes are switched on."""
    return await with_codes(alice, clock)


async def first_step(browser: Browser, name: str = "alice", path: str = FIRST) -> Page:
    """The page that asks for the code."""
    answer = await browser.submit(path, FIRST, name=name, password=PASSWORD)
    assert answer.location.startswith(SECOND)
    return await browser.follow(answer)


async def signed_in(browser: Browser, code: str) -> Browser:
    await browser.send_form(await first_step(browser), SECOND, code=code)
    return browser


# -------------------------------------------------------------------------------------------- the two steps


async def test_the_code_is_asked_for_on_a_second_page(visitor: Browser, phone: App):
    page = await first_step(visitor, path=f"{FIRST}?return_to=/bookmarks")
    assert page.headers["Cache-Control"] == "private, no-store"
    assert visitor.cookie("fediblog") == ""
    await visitor.open("/home", 303)
    answer = await visitor.send_form(page, SECOND, code=phone.code())
    assert answer.location == "/bookmarks"
    await visitor.open("/home")
    assert visitor.cookie("fediblog-halfway") == ""


async def test_the_way_back_is_one_of_ours(visitor: Browser, phone: App):
    page = await first_step(visitor, path=f"{FIRST}?return_to=//evil.example")
    answer = await visitor.send_form(page, SECOND, code=phone.code(), return_to="https://evil.example/")
    assert answer.location == "/home"


async def test_a_wrong_password_says_nothing_of_codes(visitor: Browser, phone: App, bob: Account):
    wrong = await visitor.submit(FIRST, FIRST, 422, name="alice", password="no")
    without = await visitor.submit(FIRST, FIRST, 422, name="bob", password="no")
    assert wrong.text == without.text and visitor.cookie("fediblog-halfway") == ""


async def test_wrong_used_and_replayed_codes_look_the_same_and_may_be_tried_again(
    visitor: Browser, app: Quart, phone: App
):
    used = phone.code()
    await signed_in(Browser(app), used)
    await signed_in(Browser(app), phone.paper[0])
    page = await first_step(visitor)
    answers = [
        await visitor.send_form(page, SECOND, 422, code=code) for code in (WRONG, used, phone.paper[0])
    ]
    assert len({answer.text for answer in answers}) == 1
    assert 'id="code-fault"' in answers[0].html
    assert not any(code in answers[-1].html for code in (used, phone.paper[0])), "what was typed is not kept"
    await visitor.send_form(answers[-1], SECOND, code=phone.next())
    await visitor.open("/home")


async def test_without_the_first_step_one_is_sent_there(visitor: Browser, phone: App):
    assert (await visitor.open(f"{SECOND}?return_to=/bookmarks", 303)).location == (
        f"{FIRST}?return_to=%2Fbookmarks"
    )
    answer = await visitor.post(SECOND, [("csrf", await visitor.token()), ("code", phone.code())], 422)
    assert "Please sign in again." in answer.text and answer.form(FIRST)


async def test_an_old_first_step_leads_back_with_the_way_kept(visitor: Browser, phone: App, clock: Clock):
    page = await first_step(visitor, path=f"{FIRST}?return_to=/bookmarks")
    clock.forward(11 * moments.MINUTE)
    answer = await visitor.send_form(page, SECOND, 422, code=phone.code())
    assert "Please sign in again." in answer.text
    assert answer.form(FIRST).value("return_to") == "/bookmarks"
    assert visitor.cookie("fediblog-halfway") == ""


async def test_the_state_of_somebody_else_needs_their_code(
    visitor: Browser, app: Quart, phone: App, bob: Account, clock: Clock
):
    await with_codes(bob, clock)
    page = await first_step(visitor, "bob")
    await visitor.send_form(page, SECOND, 422, code=phone.code())
    await visitor.send_form(page, SECOND, 422, code=phone.paper[0])
    # And a form that another browser was given is not one of this browser's.
    other = Browser(app)
    await other.send_form(page, SECOND, 403, code=phone.code())


async def test_too_many_codes_have_to_wait(visitor: Browser, phone: App):
    page = await first_step(visitor)
    for _ in range(10):
        await visitor.send_form(page, SECOND, 422, code=WRONG)
    answer = await visitor.send_form(page, SECOND, 429, code=phone.code())
    assert int(answer.headers["Retry-After"]) > 0
    assert visitor.cookie("fediblog") == ""


async def test_the_cookie_between_the_steps_is_short_and_for_no_script(
    configure: Callable[..., Config], alice: Account, phone: App
):
    config = configure(domain="social.example", base_url="https://social.example")
    settings.forget()
    browser = Browser(apps.shared(config), secure=True)
    form = await browser.open(FIRST)
    fields = [("csrf", form.form(FIRST).value("csrf")), ("name", "alice"), ("password", PASSWORD)]
    answer = await browser.post(FIRST, fields, Cookie=form.headers["Set-Cookie"].partition(";")[0])
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if "halfway" in one]
    assert cookie.startswith("__Host-fediblog-halfway=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"):
        assert word in cookie


# ---------------------------------------------------------------------------------------------------- apps


def wish(client_id: str, **more: str) -> str:
    given = {"response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK, "scope": "read"}
    return f"/oauth/authorize?{urlencode(given | more)}"


async def test_an_app_asks_through_both_steps(visitor: Browser, phone: App):
    elk = await registered()
    asked = await visitor.open(wish(elk.client_id, state="a+b c"), 303)
    page = await first_step(visitor, path=asked.location)
    assert "Cross-Origin-Opener-Policy" not in page.headers, "the app opened this window"
    back = await visitor.send_form(page, SECOND, code=phone.code())
    answer = await visitor.send_form(await visitor.follow(back), "/oauth/authorize", decision="allow")
    assert parse_qs(urlsplit(answer.location).query)["state"] == ["a+b c"]


async def test_an_app_that_wants_a_new_sign_in_gets_both_steps(
    browser_of: BrowserOf, bob: Account, phone: App
):
    shared, elk = await browser_of(bob), await registered()
    asked = await shared.open(wish(elk.client_id, force_login="true"), 303)
    page = await first_step(shared, path=asked.location)
    back = await shared.send_form(page, SECOND, code=phone.code())
    consent = await shared.follow(back)
    assert "@alice" in consent.text and "@bob" not in consent.text


# ------------------------------------------------------------------------------------------------ settings


async def begun(browser: Browser) -> Page:
    return await browser.follow(await browser.submit(PAGE, f"{PAGE}/begin"))


def key_on(page: Page) -> str:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page.html)
    assert found
    return found[1].replace(" ", "")


async def test_an_app_is_set_up_and_the_paper_is_shown_once(
    browser_of: BrowserOf, alice: Account, clock: Clock
):
    hers, other = await browser_of(alice), await browser_of(alice)
    page = await begun(hers)
    assert '<svg class="qr"' in page.html and "<script" not in page.html and " style=" not in page.html
    assert "data:" not in page.html
    phone, before = App(key_on(page), clock), hers.cookie("fediblog")
    for fields, field in (
        ({"code": WRONG, "password": PASSWORD}, "code"),
        ({"code": phone.code(), "password": "no"}, "password"),
    ):
        again = await hers.send_form(page, PAGE, 422, **fields)
        assert f'id="{field}-fault"' in again.html and key_on(again) == phone.secret

    shown = await hers.send_form(page, PAGE, 200, code=phone.code(), password=PASSWORD)
    paper = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.html)
    assert len(paper) == 10 and shown.headers["Cache-Control"] == "private, no-store"
    assert hers.cookie("fediblog") != before and await sessions.find(before) is None
    await other.open("/home", 303)
    assert "10 recovery codes left" in (await hers.open(PAGE)).text
    for path in (PAGE, "/settings/sessions"):
        page = await hers.open(path)
        assert not any(code in page.html for code in paper)
    fields = [("csrf", await hers.token()), ("code", phone.next()), ("password", PASSWORD)]
    again = await hers.post(PAGE, fields, 422)
    assert not any(code in again.html for code in paper)


async def test_the_picture_says_what_stands_beside_it(browser_of: BrowserOf, alice: Account):
    page = await begun(await browser_of(alice))
    size = re.search(r'viewBox="0 0 (\d+) \1"', page.html.split('class="qr"')[1])
    path = re.search(r'<path d="((?:M\d+ \d+h\d+v1h-\d+z)+)"', page.html)
    assert size and path
    dark = {
        (int(x) + step, int(y))
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v", path[1])
        for step in range(int(width))
    }
    # The three corners by which a camera finds it (ISO/IEC 18004 §6.3.3), and the white around it.
    for left, top in ((4, 4), (int(size[1]) - 11, 4), (4, int(size[1]) - 11)):
        assert all((left + step, top) in dark and (left, top + step) in dark for step in range(7))
        assert (left + 1, top + 1) not in dark and (left + 3, top + 3) in dark
    assert all(4 <= x < int(size[1]) - 4 and 4 <= y < int(size[1]) - 4 for x, y in dark)


async def test_rather_not(browser_of: BrowserOf, alice: Account):
    hers = await browser_of(alice)
    await hers.send_form(await begun(hers), f"{PAGE}/withdraw")
    assert (await hers.open(PAGE)).form(f"{PAGE}/begin")
    assert not await authenticator.is_on((await user_of(alice)).id)


async def test_new_paper_and_switching_off_take_password_and_code(visitor: Browser, app: Quart, phone: App):
    hers = await signed_in(visitor, phone.code())
    other = await signed_in(Browser(app), phone.next())
    page = await hers.open(PAGE)
    for action in (f"{PAGE}/codes", f"{PAGE}/off"):
        for fields, field in (
            ({"code": WRONG, "password": PASSWORD}, "code"),
            ({"code": phone.paper[0], "password": "no"}, "password"),
        ):
            again = await hers.send_form(page, action, 422, **fields)
            assert f'id="{field}-fault"' in again.html
    shown = await hers.send_form(page, f"{PAGE}/codes", 200, code=phone.paper[0], password=PASSWORD)
    fresh = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.html)
    answer = await hers.send_form(page, f"{PAGE}/off", code=fresh[0], password=PASSWORD)
    assert "No more codes are asked for." in (await hers.follow(answer)).text
    await other.open("/home", 303)
    await Browser(app).submit(FIRST, FIRST, name="alice", password=PASSWORD)


async def test_what_is_grave_asks_for_a_code(visitor: Browser, phone: App, bob: Account):
    hers = await signed_in(visitor, phone.code())
    graves = {
        "/settings/password": {"old": PASSWORD, "new": "quite another one"},
        "/settings/email": {"email": "alice@new.example", "password": PASSWORD},
        "/settings/moving": {"target": "bob", "password": PASSWORD},
    }
    for path, fields in graves.items():
        page = await hers.submit(path, path, 422, **fields, code=WRONG)
        assert 'id="code-fault"' in page.html, path
    assert (await User.get(id=(await db.value("SELECT user_id FROM second_factor")))).email == (
        "alice@mail.example"
    )
    await hers.submit("/settings/email", "/settings/email", **graves["/settings/email"], code=phone.next())
    await hers.submit(
        "/settings/password", "/settings/password", **graves["/settings/password"], code=phone.next()
    )


async def test_who_has_no_codes_is_asked_for_none(browser_of: BrowserOf, alice: Account):
    hers = await browser_of(alice)
    for path in ("/settings/password", "/settings/email", "/settings/moving"):
        assert 'name="code"' not in (await hers.open(path)).html


@pytest.mark.parametrize("path", ["", "/begin", "/withdraw", "/codes", "/off"])
async def test_strangers_change_nothing(visitor: Browser, phone: App, path: str):
    answer = await visitor.post(f"{PAGE}{path}", [("csrf", await visitor.token())])
    assert answer.location.startswith(FIRST)
    assert await db.value("SELECT count(*) FROM second_factor") == 1
