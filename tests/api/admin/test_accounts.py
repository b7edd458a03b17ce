"""Accounts as the staff's apps see and treat them."""

import orjson
import pytest

from fediblog import db
from fediblog.models import Account, User
from fediblog.services import moderation, posts, reports, sessions, settings
from fediblog.services.composing import Draft
from fediblog.services.reports import Complaint
from fediblog.services.settings import Mode
from tests.api.conftest import App, AppOf
from tests.people import PASSWORD, person, remote, user_of
from tests.services.making import file_of
from tests.services.newcomers import HERE, account_of, audited, mailed, sign_up

FIELDS = """id username domain created_at email ip ips role confirmed suspended silenced sensitized disabled
approved locale invite_request account invited_by_account_id created_by_application_id"""
SCOPES = "admin:read admin:write"


@pytest.fixture
async def hers(app_of: AppOf, mona: Account) -> App:
    """A moderator's app."""
    return await app_of(mona, SCOPES)


@pytest.fixture
async def chiefs(app_of: AppOf) -> App:
    """An admin's app."""
    return await app_of(await person("chief", role="admin"), SCOPES)


@pytest.fixture
async def dora(database: None) -> User:
    """Somebody who waits to be let in."""
    await settings.change(None, registration=Mode.APPROVAL.value)
    return await sign_up("dora", reason="I love boats")


async def test_an_account_shows_everything_that_the_staff_may_know(
    hers: App, alice: Account, mona: Account
) -> None:
    await sessions.sign_in("alice", PASSWORD, HERE, "")
    found = await hers.get(f"/api/v1/admin/accounts/{alice.id}")
    assert set(found) == set(FIELDS.split())
    assert (found["email"], found["ip"], found["domain"]) == ("alice@mail.example", HERE, None)
    (used,) = found["ips"]
    assert used["ip"] == HERE and used["used_at"].endswith("Z")
    assert found["role"]["name"] == "" and found["account"]["id"] == str(alice.id)
    states = ("confirmed", "approved", "suspended", "silenced", "sensitized", "disabled")
    assert [found[name] for name in states] == [True, True, False, False, False, False]

    eve = await remote("eve", "far.example")
    found = await hers.get(f"/api/v1/admin/accounts/{eve.id}")
    assert set(found) == set(FIELDS.split())
    assert (found["email"], found["role"], found["ips"]) == (None, None, [])
    assert found["domain"] == "far.example"
    await hers.get("/api/v1/admin/accounts/4711", 404)


async def test_accounts_are_listed_by_state_and_by_words(
    hers: App, alice: Account, bob: Account, mona: Account, dora: User
) -> None:
    eve = await remote("eve", "far.example")
    by = await user_of(mona)
    await moderation.silence(alice, by)
    await moderation.suspend(eve, by)
    await sessions.sign_in("bob", PASSWORD, HERE, "")

    async def names(path: str) -> list[str]:
        return [one["username"] for one in await hers.get(f"/api/{path}")]

    assert await names("v1/admin/accounts") == ["eve", "dora", "bob", "alice", "mona"]
    for query, expected in (
        ("local=true&active=true", ["bob", "mona"]),
        ("remote=true", ["eve"]),
        ("pending=true", ["dora"]),
        ("silenced=true", ["alice"]),
        ("suspended=true", ["eve"]),
        ("staff=true", ["mona"]),
        ("username=AL", ["alice"]),
        ("username=a_", []),
        ("email=bob@", ["bob"]),
        ("by_domain=far.example", ["eve"]),
        (f"ip={HERE}", ["bob"]),
        ("limit=1", ["eve"]),
    ):
        assert await names(f"v1/admin/accounts?{query}") == expected, query
    for query, expected in (
        ("origin=local&status=active", ["bob", "mona"]),
        ("origin=remote&status=suspended", ["eve"]),
        ("status=pending", ["dora"]),
        ("permissions=staff", ["mona"]),
        ("role_ids[]=1", ["mona"]),
        ("display_name=ali", ["alice"]),
    ):
        assert await names(f"v2/admin/accounts?{query}") == expected, query


async def test_a_list_costs_the_same_whatever_its_length(hers: App, alice: Account, queries) -> None:
    sizes = []
    for more in (1, 8):
        for number in range(more):
            await sessions.sign_in((await person(f"p{more}{number}")).username, PASSWORD, HERE, "")
        await hers.get("/api/v1/admin/accounts")
        with queries() as sent:
            await hers.get("/api/v1/admin/accounts")
        sizes.append(len(sent))
    assert sizes[0] == sizes[1]


async def test_who_waits_is_let_in_or_sent_away(hers: App, dora: User, alice: Account) -> None:
    erna = await sign_up("erna", reason="Me too")
    first, second = (await account_of(dora)).id, (await account_of(erna)).id
    waiting = await hers.get(f"/api/v1/admin/accounts/{first}")
    assert (waiting["approved"], waiting["suspended"]) == (False, False)
    assert waiting["invite_request"] == "I love boats"
    assert (await hers.post(f"/api/v1/admin/accounts/{first}/approve"))["approved"] is True
    assert (await hers.post(f"/api/v1/admin/accounts/{second}/reject"))["username"] == "erna"
    assert not await Account.exists(id=second)
    for verb in ("approve", "reject"):
        await hers.post(f"/api/v1/admin/accounts/{alice.id}/{verb}", 403)
    assert await audited() == ["settings.change", "signup.approve", "signup.reject"]


