"""Rules about whole servers: which one covers a name, what follows from it, and who may make one."""

from collections.abc import Awaitable, Callable

import pytest

from fediblog import db, moments
from fediblog.config import settings as configured
from fediblog.errors import Conflict, Forbidden, Invalid, NotFound
from fediblog.models import Account, Post, User, Visibility
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import (
    domain_rules,
    domains,
    follows,
    moderation,
    notifications,
    posts,
    remote_accounts,
    severing,
    timelines,
    work,
)
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from fediblog.services.notifications import Kind
from tests.people import person, remote, user_of
from tests.services.elsewhere import profile
from tests.services.newcomers import audited


@pytest.fixture(autouse=True)
async def admin(database: None) -> User:
    domains.forget()
    return await user_of(await person("chief", role="admin"))


async def block(domain: str, by: User | None = None) -> None:
    await domain_rules.make(Rule(domain, Level.SUSPEND), by)
    await carry_out()


async def limit(domain: str) -> None:
    await domain_rules.make(Rule(domain, Level.SILENCE), None)
    await carry_out()


async def lift(domain: str) -> None:
    await domain_rules.lift(domain, None)
    await carry_out()


async def carry_out() -> None:
    """What a worker does with all that is owed about rules, also what is owed for later."""
    async with db.transaction():
        await db.execute("UPDATE work SET not_before = 0, nudged_at = 0 WHERE kind IN ('rules', 'sever')")
    for job, number in await work.sweep([Job.RULES, Job.SEVER]):
        held = await work.lease(job, number, "test")
        assert held is not None
        await (domain_rules.enforce(held.key) if job is Job.RULES else severing.sever(int(held.key)))
        await work.done(held)


async def post_of(author: Account, **columns: object) -> Post:
    uri = f"{author.uri}/posts/{moments.now()}"
    made = Post(
        uri=uri, author_id=author.id, visibility=Visibility.PUBLIC, local=False, content="Hi", **columns
    )
    made.thread_id = made.id
    await made.save(force_create=True)
    return made


async def public(viewer: Account | None = None) -> set[int]:
    return {entry.id for entry in (await timelines.public(viewer, Page())).entries}


# ------------------------------------------------------------------------------------------ which rule holds


async def test_a_rule_covers_its_domain_its_ports_and_what_is_below():
    await block("evil.example")
    for name in ("evil.example", "EVIL.example", "evil.example:8443", "a.b.evil.example", "evil.example."):
        assert await domains.refused(name), name
    for name in ("notevil.example", "evil.example.org", "example", "", "..", "\udcff", "a" * 300):
        assert not await domains.refused(name), name


async def test_the_nearest_rule_holds():
    await block("big.example")
    await domain_rules.make(Rule("good.big.example", Level.NONE, reject_media=True), None)
    await limit("big.example:8443")
    assert (await domains.policy("x.good.big.example")).level is Level.NONE
    assert (await domains.policy("good.big.example")).reject_media
    assert (await domains.policy("big.example:8443")).level is Level.SILENCE
    assert await domains.refused("bad.big.example")


async def test_a_name_in_any_script_is_one_name():
    made = await domain_rules.make(Rule(" Bücher.Example. ", Level.SUSPEND), None)
    assert made.domain == "xn--bcher-kva.example"
    assert await domains.refused("bücher.example")
    assert await domains.refused("www.xn--bcher-kva.example")


NO_DOMAINS = [
    *("", " ", "https://far.example", "far.example/users", "@far.example", "a b", "far..example"),
    *("far.example:x", "far.example:", "*.example", "\u200d.example"),
    *("x" * 64 + ".example", "a." * 127 + "example"),
]


@pytest.mark.parametrize("domain", NO_DOMAINS)
async def test_what_is_no_domain_gets_no_rule(domain):
    with pytest.raises(Invalid):
        await domain_rules.make(Rule(domain, Level.SUSPEND), None)
    assert await domain_rules.listing() == [] and await audited() == []


async def test_our_own_server_gets_no_rule():
    with pytest.raises(Invalid):
        await domain_rules.make(Rule(configured().domain, Level.SUSPEND), None)
    with pytest.raises(Invalid):
        await domain_rules.make(Rule("far.example", Level.SUSPEND, public_comment="x" * 1001), None)
    await domain_rules.set_allow_list(True, None)
    assert not await domains.refused(configured().domain)


async def test_with_the_allow_list_nobody_speaks_but_who_is_listed():
    await domain_rules.make(Rule("friend.example", Level.NONE), None)
    await limit("loud.example")
    stranger = await remote("sam", "stranger.example")
    await domain_rules.set_allow_list(True, None)
    await carry_out()
    assert await domains.refused("stranger.example")
    assert not await domains.refused("sub.friend.example")
    assert (await domains.policy("loud.example")).level is Level.SILENCE
    assert (await Account.get(id=stranger.id)).suspended_by_rule
    await domain_rules.set_allow_list(False, None)
    await carry_out()
    assert not await domains.refused("stranger.example")
    assert (await Account.get(id=stranger.id)).suspended_at is None


