import asyncio
from itertools import pairwise
from typing import Any

import orjson
import pytest

from fediblog import db, http, ids, moments
from fediblog.activitypub import budgets, errands, resolver
from fediblog.activitypub.budgets import Budget
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON, PUBLIC
from fediblog.errors import Forbidden, Gone, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import domains, follows, posts, receiving, remote_accounts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote
from tests.services import making

Node = dict[str, Any]


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def ours(fediverse: Fediverse) -> Peer:
    """Where a request to ourselves would end."""
    return fediverse.server("localhost:8000")


@pytest.fixture
def rita(peer: Peer) -> Node:
    return peer.actor("rita")


def asked(peer: Peer, path: str = "") -> list[str]:
    """The addresses that were asked for, WebFinger apart."""
    found = [str(request.url) for request in peer.asked]
    return [url for url in found if path in url and "/.well-known/" not in url]


async def block(domain: str) -> None:
    sql = "INSERT INTO domain_policy (id, domain, level, created_at) VALUES ($1, $2, 'suspend', 0)"
    async with db.transaction():
        await db.execute(sql, ids.new(), domain)
    domains.forget()


async def taken(uri: str, budget: Budget | None = None) -> Post:
    found = await resolver.post(uri, budget)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ by handle


@pytest.mark.parametrize(
    "handle", ["rita@remote.example", "@Rita@Remote.Example", "acct:rita@remote.example"]
)
async def test_a_handle_leads_to_an_account(rita: Node, peer: Peer, handle: str):
    found = await resolver.account(handle)
    assert (found.handle, found.uri, found.display_name) == ("rita@remote.example", rita["id"], "Rita")
    assert (found.inbox, found.note) == (rita["inbox"], "<p>I am rita.</p>")
    before = len(peer.asked)
    assert (await resolver.account(handle)).id == found.id
    assert len(peer.asked) == before


async def test_our_own_handles_are_looked_up_here(alice: Account, ours: Peer):
    for handle in ("alice", "@alice", "alice@localhost:8000", "@Alice@LOCALHOST:8000"):
        assert (await resolver.account(handle)).id == alice.id
    with pytest.raises(NotFound):
        await resolver.account("nobody@localhost:8000")
    assert ours.asked == []


async def test_a_handle_that_nobody_has_is_not_found(peer: Peer):
    with pytest.raises(NotFound):
        await resolver.account("nobody@remote.example")


async def test_a_handle_of_a_split_domain_is_kept_as_its_hosts_say(fediverse: Fediverse):
    social, main = fediverse.server("social.remote.example"), fediverse.server("remote.example")
    uri = social.actor("rita")["id"]
    jrd = {
        "subject": "acct:rita@remote.example",
        "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}],
    }
    for host, name in ((social, "rita@social.remote.example"), (main, "rita@remote.example")):
        url = f"{host.base}/.well-known/webfinger?resource=acct:{name}"
        host.answers[url] = (200, JRD_JSON, orjson.dumps(jrd))
    found = await resolver.account("rita@social.remote.example")
    assert found.handle == "rita@remote.example"
    assert (await resolver.account("rita@remote.example")).id == found.id
    assert await Account.filter(local=False).count() == 1


async def test_a_handle_that_leads_to_somebody_elses_account_is_nobodys(fediverse: Fediverse, rita: Node):
    fediverse.server("evil.example").handles["ceo"] = rita["id"]
    fediverse.server("evil.example").documents[rita["id"]] = {"preferredUsername": "ceo"}
    with pytest.raises(Forged):
        await resolver.account("ceo@evil.example")
    assert await Account.all().count() == 0


async def test_an_old_profile_is_asked_for_again_by_handle(rita: Node, peer: Peer):
    found = await resolver.account("rita@remote.example")
    await Account.filter(id=found.id).update(fetched_at=moments.now() - 2 * moments.DAY)
    rita["name"] = "Margarita"
    assert (await resolver.account("rita@remote.example")).display_name == "Margarita"
    await Account.filter(id=found.id).update(fetched_at=moments.now() - 2 * moments.DAY)
    peer.answers[rita["id"]] = (500, "text/plain", b"")
    assert (await resolver.account("rita@remote.example")).display_name == "Margarita"
    peer.down = True
    assert (await resolver.account("rita@remote.example")).display_name == "Margarita"


async def test_a_server_that_is_away_is_no_verdict(peer: Peer):
    peer.down = True
    with pytest.raises(http.Unreachable):
        await resolver.account("rita@remote.example")


