"""The consent page: who is asked, what is shown, and where the browser goes afterwards."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from fediblog import db
from fediblog.models import Account
from fediblog.services import apps, members, oauth, tokens
from fediblog.services.apps import OUT_OF_BAND, App
from fediblog.services.members import Membership
from tests.people import PASSWORD, user_of
from tests.services.test_apps import CALLBACK, registered
from tests.services.test_apps_codes import CHALLENGE, VERIFIER
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

# Everything that could be mangled on a way through addresses and forms.
STATE = "a+b c%20d&e=f#g/?ä\"'<>\r\n~"
PATH = "/oauth/authorize"


@pytest.fixture
async def elk(database: None) -> App:
    return await registered()


def wish(app: App, **more: str) -> str:
    """The address to which the app sends people."""
    given = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "scope": "read write",
        "state": STATE,
    }
    return f"{PATH}?{urlencode({name: value for name, value in {**given, **more}.items() if value})}"


def sent_back(location: str, to: str = CALLBACK) -> dict[str, str]:
    """What the app is told in the address to which the browser goes on."""
    assert location.startswith(to + "?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def test_who_agrees_sends_the_app_a_code_and_its_state(
    browser_of: BrowserOf, elk: App, alice: Account
) -> None:
    hers = await browser_of(alice)
    page = await hers.open(wish(elk, code_challenge=CHALLENGE, code_challenge_method="S256"))
    assert page.title.startswith("Let Elk act for you?")
    assert "See everything that you see" in page.text and "Write, change and delete" in page.text
    assert "https://elk.zone" in page.links and "@alice" in page.text
    answer = await hers.send_form(page, PATH, decision="allow")
    told = sent_back(answer.location)
    assert told["state"] == STATE
    token, scopes = await oauth.exchange(elk, told["code"], CALLBACK, VERIFIER)
    assert scopes == {"read", "write"}
    found = await tokens.find(token)
    assert found is not None and found.account is not None and found.account.id == alice.id


@pytest.mark.parametrize("decision", ["deny", None, "something"])
async def test_who_does_not_agree_sends_the_app_a_no(
    browser_of: BrowserOf, elk: App, alice: Account, decision: str | None
) -> None:
    hers = await browser_of(alice)
    answer = await hers.submit(wish(elk), PATH, decision=decision)
    told = sent_back(answer.location)
    assert (told["error"], told["state"]) == ("access_denied", STATE)
    assert await db.value("SELECT count(*) FROM oauth_code") == 0


async def test_the_address_may_end_with_a_slash_as_that_of_toot_does(
    browser_of: BrowserOf, elk: App, alice: Account
) -> None:
    hers = await browser_of(alice)
    page = await hers.open(wish(elk).replace("?", "/?"))
    answer = await hers.send_form(page, PATH, decision="allow")
    assert sent_back(answer.location)["state"] == STATE


async def test_a_visitor_signs_in_and_comes_back_to_the_same_question(
    visitor: Browser, elk: App, alice: Account
) -> None:
    asked = await visitor.open(wish(elk, state="x" * 3000), 303)
    assert asked.location.startswith("/auth/sign_in?")
    form = await visitor.follow(asked)
    again = await visitor.send_form(form, "/auth/sign_in", 422, name="alice", password="wrong")
    back = await visitor.send_form(again, "/auth/sign_in", name="alice", password=PASSWORD)
    answer = await visitor.send_form(await visitor.follow(back), PATH, decision="allow")
    assert sent_back(answer.location)["state"] == "x" * 3000


async def test_an_app_can_ask_for_a_new_sign_in(
    browser_of: BrowserOf, elk: App, alice: Account, bob: Account
) -> None:
    shared = await browser_of(alice)
    asked = await shared.open(wish(elk, force_login="true"), 303)
    form = await shared.follow(asked)
    back = await shared.send_form(form, "/auth/sign_in", name="bob", password=PASSWORD)
    page = await shared.follow(back)
    assert "@bob" in page.text and "@alice" not in page.text


async def test_who_is_signed_in_already_goes_on_from_the_sign_in_page(
    browser_of: BrowserOf, alice: Account
) -> None:
    hers = await browser_of(alice)
    assert (await hers.open("/auth/sign_in?return_to=/bookmarks", 303)).location == "/bookmarks"
    assert (await hers.open("/auth/sign_in?return_to=//evil.example", 303)).location == "/home"


async def test_who_has_several_accounts_chooses_one(
    browser_of: BrowserOf, elk: App, alice: Account, bob: Account, carol: Account
) -> None:
    async with db.transaction():
        for account in (bob, carol):
            await members.add((await user_of(alice)).id, account.id, Membership.EDITOR)
    await Account.filter(id=carol.id).update(suspended_at=1)
    hers = await browser_of(alice)
    page = await hers.open(wish(elk))
    assert page.form(PATH).value("account") == str(alice.id)
    assert f'value="{bob.id}"' in page.html and f'value="{carol.id}"' not in page.html
    answer = await hers.send_form(page, PATH, decision="allow", account=str(bob.id))
    token, _ = await oauth.exchange(elk, sent_back(answer.location)["code"], CALLBACK)
    found = await tokens.find(token)
    assert found is not None and found.account is not None and found.account.id == bob.id
    await hers.send_form(page, PATH, 403, decision="allow", account=str(carol.id))


async def test_nobody_can_agree_for_the_account_of_a_stranger(
    browser_of: BrowserOf, elk: App, alice: Account, bob: Account
) -> None:
    hers = await browser_of(alice)
    await hers.submit(wish(elk), PATH, 403, decision="allow", account=str(bob.id))
    assert await db.value("SELECT count(*) FROM oauth_code") == 0


async def test_without_an_address_the_code_stands_on_a_page(
    browser_of: BrowserOf, alice: Account, bob: Account
) -> None:
    toot = await registered(uri=OUT_OF_BAND)
    hers, his = await browser_of(alice), await browser_of(bob)
    answer = await hers.submit(wish(toot), PATH, decision="allow")
    assert answer.location.startswith(f"{PATH}/native?code=")
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    page = await hers.follow(answer)
    assert f'<code class="linkbox" id="code">{code}</code>' in page.html
    assert "no-store" in page.headers["Cache-Control"]
    await his.open(answer.location, 404)
    await hers.open(f"{PATH}/native?code=x", 404)
    await oauth.exchange(toot, code, OUT_OF_BAND)
    await hers.open(answer.location, 404)
    denied = await hers.submit(wish(toot), PATH, 400, decision="deny")
    assert "denied" in denied.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "unknown"},
        {"client_id": ""},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{CALLBACK}?more"},
        {"redirect_uri": CALLBACK.upper()},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    browser_of: BrowserOf, visitor: Browser, elk: App, alice: Account, wrong: dict[str, str]
) -> None:
    for browser in (visitor, await browser_of(alice)):
        page = await browser.open(wish(elk, **wrong), 400)
        assert not page.location and not any(link.startswith("https://") for link in page.links)
    assert (await visitor.open(f"{wish(elk)}&redirect_uri=https://evil.example/", 400)).location == ""


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "read admin:read"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
    ],
)
async def test_other_faults_are_told_to_the_app(
    browser_of: BrowserOf, elk: App, alice: Account, wrong: dict[str, str], error: str
) -> None:
    told = sent_back((await (await browser_of(alice)).open(wish(elk, **wrong), 303)).location)
    assert (told["error"], told["state"]) == (error, STATE)
    assert told["error_description"]


async def test_what_is_given_twice_or_is_far_too_long_is_told_to_the_app(
    browser_of: BrowserOf, elk: App, alice: Account
) -> None:
    hers = await browser_of(alice)
    for path in (f"{wish(elk)}&scope=write", wish(elk, state="x" * 6000)):
        assert sent_back((await hers.open(path, 303)).location)["error"] == "invalid_request"


async def test_a_stranger_is_not_sent_on_by_a_wish_that_is_wrong(visitor: Browser, elk: App) -> None:
    location = (await visitor.open(wish(elk, response_type="token"), 303)).location
    assert location.startswith("/auth/sign_in?")
    assert not (await visitor.open(wish(elk, response_type="token", state="x" * 6000), 400)).location


async def test_the_form_is_checked_like_the_address(browser_of: BrowserOf, elk: App, alice: Account) -> None:
    hers = await browser_of(alice)
    page = await hers.open(wish(elk))
    for wrong in ({"redirect_uri": "https://evil.example/"}, {"client_id": "x"}):
        asked = wish(elk, **wrong).partition("?")[2]
        assert not (await hers.send_form(page, PATH, 400, decision="allow", asked=asked)).location
    more = wish(elk, scope="read push").partition("?")[2]
    answer = await hers.send_form(page, PATH, decision="allow", asked=more)
    assert sent_back(answer.location)["error"] == "invalid_scope"
    await hers.send_form(page, PATH, 403, decision="allow", csrf="x")
    assert await db.value("SELECT count(*) FROM oauth_code") == 0


async def test_an_address_with_a_query_keeps_it(browser_of: BrowserOf, alice: Account) -> None:
    app = await registered(uri="https://elk.zone/?server=x")
    answer = await (await browser_of(alice)).submit(wish(app, state=""), PATH, decision="allow")
    told = parse_qs(urlsplit(answer.location).query)
    assert told.keys() == {"server", "code", "iss"} and told["server"] == ["x"]
    assert told["iss"] == ["http://localhost:8000/"]


@pytest.mark.parametrize(
    ("uri", "source"),
    [(CALLBACK, " https://elk.zone"), ("tusky://oauth", " tusky:"), (OUT_OF_BAND, "")],
)
async def test_the_page_lets_its_form_end_at_the_app(
    browser_of: BrowserOf, alice: Account, uri: str, source: str
) -> None:
    app = await registered(uri=uri)
    page = await (await browser_of(alice)).open(wish(app))
    assert f"form-action 'self'{source};" in page.headers["Content-Security-Policy"]


async def test_pages_on_the_way_leave_the_window_to_the_app(
    visitor: Browser, elk: App, alice: Account
) -> None:
    asked = await visitor.open(wish(elk), 303)
    form = await visitor.follow(asked)
    wrong = await visitor.send_form(form, "/auth/sign_in", 422, name="alice", password="x")
    back = await visitor.send_form(wrong, "/auth/sign_in", name="alice", password=PASSWORD)
    page = await visitor.follow(back)
    answer = await visitor.send_form(page, PATH, decision="allow")
    for passed in (asked, form, wrong, back, page, answer):
        assert "Cross-Origin-Opener-Policy" not in passed.headers
    assert (await visitor.open("/home")).headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_a_form_after_the_session_asks_to_sign_in_again(
    browser_of: BrowserOf, elk: App, alice: Account
) -> None:
    hers = await browser_of(alice)
    page = await hers.open(wish(elk))
    await hers.submit("/home", "/auth/sign_out")
    answer = await hers.send_form(page, PATH, decision="allow")
    assert answer.location.startswith("/auth/sign_in")


# -------------------------------------------------------------------------------------------- the settings


async def _token(account: Account, app: App | None, scopes: str = "read:statuses write") -> str:
    return await tokens.create(account, await user_of(account), scopes, app.id if app else None)


async def test_the_settings_list_what_may_act_for_one(
    browser_of: BrowserOf, elk: App, alice: Account, bob: Account
) -> None:
    token = await _token(alice, elk)
    await _token(alice, None)
    await _token(bob, (await apps.register("Bobs", [CALLBACK]))[0])
    await tokens.find(token)
    page = await (await browser_of(alice)).open("/settings/applications")
    assert "Elk" in page.text and "A token from the command line" in page.text and "Bobs" not in page.text
    assert "See your posts" in page.text and "Write, change and delete" in page.text
    assert "last used" in page.text and "never used" in page.text
    assert "https://elk.zone" in page.links


async def test_one_of_them_is_taken_back(
    browser_of: BrowserOf, elk: App, alice: Account, bob: Account
) -> None:
    hers, his = await browser_of(alice), await browser_of(bob)
    gone, kept = await _token(alice, elk), await _token(alice, elk)
    found = await tokens.find(gone)
    assert found is not None
    action: Any = f"/settings/applications/{found.token_id}/revoke"
    await his.post(action, [("csrf", await his.token())], 404)
    answer = await hers.submit("/settings/applications", action)
    assert "cannot act for you any more" in (await hers.follow(answer)).text
    assert await tokens.find(gone) is None and await tokens.find(kept) is not None
