"""Deleting an account, ours or one elsewhere: at once for everybody's eyes, then bit by bit for good.

The row of the account stays, empty: the name is never given to somebody else, and whoever asks for the
account hears that it is gone. The rest may be much, so it is a piece of owed work that ends, goes on and is
repeated as often as need be: each thing is taken away in a transaction of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from fediblog import db, moments, storage
from fediblog.errors import Conflict, Forbidden, NotFound
from fediblog.models import Account, Post, Role, User
from fediblog.queue import Job
from fediblog.services import (
    admission,
    audit,
    boosts,
    events,
    follows,
    indexed,
    likes,
    locks,
    media,
    members,
    posts,
    sessions,
    tokens,
    work,
)
from fediblog.services.events import Event

_BATCH = 100
_ROWS = 500
# So many things in one go, then others get their turn.
_MOST = 2_000

Removal = Callable[[], Awaitable[object]]


async def delete(account: Account, by: User) -> None:
    """Delete an account that this user owns; users who have no other account are deleted with it.

    The door has asked for the password (`sessions.require_password`) and the code (`authenticator.require`).
    Raises Forbidden for who is not an owner, Conflict for the last admin, who would leave a server that
    nobody can run.
    """
    await members.require_owner(by, account)
    await _end(account, by)


async def remove(account: Account, by: User) -> None:
    """An admin deletes an account that has been suspended, here or elsewhere, for good.

    Raises Forbidden for anybody else, for accounts that are not suspended, and for those of other admins.
    """
    members.require_staff(by, Role.ADMIN)
    if not members.outranks(by, await members.rank(account.id)):
        raise Forbidden("You cannot do that to a member of the staff who ranks as high as you.")
    if account.suspended_at is None or await admission.pending(account.id):
        raise Forbidden("Only a suspended account can be deleted.")
    await _end(account, by)


async def _end(account: Account, by: User) -> None:
    async with db.transaction():
        if not await mark(account.id):
            return
        await events.record(Event.ACCOUNT_DELETED, account)
        await audit.record(by, "account.delete", str(account.id), username=account.username)
        await _delete_users(account.id)
        await sessions.end_for(account.id)
        await tokens.end_for(account.id)
        await db.execute("UPDATE invite SET expires_at = $2 WHERE account_id = $1", account.id, moments.now())
        await work.owe(Job.ERASE, account.id)


async def mark(account_id: int) -> bool:
    """Empty an account and take it from everybody's eyes, inside a transaction. False when it was so already.

    The rest is for `erase`, which the caller owes.
    """
    if await db.value(_MARK, account_id, moments.now()) is None:
        return False
    await indexed.forget_account(account_id)
    return True


async def erase(account_id: int) -> None:
    """Take away what a deleted account has left. Goes on later when it is much. For any other: nothing."""
    account = await Account.get_or_none(id=account_id)
    if account is None or account.deleted_at is None:
        return
    # With them goes their hold on files.
    await _sweep("scheduled_post", "account_id", "id", account_id)
    left = _MOST
    async for remove in _things(account):
        with suppress(NotFound):  # Somebody was quicker.
            await remove()
        left -= 1
        if left == 0:
            return await work.owe(Job.ERASE, account_id)
    for table, column, key in _PLAIN:
        await _sweep(table, column, key, account_id)
    await _remove_pictures(account)


# ---------------------------------------------------------------------------------------- what hangs on it


async def _delete_users(account_id: int) -> None:
    for user in await members.users(account_id):
        others = [other for other in await members.accounts(user) if other.id != account_id]
        if others:
            await db.execute(
                "DELETE FROM membership WHERE user_id = $1 AND account_id = $2", user.id, account_id
            )
            continue
        if user.role is Role.ADMIN:
            await _require_another_admin()
        await db.execute("DELETE FROM person WHERE id = $1", user.id)


async def _require_another_admin() -> None:
    # Of two who leave at once the second one counts without the first.
    await locks.hold("admins")
    if await User.filter(role=Role.ADMIN).count() == 1:
        raise Conflict("You are the only admin here. Make somebody else an admin first.")


async def _things(account: Account) -> AsyncIterator[Removal]:
    """Everything that others see or that counts somewhere, one by one, ready to be removed."""
    for find in (_posts, _likes, _following, _followers, _ballots, _files):
        while found := await find(account):
            for removal in found:
                yield removal


async def _posts(account: Account) -> list[Removal]:
    """The newest first, so that a boost goes before the original if both are the account's own."""
    found = await Post.filter(author_id=account.id).order_by("-id").limit(_BATCH)
    return [_post(account, post) for post in found]


def _post(account: Account, post: Post) -> Removal:
    return partial(posts.remove, post) if post.boost_of_id is None else partial(boosts.unboost, account, post)


async def _likes(account: Account) -> list[Removal]:
    liked = await db.column(f"SELECT post_id FROM post_like WHERE account_id = $1 LIMIT {_BATCH}", account.id)
    return [partial(likes.unlike, account, post) for post in await Post.filter(id__in=liked)]


async def _following(account: Account) -> list[Removal]:
    targets = await _other_side("follower_id", "target_id", account.id)
    return [partial(follows.unfollow, account, target) for target in targets]


