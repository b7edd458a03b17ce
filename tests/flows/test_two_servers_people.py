"""The same two servers, and what becomes of people and of what they pass on: tallies, boosts, answers among
followers, changed profiles, follows that end, moves and farewells.
"""

from typing import Any

import httpx
import pytest

from fediblog.activitypub import resolver
from fediblog.services import accounts, deletion, migration, polls
from tests.flows.towns import Resident, Town
from tests.harness.site import until
from tests.people import user_of

pytestmark = pytest.mark.once


async def test_what_people_of_two_servers_do_later_is_seen_on_both(
    alice: Resident, dave: Resident, bob: Resident, carol: Resident, here: Town, there: Town
) -> None:
    await dave.follow(bob)
    await bob.follow(alice)
    await carol.app.post(f"/api/v1/accounts/{bob.app.account_id}/follow")
    await tallies_come_back(dave, bob, carol, there)
    await boosts_are_passed_on(alice, dave, bob, carol)
    await answers_among_followers(alice, dave, bob, carol)
    await changed_profiles(dave, bob)
    await follows_end(alice, bob)
    await moves(dave, bob, carol, here, there)
    await farewells(dave, carol, there)


async def tallies_come_back(dave: Resident, bob: Resident, carol: Resident, there: Town) -> None:
    """Dave votes from elsewhere, carol beside the author, and dave sees both votes."""
    poll = await bob.app.write("red-or-blue", poll={"options": ["red", "blue"], "expires_in": 3600})
    seen = await dave.sees("red-or-blue")
    await dave.app.post(f"/api/v1/polls/{seen['poll']['id']}/votes", json={"choices": [0]})
    await until(lambda: _votes(bob, poll["id"], [1, 0]))
    await carol.app.post(f"/api/v1/polls/{poll['poll']['id']}/votes", json={"choices": [1]})
    async with there.site.inside():  # Tallies are told once a minute; nobody waits for that here.
        await polls.tell_tally(int(poll["id"]))
    await until(lambda: _votes(dave, seen["id"], [1, 1]))
    assert not (await dave.status(seen["id"]))["edited_at"]


async def boosts_are_passed_on(alice: Resident, dave: Resident, bob: Resident, carol: Resident) -> None:
    """Who follows the booster sees posts of a neighbour, and of somebody whom nobody here has met."""
    neighbours, strangers = await alice.app.write("by-alice"), await carol.app.write("by-carol")
    for text, uri, number in (
        ("by-alice", neighbours["uri"], (await bob.sees("by-alice"))["id"]),
        ("by-carol", strangers["uri"], strangers["id"]),
    ):
        await bob.app.post(f"/api/v1/statuses/{number}/reblog")
        boost = await dave.sees(text)
        assert boost["account"]["acct"] == bob.handle
        assert boost["reblog"]["uri"] == uri
        await bob.app.post(f"/api/v1/statuses/{number}/unreblog")
        await until(lambda text=text: _unseen(dave, text))
        assert not await dave.gone(boost["reblog"]["id"])


async def answers_among_followers(alice: Resident, dave: Resident, bob: Resident, carol: Resident) -> None:
    """Each sees only those parts of a thread that are for followers of somebody they follow."""
    root = await alice.app.write("for-followers-of-alice", visibility="private")
    seen = await bob.sees("for-followers-of-alice")
    answer = await bob.app.write(
        f"@{alice.handle} for-followers-of-bob", in_reply_to_id=seen["id"], visibility="private"
    )
    heard = (await alice.notice("mention", "for-followers-of-bob"))["status"]
    assert (heard["visibility"], heard["in_reply_to_id"]) == ("private", root["id"])
    for reader, asked in ((dave, root["id"]), (carol, seen["id"])):
        part = await until(lambda reader=reader: _written(reader, bob, "for-followers-of-bob"))
        context = await reader.app.get(f"/api/v1/statuses/{part['id']}/context")
        assert context == {"ancestors": [], "descendants": []}
        assert await reader.gone(asked)
        assert not (await reader.find(root["uri"]))["statuses"]
    accept = {"Accept": "application/activity+json"}
    async with httpx.AsyncClient(trust_env=False, headers=accept) as stranger:
        for uri in (root["uri"], f"{root['uri']}/replies", answer["uri"], f"{answer['uri']}/replies"):
            assert (await stranger.get(uri)).status_code == 404


