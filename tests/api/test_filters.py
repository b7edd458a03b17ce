"""Filters through the API: both versions of them, and `filtered` on every status."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog.models import Account, Post
from fediblog.services import boosts, follows, home, posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.api.conftest import App, AppOf
from tests.services.making import file_of

V1, V2 = "/api/v1/filters", "/api/v2/filters"


@pytest.fixture
async def hers(app_of: AppOf, alice: Account) -> App:
    return await app_of(alice)


async def against(app: App, keyword: str, **more: Any) -> dict[str, Any]:
    words = [{"keyword": keyword, "whole_word": True}] if keyword else []
    sent = {"title": "Enough", "context": ["home"], "keywords_attributes": words, **more}
    found: dict[str, Any] = await app.post(V2, json=sent)
    return found


async def write(author: Account, source: str, **options: Any) -> Post:
    made = await posts.publish(author, Draft(source, **options))
    await home.fan_out(made.id)
    return made


async def test_a_filter_has_every_field_and_comes_back_as_it_was_sent(hers: App) -> None:
    sent = (
        "title=Enough&context[]=home&context[]=thread&filter_action=hide&expires_in=3600"
        "&keywords_attributes[][keyword]=cat&keywords_attributes[][whole_word]=false"
        "&keywords_attributes[][keyword]=dog&keywords_attributes[][whole_word]=true"
    )
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    made = await hers.post(V2, data=sent, headers=kind)
    keywords, path = made["keywords"], f"{V2}/{made['id']}"

    assert set(made) == {"id", "title", "context", "expires_at", "filter_action", "keywords", "statuses"}
    assert (made["title"], made["context"], made["filter_action"]) == ("Enough", ["home", "thread"], "hide")
    assert made["expires_at"].endswith("Z") and made["statuses"] == []
    assert [(word["keyword"], word["whole_word"]) for word in keywords] == [("cat", False), ("dog", True)]
    assert await hers.get(path) == made
    assert await hers.get(V2) == [made]
    assert await hers.delete(path) == {}
    await hers.get(path, 404)


async def test_an_edit_changes_adds_and_removes_keywords_and_keeps_what_is_not_given(hers: App) -> None:
    made = await against(hers, "cat", expires_in=60)
    path, cat = f"{V2}/{made['id']}", made["keywords"][0]["id"]
    changed = await hers.put(
        path,
        form={
            "keywords_attributes[0][id]": cat,
            "keywords_attributes[0][keyword]": "cats",
            "keywords_attributes[1][keyword]": "dog",
            "expires_in": "",
        },
    )
    assert [(word["keyword"], word["whole_word"]) for word in changed["keywords"]] == [
        ("cats", True),
        ("dog", True),
    ]
    assert (changed["title"], changed["context"], changed["expires_at"]) == ("Enough", ["home"], None)
    words = {"0": {"id": cat, "_destroy": True}}
    changed = await hers.put(path, json={"title": "Now", "keywords_attributes": words})
    assert (changed["title"], [word["keyword"] for word in changed["keywords"]]) == ("Now", ["dog"])


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"context": ["home"]}, 422),
        ({"title": "x"}, 422),
        ({"title": "x", "context": ["somewhere"]}, 422),
        ({"title": "x", "context": ["home"], "filter_action": "shout"}, 422),
        ({"title": "x", "context": ["home"], "expires_in": "soon"}, 422),
        ({"title": "x", "context": ["home"], "keywords_attributes": [{"keyword": ""}]}, 422),
        ({"title": "x", "context": ["home"], "keywords_attributes": [{"id": "1", "keyword": "y"}]}, 404),
        ({"title": "x", "context": ["home"], "keywords_attributes": ["y"]}, 400),
    ],
)
async def test_faults_are_refused(hers: App, wrong: Any, status: int) -> None:
    assert (await hers.post(V2, status, json=wrong))["error"]
    assert await hers.get(V2) == []


async def test_keywords_are_resources_of_their_own(hers: App) -> None:
    path = f"{V2}/{(await against(hers, ''))['id']}"
    made = await hers.post(f"{path}/keywords", form={"keyword": "cat", "whole_word": "0"})
    word = f"{V2}/keywords/{made['id']}"
    assert made == {"id": made["id"], "keyword": "cat", "whole_word": False}
    assert await hers.get(word) == made
    assert await hers.get(f"{path}/keywords") == [made]
    assert (await hers.put(word, json={"whole_word": True}))["whole_word"] is True
    await hers.put(word, 422, json={"keyword": " "})
    await hers.post(f"{path}/keywords", 422, json={})
    assert await hers.delete(word) == {}
    await hers.delete(word, 404)
    assert await hers.get(f"{path}/keywords") == []


async def test_single_statuses_are_named_and_match(hers: App, bob: Account) -> None:
    path, post = f"{V2}/{(await against(hers, ''))['id']}", await write(bob, "hi")
    made = await hers.post(f"{path}/statuses", json={"status_id": str(post.id)})
    marked = f"{V2}/statuses/{made['id']}"
    assert made == {"id": made["id"], "status_id": str(post.id)}
    assert await hers.get(marked) == made
    assert await hers.get(f"{path}/statuses") == [made]
    (result,) = (await hers.get(f"/api/v1/statuses/{post.id}"))["filtered"]
    assert (result["keyword_matches"], result["status_matches"]) == ([], [str(post.id)])

    await hers.post(f"{path}/statuses", 404, json={"status_id": "4711"})
    await hers.post(f"{path}/statuses", 404, json={})
    assert await hers.delete(marked) == {}
    await hers.get(marked, 404)
    assert (await hers.get(f"/api/v1/statuses/{post.id}"))["filtered"] == []


async def test_the_first_version_shows_each_keyword_as_a_filter(hers: App) -> None:
    made = await hers.post(V1, form={"phrase": "cat", "context[]": "home", "irreversible": "true"})
    path = f"{V1}/{made['id']}"
    assert made == {
        "id": made["id"],
        "phrase": "cat",
        "context": ["home"],
        "whole_word": True,
        "expires_at": None,
        "irreversible": True,
    }
    assert await hers.get(path) == made
    assert await hers.get(V1) == [made]
    sent = {
        "phrase": "dog",
        "context": ["public"],
        "irreversible": False,
        "whole_word": "0",
        "expires_in": 60,
    }
    changed = await hers.put(path, json=sent)
    assert (changed["phrase"], changed["context"], changed["whole_word"]) == ("dog", ["public"], False)
    assert changed["irreversible"] is False and changed["expires_at"]
    (whole,) = await hers.get(V2)
    assert (whole["title"], whole["filter_action"]) == ("dog", "warn")
    assert await hers.delete(path) == {}
    assert (await hers.get(V1), await hers.get(V2)) == ([], [])
    await hers.get(path, 404)
    await hers.post(V1, 422, json={"context": ["home"]})


async def test_of_a_filter_with_more_keywords_the_first_version_changes_only_one(hers: App) -> None:
    made = await against(hers, "cat")
    await hers.post(f"{V2}/{made['id']}/keywords", json={"keyword": "dog"})
    path = f"{V1}/{made['keywords'][0]['id']}"
    for wrong in ({"context": ["public"]}, {"irreversible": True}, {"expires_in": 60}):
        await hers.put(path, 422, json={"phrase": "bird", **wrong})
    same = {"phrase": "bird", "context": ["home"], "irreversible": False, "expires_in": ""}
    assert (await hers.put(path, json=same))["phrase"] == "bird"
    await hers.delete(path)
    (left,) = await hers.get(V2)
    assert (left["title"], [word["keyword"] for word in left["keywords"]]) == ("Enough", ["dog"])


async def test_the_filters_of_others_are_not_there(app_of: AppOf, hers: App, bob: Account) -> None:
    made, his = await against(hers, "cat"), await app_of(bob)
    word = made["keywords"][0]["id"]
    for path in (f"{V2}/{made['id']}", f"{V2}/keywords/{word}", f"{V1}/{word}"):
        await his.get(path, 404)
        await his.put(path, 404, json={"phrase": "x", "keyword": "x", "title": "x"})
        await his.delete(path, 404)
    for part in ("keywords", "statuses"):
        await his.get(f"{V2}/{made['id']}/{part}", 404)
    assert (await his.get(V1), await his.get(V2)) == ([], [])
    assert await hers.get(V2) == [made]


async def test_a_status_says_which_filters_match_wherever_it_is_shown(
    hers: App, alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(alice, bob)
    mine = await write(alice, "a cat of mine")
    post = await write(bob, "@alice look, a #Cat", reply_to_id=mine.id)
    boost = await boosts.boost(bob, await write(carol, "Cat!"))
    await home.fan_out(boost.id)
    made = await against(hers, "cat", filter_action="hide")

    expected = [{"filter": made, "keyword_matches": ["cat"], "status_matches": []}]
    listed = await hers.get("/api/v1/timelines/home")
    assert [status["filtered"] for status in listed] == [expected, expected, []]
    assert listed[0]["reblog"]["filtered"] == expected
    thread = await hers.get(f"/api/v1/statuses/{mine.id}/context")
    assert thread["descendants"][0]["filtered"] == expected
    told = await hers.get("/api/v1/notifications")
    assert [each["status"]["filtered"] for each in told if each["type"] == "mention"] == [expected]
    assert (await hers.get(f"/api/v1/accounts/{bob.id}/statuses"))[1]["filtered"] == expected
    assert (await hers.get("/api/v1/timelines/public"))[0]["filtered"] == expected
    await hers.delete(f"{V2}/{made['id']}")
    assert (await hers.get(f"/api/v1/statuses/{post.id}"))["filtered"] == []


async def test_warnings_options_and_descriptions_are_read_too_and_edits_anew(
    app_of: AppOf, hers: App, alice: Account, bob: Account
) -> None:
    file = await file_of(bob, description="a cat on a mat")
    made = [
        await write(bob, "x", summary="cats: cat"),
        await write(bob, "x", poll=PollDraft(("Cat", "Dog"), 3600)),
        await write(bob, "x", media_ids=(file.id,)),
        await write(bob, "x"),
    ]
    await against(hers, "cat")
    query = "&".join(f"id[]={post.id}" for post in made)

    async def matched(app: App) -> list[bool]:
        return [bool(status["filtered"]) for status in await app.get(f"/api/v1/statuses?{query}")]

    assert await matched(hers) == [True, True, True, False]
    assert await matched(await app_of(bob)) == [False] * 4
    await posts.edit(bob, made[0].id, Draft("x"))
    await posts.edit(bob, made[3].id, Draft("Cat"))
    assert await matched(hers) == [False, True, True, True]


async def test_filters_cost_two_statements_whatever_the_page_holds(
    hers: App, alice: Account, bob: Account, queries: Callable[[], Any]
) -> None:
    await follows.follow(alice, bob)
    for number in range(15):
        await write(bob, f"cat {number}")
    for number in range(10):
        await against(hers, f"cat {number}")
    await hers.get("/api/v1/timelines/home")
    with queries() as known:
        assert sum(len(status["filtered"]) for status in await hers.get("/api/v1/timelines/home")) == 10
    await against(hers, "other")
    with queries() as anew:
        await hers.get("/api/v1/timelines/home")
    assert len(known) <= 3 and len(anew) == len(known) + 2, (known.sql, anew.sql)
