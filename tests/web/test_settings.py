"""The settings: each page shows what holds, saves what is good and keeps what was typed of what is not."""

from collections.abc import Callable

import pytest

from fediblog import db, moments
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account, User
from fediblog.services import invites, mail, one_time, sessions, statistics
from tests.people import PASSWORD, user_of
from tests.web.browser import Browser, File
from tests.web.conftest import BrowserOf, jpeg

pytestmark = pytest.mark.once

PAGES = {
    "profile": "Profile",
    "posting": "Posting",
    "appearance": "Appearance",
    "filters": "Filters",
    "notifications": "Notifications",
    "mail": "Mail",
    "email": "Address",
    "password": "Password",
    "security": "Security",
    "sessions": "Sessions",
    "applications": "Apps",
    "statistics": "Statistics",
    "invites": "Invites",
}


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def _alice() -> Account:
    return await Account.get(username="alice")


@pytest.mark.parametrize("name", PAGES)
async def test_each_page_opens_for_members_only(hers: Browser, visitor: Browser, name: str):
    page = await hers.open(f"/settings/{name}")
    assert page.title == f"{PAGES[name]} · Settings · fediblog"
    await visitor.open(f"/settings/{name}", 303)


async def test_the_profile_is_changed(hers: Browser):
    answer = await hers.submit(
        "/settings/profile",
        "/settings/profile",
        display_name="Alice Liddell",
        note="Curious. #wonderland",
        field_name=["Cat", "", ""],
        field_value=["Dinah", "", ""],
        locked="1",
    )
    account = await _alice()

    assert "Your changes are saved." in (await hers.follow(answer)).text
    assert (account.display_name, account.locked, account.discoverable) == ("Alice Liddell", True, True)
    assert "/tags/wonderland" in account.note
    assert [field["name"] for field in account.fields_] == ["Cat"]
    form = (await hers.open("/settings/profile")).form("/settings/profile")
    assert form.value("note") == "Curious. #wonderland"
    assert form.values("field_value")[0] == "Dinah"


async def test_boxes_that_are_not_ticked_are_off(hers: Browser):
    await hers.submit("/settings/profile", "/settings/profile", discoverable=None, indexable="1")
    account = await _alice()
    assert (account.discoverable, account.indexable) == (False, True)


async def test_faults_of_the_profile_keep_what_was_typed(hers: Browser):
    answer = await hers.submit(
        "/settings/profile",
        "/settings/profile",
        422,
        display_name="x" * 51,
        note="y" * 501,
        field_name=["", "Cat"],
        field_value=["nameless", "Dinah"],
    )
    form = answer.form("/settings/profile")

    for name in ("display_name", "note", "fields"):
        assert f'id="{name}-fault"' in answer.html
    assert (form.value("display_name"), form.value("note")) == ("x" * 51, "y" * 501)
    assert form.values("field_value")[:2] == ["nameless", "Dinah"]
    assert (await _alice()).display_name == "Alice"


async def test_pictures_of_the_profile_come_and_go(hers: Browser):
    await hers.submit(
        "/settings/profile", "/settings/profile", avatar=File(jpeg(500, 500)), header=File(jpeg(1600, 600))
    )
    account = await _alice()
    assert account.avatar and account.header
    page = await hers.open("/@alice")
    assert f"/media/{account.avatar}" in page.html and f"/media/{account.header}" in page.html
    assert (await hers.client.get(f"/media/{account.avatar}")).status_code == 200

    await hers.submit("/settings/profile", "/settings/profile", remove_avatar="1")
    account = await _alice()
    assert not account.avatar and account.header


async def test_a_picture_that_is_none_is_refused_and_the_words_are_saved(hers: Browser):
    answer = await hers.submit(
        "/settings/profile",
        "/settings/profile",
        422,
        display_name="Al",
        avatar=File(b"not a picture", "a.png"),
    )
    assert 'id="avatar-fault"' in answer.html
    assert ((await _alice()).display_name, (await _alice()).avatar) == ("Al", "")


async def test_the_theme_is_in_the_page_from_the_start(hers: Browser):
    await hers.submit("/settings/appearance", "/settings/appearance", theme="dark")
    page = await hers.open("/home")
    assert '<html lang="en" data-theme="dark">' in page.html

    await hers.send_form(page, "/auth/sign_out")
    assert 'data-theme="dark"' in (await hers.open("/auth/sign_in")).html, "the browser keeps it"


