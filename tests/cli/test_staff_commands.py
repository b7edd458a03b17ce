"""The commands of the staff: announcements and reports."""

import orjson
import pytest

from fediblog.services import reports
from fediblog.services.reports import Complaint
from tests.cli.test_federation_commands import inside
from tests.people import person

pytestmark = pytest.mark.once


def listed(site, *words):
    return orjson.loads(site(*words, "--json").out)


def test_an_announcement_is_made_withdrawn_published_and_deleted(site):
    made = site("announcements", "add", "We move", "--ends", "2099-01-02T03:04:05", "--all-day", "--json")
    number = orjson.loads(made.out)["id"]
    (line,) = listed(site, "announcements", "list")
    assert (line["id"], line["text"], line["all_day"]) == (number, "We move", True)
    assert line["ends"] == "2099-01-02T03:04:05.000Z" and line["published"]
    assert site("announcements", "unpublish", number).code == 0
    assert listed(site, "announcements", "list")[0]["published"] is None
    assert site("announcements", "publish", number).code == 0
    assert listed(site, "announcements", "list")[0]["published"]
    assert site("announcements", "remove", number).code == 0
    assert listed(site, "announcements", "list") == []
    assert site("announcements", "remove", number).code == 1
    assert site("announcements", "add", "").code == 1


def test_reports_are_listed_shown_resolved_and_opened_again(site):
    async def act():
        alice, bob = await person("alice"), await person("bob")
        return str((await reports.file(alice, bob, Complaint("Rude", "spam"))).id)

    number = inside(act)
    (line,) = listed(site, "reports", "list")
    assert line == listed(site, "reports", "show", number)
    assert (line["by"], line["about"], line["category"], line["comment"]) == ("alice", "bob", "spam", "Rude")
    assert site("reports", "resolve", number).code == 0
    assert listed(site, "reports", "list") == []
    assert listed(site, "reports", "list", "--resolved")[0]["resolved"]
    assert site("reports", "reopen", number).code == 0
    assert listed(site, "reports", "show", number)["resolved"] is None
    assert site("reports", "resolve", "4711").code == 1
