"""Posts for later: published by the clock once, with their files, whatever dies meanwhile."""

from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Gone, Invalid, NotFound
from fediblog.models import Account, Media, Post, User, Visibility
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import deletion, media, posts, scheduled, upkeep, work
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from fediblog.services.scheduled import Scheduled
from tests.harness.statements import recorded
from tests.people import user_of
from tests.services.making import file_of

pytestmark = pytest.mark.usefixtures("database")


def soon() -> int:
    return moments.now() + 10 * moments.MINUTE


async def later(author: Account, source: str = "Hello", **more: Any) -> Scheduled:
    return await scheduled.schedule(author, Draft(source, **more), soon())


async def let_it_be_time(one: Scheduled) -> None:
    async with db.transaction():
        await db.execute("UPDATE scheduled_post SET scheduled_at = 1 WHERE id = $1", one.id)
        await db.execute("UPDATE work SET not_before = 1 WHERE kind = 'publish' AND key = $1", str(one.id))


async def due() -> list[int]:
    return [number for job, number in await work.sweep([Job.PUBLISH])]


async def test_a_post_for_later_is_published_by_the_clock_once_as_it_was_written(
    alice: Account, bob: Account
) -> None:
    parent = await posts.publish(bob, Draft("What?"))
    one = await later(
        alice,
        "@bob #this",
        summary="cw",
        visibility=Visibility.UNLISTED,
        language="de",
        reply_to_id=parent.id,
        poll=PollDraft(("a", "b"), 3600, multiple=True),
        application="An app",
    )
    assert await due() == [] and await Post.filter(author_id=alice.id).count() == 0
    await scheduled.publish(one.id)
    assert await Post.filter(author_id=alice.id).count() == 0
    await let_it_be_time(one)
    assert len(await due()) == 1
    for _ in range(2):
        await scheduled.publish(one.id)
    (post,) = await Post.filter(author_id=alice.id)
    assert (post.source, post.summary, post.language) == ("@bob #this", "cw", "de")
    assert (post.visibility, post.reply_to_id, post.application) == (
        Visibility.UNLISTED,
        parent.id,
        "An app",
    )
    assert await db.column("SELECT title FROM poll_option WHERE poll_id = $1 ORDER BY position", post.id) == [
        "a",
        "b",
    ]
    assert post.created_at > moments.now() - moments.MINUTE
    assert (await scheduled.listing(alice, Page())) == []


async def test_its_files_wait_with_it_are_nobody_elses_and_no_orphans(alice: Account) -> None:
    files = [await file_of(alice, created_at=1) for _ in range(2)]
    one = await later(alice, "", media_ids=(files[1].id, files[0].id))
    assert [file.id for file in one.media] == [files[1].id, files[0].id]
    assert (await upkeep.prunable_media())["media"] == 0
    await media.prune(moments.now())
    for refused in (
        posts.publish(alice, Draft("x", media_ids=(files[0].id,))),
        later(alice, "x", media_ids=(files[0].id,)),
        media.discard(alice, files[0].id),
    ):
        with pytest.raises(Invalid):
            await refused
    await let_it_be_time(one)
    await scheduled.publish(one.id)
    post = await Post.get(author_id=alice.id)
    assert await db.column("SELECT id FROM media WHERE post_id = $1 ORDER BY position", post.id) == [
        files[1].id,
        files[0].id,
    ]