async def test_a_handle_that_is_now_another_actors_moves(rita: Node, peer: Peer):
    old = await resolver.actor(rita["id"])
    new = peer.keep({**rita, "id": f"{peer.base}/ap/1", "publicKey": {**rita["publicKey"]}})
    new["publicKey"] |= {"id": f"{new['id']}#main-key", "owner": new["id"]}
    peer.handles["rita"] = new["id"]
    found = await resolver.actor(new["id"])
    assert (found.handle, found.id == old.id) == ("rita@remote.example", False)
    assert (await resolver.account("rita@remote.example")).id == found.id


# ----------------------------------------------------------------------------------------------- by address


async def test_an_actor_is_fetched_once(rita: Node, peer: Peer):
    found = await resolver.actor(rita["id"])
    assert (found.uri, found.domain) == (rita["id"], "remote.example")
    assert (await resolver.actor(rita["id"])).id == found.id
    assert asked(peer) == [rita["id"]]


async def test_many_who_want_the_same_actor_ask_once(rita: Node, peer: Peer):
    found = await asyncio.gather(*(resolver.actor(rita["id"]) for _ in range(8)))
    assert len({account.id for account in found}) == 1
    assert asked(peer) == [rita["id"]]


async def test_an_actor_of_a_host_without_webfinger_has_its_hosts_name(rita: Node, peer: Peer):
    peer.handles.clear()
    found = await resolver.actor(rita["id"])
    assert found.handle == "rita@remote.example"


async def test_a_neighbour_does_not_take_somebodys_handle(rita: Node, peer: Peer):
    fake = peer.keep({**rita, "id": f"{peer.base}/users/fake"})
    fake["publicKey"] = {**rita["publicKey"], "id": f"{fake['id']}#main-key", "owner": fake["id"]}
    with pytest.raises(Forged):
        await resolver.actor(fake["id"])
    assert await Account.all().count() == 0


async def test_an_old_profile_is_owed_a_look_and_nobody_waits(rita: Node, peer: Peer):
    found = await resolver.actor(rita["id"])
    await Account.filter(id=found.id).update(fetched_at=moments.now() - 2 * moments.DAY)
    before = len(peer.asked)
    assert (await resolver.actor(rita["id"])).id == found.id
    assert (len(peer.asked), await making.owed("refresh")) == (before, [str(found.id)])
    rita["name"] = "Margarita"
    await errands.refresh(found.id)
    fresh = await Account.get(id=found.id)
    assert (fresh.display_name, remote_accounts.is_fresh(fresh)) == ("Margarita", True)


async def test_a_new_key_comes_when_it_is_asked_for(rita: Node, peer: Peer):
    found = await resolver.actor(rita["id"])
    rita["publicKey"] = {**rita["publicKey"], "id": f"{rita['id']}#new-key"}
    assert (await resolver.actor(rita["id"])).key_id == found.key_id
    before = len(peer.asked)
    assert (await resolver.actor(rita["id"], refresh=True)).key_id == f"{rita['id']}#new-key"
    # Who has the handle already need not prove it each time.
    assert len(peer.asked) == before + 1


async def test_who_is_gone_is_gone_here_too(rita: Node, peer: Peer):
    found = await resolver.actor(rita["id"])
    peer.answers[rita["id"]] = (410, "text/plain", b"")
    with pytest.raises(Gone):
        await resolver.actor(rita["id"], refresh=True)
    assert (await Account.get(id=found.id)).deleted_at is not None
    peer.asked.clear()
    with pytest.raises(Gone):
        await resolver.actor(rita["id"], refresh=True)
    assert peer.asked == []


@pytest.mark.parametrize("status", [404, 500])
async def test_who_cannot_be_had_today_stays(rita: Node, peer: Peer, status: int):
    found = await resolver.actor(rita["id"])
    peer.answers[rita["id"]] = (status, "text/plain", b"")
    with pytest.raises(http.Unwelcome):
        await resolver.actor(rita["id"], refresh=True)
    await Account.filter(id=found.id).update(fetched_at=moments.now() - 2 * moments.DAY)
    await errands.refresh(found.id)
    assert remote_accounts.is_fresh(await Account.get(id=found.id))


async def test_a_post_is_no_actor(rita: Node, peer: Peer):
    with pytest.raises(NotFound):
        await resolver.actor(peer.note(rita)["id"])


