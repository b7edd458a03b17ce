"""Reporting on the site: from a post and from a profile, without a script."""

from fediblog.models import Account
from fediblog.paging import Page as Cursor
from fediblog.services import posts, reports, settings
from fediblog.services.composing import Draft
from fediblog.services.reports import Choice, Report
from tests.people import remote
from tests.services import making
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf


async def filed() -> Report:
    """The one report that there is."""
    (report,) = await reports.listing(None, Cursor(), Choice())
    return report


async def test_a_post_is_reported_from_its_menu(browser_of: BrowserOf, alice: Account, bob: Account) -> None:
    rule = await settings.add_rule(None, "Be kind.", "To everybody.")
    post = await posts.publish(bob, Draft("You fool"))
    hers = await browser_of(alice)
    path = f"/@bob/{post.id}"
    assert f"{path}/report" in (await hers.open(path)).links
    page = await hers.open(f"{path}/report")
    assert "You fool" in page.text and "Be kind." in page.text and "forward" not in page.html

    answer = await hers.submit(
        f"{path}/report", f"{path}/report", category="other", rule_ids=str(rule.id), comment="Rude"
    )
    assert answer.location == f"{path}?done=reported"
    report = await filed()
    assert (report.account_id, report.target_id, report.comment) == (alice.id, bob.id, "Rude")
    assert (report.category, report.post_ids, report.rule_ids) == ("violation", (post.id,), (rule.id,))


async def test_a_profile_is_reported_and_its_server_told_if_wished(
    browser_of: BrowserOf, alice: Account
) -> None:
    eve = await remote("eve", "far.example")
    hers = await browser_of(alice)
    assert "/@eve@far.example/report" in (await hers.open("/@eve@far.example")).links
    path = "/@eve@far.example/report"
    await hers.submit(path, path, category="spam", forward="1")
    report = await filed()
    assert (report.target_id, report.category, report.forwarded) == (eve.id, "spam", True)


async def test_what_was_typed_is_kept_when_it_is_too_much(
    browser_of: BrowserOf, alice: Account, bob: Account
) -> None:
    hers = await browser_of(alice)
    page = await hers.submit("/@bob/report", "/@bob/report", 422, comment="x" * 1001, category="spam")
    form = page.form("/@bob/report")
    assert (page.status, form.value("comment"), form.value("category")) == (422, "x" * 1001, "spam")
    assert await reports.listing(None, Cursor(), Choice()) == []


async def test_nobody_reports_what_is_not_there_for_them(
    browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account
) -> None:
    private = await making.post(bob, 2)  # type: ignore[arg-type]
    hers = await browser_of(alice)
    await hers.open(f"/@bob/{private.id}/report", 404)
    await hers.post(f"/@bob/{private.id}/report", [("csrf", await hers.token())], 404)
    assert (await visitor.open("/@bob/report", 303)).location.startswith("/auth/sign_in")
