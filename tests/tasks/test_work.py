"""The tray: owed once, leased by one, never lost, and poison put aside."""

import asyncio

import pytest

from fediblog import db, moments, queue
from fediblog.errors import NotFound
from fediblog.queue import Job
from fediblog.services import work


@pytest.fixture
def nudges(monkeypatch):
    """What would have been sent to the broker."""
    sent = []
    monkeypatch.setattr(queue, "_hand_over", lambda job, args, request_id: sent.append((job, *args)))
    monkeypatch.setattr(queue, "reachable", lambda: True)
    return sent


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: `clock.pass_(milliseconds)`."""

    class Clock:
        moment = 1_790_000_000_000

        def pass_(self, milliseconds):
            self.moment += milliseconds

    clock = Clock()
    monkeypatch.setattr(moments, "now", lambda: clock.moment)
    return clock


async def _row():
    return await db.row("SELECT * FROM work")


async def _owe(job=Job.MAIL, key=1, not_before=0):
    await work.owe(job, key, not_before)
    return await db.value("SELECT id FROM work WHERE kind = $1 AND key = $2", job, str(key))


async def test_work_is_owed_with_its_cause_or_not_at_all(database, nudges):
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await work.owe(Job.MAIL, 1)
            raise ZeroDivisionError
    assert await _row() is None
    assert nudges == []


async def test_the_nudge_follows_the_commit(database, nudges):
    async with db.transaction():
        await work.owe(Job.MAIL, 1)
        assert nudges == []
    assert nudges == [(Job.MAIL, (await _row())["id"])]


async def test_owing_twice_keeps_one_row(database):
    first = await _owe()
    assert await _owe() == first
    assert await db.value("SELECT count(*) FROM work") == 1


async def test_who_is_on_its_way_is_not_nudged_again(database, clock, nudges):
    number = await _owe()
    clock.pass_(500)
    await _owe()
    assert nudges == [(Job.MAIL, number)]
    clock.pass_(600)
    await _owe()
    assert nudges == [(Job.MAIL, number)] * 2


async def test_the_earlier_moment_wins(database, clock, nudges):
    await _owe(not_before=clock.moment + 5000)
    assert nudges == []
    await _owe(not_before=clock.moment + 3000)
    await _owe(not_before=clock.moment + 9000)
    assert (await _row())["not_before"] == clock.moment + 3000


async def test_work_is_not_leased_before_its_time(database, clock):
    number = await _owe(not_before=clock.moment + 5000)
    assert await work.lease(Job.MAIL, number, "w") is None
    clock.pass_(5000)
    assert (await work.lease(Job.MAIL, number, "w")).key == "1"


async def test_of_many_workers_one_gets_the_lease(database):
    number = await _owe()
    got = await asyncio.gather(*[work.lease(Job.MAIL, number, f"w{i}") for i in range(8)])
    assert len([one for one in got if one]) == 1


async def test_a_lease_under_the_wrong_name_is_refused(database):
    number = await _owe()
    assert await work.lease(Job.MEDIA, number, "w") is None


async def test_done_work_is_gone(database):
    held = await work.lease(Job.MAIL, await _owe(), "w")
    await work.done(held)
    assert await _row() is None


async def test_work_owed_while_it_runs_is_done_once_more(database, nudges):
    number = await _owe()
    held = await work.lease(Job.MAIL, number, "w")
    nudges.clear()
    await _owe()
    assert nudges == []
    await work.done(held)
    assert nudges == [(Job.MAIL, number)]
    again = await work.lease(Job.MAIL, number, "w")
    assert again.round == held.round + 1
    await work.done(again)
    assert await _row() is None


async def test_work_owed_for_later_while_it_runs_waits_for_that(database, clock, nudges):
    held = await work.lease(Job.CLOSE_POLL, await _owe(Job.CLOSE_POLL), "w")
    await _owe(Job.CLOSE_POLL, not_before=clock.moment + 60_000)
    nudges.clear()
    await work.done(held)
    row = await _row()
    assert (row["state"], row["not_before"]) == ("due", clock.moment + 60_000)
    assert nudges == []


async def test_a_failure_waits_by_the_plan(database, clock):
    number = await _owe()
    held = await work.lease(Job.MAIL, number, "w")
    await work.failed(held, "the mail server is down")
    row = await _row()
    assert row["error"] == "the mail server is down"
    assert 17_000 <= row["not_before"] - clock.moment <= 23_000
    assert (row["state"], row["attempts"], row["crashes"]) == ("due", 1, 0)
    assert await work.lease(Job.MAIL, number, "w") is None
    clock.pass_(23_000)
    assert (await work.lease(Job.MAIL, number, "w")).attempts == 1


async def test_a_failure_may_name_its_moment(database, clock):
    await work.failed(await work.lease(Job.MAIL, await _owe(), "w"), "busy", again_at=clock.moment + 7)
    assert (await _row())["not_before"] == clock.moment + 7


def test_the_plan_goes_from_seconds_to_half_a_day():
    def about(attempt):
        return min(
            (20_000, 40_000, 60_000, 300_000, 3_600_000, 43_200_000), key=lambda plan: _far(plan, attempt)
        )

    def _far(plan, attempt):
        return abs(work.pause(attempt) - plan) / plan

    plan = [about(attempt) for attempt in (1, 2, 3, 61, 62, 133, 134, 157, 158, 10_000)]
    assert plan == [
        20_000, 40_000, 60_000, 60_000, 300_000, 300_000, 3_600_000, 3_600_000, 43_200_000, 43_200_000
    ]  # fmt: skip


async def test_foreseen_failures_never_quarantine(database, clock):
    number = await _owe()
    for _ in range(20):
        await work.failed(await work.lease(Job.MAIL, number, "w"), "down", again_at=clock.moment)
    assert (await _row())["state"] == "due"


async def test_the_fifth_crash_quarantines_and_an_admin_may_retry(database, clock, nudges):
    number = await _owe()
    for _ in range(5):
        held = await work.lease(Job.MAIL, number, "w", suspect=True)
        await work.failed(held, "KeyError: 'x'", again_at=clock.moment, crash=True)
    assert await work.lease(Job.MAIL, number, "w") is None
    assert await work.sweep(patience=0) == []
    [poison] = await work.quarantined()
    assert (poison.id, poison.key, poison.error, poison.crashes) == (number, "1", "KeyError: 'x'", 5)
    nudges.clear()
    await _owe()
    assert nudges == []
    assert len(await work.quarantined()) == 1
    await work.retry(number)
    assert nudges == [(Job.MAIL, number)]
    assert (await work.lease(Job.MAIL, number, "w")).crashes == 0


async def test_retrying_what_is_not_in_quarantine_is_refused(database):
    with pytest.raises(NotFound):
        await work.retry(await _owe())


async def test_a_vanished_worker_s_lease_runs_out_and_counts_as_a_crash(database, clock):
    number = await _owe()
    await work.lease(Job.MAIL, number, "w")
    clock.pass_(Job.MAIL.seconds * 1000)
    assert await work.sweep() == []
    clock.pass_(31_000)
    assert await work.sweep() == [(Job.MAIL, number)]
    assert (await _row())["crashes"] == 1


async def test_a_worker_that_kills_itself_on_a_row_is_stopped_by_quarantine(database, clock):
    number = await _owe()
    for _ in range(5):
        assert await work.lease(Job.MAIL, number, "w", suspect=True) is not None
        assert await work.release("w") == 1
        clock.pass_(1_000_000)
    assert [poison.id for poison in await work.quarantined()] == [number]


async def test_what_has_crashed_is_a_suspect_and_taken_only_as_one(database):
    number = await _owe()
    assert not await work.is_suspect(number)
    await work.lease(Job.MAIL, number, "w")
    await work.release("w")
    assert await work.is_suspect(number)
    assert await work.lease(Job.MAIL, number, "w") is None
    assert (await work.lease(Job.MAIL, number, "w", suspect=True)).crashes == 1


async def test_release_frees_only_its_own(database):
    one, two = await _owe(key=1), await _owe(key=2)
    await work.lease(Job.MAIL, one, "w1")
    await work.lease(Job.MAIL, two, "w2")
    assert await work.release("w1") == 1
    assert await work.lease(Job.MAIL, one, "w3", suspect=True) is not None
    assert await work.lease(Job.MAIL, two, "w3") is None


async def test_who_lost_the_lease_cannot_end_the_work_of_another(database, clock):
    number = await _owe()
    slow = await work.lease(Job.MAIL, number, "w")
    clock.pass_(200_000)
    await work.sweep()
    fast = await work.lease(Job.MAIL, number, "w", suspect=True)
    await work.done(slow)
    await work.failed(slow, "late")
    row = await _row()
    assert (row["state"], row["lease_until"], row["error"]) == (
        "leased",
        fast.lease_until,
        "The worker ended without a result.",
    )
    await work.done(fast)
    assert await _row() is None


async def test_work_given_back_in_good_order_is_due_at_once_and_no_crash(database):
    number = await _owe()
    await work.lease(Job.MAIL, number, "w")
    assert await work.release("w", crashed=False) == 1
    held = await work.lease(Job.MAIL, number, "w")
    assert (held.crashes, held.attempts) == (0, 0)


async def test_the_sweep_finds_at_once_what_nobody_could_be_nudged_for(database, clock):
    number = await _owe()
    assert await work.sweep() == [(Job.MAIL, number)]


async def test_the_sweep_waits_for_who_was_nudged(database, clock, nudges):
    number = await _owe()
    assert await work.sweep() == []
    clock.pass_(work.PATIENCE)
    assert await work.sweep() == [(Job.MAIL, number)]
    assert await work.sweep() == []
    clock.pass_(work.PATIENCE)
    assert await work.sweep() == [(Job.MAIL, number)]


async def test_the_sweep_finds_what_becomes_due(database, clock):
    number = await _owe(not_before=clock.moment + 1000)
    assert await work.sweep() == []
    clock.pass_(1000)
    assert await work.sweep() == [(Job.MAIL, number)]


async def test_the_sweep_of_some_jobs_leaves_the_others(database):
    number = await _owe(Job.MEDIA)
    await _owe(Job.MAIL)
    assert await work.sweep([Job.MEDIA], patience=0) == [(Job.MEDIA, number)]


async def test_two_sweeps_share_the_rows(database):
    owed = {(Job.MAIL, await _owe(key=key)) for key in range(6)}
    one, two = await asyncio.gather(
        work.sweep(patience=0, limit=3),
        work.sweep(patience=0, limit=3),
    )
    assert set(one) | set(two) <= owed
    assert len(one) == 3


async def test_a_kind_that_this_version_does_not_know_is_left_alone(database):
    number = await _owe()
    async with db.transaction():
        await db.execute("UPDATE work SET kind = 'from_the_future', nudged_at = 0")
    assert await work.sweep() == []
    assert await work.lease(Job.MAIL, number, "w") is None


async def test_the_tray_in_numbers(database, clock):
    await _owe(key=1)
    clock.pass_(5)
    await _owe(key=2)
    [heap] = await work.heaps()
    assert (heap.kind, heap.state, heap.rows, heap.oldest) == ("mail", "due", 2, clock.moment - 5)