async def test_a_worker_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await file_of(alice)
    one = await later(alice, media_ids=(file.id,))
    await let_it_be_time(one)

    async def die(*given: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(posts, "_announce", die)
        with pytest.raises(RuntimeError):
            await scheduled.publish(one.id)
    assert await Post.filter(author_id=alice.id).count() == 0
    assert (await Media.get(id=file.id)).scheduled_id == one.id
    assert len(await due()) == 1
    await scheduled.publish(one.id)
    assert await Post.filter(author_id=alice.id).count() == 1


async def test_another_moment_counts_in_both_directions(alice: Account) -> None:
    one = await later(alice)
    far = moments.now() + moments.DAY
    assert (await scheduled.move(alice, one.id, far)).scheduled_at == far
    async with db.transaction():
        await db.execute("UPDATE work SET not_before = 1 WHERE kind = 'publish'")
    assert len(await due()) == 1
    await scheduled.publish(one.id)
    assert await Post.filter(author_id=alice.id).count() == 0
    assert await db.value("SELECT not_before FROM work WHERE kind = 'publish'") == 1
    near = soon()
    await scheduled.move(alice, one.id, near)
    assert (await scheduled.get(alice, one.id)).scheduled_at == near


async def test_cancelling_gives_its_files_back(alice: Account, bob: Account) -> None:
    file = await file_of(alice, created_at=1)
    one = await later(alice, media_ids=(file.id,))
    for act in (
        scheduled.cancel(bob, one.id),
        scheduled.move(bob, one.id, soon()),
        scheduled.get(bob, one.id),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await Media.get(id=file.id)).scheduled_id == one.id
    await scheduled.cancel(alice, one.id)
    await scheduled.publish(one.id)
    assert await Post.filter(author_id=alice.id).count() == 0
    await posts.publish(alice, Draft("now", media_ids=(file.id,)))


@pytest.mark.parametrize("ahead", [-moments.DAY, scheduled.SOONEST - moments.SECOND, 4000 * moments.DAY])
async def test_a_moment_too_near_or_too_far_is_refused(alice: Account, ahead: int) -> None:
    with pytest.raises(Invalid):
        await scheduled.schedule(alice, Draft("Hello"), moments.now() + ahead)
    one = await later(alice)
    with pytest.raises(Invalid):
        await scheduled.move(alice, one.id, moments.now() + ahead)
    assert (await scheduled.get(alice, one.id)).scheduled_at == one.scheduled_at


async def test_faults_are_found_when_it_is_written(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await posts.publish(bob, Draft("x", visibility=Visibility.DIRECT))
    his = await file_of(bob)
    for draft, fault in (
        (Draft(""), Invalid),
        (Draft("x" * 10_000), Invalid),
        (Draft("x", media_ids=(his.id,)), Invalid),
        (Draft("x", reply_to_id=secret.id), NotFound),
    ):
        with pytest.raises(fault):
            await scheduled.schedule(alice, draft, soon())
    monkeypatch.setattr(scheduled, "_MOST", 1)
    await later(alice)
    with pytest.raises(Invalid):
        await later(alice)
    assert len(await scheduled.listing(alice, Page())) == 1


async def test_what_cannot_be_published_any_more_stays_and_says_why(alice: Account, bob: Account) -> None:
    parent = await posts.publish(bob, Draft("What?"))
    one = await later(alice, reply_to_id=parent.id)
    await posts.delete(bob, parent.id)
    await let_it_be_time(one)
    await scheduled.publish(one.id)
    (left,) = await scheduled.listing(alice, Page())
    assert left.error == "Record not found" and await Post.filter(author_id=alice.id).count() == 0
    assert (await scheduled.move(alice, one.id, soon())).error == ""
    two = await later(bob)
    await let_it_be_time(two)
    await Account.filter(id=bob.id).update(suspended_at=1)
    await scheduled.publish(two.id)
    assert (await scheduled.get(bob, two.id)).error and await Post.filter(author_id=bob.id).count() == 0


async def test_nothing_is_published_for_whom_the_staff_has_shut_out(alice: Account) -> None:
    one = await later(alice)
    await let_it_be_time(one)
    await User.filter(id=(await user_of(alice)).id).update(disabled_at=1)
    await scheduled.publish(one.id)
    assert (await scheduled.get(alice, one.id)).error and await Post.filter(author_id=alice.id).count() == 0


async def test_the_same_key_gives_the_first_as_long_as_it_waits(alice: Account) -> None:
    keyed: dict[str, Any] = {"idempotency_key": "k", "idempotency_owner": "token 1"}
    one = await later(alice, **keyed)
    assert (await later(alice, **keyed)).id == one.id
    await let_it_be_time(one)
    await scheduled.publish(one.id)
    for again in (later(alice, **keyed), posts.publish(alice, Draft("Hello", **keyed))):
        with pytest.raises(Gone):
            await again
    assert await Post.filter(author_id=alice.id).count() == 1


async def test_a_page_takes_two_statements_and_goes_with_its_account(alice: Account, bob: Account) -> None:
    file = await file_of(alice)
    made = [await later(alice, media_ids=(file.id,)), await later(alice), await later(alice)]
    await later(bob)
    with recorded() as statements:
        found = await scheduled.listing(alice, Page())
    assert [one.id for one in found] == [one.id for one in reversed(made)] and len(statements) == 2
    assert [one.id for one in await scheduled.listing(alice, Page(limit=1, max_id=made[2].id))] == [
        made[1].id
    ]
    await deletion.delete(bob, await user_of(bob))
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    assert await db.value("SELECT count(*) FROM scheduled_post WHERE account_id = $1", alice.id) == 0
    assert await Media.get_or_none(id=file.id) is None
