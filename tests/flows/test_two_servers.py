"""Two servers of ours with processes of their own, over real HTTP: one on SQLite in one process, the other on
PostgreSQL and Redis in many. What people do on one is seen rightly on the other, and by nobody else.
"""

import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.flows.towns import Resident, Town
from tests.harness.site import until

pytestmark = pytest.mark.once


async def test_people_of_two_servers_follow_write_and_answer(
    alice: Resident, bob: Resident, carol: Resident, there: Town
) -> None:
    await following_and_each_visibility(alice, bob, carol, there)
    await answers_edits_and_deletions(alice, bob)
    await quotes(alice, bob)
    await likes_boosts_and_their_undoing(alice, bob)
    await polls_and_media(alice, bob)
    await locked_accounts(alice, bob, carol)
    await blocks(alice, bob)


async def following_and_each_visibility(alice: Resident, bob: Resident, carol: Resident, there: Town) -> None:
    """Bob sees what is for followers, carol what is for everybody, and strangers nothing else."""
    await bob.follow(alice)
    assert (await alice.notice("follow"))["account"]["acct"] == bob.handle
    for level in ("public", "unlisted", "private"):
        await alice.app.write(f"for-{level}", visibility=level)
        assert (await bob.sees(f"for-{level}"))["visibility"] == level
    await alice.app.write(f"@{bob.handle} for-direct", visibility="direct")
    direct = (await bob.notice("mention", "for-direct"))["status"]
    assert direct["visibility"] == "direct"

    private = await bob.sees("for-private")
    for status in (private, direct):
        assert await carol.gone(status["id"])
        assert not (await carol.find(status["uri"]))["statuses"]
        assert await _nobody_gets(status["uri"])
    public = await carol.app.get("/api/v1/timelines/public", params={"limit": 40})
    assert [text for one in public for text in _words(one)] == ["for-public"]
    seen = await carol.app.get(f"/api/v1/accounts/{private['account']['id']}/statuses")
    assert {word for one in seen for word in _words(one)} == {"for-public", "for-unlisted"}
    async with httpx.AsyncClient(trust_env=False) as stranger:
        feed = (await stranger.get(f"http://{alice.domain}/@alice.rss")).text
        page = (await stranger.get(f"http://{alice.domain}/@alice")).text
        outbox = await _outbox(stranger, public[0]["account"]["uri"])
    for text in (feed, page, outbox):
        assert "for-public" in text
        assert "for-private" not in text
        assert "for-direct" not in text


async def answers_edits_and_deletions(alice: Resident, bob: Resident) -> None:
    """An answer crosses both ways, an edit is seen with its history, and what is deleted is gone."""
    asked = await alice.app.write("how-are-you")
    seen = await bob.sees("how-are-you")
    answered = await bob.app.write(f"@{alice.handle} fine", in_reply_to_id=seen["id"])
    heard = (await alice.notice("mention", "fine"))["status"]
    assert heard["in_reply_to_id"] == asked["id"]
    context = await alice.app.get(f"/api/v1/statuses/{asked['id']}/context")
    assert [one["id"] for one in context["descendants"]] == [heard["id"]]

    await bob.app.http.put(f"/api/v1/statuses/{answered['id']}", json={"status": f"@{alice.handle} splendid"})
    edited = await until(lambda: _changed(alice, heard["id"], "splendid"))
    assert edited["edited_at"]
    history = await alice.app.get(f"/api/v1/statuses/{heard['id']}/history")
    assert len(history) == 2

    await bob.app.http.delete(f"/api/v1/statuses/{answered['id']}")
    await until(lambda: alice.gone(heard["id"]))
    await alice.app.http.delete(f"/api/v1/statuses/{asked['id']}")
    await until(lambda: bob.gone(seen["id"]))


async def quotes(alice: Resident, bob: Resident) -> None:
    """Who is quoted agrees by the policy, both sides show it, and taken back neither does."""
    quoted = await alice.app.write("quote-me")
    seen = await bob.sees("quote-me")
    assert seen["quote_approval"]["current_user"] == "automatic"
    made = await bob.app.write("look-at-this", quoted_status_id=seen["id"])
    assert made["quote"] == {"state": "pending", "quoted_status": None}

    there = await until(lambda: _quote(bob, made["id"], "accepted"))
    assert there["quoted_status"]["id"] == seen["id"]
    told = (await alice.notice("quote", "look-at-this"))["status"]
    here = await until(lambda: _quote(alice, told["id"], "accepted"))
    assert here["quoted_status"]["id"] == quoted["id"]
    assert [one["id"] for one in await alice.app.get(f"/api/v1/statuses/{quoted['id']}/quotes")] == [
        told["id"]
    ]

    await alice.app.http.post(f"/api/v1/statuses/{quoted['id']}/quotes/{told['id']}/revoke")
    await until(lambda: _quote(bob, made["id"], "revoked"))
    closed = await alice.app.write("do-not-quote", quote_approval_policy="nobody")
    assert (await bob.sees("do-not-quote"))["quote_approval"]["current_user"] == "denied"
    for status in (closed, quoted):
        await alice.app.http.delete(f"/api/v1/statuses/{status['id']}")
    await bob.app.http.delete(f"/api/v1/statuses/{made['id']}")
    await until(lambda: alice.gone(told["id"]))