# ------------------------------------------------------------------------------------------ what it does


async def test_a_block_hides_accounts_and_posts_and_ends_follows_both_ways(alice, bob):
    dave, erin = await remote("dave", "far.example"), await remote("erin", "sub.far.example")
    near = await remote("nina", "near.example")
    seen, hidden = await post_of(near), [await post_of(dave), await post_of(erin)]
    for target in (dave, near):
        await follows.follow(alice, target)
        await follows.accept(target, alice.id)
    await follows.follow(erin, alice)
    await follows.follow(bob, erin)

    await block("far.example")
    for account in (dave, erin):
        now = await Account.get(id=account.id)
        assert now.suspended_at and now.suspended_by_rule and now.version > account.version
    assert await public() == {seen.id}
    for post in hidden:
        with pytest.raises(NotFound):
            await posts.get(post.id, alice)
    assert await severing.pairs([dave.id, erin.id]) == []
    assert await severing.pairs([near.id]) == [(alice.id, near.id)]
    assert (
        (await Account.get(id=alice.id)).following_count,
        (await Account.get(id=erin.id)).following_count,
    ) == (1, 0)


async def test_what_is_on_its_way_to_a_blocked_server_does_not_go(alice):
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, kind, body, created_at) VALUES (1, 'u', 'Create', $1, 1)", b"{}"
        )
        for number, domain in enumerate(("far.example", "x.far.example:8443", "near.example"), 1):
            await db.execute(
                "INSERT INTO server (id, domain, first_seen_at) VALUES ($1, $2, 1)", number, domain
            )
            await db.execute(
                "INSERT INTO delivery (id, activity_id, server_id, inbox, due_at) VALUES ($1, 1, $1, $2, 1)",
                *(number, f"https://{domain}/inbox"),
            )
    await block("far.example")
    found = await db.rows("SELECT state, error FROM delivery ORDER BY id")
    assert [(line["state"], line["error"]) for line in found] == [
        ("failed", "blocked"),
        ("failed", "blocked"),
        ("due", ""),
    ]


async def test_lifting_a_block_brings_back_all_but_who_was_put_away_alone(alice):
    dave, _, gone = [await remote(name, "far.example") for name in ("dave", "erin", "gone")]
    await moderation.suspend(dave, None)
    await Account.filter(id=gone.id).update(suspended_at=1, deleted_at=1)
    await block("far.example")
    late = await moderation.suspend(await Account.get(id=(await remote("late", "far.example")).id), None)
    await lift("far.example")
    assert {a.username: a.suspended_at is not None for a in await Account.filter(domain="far.example")} == {
        "dave": True,
        "erin": False,
        "gone": True,
        "late": True,
    }
    assert late.suspended_by_rule is False


async def test_lifting_a_rule_leaves_what_a_rule_above_says():
    dave = await remote("dave", "sub.far.example")
    await block("far.example")
    await limit("sub.far.example")
    now = await Account.get(id=dave.id)
    assert now.suspended_at is None and now.silenced_by_rule
    await lift("sub.far.example")
    now = await Account.get(id=dave.id)
    assert now.suspended_by_rule and now.silenced_at is None and not now.silenced_by_rule


async def test_a_limited_server_is_seen_and_heard_by_who_follows(alice, bob):
    dave = await remote("dave", "loud.example")
    post = await post_of(dave)
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    await limit("loud.example")
    assert await public(alice) == set()
    assert (await posts.get(post.id, bob)).id == post.id
    dave = await Account.get(id=dave.id)
    async with db.transaction():
        await notifications.tell_all(Kind.FOLLOW, [alice.id, bob.id], dave)
    assert await notifications.listing(bob, Page()) == []
    assert [notice.from_id for notice in await notifications.listing(alice, Page())] == [dave.id]
    await lift("loud.example")
    assert await public() == {post.id}


async def test_who_was_silenced_alone_stays_so_after_a_limit():
    dave, erin = await remote("dave", "loud.example"), await remote("erin", "loud.example")
    await moderation.silence(dave, None)
    await limit("loud.example")
    await lift("loud.example")
    assert (await Account.get(id=dave.id)).silenced_at
    assert (await Account.get(id=erin.id)).silenced_at is None


async def test_somebody_new_from_a_limited_server_is_limited_from_the_start():
    await limit("loud.example")
    marks = await domains.marks("sub.loud.example")
    assert marks.pop("silenced_at") and marks == {"silenced_by_rule": True}
    assert await domains.marks("near.example") == {}


async def test_what_slipped_in_while_the_rule_was_made_is_found_a_moment_later():
    await domain_rules.make(Rule("far.example", Level.SUSPEND), None)
    await domain_rules.enforce("far.example")
    late = await remote("late", "far.example")
    await carry_out()
    assert (await Account.get(id=late.id)).suspended_by_rule


async def test_a_batch_is_no_bound(monkeypatch):
    monkeypatch.setattr(domain_rules, "_BATCH", 2)
    for name in ("_MARK", "_UNMARK", "_ACCOUNTS"):
        monkeypatch.setattr(domain_rules, name, getattr(domain_rules, name).replace("500", "2"))
    for number in range(5):
        await remote(f"dave{number}", "far.example")
    await block("far.example")
    assert await Account.filter(suspended_by_rule=True).count() == 5
    await lift("far.example")
    assert await Account.filter(suspended_at=None, domain="far.example").count() == 5


