import asyncio
from typing import Any

import pytest

from fediblog import moments
from fediblog.activitypub import budgets, errands
from fediblog.activitypub.budgets import Pace
from fediblog.errors import Unavailable
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.remembering import Together
from fediblog.services import dropped, work
from fediblog.tasks import fetching
from tests.harness.fediverse import Fediverse, Peer

Node = dict[str, Any]


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def rita(peer: Peer) -> Node:
    return peer.actor("rita")


def collection(peer: Peer, note: Node, items: list[Any], pages: int = 1) -> None:
    """Let a note have a collection of answers over so many pages, as Mastodon does: the first is embedded."""
    uri = f"{note['id']}/replies"
    each = -(-len(items) // pages)
    found = []
    for number in range(pages):
        page = {
            "id": f"{uri}?page={number}",
            "type": "CollectionPage",
            "partOf": uri,
            "items": items[number * each : (number + 1) * each],
        }
        if number + 1 < pages:
            page["next"] = f"{uri}?page={number + 1}"
        found.append(peer.keep(page))
    note["replies"] = {"id": uri, "type": "Collection", "first": found[0]}


async def here(note: Node) -> Post | None:
    return await Post.get_or_none(uri=note["id"])


async def test_a_post_is_taken_in_with_its_answers(fediverse: Fediverse, peer: Peer, rita: Node):
    other = fediverse.server("other.example")
    root = peer.note(rita)
    answers = [peer.note(rita, inReplyTo=root["id"]) for _ in range(4)]
    answers.append(other.note(other.actor("otto"), inReplyTo=root["id"]))
    collection(peer, root, [answers[0]["id"], answers[1], *(each["id"] for each in answers[2:])], pages=3)
    await fetching.resolve(root["id"])
    post = await here(root)
    assert post is not None
    assert post.replies == 5
    for each in answers:
        found = await here(each)
        assert found is not None
        assert found.reply_to_id == post.id


@pytest.mark.parametrize("how", ["items", "orderedItems", "by address", "page", "first by address"])
async def test_collections_come_in_many_shapes(peer: Peer, rita: Node, how: str):
    root = peer.note(rita)
    answer = peer.note(rita, inReplyTo=root["id"])
    uri = f"{root['id']}/replies"
    name = "orderedItems" if how == "orderedItems" else "items"
    page: Node = {"id": uri, "type": "Collection", name: [answer["id"]]}
    if how == "first by address":
        first = peer.keep({"id": f"{uri}/1", "type": "CollectionPage", "items": answer["id"]})
        page = {"id": uri, "type": "Collection", "first": first["id"]}
    root["replies"] = peer.keep(page)["id"] if how == "by address" else page
    await errands.resolve(root["id"])
    assert await here(answer) is not None


async def test_an_account_is_taken_in(rita: Node):
    await errands.resolve(rita["id"])
    assert await Account.exists(uri=rita["id"])


async def test_answers_without_end_end(peer: Peer, rita: Node):
    root = peer.note(rita)
    answers = [peer.note(rita, inReplyTo=root["id"])["id"] for _ in range(5)]
    uri = f"{root['id']}/replies"

    class Endless(dict[str, Node]):
        def get(self, url: str, default: Any = None) -> Any:
            if not url.startswith(uri):
                return super().get(url, default)
            number = int(url.removeprefix(f"{uri}/") or 0)
            items = [f"https://remote.example/none/{number}-{each}" for each in range(10)]
            return {
                "id": url,
                "type": "CollectionPage",
                "items": [*answers, *items],
                "next": f"{uri}/{number + 1}",
            }

    peer.documents = Endless(peer.documents)
    root["replies"] = f"{uri}/0"
    await errands.resolve(root["id"])
    pages = [request for request in peer.asked if str(request.url).startswith(uri)]
    assert len(pages) <= 1 + budgets.MOST_PAGES
    assert len(peer.asked) <= budgets.MOST_FETCHES
    assert await Post.all().count() == 6


async def test_a_page_that_is_its_own_next_ends(peer: Peer, rita: Node):
    root = peer.note(rita)
    uri = f"{root['id']}/replies"
    root["replies"] = peer.keep({"id": uri, "type": "CollectionPage", "items": [], "next": uri})["id"]
    await errands.resolve(root["id"])
    assert sum(str(request.url) == uri for request in peer.asked) == 1


async def test_a_page_of_ten_thousand_answers_is_read_to_the_sixtieth(fediverse: Fediverse, rita: Node):
    peer = fediverse.server("remote.example")
    root = peer.note(rita)
    hosts = [f"h{number}.example" for number in range(5_000)]
    collection(peer, root, [f"https://{host}/1" for host in hosts])
    asked: list[str] = []
    for host in hosts:
        fediverse.server(host).asked = asked  # type: ignore[assignment]
    await errands.resolve(root["id"])
    assert len(asked) == budgets.MOST_REPLIES


async def test_another_host_does_not_say_what_answers_a_post(fediverse: Fediverse, peer: Peer, rita: Node):
    other = fediverse.server("other.example")
    root = peer.note(rita)
    answer = other.note(other.actor("otto"), inReplyTo=root["id"])
    page = other.keep({"id": f"{other.base}/replies", "type": "Collection", "items": [answer["id"]]})
    root["replies"] = page["id"]
    await errands.resolve(root["id"])
    assert other.asked == []
    assert await here(root) is not None


async def test_one_answer_that_cannot_be_had_keeps_no_other_out(peer: Peer, rita: Node, alice: Account):
    root = peer.note(rita)
    answer = peer.note(rita, inReplyTo=root["id"])
    bad = ["https://away.example/1", f"{peer.base}/none", "javascript:x", "http://localhost:8000/ap/posts/1"]
    collection(peer, root, [*bad, answer["id"]])
    await errands.resolve(root["id"])
    assert await here(answer) is not None


async def test_what_cannot_be_had_is_let_be(fediverse: Fediverse, peer: Peer, rita: Node):
    forged = peer.keep({**peer.note(rita), "id": f"{peer.base}/x", "attributedTo": "https://other.example/u"})
    for uri in (f"{peer.base}/none", forged["id"], "http://localhost:8000/ap/posts/1", "nonsense"):
        await errands.resolve(uri)
    assert await Post.all().count() == 0
    today = moments.day(moments.now())
    assert await dropped.numbers(today, today) == {"not to be had": 3}  # What is ours is no matter.


async def test_a_server_that_is_away_is_asked_again_some_times(peer: Peer, rita: Node):
    uri = peer.note(rita)["id"]
    peer.down = True
    await work.owe(Job.RESOLVE, uri)
    held = await _lease()
    with pytest.raises(Unavailable):
        await errands.resolve(uri)
    for _ in range(errands._MOST_TRIES):
        await work.failed(held, "away", again_at=0)
        held = await _lease()
    await errands.resolve(uri)


async def _lease() -> work.Work:
    [(job, work_id)] = await work.sweep([Job.RESOLVE], patience=0)
    held = await work.lease(job, work_id, "test")
    assert held is not None
    return held


# ------------------------------------------------------------------------------------------------- budgets


@pytest.mark.once
def test_a_pace_is_kept_by_name():
    pace = Pace(2, 60.0, names=2)
    assert [pace.take("a"), pace.take("a"), pace.take("a"), pace.take("b")] == [True, True, False, True]
    pace.take("c")
    assert pace.take("a")  # Forgotten: others came since.


@pytest.mark.once
async def test_who_gives_up_waiting_ends_nothing_for_others():
    together: Together[int] = Together()
    gate = asyncio.Event()
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await gate.wait()
        return 7

    first, second = (asyncio.create_task(together.get("x", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert await second == 7
    assert await together.get("x", make) == 7
    assert made == 2


@pytest.mark.once
async def test_what_fails_fails_for_all_who_wait_and_is_tried_anew():
    together: Together[int] = Together()

    async def fail() -> int:
        raise ValueError("no")

    found = await asyncio.gather(*(together.get("x", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    with pytest.raises(ValueError):
        await together.get("x", fail)