@pytest.mark.parametrize("theme", ["pink", "", "dark\n", '"><script>'])
async def test_there_are_three_themes(hers: Browser, theme: str):
    answer = await hers.submit("/settings/appearance", "/settings/appearance", 422, theme=theme)
    assert "There is no such theme." in answer.text
    assert 'data-theme="auto"' in answer.html


async def test_a_made_up_theme_in_the_cookie_shows_nothing_odd(visitor: Browser):
    page = await visitor.open("/", Cookie='fediblog-theme="><script>')
    assert 'data-theme="auto"' in page.html


@pytest.mark.parametrize("level", ["3", "9", "x", ""])
async def test_a_default_that_would_surprise_is_refused(hers: Browser, level: str):
    await hers.submit("/settings/posting", "/settings/posting", 422, default_visibility=level)
    assert (await User.get()).default_visibility == 0


async def test_mails_are_chosen(hers: Browser, alice: Account):
    page = await hers.open("/settings/mail")
    assert page.form("/settings/mail").values("kinds") == [kind.name for kind in mail.kinds()]
    await hers.send_form(page, "/settings/mail", kinds=None)
    assert await mail.wanted(await user_of(alice)) == set()

    answer = await hers.submit("/settings/mail", "/settings/mail", 422, kinds=["spam"])
    assert "There is no such kind of mail." in answer.text


async def test_the_link_in_a_mail_stops_its_kind_without_a_session_or_a_form(
    visitor: Browser, alice: Account
):
    user = await user_of(alice)
    path = f"/unsubscribe?token={mail.unsubscribe_token(user.id, 'mention')}"
    page = await visitor.open(path)
    assert await mail.wanted(user) == {"mention"}, "looking is not doing"
    assert len(page.forms) == 1

    answer = await visitor.post(path, [("List-Unsubscribe", "One-Click")], 200)
    assert "no more of these mails" in answer.text
    assert await mail.wanted(user) == set()
    await visitor.post(path, [("List-Unsubscribe", "One-Click")], 200)


async def test_a_made_up_link_stops_nothing(visitor: Browser, alice: Account):
    for token in ("", "x", f"{(await user_of(alice)).id}.mention.forged", "%00"):
        await visitor.open(f"/unsubscribe?token={token}", 400 if "%00" in token else 404)
        await visitor.post(f"/unsubscribe?token={token}", (), 400 if "%00" in token else 404)
    assert await mail.wanted(await user_of(alice)) == {"mention"}


async def test_a_new_password_ends_other_sessions_and_keeps_this_one(
    hers: Browser, browser_of: BrowserOf, alice: Account
):
    other = await browser_of(alice)
    before = hers.cookie("fediblog")
    answer = await hers.submit(
        "/settings/password", "/settings/password", old=PASSWORD, new="quite another one"
    )

    assert "Your password is changed." in (await hers.follow(answer)).text
    assert hers.cookie("fediblog") != before and await sessions.find(before) is None
    await other.open("/home", 303)


async def test_a_wrong_old_password_changes_nothing(hers: Browser):
    answer = await hers.submit(
        "/settings/password", "/settings/password", 422, old="wrong", new="quite another one"
    )
    assert 'id="old-fault"' in answer.html
    assert "quite another one" not in answer.html, "passwords are never sent back"


async def test_sessions_are_listed_and_ended(hers: Browser, browser_of: BrowserOf, alice: Account):
    others = [await browser_of(alice) for _ in range(3)]
    page = await hers.open("/settings/sessions")
    assert page.text.count("last seen") == 4
    revoke = next(form.action for form in page.forms if form.action.endswith("/revoke"))
    await hers.send_form(page, revoke)
    assert sum([(await one.open("/home", None)).status == 200 for one in others]) == 2  # type: ignore[arg-type]

    await hers.submit("/settings/sessions", "/settings/sessions/revoke_others")
    for one in others:
        await one.open("/home", 303)
    await hers.open("/home")


async def test_nobody_ends_the_sessions_of_others(hers: Browser, browser_of: BrowserOf, bob: Account):
    his = await browser_of(bob)
    number = await db.value("SELECT max(id) FROM session")
    await hers.post(f"/settings/sessions/{number}/revoke", [("csrf", await hers.token())], 404)
    await his.open("/home")