# ------------------------------------------------------------------------------------------ by whom


ACTS: list[Callable[[User], Awaitable[object]]] = [
    lambda by: domain_rules.make(Rule("far.example", Level.SUSPEND), by),
    lambda by: domain_rules.lift("near.example", by),
    lambda by: domain_rules.set_allow_list(True, by),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_nobody_but_an_admin_makes_rules(act, role):
    await block("near.example")
    before = await audited()
    with pytest.raises(Forbidden):
        await act(await user_of(await person("carol", role=role)))
    assert [rule.domain for rule in await domain_rules.listing()] == ["near.example"]
    assert await audited() == before


async def test_what_was_done_stands_in_the_log(admin):
    await block("far.example", admin)
    await domain_rules.lift("far.example", admin)
    assert await audited() == ["domain.block", "domain.lift"]
    with pytest.raises(NotFound):
        await domain_rules.lift("far.example", admin)
    with pytest.raises(NotFound):
        await domain_rules.get("far.example")


# --------------------------------------------------------------------------------- single accounts elsewhere


async def test_an_account_elsewhere_that_is_suspended_loses_its_follows(alice, admin):
    dave = await remote("dave", "far.example")
    await follows.follow(dave, alice)
    await follows.follow(alice, dave)
    await moderation.suspend(dave, admin)
    await carry_out()
    assert await severing.pairs([dave.id]) == []
    assert (await Account.get(id=alice.id)).followers_count == 0
    back = await moderation.unsuspend(await Account.get(id=dave.id), admin)
    assert back.suspended_at is None


async def test_severing_leaves_everybody_else_alone(alice, bob):
    await follows.follow(bob, alice)
    await moderation.suspend(bob, None)
    await severing.sever(bob.id)
    await severing.sever((await remote("dave", "far.example")).id)
    await severing.sever(12345)
    assert await severing.pairs([bob.id]) == [(bob.id, alice.id)]


async def test_nobody_comes_back_alone_from_a_server_that_is_blocked_or_limited(admin):
    dave, erin = await remote("dave", "far.example"), await remote("erin", "loud.example")
    await block("far.example")
    await limit("loud.example")
    with pytest.raises(Conflict):
        await moderation.unsuspend(await Account.get(id=dave.id), admin)
    with pytest.raises(Conflict):
        await moderation.unsilence(await Account.get(id=erin.id), admin)
    assert (
        await Account.filter(
            suspended_at=None, silenced_at=None, domain__in=["far.example", "loud.example"]
        ).count()
        == 0
    )


# ------------------------------------------------------------------ a handle of one server, a home on another


async def split(name: str, domain: str = "brand.example", host: str = "pod.example") -> Account:
    return await remote(name, domain, uri=f"https://{host}/users/{name}", host=host)


async def standing() -> dict[str, tuple[bool, bool]]:
    """Who is suspended, and who silenced, of those elsewhere."""
    found = await Account.filter(local=False)
    return {each.username: (each.suspended_at is not None, each.silenced_at is not None) for each in found}


async def test_a_rule_about_the_home_reaches_who_lives_there_under_another_name(alice):
    rita = await split("rita")
    await remote("sid", "brand.example")
    await follows.follow(rita, alice)
    assert await domain_rules.followed(["pod.example"]) == {"pod.example": (0, 1)}
    await block("pod.example")
    assert await standing() == {"rita": (True, False), "sid": (False, False)}
    assert await db.value("SELECT count(*) FROM follow") == 0
    await lift("pod.example")
    assert await standing() == {"rita": (False, False), "sid": (False, False)}


async def test_of_two_rules_the_stricter_holds(admin):
    rita = await split("rita")
    await limit("brand.example")
    await block("pod.example")
    assert await standing() == {"rita": (True, False)}
    with pytest.raises(Conflict):
        await moderation.unsuspend(await Account.get(id=rita.id), admin)
    await lift("pod.example")
    assert await standing() == {"rita": (False, True)}


async def test_the_allow_list_needs_the_home_alone():
    await split("rita")
    await split("eve", host="other.example")
    await domain_rules.make(Rule("pod.example", Level.NONE), None)
    await domain_rules.set_allow_list(True, None)
    await carry_out()
    assert await standing() == {"rita": (False, False), "eve": (True, False)}


async def test_who_is_new_or_moves_to_such_a_home_is_marked():
    await limit("pod.example")
    incoming = profile("rita", uri="https://pod.example/users/rita", domain="brand.example")
    stored = await remote_accounts.store(incoming, confirmed=True)
    assert (stored.host, stored.silenced_by_rule) == ("pod.example", True)
    await Account.filter(id=stored.id).update(host="", silenced_at=None, silenced_by_rule=False)
    await remote_accounts.store(incoming)
    await carry_out()
    assert await standing() == {"rita": (False, True)}
