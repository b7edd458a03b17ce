"""What is over goes, what is not stays."""

import os
import time

import pytest

from fediblog import db, ids, moments, storage
from fediblog.models import Media, User
from fediblog.services import upkeep
from tests.people import user_of

DAY = moments.DAY


async def _insert(table, **values):
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    async with db.transaction():
        await db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())


async def _count(table):
    return await db.value(f"SELECT count(*) FROM {table}")


@pytest.fixture
async def now(alice):
    return moments.now()


async def _both(table, column, old, fresh, **values):
    """A row that is over and one that is not, and the name of what tells them apart."""
    for number, moment in enumerate((old, fresh)):
        row = {name: value(number) if callable(value) else value for name, value in values.items()}
        await _insert(table, **row, **{column: moment})


def _id(_):
    return ids.new()


def _name(number):
    return f"name {number}"


async def test_expired_one_time_tokens_go(now):
    await _both("one_time_token", "expires_at", now - 1, now + DAY, id=_id, token_hash=_name, purpose="reset")
    assert (await upkeep.prune())["one_time_tokens"] == 1
    assert await db.value("SELECT token_hash FROM one_time_token") == "name 1"


async def test_throttles_whose_window_is_over_go(now):
    await _both("throttle", "expires_at", now - 1, now + DAY, bucket=_name, hits=3)
    assert (await upkeep.prune())["throttles"] == 1
    assert await db.value("SELECT bucket FROM throttle") == "name 1"


async def test_idempotency_keys_go_after_a_day(now):
    row = {"owner": "o", "key": _name, "post_id": 1}
    await _both("idempotency", "created_at", now - DAY - 1, now - DAY + 60_000, **row)
    assert (await upkeep.prune())["idempotency_keys"] == 1
    assert await db.value("SELECT key FROM idempotency") == "name 1"


async def test_tombstones_go_after_ninety_days(now):
    row = {"uri": _name, "id": 1, "account_id": 1}
    await _both("tombstone", "deleted_at", now - 90 * DAY - 1, now - 90 * DAY + 60_000, **row)
    assert (await upkeep.prune())["tombstones"] == 1
    assert await db.value("SELECT uri FROM tombstone") == "name 1"


async def test_sessions_go_when_idle_for_two_weeks_or_ninety_days_old(now, alice):
    user = await user_of(alice)
    for name, created, seen in (
        ("idle", now - 20 * DAY, now - 14 * DAY - 1),
        ("old", now - 90 * DAY - 1, now),
        ("good", now - 80 * DAY, now - 13 * DAY),
    ):
        await _insert(
            "session",
            id=ids.new(),
            token_hash=name,
            user_id=user.id,
            account_id=alice.id,
            created_at=created,
            seen_at=seen,
        )
    assert (await upkeep.prune())["sessions"] == 2
    assert await db.value("SELECT token_hash FROM session") == "good"


async def test_mails_that_ended_go_after_a_month_and_those_that_wait_stay(now, alice):
    user = await user_of(alice)
    for kind, state, created in (
        ("a", "sent", now - 30 * DAY - 1),
        ("b", "sent", now - 29 * DAY),
        ("c", "waiting", now - 60 * DAY),
    ):
        await _insert(
            "mail", id=ids.new(), user_id=user.id, address="x", kind=kind, state=state, created_at=created
        )
    assert (await upkeep.prune())["mails"] == 1
    assert await db.column("SELECT kind FROM mail ORDER BY kind") == ["b", "c"]


async def test_invites_that_brought_nobody_go_a_month_after_their_end(now, alice):
    user = await user_of(alice)
    for code, expires in (
        ("unused", -30 * DAY - 1),
        ("used", -60 * DAY),
        ("late", -29 * DAY),
        ("open", None),
    ):
        row = {"id": ids.new(), "code": code, "account_id": alice.id, "created_at": 1}
        await _insert("invite", **row, expires_at=None if expires is None else now + expires)
        if code == "used":
            await User.filter(id=user.id).update(invite_id=row["id"])
    assert (await upkeep.prune())["invites"] == 1
    assert await db.column("SELECT code FROM invite ORDER BY code") == ["late", "open", "used"]


async def test_files_that_no_post_took_go_after_a_day_with_what_is_on_disk(now, alice):
    files = storage.current()
    keys = []
    for age in (DAY + 60_000, DAY - 60_000):
        draft = files.temporary()
        draft.write_bytes(b"x")
        keys.append(await files.save(draft, "png"))
        await Media.create(account_id=alice.id, state="ready", file=keys[-1], created_at=now - age)
    assert (await upkeep.prune())["media"] == 1
    assert [media.file for media in await Media.all()] == keys[1:]
    assert not files.path(keys[0]).exists()
    assert files.path(keys[1]).exists()


async def test_what_a_broken_upload_left_goes_after_a_day(now):
    files = storage.current()
    old, fresh = files.temporary(), files.temporary()
    for draft in (old, fresh):
        draft.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert (await upkeep.prune())["temporary_files"] == 1
    assert not old.exists()
    assert fresh.exists()


async def test_very_many_rows_go_in_small_steps(now, monkeypatch):
    monkeypatch.setattr(upkeep, "_BATCH", 10)
    for number in range(35):
        await _insert("throttle", bucket=str(number), hits=1, expires_at=1)
    assert (await upkeep.prune())["throttles"] == 35
    assert await _count("throttle") == 0


async def test_one_run_is_bounded(now, monkeypatch):
    monkeypatch.setattr(upkeep, "_BATCH", 5)
    monkeypatch.setattr(upkeep, "_MOST_BATCHES", 2)
    for number in range(25):
        await _insert("throttle", bucket=str(number), hits=1, expires_at=1)
    assert (await upkeep.prune())["throttles"] == 10


async def test_doing_it_twice_is_the_same_as_once(now):
    await upkeep.prune()
    assert set((await upkeep.prune()).values()) == {0}
