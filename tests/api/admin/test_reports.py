"""Reports as the staff's apps see and treat them."""

import pytest

from fediblog.models import Account, Visibility
from fediblog.services import deletion, reports, settings
from fediblog.services.reports import Complaint
from tests.api.conftest import App, AppOf
from tests.people import user_of
from tests.services import making

FIELDS = """id action_taken action_taken_at category comment forwarded created_at updated_at account
target_account assigned_account action_taken_by_account statuses rules"""


@pytest.fixture
async def hers(app_of: AppOf, mona: Account) -> App:
    return await app_of(mona, "admin:read:reports admin:write:reports")


async def test_a_report_shows_both_sides_the_posts_and_the_rules(
    hers: App, alice: Account, bob: Account
) -> None:
    rule = await settings.add_rule(None, "Be kind")
    whispered = await making.post(bob, Visibility.DIRECT)
    await making.mention(whispered, alice)
    report = await reports.file(alice, bob, Complaint("Look", "", [whispered.id], [rule.id]))
    (found,) = await hers.get("/api/v1/admin/reports")
    assert set(found) == set(FIELDS.split())
    assert found == await hers.get(f"/api/v1/admin/reports/{report.id}")
    assert (found["account"]["username"], found["target_account"]["email"]) == ("alice", "bob@mail.example")
    assert (found["assigned_account"], found["action_taken_by_account"]) == (None, None)
    assert [status["id"] for status in found["statuses"]] == [str(whispered.id)]
    assert found["rules"] == [{"id": str(rule.id), "text": "Be kind", "hint": ""}]
    await hers.get("/api/v1/admin/reports/4711", 404)


async def test_a_report_is_dealt_with_step_by_step(
    hers: App, alice: Account, bob: Account, mona: Account
) -> None:
    path = f"/api/v1/admin/reports/{(await reports.file(alice, bob, Complaint())).id}"
    assert (await hers.put(path, data="category=spam"))["category"] == "spam"
    await hers.put(path, 422, json={"category": "bad manners"})
    await hers.put(path, 422, json={"category": "violation", "rule_ids": ["4711"]})
    assert (await hers.post(f"{path}/assign_to_self"))["assigned_account"]["id"] == str(mona.id)
    assert (await hers.post(f"{path}/unassign"))["assigned_account"] is None
    resolved = await hers.post(f"{path}/resolve")
    assert (resolved["action_taken"], resolved["action_taken_by_account"]["id"]) == (True, str(mona.id))
    assert await hers.get("/api/v1/admin/reports") == []
    assert len(await hers.get("/api/v1/admin/reports?resolved=true")) == 1
    assert (await hers.post(f"{path}/reopen"))["action_taken_at"] is None


async def test_reports_are_found_by_either_side_in_pages(hers: App, alice: Account, bob: Account) -> None:
    numbers = [str((await reports.file(alice, bob, Complaint())).id) for _ in range(3)]
    numbers.append(str((await reports.file(bob, alice, Complaint())).id))

    async def found(query: str) -> list[str]:
        return [one["id"] for one in await hers.get(f"/api/v1/admin/reports?{query}")]

    assert await found(f"account_id={bob.id}") == [numbers[3]]
    assert await found(f"target_account_id={bob.id}") == [*numbers[2::-1]]
    assert await found(f"limit=2&max_id={numbers[3]}") == [numbers[2], numbers[1]]
    answer = await hers.send("GET", "/api/v1/admin/reports?limit=2")
    assert f"max_id={numbers[2]}" in answer.headers["Link"]


async def test_a_report_outlives_whom_it_is_about(hers: App, alice: Account, bob: Account) -> None:
    await reports.file(alice, bob, Complaint())
    await deletion.delete(bob, await user_of(bob))
    (found,) = await hers.get("/api/v1/admin/reports")
    assert (found["target_account"]["id"], found["target_account"]["suspended"]) == (str(bob.id), True)


async def test_a_list_costs_the_same_whatever_its_length(
    hers: App, alice: Account, bob: Account, queries
) -> None:
    sizes = []
    for _ in range(2):
        await reports.file(alice, bob, Complaint(post_ids=[(await making.post(bob)).id]))
        await hers.get("/api/v1/admin/reports")
        with queries() as sent:
            await hers.get("/api/v1/admin/reports")
        sizes.append(len(sent))
    assert sizes[0] == sizes[1]