async def likes_boosts_and_their_undoing(alice: Resident, bob: Resident) -> None:
    """They are counted and told once, and taken back."""
    written = await alice.app.write("like-and-boost-me")
    seen = await bob.sees("like-and-boost-me")
    for act, notice, count in (
        ("favourite", "favourite", "favourites_count"),
        ("reblog", "reblog", "reblogs_count"),
    ):
        await bob.app.post(f"/api/v1/statuses/{seen['id']}/{act}")
        assert (await alice.notice(notice))["account"]["acct"] == bob.handle
        await until(lambda count=count: _counts(alice, written["id"], count, 1))
        await bob.app.post(f"/api/v1/statuses/{seen['id']}/un{act}")
        await until(lambda count=count: _counts(alice, written["id"], count, 0))


async def polls_and_media(alice: Resident, bob: Resident) -> None:
    """A vote is counted on the other side, and a picture comes with its description."""
    poll = await alice.app.write("tea-or-coffee", poll={"options": ["tea", "coffee"], "expires_in": 3600})
    seen = await bob.sees("tea-or-coffee")
    await bob.app.post(f"/api/v1/polls/{seen['poll']['id']}/votes", json={"choices": [1]})

    async def counted() -> bool:
        found = (await alice.status(poll["id"]))["poll"]
        return [option["votes_count"] for option in found["options"]] == [0, 1]

    await until(counted)

    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "PNG")
    media = await alice.app.post(
        "/api/v1/media",
        files={"file": ("teal.png", picture.getvalue(), "image/png")},
        data={"description": "A teal field"},
    )
    await alice.app.write("look-at-this", media_ids=[media["id"]])
    (attachment,) = (await bob.sees("look-at-this"))["media_attachments"]
    assert attachment["type"] == "image"
    assert attachment["description"] == "A teal field"
    assert attachment["url"].startswith(f"http://{bob.domain}/media/")
    shown = await bob.app.http.get(attachment["url"])
    assert shown.status_code == 200
    assert Image.open(io.BytesIO(shown.content)).size == (64, 48)


async def locked_accounts(alice: Resident, bob: Resident, carol: Resident) -> None:
    """A locked account is asked first: rejected once, accepted the second time."""
    await alice.app.http.patch("/api/v1/accounts/update_credentials", json={"locked": True})
    number = await carol.meet(alice)
    await carol.app.post(f"/api/v1/accounts/{number}/follow")
    asker = (await alice.notice("follow_request"))["account"]
    assert await carol.relation(number, "requested")
    await alice.app.post(f"/api/v1/follow_requests/{asker['id']}/reject")

    async def rejected() -> bool:
        return not await carol.relation(number, "requested")

    await until(rejected)
    await carol.app.post(f"/api/v1/accounts/{number}/follow")
    await until(lambda: alice.relation(asker["id"], "requested_by"))
    await alice.app.post(f"/api/v1/follow_requests/{asker['id']}/authorize")
    await until(lambda: carol.relation(number, "following"))
    await alice.app.write("for-followers-of-the-locked", visibility="private")
    for reader in (bob, carol):
        await reader.sees("for-followers-of-the-locked")


async def blocks(alice: Resident, bob: Resident) -> None:
    """A block ends the follow on the other side too."""
    number = await bob.meet(alice)
    blocked = await alice.meet(bob)
    await alice.app.post(f"/api/v1/accounts/{blocked}/block")

    async def ended() -> bool:
        return not await bob.relation(number, "following")

    await until(ended)


def _words(status: dict[str, Any]) -> list[str]:
    text = status["content"].replace("<p>", " ").replace("</p>", " ")
    return [word for word in text.split() if word.startswith("for-")]


async def _nobody_gets(uri: str) -> bool:
    """Whether an address answers a stranger as if nothing were there."""
    async with httpx.AsyncClient(trust_env=False) as stranger:
        for accept in ("application/activity+json", "text/html"):
            answer = await stranger.get(uri, headers={"Accept": accept}, follow_redirects=True)
            if answer.status_code != 404:
                return False
    return True


async def _outbox(stranger: httpx.AsyncClient, actor_uri: str) -> str:
    """All of an outbox, as a stranger reads it."""
    accept = {"Accept": "application/activity+json"}
    actor = (await stranger.get(actor_uri, headers=accept)).json()
    first = (await stranger.get(actor["outbox"], headers=accept)).json()["first"]
    return (await stranger.get(first, headers=accept)).text


async def _changed(reader: Resident, number: str, text: str) -> dict[str, Any] | None:
    status = await reader.status(number)
    return status if text in status["content"] else None


async def _quote(reader: Resident, number: str, state: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await reader.status(number))["quote"]
    return found if found is not None and found["state"] == state else None


async def _counts(reader: Resident, number: str, count: str, expected: int) -> bool:
    return (await reader.status(number))[count] == expected
