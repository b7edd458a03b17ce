"""API tokens: what they open, for how long, and what their scopes allow."""

import pytest

from fediblog import db, ids, keys, moments
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, User
from fediblog.services import tokens
from tests.harness.statements import analyse
from tests.people import user_of
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]


async def app(name: str = "Tusky") -> int:
    number = ids.new()
    async with db.transaction():
        await db.execute(
            "INSERT INTO oauth_app (id, name, redirect_uris, scopes, client_id, secret_hash, created_at)"
            " VALUES ($1, $2, '[]', 'read', $3, 'x', 1)",
            *(number, name, str(number)),
        )
    return number


async def test_a_token_tells_who_and_what(alice):
    user = await user_of(alice)
    number = await app()
    token = await tokens.create(alice, user, "write read read:search", number)
    found = await tokens.find(token)
    assert found is not None
    assert (found.account.id, found.user.id, found.app_id, found.app_name) == (
        alice.id,
        user.id,
        number,
        "Tusky",
    )
    assert found.scopes == {"read", "read:search", "write"}
    assert isinstance(found.account, Account) and isinstance(found.user, User)
    assert token not in str(await db.rows("SELECT * FROM oauth_token"))
    [line] = await tokens.listing(user)
    assert (line.id, line.app_name, line.scopes) == (
        found.token_id,
        "Tusky",
        ("read", "read:search", "write"),
    )


async def test_a_token_of_an_app_alone(database):
    found = await tokens.find(await tokens.create(None, None, ["read"], await app()))
    assert found is not None
    assert found.account is None and found.user is None


@pytest.mark.parametrize(
    "scopes", ["", " ", "everything", "read write:everything", "read,write", "READ", "\x00", []]
)
async def test_scopes_that_do_not_exist_are_refused(alice, scopes):
    with pytest.raises(Invalid) as refused:
        await tokens.create(alice, await user_of(alice), scopes)
    assert set(refused.value.fields) == {"scopes"}
    assert await db.value("SELECT count(*) FROM oauth_token") == 0


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "x" * 100_000])
async def test_what_is_no_token_opens_nothing(alice, token):
    await tokens.create(alice, await user_of(alice), "read")
    assert await tokens.find(token) is None
    await tokens.revoke(token)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE person SET disabled_at = 1",
        "UPDATE person SET confirmed_at = NULL",
        "UPDATE person SET approved_at = NULL",
        "UPDATE account SET suspended_at = 1",
        "UPDATE account SET deleted_at = 1",
        "DELETE FROM membership",
        "DELETE FROM person",
    ],
)
async def test_a_token_ends_with_what_it_rests_on(alice, change):
    token = await tokens.create(alice, await user_of(alice), "read")
    async with db.transaction():
        await db.execute(change)
    assert await tokens.find(token) is None


async def test_finding_is_one_statement_and_a_write_once_an_hour(alice, queries, clock: Clock):
    token = await tokens.create(alice, await user_of(alice), "read")
    await tokens.find(token)
    with queries() as sent:
        await tokens.find(token)
    assert len(sent) == 1
    clock.forward(moments.HOUR + 1)
    with queries() as sent:
        await tokens.find(token)
        await tokens.find(token)
    assert len(sent.writes) == 2
    user = await user_of(alice)
    [line] = await tokens.listing(user)
    assert line.used_at == user.last_active_at


async def test_finding_looks_up_one_row(alice, explain):
    user = await user_of(alice)
    token = await tokens.create(alice, user, "read")
    async with db.transaction():
        for _ in range(500):
            await tokens.create(alice, user, "read")
    await analyse()
    plan = "\n".join(await explain(tokens._FIND, keys.token_hash(token)))
    assert "oauth_token_hash" in plan, plan
    assert "SCAN" not in plan, plan


async def test_listing_is_one_statement_whatever_its_length(alice, queries):
    user = await user_of(alice)
    for _ in range(5):
        await tokens.create(alice, user, "read", await app())
    with queries() as sent:
        lines = await tokens.listing(user)
    assert (len(lines), len(sent)) == (5, 1)
    assert {line.username for line in lines} == {"alice"}


async def test_taking_tokens_back(alice, bob):
    user, other = await user_of(alice), await user_of(bob)
    first, second, third = [await tokens.create(alice, user, "read") for _ in range(3)]
    theirs = await tokens.create(bob, other, "read")
    await tokens.revoke(first)
    assert await tokens.find(first) is None
    found = await tokens.find(second)
    assert found is not None
    with pytest.raises(NotFound):
        await tokens.revoke_one(other, found.token_id)
    await tokens.revoke_one(user, found.token_id)
    assert await tokens.find(second) is None
    assert await tokens.find(third) is not None
    await tokens.revoke_all(user)
    assert await tokens.find(third) is None
    assert await tokens.find(theirs) is not None


@pytest.mark.parametrize(
    ("scopes", "needed"),
    [
        ("read", "read"),
        ("read", "read:statuses"),
        ("read:statuses", "read:statuses"),
        ("write", "write:media"),
        ("follow", "read:follows"),
        ("follow", "write:follows"),
        ("follow", "read:blocks"),
        ("follow", "write:mutes"),
        ("push", "push"),
        ("admin:read", "admin:read:accounts"),
        ("read", "profile"),
        ("read:accounts", "profile"),
        ("profile", "profile"),
    ],
)
def test_scopes_that_cover(scopes, needed):
    assert tokens.covers(tokens.parse_scopes(scopes), needed)


@pytest.mark.parametrize(
    ("scopes", "needed"),
    [
        ("read", "write"),
        ("read", "write:statuses"),
        ("read:statuses", "read"),
        ("read:statuses", "read:accounts"),
        ("write", "read:statuses"),
        ("read write follow push", "admin:read"),
        ("read write follow push", "admin:read:accounts"),
        ("admin:read", "admin:write:accounts"),
        ("admin:read", "read:statuses"),
        ("follow", "write:statuses"),
        ("follow", "read"),
        ("read write", "push"),
        ("profile", "read:accounts"),
        ("push", "profile"),
    ],
)
def test_scopes_that_do_not_cover(scopes, needed):
    assert not tokens.covers(tokens.parse_scopes(scopes), needed)
