"""Reports by apps: what comes back, what is refused, and who hears of it."""

from fediblog.models import Account, Role, Visibility
from fediblog.services import moderation, posts, settings
from fediblog.services.composing import Draft
from tests.api.conftest import AppOf
from tests.people import user_of

FIELDS = """id action_taken action_taken_at category comment forwarded created_at status_ids rule_ids
target_account"""


async def test_a_report_comes_back_as_it_was_filed(app_of: AppOf, alice: Account, bob: Account) -> None:
    rule = await settings.add_rule(None, "Be kind")
    shown = await posts.publish(bob, Draft("You fool"))
    secret = await posts.publish(bob, Draft("Not for her", visibility=Visibility.FOLLOWERS))
    own = await posts.publish(alice, Draft("Mine"))
    form = [("account_id", bob.id), ("comment", " Look "), ("rule_ids[]", rule.id)]
    form += [("status_ids[]", post.id) for post in (shown, secret, own)]
    found = await (await app_of(alice, "write:reports")).post(
        "/api/v1/reports", data="&".join(f"{name}={value}" for name, value in form)
    )
    assert set(found) == set(FIELDS.split())
    assert (found["category"], found["comment"], found["forwarded"]) == ("violation", "Look", False)
    assert (found["status_ids"], found["rule_ids"]) == ([str(shown.id)], [str(rule.id)])
    assert (found["action_taken"], found["action_taken_at"]) == (False, None)
    assert found["target_account"]["id"] == str(bob.id)


async def test_what_cannot_be_reported(app_of: AppOf, alice: Account, bob: Account) -> None:
    hers = await app_of(alice)
    for refused in (
        {},
        {"account_id": "nobody"},
        {"account_id": str(alice.id)},
        {"account_id": str(bob.id), "comment": "x" * 1001},
        {"account_id": str(bob.id), "category": "bad manners"},
        {"account_id": str(bob.id), "category": "violation", "rule_ids": ["4711"]},
        {"account_id": str(bob.id), "status_ids": [str(number) for number in range(101)]},
    ):
        await hers.post("/api/v1/reports", 422, json=refused)
    await hers.post("/api/v1/reports", 404, json={"account_id": "4711"})
    form = {"account_id": str(bob.id)}
    await (await app_of(alice, "read write:statuses")).post("/api/v1/reports", 403, json=form)
    await (await app_of()).post("/api/v1/reports", 401, json=form)


async def test_moderators_are_notified_with_the_report_and_nobody_else(
    app_of: AppOf, alice: Account, bob: Account, mona: Account
) -> None:
    filed = await (await app_of(alice)).post(
        "/api/v1/reports", json={"account_id": bob.id, "category": "spam", "comment": "Again"}
    )
    (told,) = await (await app_of(mona)).get("/api/v1/notifications")
    assert (told["type"], told["account"]["id"], told["report"]) == ("admin.report", str(alice.id), filed)
    (group,) = (await (await app_of(mona)).get("/api/v2/notifications"))["notification_groups"]
    assert (group["type"], group["report"]) == ("admin.report", filed)
    assert await (await app_of(bob)).get("/api/v1/notifications") == []

    await moderation.set_role((await user_of(mona)).id, Role.USER, None)
    assert await (await app_of(mona)).get("/api/v1/notifications") == []
