"""Lists on the site: made, filled, read and taken away, without a script."""

import pytest

from fediblog.models import Account
from fediblog.services import follows, home, lists, posts
from fediblog.services.composing import Draft
from fediblog.services.lists import Replies
from tests.harness.statements import recorded
from tests.people import person
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def write(author: Account, source: str) -> None:
    made = await posts.publish(author, Draft(source))
    await home.fan_out(made.id)


async def test_a_list_is_made_filled_read_changed_and_deleted(hers: Browser, alice: Account, bob: Account):
    await follows.follow(alice, bob)
    assert "/lists" in (await hers.open("/home")).links
    answer = await hers.submit("/lists", "/lists", title=" Boats ", replies_policy="followed", exclusive="1")
    (made,) = await lists.listing(alice)
    assert (made.title, made.replies, made.exclusive) == ("Boats", Replies.FOLLOWED, True)
    path, edit = f"/lists/{made.id}", f"/lists/{made.id}/edit"
    assert answer.location.startswith(edit) and "Nobody yet." in (await hers.follow(answer)).text
    assert "Nothing to show yet." in (await hers.open(path)).text

    await hers.submit(edit, f"{path}/add", name="@bob")
    assert [one.id for one in await lists.holding(alice, bob.id)] == [made.id]
    await write(alice, "So that home is not empty")
    await write(bob, "From the harbour")
    page = await hers.open(path)
    assert "From the harbour" in page.text and page.title.startswith("Boats")
    assert "From the harbour" not in (await hers.open("/home")).text

    form = (await hers.open(edit)).form(edit)
    assert (form.value("title"), form.value("replies_policy"), form.value("exclusive")) == (
        "Boats",
        "followed",
        "1",
    )
    await hers.submit(edit, edit, title="Ships", exclusive=None)
    (changed,) = await lists.listing(alice)
    assert (changed.title, changed.replies, changed.exclusive) == ("Ships", Replies.FOLLOWED, False)
    assert "Ships" in (await hers.open("/lists")).text

    await hers.submit(edit, f"{path}/remove")
    assert await lists.holding(alice, bob.id) == []
    gone = await hers.submit(edit, f"{path}/delete")
    assert "The list is deleted." in (await hers.follow(gone)).text
    await hers.open(path, 404)


async def test_the_page_of_somebody_says_on_which_lists_they_are(hers: Browser, alice: Account, bob: Account):
    first, second = await lists.create(alice, "First"), await lists.create(alice, "Second")
    assert "/@bob/lists" not in (await hers.open("/@bob")).links
    assert "whom you follow" in (await hers.open("/@bob/lists")).text
    await hers.post("/@bob/lists", [("csrf", await hers.token()), ("list", str(first.id))], 404)

    await follows.follow(alice, bob)
    await lists.add(alice, first.id, [bob.id])
    assert "/@bob/lists" in (await hers.open("/@bob")).links
    page = await hers.open("/@bob/lists")
    assert page.form("/@bob/lists").values("list") == [str(first.id)]
    await hers.send_form(page, "/@bob/lists", list=str(second.id))
    assert await lists.holding(alice, bob.id) == [second]
    await hers.submit("/@bob/lists", "/@bob/lists", list=None)
    assert await lists.holding(alice, bob.id) == []


async def test_what_cannot_be_is_said_beside_its_field(hers: Browser, alice: Account, bob: Account):
    refused = await hers.submit("/lists", "/lists", 422, title=" ", exclusive="1")
    assert "A list needs a title." in refused.text and refused.form("/lists").value("exclusive") == "1"
    await hers.submit("/lists", "/lists", 422, title="x", replies_policy="all")
    assert await lists.listing(alice) == []

    made = await lists.create(alice, "Boats")
    path, edit = f"/lists/{made.id}", f"/lists/{made.id}/edit"
    assert "A list needs a title." in (await hers.submit(edit, edit, 422, title="")).text
    await person("hidden", suspended_at=1)
    for name, sentence in (
        ("@bob", "only people whom you follow"),
        ("@nobody", "Nobody here is known by this name."),
        ("@hidden", "Nobody here is known by this name."),
    ):
        refused = await hers.submit(edit, f"{path}/add", 422, name=name)
        assert sentence in refused.text and refused.form(f"{path}/add").value("name") == name


async def test_lists_are_for_nobody_else(
    hers: Browser, browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account
):
    await follows.follow(alice, bob)
    await follows.follow(bob, alice)
    made = await lists.create(alice, "Secret")
    his = await browser_of(bob)
    csrf = ("csrf", await his.token())
    path = f"/lists/{made.id}"
    for one in (path, f"{path}/edit"):
        await his.open(one, 404)
    assert "Secret" not in (await his.open("/lists")).text + (await his.open("/@alice/lists")).text
    fields = [csrf, ("title", "Mine"), ("replies_policy", "list"), ("name", "@alice")]
    for verb in ("edit", "delete", "add", "remove"):
        await his.post(f"{path}/{verb}", fields, 404)
    await his.post("/@alice/lists", [csrf, ("list", str(made.id))], 404)
    assert await lists.listing(alice) == [made] and await lists.holding(alice, alice.id) == []
    for one in ("/lists", path, f"{path}/edit", "/@bob/lists"):
        assert (await visitor.open(one, 303)).location.startswith("/auth/sign_in")


async def test_a_longer_list_asks_no_more(hers: Browser, alice: Account, bob: Account, carol: Account):
    made = await lists.create(alice, "Boats")

    async def asked(path: str) -> int:
        await hers.open(path)
        with recorded() as sent:
            await hers.open(path)
        return len(sent)

    async def put(account: Account) -> None:
        await follows.follow(alice, account)
        await lists.add(alice, made.id, [account.id])

    pages = (f"/lists/{made.id}", f"/lists/{made.id}/edit", "/lists")
    await put(bob)
    await write(bob, "One")
    before = [await asked(path) for path in pages]
    await put(carol)
    await write(carol, "Two")
    await write(bob, "Three")
    await lists.create(alice, "Another")
    assert [await asked(path) for path in pages] == before
