"""What each family of servers sends has its effect here, one activity after the other."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fediblog import db
from fediblog.activitypub import handlers, reading
from fediblog.models import Account, Post
from fediblog.services import follows, posts, remote_accounts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub import families
from tests.activitypub.handlers.stage import asking, befriend, drops, following, found
from tests.harness.fediverse import Fediverse
from tests.people import remote
from tests.services.making import owed, post

# What they say to the database is tried on both by their neighbours.
pytestmark = pytest.mark.once


@dataclass
class Family:
    """Ada of that family, whom alice follows, and what the payloads speak of."""

    name: str
    fediverse: Fediverse
    ada: Account
    alice: Account
    post: Post
    poll: Post
    more: dict[str, str]

    @property
    def swap(self) -> dict[str, str]:
        return {
            families.ALICE: self.alice.uri,
            families.POST: self.post.uri,
            families.POLL: self.poll.uri,
            **self.more,
        }

    async def sends(self, payload: str) -> dict[str, Any]:
        """Let one of the family's activities in."""
        activity = families.read(self.name, payload, self.swap)
        await handlers.handle(activity, await Account.get(uri=activity["actor"]))
        return activity

    async def counted(self) -> tuple[int, int]:
        """Likes and boosts of alice's post."""
        made = await Post.get(id=self.post.id)
        return made.likes, made.boosts

    def keep(self, document: dict[str, Any]) -> None:
        """Let a document be fetched from where it lives."""
        self.fediverse.server(document["id"].split("/")[2]).keep(document)


@pytest.fixture
async def family(request: pytest.FixtureRequest, fediverse: Fediverse, alice: Account) -> Family:
    made = Family(
        request.param,
        fediverse,
        await remote_accounts.store(reading.account(families.read(request.param, "actor"))),
        alice,
        await post(alice),
        await posts.publish(alice, Draft("Which?", poll=PollDraft(("Tea", "Coffee"), 3600, multiple=True))),
        {},
    )
    made.keep(families.load(request.param, "actor"))
    await befriend(alice, made.ada)
    return made


def those_that_send(payload: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", families.knows(payload), indirect=True)


@those_that_send("post")
async def test_a_post_is_published_edited_and_deleted(family: Family):
    create = await family.sends("post")
    made = await found(create["object"]["id"])
    assert made is not None and made.author_id == family.ada.id and made.content
    if "edit" in families.payloads(family.name):
        await family.sends("edit")
        assert (await found(made.uri)).edited_at is not None
        assert await db.value("SELECT count(*) FROM post_edit") == 1
    await family.sends("delete")
    await family.sends("post")
    assert await found(made.uri) is None


@those_that_send("reply")
async def test_a_reply_is_below_what_it_answers_and_told(family: Family):
    activity = await family.sends("reply")
    answer = await found(activity["object"]["id"])
    assert answer.reply_to_id == family.post.id
    told = await db.column("SELECT kind FROM notification WHERE account_id = $1", family.alice.id)
    assert told == ["mention"]


@pytest.mark.parametrize(
    ("family", "payload"),
    [(family, payload) for payload in ("like", "reaction", "heart") for family in families.knows(payload)],
    indirect=["family"],
)
async def test_likes_and_reactions_count(family: Family, payload: str):
    activity = await family.sends(payload)
    assert await family.counted() == (1, 0)
    kept = await db.row("SELECT uri, emoji FROM post_like")
    assert kept["uri"] == activity["id"]
    assert bool(kept["emoji"]) is ("content" in activity)


@those_that_send("boost")
async def test_a_boost_is_seen_by_who_follows_the_booster(family: Family):
    await family.sends("post")
    activity = families.read(family.name, "boost", family.swap)
    if activity["actor"] != family.ada.uri:
        group = await remote("gardens", f"{family.name}.example", uri=activity["actor"], actor_type="Group")
        await befriend(family.alice, group)
    for _ in range(2):
        await family.sends("boost")
    boost = await found(activity["id"])
    assert (await Post.get(id=boost.boost_of_id)).uri == activity["object"]
    # Once: a group's boost of what alice has from its author already adds nothing.
    sql = "SELECT count(*) FROM home_entry WHERE account_id = $1 AND post_id IN ($2, $3)"
    assert await db.value(sql, family.alice.id, boost.id, boost.boost_of_id) == 1
    assert await db.value("SELECT count(*) FROM post WHERE boost_of_id > 0") == 1


@those_that_send("vote")
async def test_a_vote_counts(family: Family):
    for _ in range(2):
        await family.sends("vote")
    votes = await db.column("SELECT votes FROM poll_option ORDER BY position")
    assert sum(votes) == (2 if family.name == "gotosocial" else 1)
    assert await db.value("SELECT voters FROM poll") == 1


@those_that_send("poll")
async def test_a_poll_is_asked(family: Family):
    activity = await family.sends("poll")
    made = await found(activity["object"]["id"])
    assert await db.value("SELECT count(*) FROM poll_option WHERE poll_id = $1", made.id) == 2


@those_that_send("move")
async def test_a_move_takes_those_who_follow_along(family: Family):
    target = families.load(family.name, "move")["target"]
    name = target.rpartition("/")[2]
    new = family.fediverse.server(target.split("/")[2]).actor(name, alsoKnownAs=[family.ada.uri])
    family.more[target] = new["id"]
    family.keep({**families.load(family.name, "actor"), "movedTo": new["id"]})
    await family.sends("move")
    assert await owed("move") == [f"{family.ada.id}:{(await Account.get(uri=new['id'])).id}"]


@those_that_send("announced_post")
async def test_what_a_community_passes_on_is_fetched_and_shown(family: Family):
    for payload in ("announced_post", "announced_reply"):
        activity = families.read(family.name, payload, family.swap)
        family.keep(families.load(family.name, payload, family.swap)["object"]["object"])
        if not await Account.exists(uri=activity["actor"]):
            group = families.read(family.name, "group")
            await befriend(family.alice, await remote_accounts.store(reading.account(group)))
        await family.sends(payload)
        assert await found(activity["object"]["object"]["id"]) is not None
    assert await db.value("SELECT count(*) FROM post WHERE boost_of_id > 0") == 1


@pytest.mark.parametrize(
    ("family", "payload"), [("lemmy", "dislike"), ("peertube", "view")], indirect=["family"]
)
async def test_what_only_they_know_is_dropped(family: Family, payload: str):
    await family.sends(payload)
    assert sum((await drops()).values()) == 1


@pytest.mark.parametrize("family", ["mastodon"], indirect=True)
async def test_mastodon_takes_back_likes_and_boosts(family: Family):
    for payload in ("like", "boost"):
        await family.sends(payload)
    assert await family.counted() == (1, 1)
    for payload in ("unlike", "unboost"):
        await family.sends(payload)
    assert await family.counted() == (0, 0)


@pytest.mark.parametrize("family", ["mastodon"], indirect=True)
async def test_mastodon_follows_and_says_how_its_polls_stand(family: Family):
    asked = await family.sends("follow")
    assert await following(family.ada, family.alice) == asked["id"]
    await family.sends("poll")
    await family.sends("tally")
    assert await db.value("SELECT count(*) FROM post_edit") == 0


@pytest.mark.parametrize("family", ["gotosocial"], indirect=True)
async def test_gotosocial_agrees_to_be_followed(family: Family):
    await follows.unfollow(family.alice, family.ada)
    await follows.follow(family.alice, family.ada)
    family = replace(
        family, more={"https://here.example/ap/follows/1": await asking(family.alice, family.ada)}
    )
    await family.sends("accept")
    assert await following(family.alice, family.ada) is not None