@pytest.mark.parametrize(
    ("action", "mark", "undo"),
    [
        ("silence", "silenced", "unsilence"),
        ("suspend", "suspended", "unsuspend"),
        ("sensitive", "sensitized", "unsensitive"),
        ("disable", "disabled", "enable"),
    ],
)
async def test_an_action_and_its_undo(hers: App, alice: Account, action: str, mark: str, undo: str) -> None:
    path = f"/api/v1/admin/accounts/{alice.id}"
    assert await hers.post(f"{path}/action", json={"type": action, "text": "Spam"}) == {}
    assert (await hers.get(path))[mark] is True
    assert (await hers.post(f"{path}/{undo}"))[mark] is False
    assert len(await audited()) == 2


async def test_an_action_may_end_a_report_and_send_a_mail(hers: App, alice: Account, bob: Account) -> None:
    report = await reports.file(alice, bob, Complaint())
    other = await reports.file(bob, alice, Complaint())
    form = {"type": "none", "text": "Be <kind>.", "send_email_notification": True}
    path = f"/api/v1/admin/accounts/{bob.id}/action"
    await hers.post(path, 422, json={**form, "report_id": other.id})
    assert await audited() == []
    await hers.post(path, json={**form, "report_id": report.id})
    assert (await reports.get(None, report.id)).resolved_at
    assert await audited() == ["account.warn", "report.resolve"]
    assert await mailed("warned") == [("bob@mail.example", "This is a warning.\nBe <kind>.")]


async def test_what_is_no_action(hers: App, alice: Account) -> None:
    eve = await remote("eve", "far.example")
    path = f"/api/v1/admin/accounts/{alice.id}/action"
    for refused in ({}, {"type": "hug"}, {"type": "none", "text": "x" * 1001}):
        await hers.post(path, 422, json=refused)
    await hers.post(f"/api/v1/admin/accounts/{eve.id}/action", 422, json={"type": "disable"})
    await hers.post(path, 404, json={"type": "none", "report_id": "4711"})
    await hers.post("/api/v1/admin/accounts/4711/action", 404, json={"type": "none"})
    assert await audited() == []


async def test_nobody_acts_on_somebody_of_the_same_or_a_higher_role(
    hers: App, chiefs: App, mona: Account
) -> None:
    chief = await Account.get(username="chief")
    for app, target in ((hers, mona), (hers, chief), (chiefs, chief)):
        for action in ("none", "sensitive", "disable", "silence", "suspend"):
            path = f"/api/v1/admin/accounts/{target.id}/action"
            await app.post(path, 403, json={"type": action, "send_email_notification": True})
        for undo in ("enable", "unsilence", "unsuspend", "unsensitive"):
            await app.post(f"/api/v1/admin/accounts/{target.id}/{undo}", 403)
    assert await audited() == [] and await mailed("warned") == []
    await chiefs.post(f"/api/v1/admin/accounts/{mona.id}/action", json={"type": "silence"})


async def test_only_an_admin_deletes_and_only_what_is_suspended(
    hers: App, chiefs: App, alice: Account, mona: Account
) -> None:
    path = f"/api/v1/admin/accounts/{alice.id}"
    await chiefs.delete(path, 403)
    await moderation.suspend(alice, await user_of(mona))
    await hers.delete(path, 403)
    assert (await chiefs.delete(path))["username"] == "alice"
    assert (await Account.get(id=alice.id)).deleted_at
    await chiefs.get(path, 404)


async def test_the_pictures_of_a_marked_account_are_covered_wherever_they_are(
    hers: App, app_of: AppOf, alice: Account, bob: Account
) -> None:
    file = await file_of(alice)
    post = await posts.publish(alice, Draft("Look", media_ids=[file.id]))
    his = await app_of(bob)

    async def sensitive() -> tuple[bool, bool]:
        alone = await his.get(f"/api/v1/statuses/{post.id}")
        (listed,) = await his.get(f"/api/v1/accounts/{alice.id}/statuses")
        return alone["sensitive"], listed["sensitive"]

    assert await sensitive() == (False, False)
    await hers.post(f"/api/v1/admin/accounts/{alice.id}/action", data="type=sensitive")
    assert await sensitive() == (True, True)
    await hers.post(f"/api/v1/admin/accounts/{alice.id}/unsensitive")
    assert await sensitive() == (False, False)


async def test_the_log_says_who_did_what_to_whom_and_why(hers: App, alice: Account, mona: Account) -> None:
    await hers.post(f"/api/v1/admin/accounts/{alice.id}/action", json={"type": "silence", "text": "Spam"})
    entry = await db.row("SELECT * FROM audit_entry")
    assert entry is not None
    assert (entry["user_id"], entry["action"], entry["target"]) == (
        (await user_of(mona)).id,
        "account.silence",
        str(alice.id),
    )
    assert orjson.loads(entry["detail"]) == {"handle": "alice", "reason": "Spam"}