async def test_invites_are_made_and_taken_back(hers: Browser, alice: Account):
    await hers.submit("/settings/invites", "/settings/invites", most_uses="5", days="7")
    invite = (await invites.listing(alice))[0]
    page = await hers.open("/settings/invites")
    assert f"http://localhost:8000/invite/{invite.code}" in page.text

    await hers.send_form(page, f"/settings/invites/{invite.id}/revoke")
    assert await invites.find(invite.code) is None


@pytest.mark.parametrize(
    "fields", [{"most_uses": "0"}, {"most_uses": "many"}, {"days": "-1"}, {"days": "9999"}]
)
async def test_impossible_invites_are_refused(hers: Browser, alice: Account, fields: dict[str, str]):
    await hers.submit("/settings/invites", "/settings/invites", 422, **fields)
    assert await invites.listing(alice) == ()


async def test_ones_own_figures_are_for_ones_own_eyes(hers: Browser, browser_of: BrowserOf, bob: Account):
    today = moments.day(moments.now())
    await hers.submit("/home", "/publish", source="Counted")
    await statistics.compute_day(today)
    his = await browser_of(bob)

    page = await hers.open("/settings/statistics")
    assert page.html.count("<svg viewBox") == 7 and "Posts on 30 days: 1 in all" in page.html
    table = await hers.open("/settings/statistics.csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert f"{moments.iso_day(moments.now())},1," in table.html
    assert "Posts: none on any of these days." in (await his.open("/settings/statistics")).html


async def test_the_figures_of_the_server_are_for_everybody(visitor: Browser, hers: Browser):
    await hers.submit("/home", "/publish", source="Counted")
    await statistics.compute_day(moments.day(moments.now()))

    page = await visitor.open("/about/stats")
    assert "1 posts and replies" in page.text.replace("1posts", "1 posts")
    assert len([line for line in page.html.splitlines() if "<rect" in line]) >= 1
    year = await visitor.open("/about/stats?days=365")
    assert year.html.count('<tr><th scope="row">') == 365
    assert len((await visitor.open("/about/stats.csv?days=90")).html.splitlines()) == 91
    for nonsense in ("0", "-1", "1e9", "x", "99999999"):
        assert (await visitor.open(f"/about/stats?days={nonsense}")).html.count('<tr><th scope="row">') == 30


# ----------------------------------------------------------------------------------------------- the address


async def test_without_mail_another_address_counts_at_once(hers: Browser):
    fields = {"email": "alice@new.example", "password": PASSWORD}
    answer = await hers.submit("/settings/email", "/settings/email", **fields)
    assert "Your changes are saved." in (await hers.follow(answer)).text
    assert (await User.get()).email == "alice@new.example"


async def test_another_address_is_confirmed_with_a_button(
    configure: Callable[..., Config], database: None, alice: Account
):
    browser = Browser(create_app(configure(mail__url="smtp://localhost:1"), open_house=False))
    await browser.submit("/auth/sign_in", "/auth/sign_in", name="alice", password=PASSWORD)
    fields = {"email": "alice@new.example", "password": PASSWORD}
    answer = await browser.submit("/settings/email", "/settings/email", **fields)
    waiting = await browser.follow(answer)
    assert "alice@new.example" in waiting.text and (await User.get()).email == "alice@mail.example"

    await browser.send_form(waiting, "/settings/email/withdraw")
    assert "alice@new.example" not in (await browser.open("/settings/email")).text

    async with db.transaction():
        token = await one_time.make(one_time.EMAIL, (await User.get()).id, 60, detail="alice@new.example")
    page = await browser.open(f"/auth/email?token={token}")
    assert (await User.get()).email == "alice@mail.example", "looking at it must not use it up"
    await browser.send_form(page, "/auth/email", 200)
    assert (await User.get()).email == "alice@new.example"
    assert "used or is too old" in (await browser.send_form(page, "/auth/email", 422)).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "nonsense", "password": PASSWORD}, "email"),
        ({"email": "alice@new.example", "password": "wrong"}, "password"),
    ],
)
async def test_faults_of_the_address_form(hers: Browser, fields: dict[str, str], field: str):
    answer = await hers.submit("/settings/email", "/settings/email", 422, **fields)
    assert f'id="{field}-fault"' in answer.html
    assert answer.form("/settings/email").value("email") == fields["email"]
    assert (await User.get()).email == "alice@mail.example"