async def _followers(account: Account) -> list[Removal]:
    others = await _other_side("target_id", "follower_id", account.id)
    return [partial(follows.remove_follower, account, other.id) for other in others]


async def _other_side(mine: str, other: str, account_id: int) -> list[Account]:
    found = await db.column(
        f"SELECT {other} FROM follow WHERE {mine} = $1 UNION SELECT {other} FROM follow_request"
        f" WHERE {mine} = $1 LIMIT {_BATCH}",
        account_id,
    )
    return await Account.filter(id__in=found)


async def _ballots(account: Account) -> list[Removal]:
    sql = f"SELECT poll_id FROM poll_ballot WHERE account_id = $1 LIMIT {_BATCH}"
    return [partial(_take_back_vote, account.id, poll_id) for poll_id in await db.column(sql, account.id)]


async def _take_back_vote(account_id: int, poll_id: int) -> None:
    async with db.transaction():
        await locks.keep(poll_id)
        sql = "DELETE FROM poll_ballot WHERE account_id = $1 AND poll_id = $2 RETURNING choices"
        choices = await db.value(sql, account_id, poll_id)
        if choices is None:
            return
        for position in (place for place in range(63) if choices >> place & 1):
            await db.execute(_UNCOUNT_VOTE, poll_id, position)
        await db.execute("UPDATE poll SET voters = voters - 1 WHERE id = $1", poll_id)


async def _files(account: Account) -> list[Removal]:
    """All are unattached by now: their posts are gone."""
    sql = f"SELECT id FROM media WHERE account_id = $1 AND post_id IS NULL LIMIT {_BATCH}"
    return [partial(media.discard, account, media_id) for media_id in await db.column(sql, account.id)]


async def _sweep(table: str, column: str, key: str, account_id: int) -> None:
    """Rows that nobody counts, in batches."""
    batch = f"SELECT {key} FROM {table} WHERE {column} = $1 LIMIT {_ROWS}"
    while True:
        async with db.transaction():
            gone = await db.rows(
                f"DELETE FROM {table} WHERE ({key}) IN ({batch}) RETURNING {column}", account_id
            )
        if len(gone) < _ROWS:
            return


async def _remove_pictures(account: Account) -> None:
    for key in (account.avatar, account.header):
        await storage.current().remove(key)
    async with db.transaction():
        await db.execute("UPDATE account SET avatar = '', header = '' WHERE id = $1", account.id)


# Suspended too, which hides it and its posts in every query at once.
_MARK = """
UPDATE account SET deleted_at = $2, suspended_at = COALESCE(suspended_at, $2), version = version + 1,
  display_name = '', note_source = '', note = '', fields = '[]', emojis = '[]', avatar_remote_url = '',
  header_remote_url = '', suspended_elsewhere = FALSE, also_known_as = '[]', moved_to_id = NULL,
  discoverable = FALSE, indexable = FALSE
WHERE id = $1 AND deleted_at IS NULL RETURNING id
"""
_UNCOUNT_VOTE = "UPDATE poll_option SET votes = votes - 1 WHERE poll_id = $1 AND position = $2"

# Tables, the column that names the account, and the key of a row.
_PLAIN = (
    ("block", "account_id", "account_id, target_id"),
    ("block", "target_id", "account_id, target_id"),
    ("mute", "account_id", "account_id, target_id"),
    ("mute", "target_id", "account_id, target_id"),
    ("hidden", "account_id", "account_id, target_id"),
    ("hidden", "target_id", "account_id, target_id"),
    ("thread_mute", "account_id", "account_id, thread_id"),
    ("bookmark", "account_id", "account_id, post_id"),
    ("home_entry", "account_id", "account_id, post_id"),
    ("notification", "account_id", "id"),
    ("notification", "from_id", "id"),
    ("notification_policy", "account_id", "account_id"),
    ("notification_permission", "account_id", "account_id, from_id"),
    ("notification_permission", "from_id", "account_id, from_id"),
    ("notification_request", "account_id", "account_id, from_id"),
    ("notification_request", "from_id", "account_id, from_id"),
    ("marker", "account_id", "account_id, timeline"),
    ("account_day", "account_id", "account_id, day"),
    ("account_note", "account_id", "account_id, target_id"),
    ("account_note", "target_id", "account_id, target_id"),
    ("endorsement", "account_id", "account_id, target_id"),
    ("endorsement", "target_id", "account_id, target_id"),
    ("dismissed_suggestion", "account_id", "account_id, target_id"),
    ("dismissed_suggestion", "target_id", "account_id, target_id"),
    ("hidden_domain", "account_id", "account_id, domain"),
    ("followed_tag", "account_id", "account_id, tag_id"),
    ("featured_tag", "account_id", "account_id, tag_id"),
    ("conversation", "account_id", "account_id, thread_id"),
    ("announcement_read", "account_id", "account_id, announcement_id"),
    ("announcement_reaction", "account_id", "announcement_id, name, account_id"),
    ("list_member", "account_id", "list_id, account_id"),
    ("list", "account_id", "id"),
    ("filter", "account_id", "id"),
)