async def test_our_own_are_never_asked_for_by_http(alice: Account, ours: Peer, peer: Peer, rita: Node):
    post = await posts.publish(alice, Draft("Hello"))
    assert (await resolver.actor(alice.uri)).id == alice.id
    assert await resolver.post(post.uri) == post
    assert await resolver.post(post.uri + "/create") is None
    assert await resolver.post("http://localhost:8000/ap/posts/1") is None
    for uri in (
        "http://localhost:8000/ap/accounts/1",
        "http://localhost:8000/users/x",
        "https://localhost:8000/x",
    ):
        with pytest.raises(NotFound):
            await resolver.actor(uri)
        with pytest.raises(Forbidden):
            await resolver.document(uri)
    # Nor when another server says that what it has is ours.
    peer.documents[f"{peer.base}/lie"] = {**rita, "id": alice.uri}
    with pytest.raises(Forbidden):
        await resolver.actor(f"{peer.base}/lie")
    child = await taken(peer.note(rita, inReplyTo=post.uri)["id"])
    assert child.reply_to_id == post.id
    assert ours.asked == []


async def test_blocked_servers_are_not_asked(fediverse: Fediverse, peer: Peer, rita: Node):
    evil = fediverse.server("social.evil.example")
    eve = evil.actor("eve")
    parent = evil.note(eve)
    await block("evil.example")
    for attempt in (
        resolver.account("eve@social.evil.example"),
        resolver.actor(eve["id"]),
        resolver.actor(eve["id"], refresh=True),
        resolver.post(parent["id"]),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert (await taken(peer.note(rita, inReplyTo=parent["id"])["id"])).reply_to_id is None
    assert evil.asked == []


@pytest.mark.parametrize(
    "uri", ["", "x", "javascript:alert(1)", "https://", "https://a b/", "ftp://remote.example/"]
)
async def test_what_is_no_address_is_refused(fediverse: Fediverse, uri: str):
    for attempt in (resolver.actor(uri), resolver.post(uri)):
        with pytest.raises(Forged):
            await attempt


# -------------------------------------------------------------------------------------------------- posts


async def test_a_post_comes_with_its_author(rita: Node, peer: Peer):
    found = await taken(peer.note(rita, "<p>Hi <script>x</script></p>")["id"])
    author = await Account.get(id=found.author_id)
    assert (author.uri, found.visibility, found.local) == (rita["id"], Visibility.PUBLIC, False)
    before = len(peer.asked)
    assert (await taken(found.uri)).id == found.id
    assert len(peer.asked) == before


async def test_many_who_want_the_same_post_get_one(rita: Node, peer: Peer):
    uri = peer.note(rita)["id"]
    found = await asyncio.gather(*(taken(uri) for _ in range(8)))
    assert len({post.id for post in found}) == 1
    assert asked(peer).count(uri) == 1


async def test_an_activity_leads_to_what_it_published(rita: Node, peer: Peer):
    note = peer.note(rita)
    create = peer.keep(peer.activity("Create", rita, note["id"]))
    assert (await taken(create["id"])).uri == note["id"]
    like = peer.keep(peer.activity("Like", rita, note["id"]))
    assert await resolver.post(like["id"]) is None


async def test_what_is_no_post_is_none(rita: Node, peer: Peer):
    assert await resolver.post(rita["id"]) is None
    peer.keep({"id": f"{peer.base}/x", "type": "Tombstone"})
    assert await resolver.post(f"{peer.base}/x") is None
    assert await Post.all().count() == 0


async def test_what_its_author_has_deleted_does_not_come_back(rita: Node, peer: Peer):
    note = peer.note(rita)
    author = await resolver.actor(rita["id"])
    await receiving.delete(author, note["id"])
    assert await resolver.post(note["id"]) is None


async def test_posts_of_who_is_suspended_are_not_taken_in(rita: Node, peer: Peer):
    author = await resolver.actor(rita["id"])
    await Account.filter(id=author.id).update(suspended_at=moments.now())
    note = peer.note(rita)
    assert await resolver.post(note["id"]) is None
    author = await Account.get(id=author.id)
    assert await resolver.store_post(note, author) is None


async def test_a_post_on_another_host_than_its_author_is_forged(fediverse: Fediverse, rita: Node):
    evil = fediverse.server("evil.example")
    note = evil.keep({**evil.note(evil.actor("eve")), "attributedTo": rita["id"]})
    with pytest.raises(Forged):
        await resolver.post(note["id"])
    assert await Post.all().count() == 0


async def test_nobody_hands_in_what_is_somebody_elses(rita: Node, peer: Peer):
    otto = await resolver.actor(peer.actor("otto")["id"])
    with pytest.raises(Forged):
        await resolver.store_post(peer.note(rita), otto)
    assert await Post.all().count() == 0


async def test_what_is_found_years_later_tells_nobody(rita: Node, peer: Peer, alice: Account):
    tag = [{"type": "Mention", "href": alice.uri, "name": "@alice@localhost:8000"}]
    await taken(peer.note(rita, tag=tag, cc=[alice.uri], published="2021-01-01T00:00:00Z")["id"])
    assert await making.told(alice) == []


async def test_mentions_of_others_are_not_fetched(
    fediverse: Fediverse, rita: Node, peer: Peer, alice: Account
):
    third = fediverse.server("third.example")
    people = [f"https://third.example/users/{number}" for number in range(60)]
    tags = [{"type": "Mention", "href": uri, "name": "@x@third.example"} for uri in people]
    tags.insert(0, {"type": "Mention", "href": alice.uri, "name": "@alice@localhost:8000"})
    note = peer.note(rita, tag=tags, cc=[alice.uri, *people])
    author = await resolver.actor(rita["id"])
    post = await resolver.store_post(note, author, peer.activity("Create", rita, note))
    assert third.asked == []
    assert post is not None
    assert await making.told(alice) == [("mention", author.id, post.id)]


# ------------------------------------------------------------------------------------------------- parents


async def test_a_post_comes_with_what_it_answers_up_to_the_root(fediverse: Fediverse, rita: Node, peer: Peer):
    other = fediverse.server("other.example")
    otto = other.actor("otto")
    root = peer.note(rita)
    middle = other.note(otto, inReplyTo=root["id"])
    leaf = await taken(peer.note(rita, inReplyTo=middle["id"])["id"])
    top, between = await Post.get(uri=root["id"]), await Post.get(uri=middle["id"])
    assert (leaf.reply_to_id, between.reply_to_id, top.reply_to_id) == (between.id, top.id, None)
    assert {leaf.thread_id, between.thread_id, top.thread_id} == {top.id}
    assert (top.replies, between.replies) == (1, 1)


async def test_a_quoted_post_comes_too(rita: Node, peer: Peer):
    quoted = peer.note(rita)
    found = await taken(peer.note(rita, quoteUrl=quoted["id"])["id"])
    assert found.quote_of_id == (await Post.get(uri=quoted["id"])).id


async def test_answers_in_a_circle_end(rita: Node, peer: Peer):
    first, second = peer.note(rita), peer.note(rita)
    first["inReplyTo"], second["inReplyTo"] = second["id"], first["id"]
    found = await taken(first["id"])
    assert found.reply_to_id == (await Post.get(uri=second["id"])).id
    assert sorted(asked(peer, "/notes/")) == [first["id"], second["id"]]


@pytest.mark.parametrize(
    "answer", [(404, "text/plain", b""), (200, ACTIVITY_JSON, b"{"), (200, "text/html", b"")]
)
async def test_a_parent_that_cannot_be_had_leaves_an_orphan(
    rita: Node, peer: Peer, answer: tuple[int, str, bytes]
):
    parent = peer.note(rita)
    peer.answers[parent["id"]] = answer
    found = await taken(peer.note(rita, inReplyTo=parent["id"])["id"])
    assert (found.reply_to_id, found.reply_to_uri) == (None, parent["id"])


class _Endless(dict[str, Peer]):
    """Servers without end, each with one post that answers the next server's."""

    def get(self, domain: str, default: Any = None) -> Any:
        if domain in self:
            return self[domain]
        number = int(domain.removeprefix("h").removesuffix(".example"))
        peer = self[domain] = Peer(domain, {})
        actor = peer.actor("eve")
        following = f"https://h{number + 1}.example/notes/1"
        peer.note(actor, inReplyTo=following, quoteUrl=f"https://h{number + 100_000}.example/notes/1")
        return peer


async def test_a_thread_without_end_over_servers_without_end_ends(fediverse: Fediverse):
    fediverse.servers = _Endless()
    budget = Budget()
    await taken("https://h1.example/notes/1", budget)
    documents = [url for peer in fediverse.servers.values() for url in asked(peer)]
    assert await Post.all().count() <= 1 + budgets.MOST_PARENTS
    assert len(documents) <= budgets.MOST_FETCHES
    assert len(await Post.filter(reply_to_id=None)) == 1


async def test_a_long_thread_on_one_server_is_read_at_its_pace(rita: Node, peer: Peer):
    notes = [peer.note(rita) for _ in range(60)]
    for above, below in pairwise(notes):
        below["inReplyTo"] = above["id"]
    await taken(notes[-1]["id"])
    assert await Post.all().count() == 1 + budgets.MOST_PER_HOST
    assert await Post.filter(reply_to_id=None).count() == 1


async def test_a_budget_that_is_spent_asks_for_nothing(rita: Node, peer: Peer):
    with pytest.raises(http.TooMuch):
        await resolver.post(peer.note(rita)["id"], Budget(fetches=0))
    with pytest.raises(http.TooMuch):
        await resolver.post(peer.note(rita)["id"], Budget(until=0.0))
    assert peer.asked == []


# --------------------------------------------------------------------------------------------------- votes


async def test_a_vote_counts_when_it_is_sent_and_is_never_a_post(rita: Node, peer: Peer, alice: Account):
    poll = await posts.publish(alice, Draft("Which?", poll=PollDraft(("cats", "dogs"), 3600)))
    vote = peer.note(rita, name="cats", inReplyTo=poll.uri, to=[alice.uri], cc=[])
    del vote["content"]
    author = await resolver.actor(rita["id"])
    assert await resolver.post(vote["id"]) is None
    sql = "SELECT votes FROM poll_option WHERE poll_id = $1 ORDER BY position"
    assert await db.column(sql, poll.id) == [0, 0]
    create = peer.activity("Create", rita, vote)
    assert await resolver.store_post(vote, author, create) is None
    assert await db.column(sql, poll.id) == [1, 0]
    assert await Post.all().count() == 1


# -------------------------------------------------------------------------------------------------- search


async def test_a_search_finds_what_was_pasted(rita: Node, peer: Peer, alice: Account):
    note = peer.note(rita)
    for text in ("@rita@remote.example", f" {rita['id']} "):
        found = await resolver.find(text, alice)
        assert isinstance(found, Account)
        assert found.uri == rita["id"]
    post = await resolver.find(note["id"], alice)
    assert isinstance(post, Post)
    assert post.uri == note["id"]
    assert await making.owed("resolve") == [note["id"], rita["id"]]


async def test_a_search_finds_a_page_whose_server_answers_with_the_post(
    rita: Node, peer: Peer, alice: Account
):
    note = peer.note(rita)
    peer.documents[f"{peer.base}/@rita/1"] = note
    found = await resolver.find(f"{peer.base}/@rita/1", alice)
    assert isinstance(found, Post)
    assert found.uri == note["id"]


async def test_a_search_knows_our_own_addresses(alice: Account, ours: Peer):
    post = await posts.publish(alice, Draft("Hello"))
    rita = await remote("rita", "known.example")
    base = "http://localhost:8000"
    for text, wanted in (
        (alice.uri, alice),
        (post.uri, post),
        (post.url, post),
        (alice.url, alice),
        (f"{base}/@rita@known.example", rita),
    ):
        assert await resolver.find(text, None) == wanted, text
    for text in (
        f"{base}/@nobody",
        f"{base}/about",
        f"{base}/ap/posts/1",
        f"{base}/@alice/99999999999999999999",
    ):
        assert await resolver.find(text, alice) is None, text
    assert ours.asked == []


@pytest.mark.parametrize("text", ["", "cats", "#cats", "two words"])
async def test_words_are_no_address(fediverse: Fediverse, alice: Account, text: str):
    assert await resolver.find(text, alice) is None


async def test_for_nobody_nothing_is_fetched(rita: Node, peer: Peer):
    assert await resolver.find(rita["id"], None) is None
    with pytest.raises(NotFound):
        await resolver.find("rita@remote.example", None)
    assert peer.asked == []
    found = await resolver.actor(rita["id"])
    assert await resolver.find(rita["id"], None) == found
    assert await resolver.find("rita@remote.example", None) == found


async def test_a_search_shows_nothing_that_one_may_not_see(
    rita: Node, peer: Peer, alice: Account, bob: Account
):
    note = peer.note(rita, to=[rita["followers"]], cc=[])
    author = await resolver.actor(rita["id"])
    await follows.follow(bob, author)
    await follows.accept(author, bob.id)
    assert await resolver.find(note["id"], alice) is None
    found = await resolver.find(note["id"], bob)
    assert isinstance(found, Post)
    assert found.visibility == Visibility.FOLLOWERS
    assert PUBLIC not in note["to"]
