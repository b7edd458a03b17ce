"""Links of a profile are marked when the page links back."""

import pytest

from fediblog import db
from fediblog.models import Account
from fediblog.services import accounts, link_checks
from fediblog.services.accounts import Profile
from tests.harness.fediverse import Fediverse

PAGE = "https://alice.example/"


def _page(fediverse: Fediverse, html: str, kind: str = "text/html") -> None:
    fediverse.server("alice.example").answers[PAGE] = (200, kind, html.encode())


async def _marked(alice: Account, *fields: tuple[str, str]) -> list[bool]:
    fresh = await Account.get(id=alice.id)
    await accounts.edit_profile(fresh, Profile(fields=fields or (("Page", PAGE),)))
    await link_checks.check(alice.id)
    return [bool(field["verified_at"]) for field in (await Account.get(id=alice.id)).fields_]


@pytest.mark.parametrize(
    "html",
    [
        '<a rel="me" href="http://localhost:8000/@alice">me</a>',
        '<head><link href="http://localhost:8000/@alice/" rel="nofollow ME"></head>',
    ],
)
async def test_a_page_that_names_the_profile_is_its_owners(alice: Account, fediverse: Fediverse, html: str):
    _page(fediverse, html)
    before = alice.version
    assert await _marked(alice) == [True]
    assert (await Account.get(id=alice.id)).version > before + 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="http://localhost:8000/@alice">no rel</a>',
        '<a rel="me" href="http://localhost:8000/@alicia">somebody else</a>',
        '<!-- <a rel="me" href="http://localhost:8000/@alice"></a> -->',
        '<a rel="me">nothing</a>',
    ],
)
async def test_a_page_that_does_not_name_it_is_not(alice: Account, fediverse: Fediverse, html: str):
    _page(fediverse, html)
    assert await _marked(alice) == [False]


async def test_only_a_page_counts_and_only_https_and_what_is_away_is_not_marked(
    alice: Account, fediverse: Fediverse
):
    _page(fediverse, '<a rel="me" href="http://localhost:8000/@alice">', "application/json")
    fields = (("a", PAGE), ("b", "http://alice.example/"), ("c", "https://down.example/"), ("d", "words"))
    assert await _marked(alice, *fields) == [False] * 4


async def test_a_mark_stays_with_its_field_and_is_asked_for_once(alice: Account, fediverse: Fediverse):
    _page(fediverse, '<a rel="me" href="http://localhost:8000/@alice">')
    assert await _marked(alice) == [True]
    fediverse.server("alice.example").down = True
    assert await _marked(alice, ("Page", PAGE), ("New", "words")) == [True, False]
    assert len(fediverse.server("alice.example").asked) == 1


async def test_changing_fields_owes_a_look(alice: Account):
    await accounts.edit_profile(alice, Profile(display_name="Alice"))
    await accounts.edit_profile(alice, Profile(fields=(("Words", "no link"),)))
    assert await db.column("SELECT key FROM work WHERE kind = 'check_links'") == []
    await accounts.edit_profile(alice, Profile(fields=(("Page", PAGE),)))
    assert await db.column("SELECT key FROM work WHERE kind = 'check_links'") == [str(alice.id)]
