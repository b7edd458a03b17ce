"""What the staff can change while the server runs, and the rules of the house."""

import pytest

from fediblog import db, remembering
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.services import settings
from fediblog.services.settings import Mode
from tests.people import person, user_of
from tests.services.newcomers import audited


@pytest.fixture(autouse=True)
def _database(database: None) -> None:
    """Every test here reads it."""


async def test_the_configuration_holds_until_something_else_is_said(configure):
    configure(web__site_title="Our place", registration__mode="invite")
    site = await settings.get()
    assert (site.title, site.registration) == ("Our place", Mode.INVITE)
    assert (site.short_description, site.description, site.contact_email, site.members_only) == (
        "",
        "",
        "",
        False,
    )


async def test_a_change_holds_at_once_and_is_noted():
    admin = await user_of(await person("mia", role="admin"))
    await settings.get()
    await settings.change(
        admin,
        title=" Reading  room ",
        short_description="Quiet",
        description="Be kind.\n\nSee #rules and https://a.example <script>",
        contact_email="Mia@Mail.example",
        registration="open",
        members_only=True,
    )
    site = await settings.get()
    assert (site.title, site.short_description, site.registration) == ("Reading  room", "Quiet", Mode.OPEN)
    assert (site.contact_email, site.members_only) == ("Mia@mail.example", True)
    assert "<script>" not in site.description_html
    assert 'href="http://localhost:8000/tags/rules"' in site.description_html
    assert await audited() == ["settings.change"]
    await settings.change(admin, contact_email="", members_only=False)
    site = await settings.get()
    assert (site.contact_email, site.members_only, site.title) == ("", False, "Reading  room")


async def test_all_faults_come_together_and_nothing_changes():
    with pytest.raises(Invalid) as refused:
        await settings.change(
            None,
            title="\x00 ",
            short_description="x" * 501,
            description="x" * 10_001,
            contact_email="nowhere",
            registration="maybe",
            colour="red",
            members_only=True,
        )
    assert set(refused.value.fields) == {
        "title", "short_description", "description", "contact_email", "registration", "colour",
    }  # fmt: skip
    assert await db.value("SELECT count(*) FROM setting") == 0
    assert await audited() == []


async def test_only_an_admin_changes_anything(alice):
    rule = await settings.add_rule(None, "Be kind")
    for by in (await user_of(alice), await user_of(await person("mod", role="moderator"))):
        for act in (
            settings.change(by, title="Mine"),
            settings.add_rule(by, "Mine"),
            settings.edit_rule(by, rule.id, "Mine"),
            settings.remove_rule(by, rule.id),
        ):
            with pytest.raises(Forbidden):
                await act
    assert (await settings.get()).title == "fediblog"
    assert await settings.rules() == (rule,)


async def test_reading_again_asks_the_database_nothing(queries):
    await settings.get()
    with queries() as sent:
        await settings.get()
    assert len(sent) == 0


async def test_what_another_process_changed_is_seen_after_some_seconds(monkeypatch):
    await settings.get()
    async with db.transaction():
        await db.execute(
            "INSERT INTO setting (name, value) VALUES ('title', '\"Elsewhere\"'), ('unknown', '1')"
        )
    assert (await settings.get()).title == "fediblog"
    late = remembering.time.monotonic() + 4
    monkeypatch.setattr(remembering.time, "monotonic", lambda: late)
    assert (await settings.get()).title == "Elsewhere"


async def test_rules_are_added_changed_and_removed():
    first = await settings.add_rule(None, " Be kind ", "Even on Mondays.\nAnd Tuesdays.")
    second = await settings.add_rule(None, "No spam")
    assert await settings.rules() == (first, second)
    assert (first.text, first.hint) == ("Be kind", "Even on Mondays.\nAnd Tuesdays.")
    changed = await settings.edit_rule(None, first.id, "Be very kind")
    assert await settings.rules() == (changed, second)
    await settings.remove_rule(None, first.id)
    assert await settings.rules() == (second,)
    assert await audited() == ["rule.add", "rule.add", "rule.edit", "rule.remove"]


async def test_rules_that_are_refused():
    rule = await settings.add_rule(None, "Be kind")
    for words, hint, field in (("", "", "text"), ("x" * 301, "", "text"), ("fine", "x" * 1001, "hint")):
        with pytest.raises(Invalid) as refused:
            await settings.add_rule(None, words, hint)
        assert set(refused.value.fields) == {field}
        with pytest.raises(Invalid):
            await settings.edit_rule(None, rule.id, words, hint)
    with pytest.raises(NotFound):
        await settings.edit_rule(None, 1, "fine")
    with pytest.raises(NotFound):
        await settings.remove_rule(None, 1)
    for _ in range(49):
        await settings.add_rule(None, "More")
    with pytest.raises(Invalid):
        await settings.add_rule(None, "Too many")
    assert len(await settings.rules()) == 50