async def changed_profiles(dave: Resident, bob: Resident) -> None:
    """A name, a text and a field are seen by those who follow."""
    await bob.app.http.patch(
        "/api/v1/accounts/update_credentials",
        json={
            "display_name": "Robert",
            "note": "Builds boats",
            "fields_attributes": [{"name": "Town", "value": "Kiel"}],
        },
    )
    number = await dave.meet(bob)

    async def seen() -> bool:
        shown = await dave.app.get(f"/api/v1/accounts/{number}")
        fields = [(field["name"], field["value"]) for field in shown["fields"]]
        return (shown["display_name"], fields) == ("Robert", [("Town", "Kiel")]) and "boats" in shown["note"]

    await until(seen)


async def follows_end(alice: Resident, bob: Resident) -> None:
    """The followed one loses a follower, and the other one hears no more of them."""
    number = await bob.meet(alice)
    assert (await _account(alice, alice.app.account_id))["followers_count"] == 1
    await bob.app.post(f"/api/v1/accounts/{number}/unfollow")
    follower = await alice.meet(bob)
    await until(lambda: _not_followed(alice, follower))
    assert (await _account(alice, alice.app.account_id))["followers_count"] == 0
    await alice.app.write("not-for-bob-any-more", visibility="private")
    await alice.app.write(f"@{bob.handle} but-this-is", visibility="direct")
    await bob.notice("mention", "but-this-is")
    assert await bob.home("not-for-bob-any-more") is None


async def moves(dave: Resident, bob: Resident, carol: Resident, here: Town, there: Town) -> None:
    """Bob moves to the small server, and his followers on both go with him."""
    bobby = await here.resident("bobby")
    await bobby.meet(bob)
    async with here.site.inside():
        await migration.add_alias(await accounts.lookup("bobby"), await accounts.lookup(bob.handle))
    async with there.site.inside():
        target = await resolver.account(bobby.handle)
        target = await resolver.actor(target.uri, refresh=True)
        await migration.move(await accounts.lookup("bob"), target)
    for follower in (dave, carol):
        number = await follower.meet(bobby)
        await until(lambda follower=follower, number=number: follower.relation(number, "following"))
    old = await dave.meet(bob)
    await until(lambda: _not_following(dave, old))
    async with here.site.inside():
        assert (await accounts.get(int(old))).moved_to_id == int(bobby.app.account_id)
    await bobby.app.write("from-my-new-house")
    for follower in (dave, carol):
        await follower.sees("from-my-new-house")


async def farewells(dave: Resident, carol: Resident, there: Town) -> None:
    """Who deletes the account is gone elsewhere too, and so is what they wrote."""
    await dave.follow(carol)
    written = await carol.app.write("my-last-words")
    seen = await dave.sees("my-last-words")
    number = seen["account"]["id"]
    async with there.site.inside():
        leaving = await accounts.lookup("carol")
        await deletion.delete(leaving, await user_of(leaving))
    await until(lambda: dave.gone(seen["id"]))
    assert (await dave.app.send("GET", f"/api/v1/accounts/{number}")).status_code == 410
    assert not (await dave.find(f"@{carol.handle}"))["accounts"]
    assert not (await dave.find(written["uri"]))["statuses"]


async def _votes(reader: Resident, number: str, expected: list[int]) -> bool:
    poll = (await reader.status(number))["poll"]
    return [option["votes_count"] for option in poll["options"]] == expected


async def _written(reader: Resident, author: Resident, text: str) -> dict[str, Any] | None:
    """What somebody wrote with these words in it, as the reader is shown it on their profile."""
    shown = await reader.app.get(f"/api/v1/accounts/{await reader.meet(author)}/statuses")
    return next((status for status in shown if text in status["content"]), None)


async def _unseen(reader: Resident, text: str) -> bool:
    return await reader.home(text) is None


async def _account(reader: Resident, number: str) -> dict[str, Any]:
    return await reader.app.get(f"/api/v1/accounts/{number}")


async def _not_followed(reader: Resident, number: str) -> bool:
    return not await reader.relation(number, "followed_by")


async def _not_following(reader: Resident, number: str) -> bool:
    return not await reader.relation(number, "following")
