"""What the staff may do about somebody, and what it may not."""

from collections.abc import Awaitable, Callable

import orjson
import pytest

from fediblog import db
from fediblog.errors import Conflict, Forbidden, NotFound
from fediblog.models import Account, Role, User
from fediblog.services import accounts, moderation, sessions, tokens
from tests.people import PASSWORD, person, remote, user_of
from tests.services.newcomers import HERE, audited

Act = Callable[[Account, User], Awaitable[Account]]
ACTS: list[Act] = [moderation.suspend, moderation.unsuspend, moderation.silence, moderation.unsilence]


@pytest.fixture
async def moderator(database: None) -> User:
    return await user_of(await person("mod", role="moderator"))


@pytest.fixture
async def admin(database: None) -> User:
    return await user_of(await person("chief", role="admin"))


async def test_a_suspended_account_loses_its_sessions_and_tokens(alice, moderator):
    opened = await sessions.sign_in("alice", PASSWORD, HERE, "")
    api = await tokens.create(alice, opened.user, "read")
    suspended = await moderation.suspend(alice, moderator, "Spam\x00 and more")
    assert suspended.suspended_at and suspended.version == alice.version + 1
    assert await sessions.find(opened.token) is None
    assert await tokens.find(api) is None
    assert (await accounts.get(alice.id)).suspended_at
    entry = await db.row("SELECT * FROM audit_entry")
    assert entry is not None
    assert (entry["action"], entry["target"], entry["user_id"]) == (
        "account.suspend",
        str(alice.id),
        moderator.id,
    )
    assert orjson.loads(entry["detail"]) == {"handle": "alice", "reason": "Spam and more"}

    back = await moderation.unsuspend(suspended, moderator)
    assert back.suspended_at is None
    assert await sessions.find(opened.token) is None
    await sessions.sign_in("alice", PASSWORD, HERE, "")


async def test_silencing_and_back(alice, moderator):
    silenced = await moderation.silence(alice, moderator)
    assert silenced.silenced_at and not silenced.suspended_at
    assert (await moderation.unsilence(silenced, moderator)).silenced_at is None
    assert await audited() == ["account.silence", "account.unsilence"]


async def test_an_account_from_elsewhere_can_be_suspended(moderator):
    dave = await remote("dave", "far.example")
    assert (await moderation.suspend(dave, moderator)).suspended_at


@pytest.mark.parametrize("act", ACTS)
async def test_nobody_but_the_staff_acts(alice, bob, act):
    with pytest.raises(Forbidden):
        await act(bob, await user_of(alice))
    assert await audited() == []


@pytest.mark.parametrize("act", ACTS)
async def test_nobody_acts_against_an_equal_or_oneself(moderator, admin, act):
    other = await person("other", role="moderator")
    chief = await Account.get(username_key="chief")
    own = await Account.get(username_key="mod")
    for account in (other, chief, own):
        with pytest.raises(Forbidden):
            await act(account, moderator)
    with pytest.raises(Forbidden):
        await act(chief, admin)
    assert await audited() == []


async def test_who_was_never_let_in_or_has_left_cannot_be_brought_back(moderator):
    pending = await person("pending", suspended_at=1, approved_at=None)
    left = await person("left", suspended_at=1, deleted_at=1)
    for account in (pending, left):
        with pytest.raises(Conflict):
            await moderation.unsuspend(account, moderator)
    assert await Account.filter(suspended_at=None).count() == 1


async def test_a_log_in_is_switched_off_and_on(alice, moderator):
    opened = await sessions.sign_in("alice", PASSWORD, HERE, "")
    api = await tokens.create(alice, opened.user, "read")
    await moderation.disable(opened.user.id, moderator)
    assert await sessions.find(opened.token) is None
    assert await tokens.find(api) is None
    with pytest.raises(Forbidden):
        await sessions.sign_in("alice", PASSWORD, HERE, "")
    assert (await accounts.get(alice.id)).suspended_at is None
    await moderation.enable(opened.user.id, moderator)
    await sessions.sign_in("alice", PASSWORD, HERE, "")
    assert await audited() == ["user.disable", "user.enable"]


async def test_who_may_not_switch_off_log_ins(alice, bob, moderator, admin):
    with pytest.raises(Forbidden):
        await moderation.disable((await user_of(bob)).id, await user_of(alice))
    for user in (moderator, admin):
        with pytest.raises(Forbidden):
            await moderation.disable(user.id, moderator)
    with pytest.raises(NotFound):
        await moderation.disable(12345, admin)
    assert await User.filter(disabled_at=None).count() == 4


async def test_another_role_ends_all_sessions(alice, admin):
    opened = await sessions.sign_in("alice", PASSWORD, HERE, "")
    changed = await moderation.set_role(opened.user.id, Role.MODERATOR, admin)
    assert changed.role is Role.MODERATOR
    assert await sessions.find(opened.token) is None
    assert (await sessions.sign_in("alice", PASSWORD, HERE, "")).user.role is Role.MODERATOR
    assert (await moderation.set_role(opened.user.id, Role.ADMIN, None)).role is Role.ADMIN


async def test_only_an_admin_gives_roles_and_not_to_an_admin(alice, moderator, admin):
    user = await user_of(alice)
    for by in (user, moderator):
        with pytest.raises(Forbidden):
            await moderation.set_role(user.id, Role.ADMIN, by)
    with pytest.raises(Forbidden):
        await moderation.set_role(admin.id, Role.USER, admin)
    assert (await User.get(id=user.id)).role is Role.USER
    assert (await User.get(id=admin.id)).role is Role.ADMIN
