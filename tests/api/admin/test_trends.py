"""What many talk about, before the staff has let it pass: seen and reviewed by its apps."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db
from fediblog.models import Account, Post
from fediblog.services import blocks, likes, posts, trending
from fediblog.services.composing import Draft
from tests.api.conftest import App, AppOf
from tests.harness.statements import recorded
from tests.people import person
from tests.services.newcomers import audited

ROOT = "/api/v1/admin/trends"


@pytest.fixture
async def crowd(database: None) -> list[Account]:
    return [await person(f"person{number}") for number in range(trending.FEW)]


@pytest.fixture
async def talk(crowd: list[Account]) -> Post:
    """Three people use one hashtag, write about one page, and like the first of their posts."""
    made = [await posts.publish(one, Draft("#Ours https://news.example/")) for one in crowd]
    async with db.transaction():
        await db.execute("UPDATE link_card SET title = 'News'")
    for one in crowd:
        await likes.like(one, made[0])
    await trending.compute()
    return made[0]


@pytest.fixture
async def monas(app_of: AppOf, mona: Account) -> App:
    """A moderator's app."""
    return await app_of(mona, "admin:read admin:write")


async def test_the_staff_sees_what_nobody_else_is_shown_yet_and_lets_it_pass(
    app_of: AppOf, monas: App, talk: Post
) -> None:
    nobody = await app_of()
    for things in ("tags", "statuses", "links"):
        assert await nobody.get(f"/api/v1/trends/{things}") == []
        (found,) = await monas.get(f"{ROOT}/{things}")
        assert found["requires_review"] is True
        assert found.get("trendable", False) is False

        passed = await monas.post(f"{ROOT}/{things}/{found['id']}/approve")

        assert passed["requires_review"] is False
        assert passed.get("trendable", True) is True
        assert await monas.get(f"{ROOT}/{things}") == [passed]
        (shown,) = await nobody.get(f"/api/v1/trends/{things}")
        assert shown["url"] == passed["url"]
    assert await audited() == ["trend.allow"] * 3


async def test_what_is_rejected_is_not_shown_and_can_be_let_pass_later(
    app_of: AppOf, configure: Callable[..., Any], monas: App, talk: Post
) -> None:
    configure(trends__review=False)
    nobody = await app_of()
    (tag,) = await monas.get(f"{ROOT}/tags")
    assert (tag["trendable"], tag["requires_review"], tag["usable"]) == (True, True, True)

    refused = await monas.post(f"{ROOT}/tags/{tag['id']}/reject")

    assert refused == {**tag, "trendable": False, "requires_review": False}
    assert await nobody.get("/api/v1/trends/tags") == []
    assert await monas.get(f"{ROOT}/tags") == [refused]
    for things in ("statuses", "links"):
        (one,) = await monas.get(f"{ROOT}/{things}")
        await monas.post(f"{ROOT}/{things}/{one['id']}/reject")
        assert await nobody.get(f"/api/v1/trends/{things}") == []
    await monas.post(f"{ROOT}/tags/{tag['id']}/approve")
    assert len(await nobody.get("/api/v1/trends/tags")) == 1


async def test_who_has_blocked_a_moderator_is_reviewed_all_the_same(
    monas: App, mona: Account, crowd: list[Account], talk: Post
) -> None:
    await blocks.block(crowd[0], mona)

    assert [status["id"] for status in await monas.get(f"{ROOT}/statuses")] == [str(talk.id)]
    await monas.post(f"{ROOT}/statuses/{talk.id}/reject")


async def test_what_is_no_trend_or_gone_is_not_reviewed(monas: App, crowd: list[Account], talk: Post) -> None:
    quiet = await posts.publish(crowd[1], Draft("Nobody likes this. #alone"))
    tag = await db.value("SELECT tag_id FROM post_tag WHERE post_id = $1", quiet.id)
    await posts.remove(talk)
    for one in (f"statuses/{quiet.id}", f"statuses/{talk.id}", f"tags/{tag}", "tags/4711", "links/4711"):
        for verb in ("approve", "reject"):
            await monas.post(f"{ROOT}/{one}/{verb}", 404)
    assert await monas.get(f"{ROOT}/statuses") == []
    assert await audited() == []


async def test_pages_of_trends_are_counted_and_take_the_same_statements(
    monas: App, crowd: list[Account], talk: Post
) -> None:
    async def statements(path: str, expected: int) -> int:
        with recorded() as sent:
            assert len(await monas.get(path)) == expected
        return len(sent)

    paths = [f"{ROOT}/{things}" for things in ("tags", "statuses", "links")]
    for path in paths:
        await monas.get(path)
    before = [await statements(path, 1) for path in paths]
    more = await posts.publish(crowd[1], Draft("Again. #one #two"))
    async with db.transaction():
        await db.execute("INSERT INTO link_card (id, url, title) VALUES (8, 'https://old.example/', 'Old')")
        tags = await db.column("SELECT tag_id FROM post_tag WHERE post_id = $1", more.id)
        for kind, number in [("post", more.id), ("link", 8), *(("tag", tag) for tag in tags)]:
            await db.execute(
                "INSERT INTO trend (kind, subject_id, score, computed_at) VALUES ($1, $2, 0.1, 0)",
                *(kind, number),
            )
    await monas.get(paths[1])
    after = [await statements(path, expected) for path, expected in zip(paths, (3, 2, 2), strict=True)]

    assert after == before
    first, second = [await monas.get(f"{paths[0]}?limit=1&offset={offset}") for offset in (0, 1)]
    assert first[0]["name"] == "Ours" != second[0]["name"]
