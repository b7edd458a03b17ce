"""Reports: who hears of them, what other servers hear, and what the staff may do with them."""

import pytest

from fediblog import db
from fediblog.errors import Forbidden, NotFound, TooMany
from fediblog.models import Account, User, Visibility
from fediblog.paging import Page
from fediblog.services import events, notifications, reports
from fediblog.services.events import SERVER
from fediblog.services.reports import Category, Choice, Complaint
from tests.people import person, remote, user_of
from tests.services import making
from tests.services.newcomers import audited


@pytest.fixture
async def moderator(mona: Account) -> User:
    return await user_of(mona)


@pytest.fixture
async def admin(database: None) -> User:
    return await user_of(await person("chief", role="admin"))


async def test_another_server_does_not_hear_who_reported(alice: Account, moderator: User) -> None:
    eve = await remote("eve", "far.example")
    said = await making.post(eve)
    whispered = await making.post(eve, Visibility.DIRECT)
    await making.mention(whispered, alice)
    complaint = Complaint("Spam", post_ids=[said.id, whispered.id], forward=True)

    report = await reports.file(alice, eve, complaint)
    assert report.forwarded and report.post_ids == (said.id, whispered.id)
    (event,) = await events.waiting(SERVER, 10)
    assert (event.account_id, event.target_id) == (None, eve.id)
    assert event.detail == {"posts": [said.uri], "comment": "Spam"}


async def test_nothing_is_passed_on_unasked_or_about_people_here(alice: Account, bob: Account) -> None:
    eve = await remote("eve", "far.example")
    assert not (await reports.file(alice, eve, Complaint())).forwarded
    assert not (await reports.file(alice, bob, Complaint(forward=True))).forwarded
    assert await events.waiting(SERVER, 10) == []


async def test_who_reports_too_much_has_to_wait(alice: Account, bob: Account, monkeypatch) -> None:
    monkeypatch.setattr(reports, "_MOST", 2)
    for _ in range(2):
        await reports.file(alice, bob, Complaint())
    with pytest.raises(TooMany):
        await reports.file(alice, bob, Complaint())


async def test_a_report_from_elsewhere_shows_no_private_post_that_its_server_does_not_have(
    alice: Account, bob: Account, moderator: User
) -> None:
    eve = await remote("eve", "far.example")
    public = await making.post(alice)
    hidden, told = [await making.post(alice, Visibility.DIRECT) for _ in range(2)]
    await making.mention(hidden, bob)
    await making.mention(told, eve)
    await reports.receive(eve, [post.uri for post in (public, hidden, told)], "Rude", None)
    (report,) = await reports.listing(moderator, Page(), Choice())
    assert report.post_ids == (public.id, told.id)


async def test_the_staff_deals_with_a_report_step_by_step(
    alice: Account, bob: Account, moderator: User
) -> None:
    number = (await reports.file(alice, bob, Complaint("Look"))).id
    other = (await reports.file(bob, alice, Complaint())).id
    assert (await reports.update(moderator, number, "legal", None)).category is Category.LEGAL
    assert (await reports.assign(moderator, number)).assigned_to_id == moderator.id
    assert (await reports.unassign(moderator, number)).assigned_to_id is None
    resolved = await reports.resolve(moderator, number)
    assert (resolved.resolved_by_id, resolved.updated_at >= resolved.created_at) == (moderator.id, True)

    async def listed(**choice: object) -> list[int]:
        return [one.id for one in await reports.listing(moderator, Page(), Choice(**choice))]  # type: ignore[arg-type]

    assert await listed() == [other]
    assert await listed(resolved=True) == [number]
    assert await listed(resolved=None, reporter_id=alice.id) == [number]
    assert await listed(resolved=None, target_id=alice.id) == [other]
    assert (await reports.reopen(moderator, number)).resolved_at is None
    verbs = ("update", "assign", "unassign", "resolve", "reopen")
    assert await audited() == [f"report.{verb}" for verb in verbs]
    with pytest.raises(NotFound):
        await reports.get(moderator, 4711)


async def test_a_moderator_neither_sees_reports_about_herself_nor_decides_about_colleagues(
    alice: Account, mona: Account, moderator: User, admin: User
) -> None:
    max_ = await person("max", role="moderator")
    about_her = await reports.file(alice, mona, Complaint())
    about_him = await reports.file(alice, max_, Complaint())
    assert await making.told(mona) == [("admin.report", alice.id, None)]
    assert [one.id for one in await reports.listing(moderator, Page(), Choice())] == [about_him.id]
    with pytest.raises(NotFound):
        await reports.resolve(moderator, about_her.id)
    with pytest.raises(Forbidden):
        await reports.resolve(moderator, about_him.id)
    assert (await reports.resolve(admin, about_her.id)).resolved_at


async def test_of_a_report_about_her_and_others_a_moderator_is_shown_the_others(
    alice: Account, mona: Account, moderator: User
) -> None:
    second = await person("second")
    async with db.transaction():
        await db.execute(
            "INSERT INTO membership (user_id, account_id, role) VALUES ($1, $2, 'owner')",
            *(moderator.id, second.id),
        )
    eve = await remote("eve", "far.example")
    assert await reports.receive(eve, [alice.uri, mona.uri, second.uri], "all of them", None) == 3
    (notice,) = await notifications.listing(mona, Page())
    assert (await reports.of_notices([notice.id]))[notice.id].target_id == alice.id
    await notifications.clear(mona)
    await reports.receive(eve, [mona.uri, second.uri], "her alone", None)
    assert await notifications.listing(mona, Page()) == []


async def test_reports_are_for_the_staff_alone(alice: Account, bob: Account) -> None:
    number = (await reports.file(alice, bob, Complaint())).id
    hers = await user_of(alice)
    for act in (
        reports.listing(hers, Page(), Choice()),
        reports.get(hers, number),
        reports.assign(hers, number),
        reports.resolve(hers, number),
    ):
        with pytest.raises(Forbidden):
            await act
    assert await audited() == []
