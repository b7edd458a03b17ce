"""Who may act for which account, and who outranks whom."""

import pytest

from fediblog import db
from fediblog.errors import Forbidden
from fediblog.models import Account, Role, User
from fediblog.services import members
from fediblog.services.members import Membership
from tests.people import person, user_of


async def share(user: User, account: Account, role: Membership = Membership.EDITOR) -> None:
    async with db.transaction():
        await members.add(user.id, account.id, role)


async def test_an_owner_owns_and_a_stranger_does_not(alice, bob):
    user = await user_of(alice)
    assert await members.membership(user, alice) is Membership.OWNER
    assert await members.membership(user, bob) is None
    await members.require_owner(user, alice)
    with pytest.raises(Forbidden):
        await members.require_owner(user, bob)


async def test_a_shared_account_has_several_members(alice, bob, carol):
    user, owner = await user_of(alice), await user_of(carol)
    await share(user, carol)
    assert await members.membership(user, carol) is Membership.EDITOR
    with pytest.raises(Forbidden):
        await members.require_owner(user, carol)
    assert [account.username for account in await members.accounts(user)] == ["alice", "carol"]
    assert [member.id for member in await members.users(carol.id)] == [owner.id, user.id]
    await share(user, carol, Membership.OWNER)
    assert await members.membership(user, carol) is Membership.OWNER


async def test_the_account_acted_for(alice, bob, carol):
    user = await user_of(alice)
    await share(user, carol)
    assert (await members.acted_for(user)).id == alice.id
    assert (await members.acted_for(user, carol.id)).id == carol.id
    with pytest.raises(Forbidden):
        await members.acted_for(user, bob.id)
    await Account.filter(id=alice.id).update(suspended_at=1)
    assert (await members.acted_for(user)).id == carol.id
    await Account.filter(domain="").update(deleted_at=1)
    with pytest.raises(Forbidden):
        await members.acted_for(user)


async def test_ranks(database):
    users = {role: await user_of(await person(role.value, role=role)) for role in Role}
    with pytest.raises(Forbidden):
        members.require_staff(users[Role.USER])
    members.require_staff(users[Role.MODERATOR])
    members.require_staff(users[Role.ADMIN])
    with pytest.raises(Forbidden):
        members.require_staff(users[Role.MODERATOR], Role.ADMIN)
    members.require_staff(users[Role.ADMIN], Role.ADMIN)
    above = {
        (one.value, other.value) for one in Role for other in Role if members.outranks(users[one], other)
    }
    assert above == {("moderator", "user"), ("admin", "user"), ("admin", "moderator")}


async def test_an_account_ranks_as_high_as_the_highest_of_its_users(alice, bob):
    assert await members.rank(alice.id) is Role.USER
    await share(await user_of(await person("mia", role="admin")), alice)
    assert await members.rank(alice.id) is Role.ADMIN
    assert await members.rank(12345) is Role.USER
