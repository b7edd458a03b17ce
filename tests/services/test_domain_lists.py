"""Lists of rules in Mastodon's format: read, previewed, taken in, written."""

import pytest

from fediblog.errors import Forbidden, Invalid
from fediblog.models import User
from fediblog.services import domain_lists, domain_rules, domains, follows
from fediblog.services.domain_lists import Change
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from tests.people import person, remote, user_of
from tests.services.newcomers import audited

HEADER = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"


@pytest.fixture(autouse=True)
async def admin(database: None) -> User:
    domains.forget()
    return await user_of(await person("chief", role="admin"))


async def rules() -> dict[str, Level]:
    return {rule.domain: rule.level for rule in await domain_rules.listing()}


@pytest.mark.once
def test_lists_as_they_go_around_are_read():
    full = domain_lists.read(
        "\ufeff" + HEADER + 'bad.example,suspend,True,true,"Spam, and more",False\r\n'
        "\r\nloud.example,silence,FALSE,False,,True\nok.example,noop,,,,\n"
    )
    assert full == [
        Rule("bad.example", Level.SUSPEND, True, True, "Spam, and more"),
        Rule("loud.example", Level.SILENCE, obfuscate=True),
        Rule("ok.example", Level.NONE),
    ]
    assert domain_lists.read("domain\nbad.example\nBÜCHER.example\n") == [
        Rule("bad.example", Level.SUSPEND),
        Rule("xn--bcher-kva.example", Level.SUSPEND),
    ]
    assert domain_lists.read("bad.example,silence\nbad.example,suspend\n") == [
        Rule("bad.example", Level.SUSPEND)
    ]
    assert domain_lists.read("severity,domain\nsilence,bad.example\n") != []
    assert domain_lists.read("") == []


@pytest.mark.once
def test_faults_are_told_line_by_line():
    with pytest.raises(Invalid) as fault:
        domain_lists.read(
            HEADER + "bad.example,suspend\nb*d.example,suspend\nfar.example,destroy\n"
            "https://x.example,suspend\nfar.example,suspend,perhaps\nlocalhost:8000,suspend\n"
        )
    assert list(fault.value.fields) == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert fault.value.fields["line 4"] == "The severity is noop, silence or suspend."
    for broken in ("x" * (domain_lists.MOST_BYTES + 1), HEADER + "a\0b,suspend", '"' + "x" * 200_000):
        with pytest.raises(Invalid):
            domain_lists.read(broken)


async def test_a_preview_says_what_changes_and_changes_nothing(alice):
    await domain_rules.make(Rule("same.example", Level.SUSPEND), None)
    await domain_rules.make(Rule("soft.example", Level.SILENCE), None)
    await domain_rules.make(Rule("hard.example", Level.SUSPEND), None)
    dave, erin = await remote("dave", "new.example"), await remote("erin", "sub.new.example")
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    await follows.follow(erin, alice)
    await follows.follow(dave, alice)
    before, log = await rules(), await audited()
    given = domain_lists.read("new.example\nsame.example\nsoft.example,suspend\nhard.example,silence\n")
    found = {line.rule.domain: line for line in await domain_lists.preview(given)}
    assert {name: line.change for name, line in found.items()} == {
        "new.example": Change.NEW,
        "same.example": Change.SAME,
        "soft.example": Change.CHANGED,
        "hard.example": Change.STAYS,
    }
    assert (found["new.example"].follows, found["new.example"].followers) == (1, 2)
    assert (await rules(), await audited()) == (before, log)


async def test_what_is_taken_in_holds_and_never_softens(admin):
    await domain_rules.make(Rule("hard.example", Level.SUSPEND), None)
    given = domain_lists.read("new.example,suspend\nhard.example,noop\nloud.example,silence\n")
    await domain_lists.take_in(given, admin)
    assert await rules() == {
        "new.example": Level.SUSPEND,
        "hard.example": Level.SUSPEND,
        "loud.example": Level.SILENCE,
    }
    assert await domains.refused("new.example")
    assert (await audited())[-1] == "domain.import"
    log = await audited()
    await domain_lists.take_in(given, admin)
    assert await audited() == log


async def test_nobody_but_an_admin_takes_a_list_in():
    with pytest.raises(Forbidden):
        await domain_lists.take_in(domain_lists.read("far.example"), await user_of(await person("eve")))
    assert await rules() == {}


async def test_what_is_exported_can_be_taken_in_again():
    made = [
        Rule("bad.example", Level.SUSPEND, True, True, 'Spam, "and" more', obfuscate=True),
        Rule("loud.example", Level.SILENCE, reject_media=True),
        Rule("ok.example", Level.NONE),
    ]
    for rule in made:
        await domain_rules.make(rule, None)
    exported = await domain_lists.export()
    assert exported.startswith(HEADER)
    assert domain_lists.read(exported) == made
