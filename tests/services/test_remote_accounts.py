import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Conflict, Forbidden, Gone, NotFound
from fediblog.models import Account, Media, Post
from fediblog.services import (
    accounts,
    blocks,
    boosts,
    deletion,
    follows,
    likes,
    moderation,
    polls,
    posts,
    receiving,
    remote_accounts,
    visibility,
)
from fediblog.services.composing import Draft
from fediblog.services.incoming import Attachment, Emoji
from fediblog.services.polls import PollDraft
from tests.people import person, remote, user_of
from tests.services import making
from tests.services.elsewhere import profile, said


async def test_a_profile_is_kept_as_its_server_shows_it(database: None):
    incoming = profile(
        actor_type="Service",
        url="https://remote.example/@rita",
        outbox="https://remote.example/users/rita/outbox",
        followers_uri="https://remote.example/users/rita/followers",
        note="<p>I am Rita.</p>",
        fields=(("Home", '<a href="https://rita.example">rita</a>'),),
        avatar_url="https://remote.example/rita.png",
        locked=True,
        indexable=True,
        also_known_as=("https://old.example/users/rita",),
        emojis=(Emoji("blob", "https://remote.example/blob.png"),),
        created_at=1_600_000_000_000,
    )
    rita = await Account.get(id=(await remote_accounts.store(incoming)).id)
    assert (rita.handle, rita.uri, rita.local, rita.username_key) == (
        *("rita@remote.example", incoming.uri, False),
        "rita",
    )
    assert (rita.actor_type, rita.url, rita.inbox) == ("Service", incoming.url, incoming.inbox)
    assert (rita.shared_inbox, rita.outbox) == (incoming.shared_inbox, incoming.outbox)
    assert (rita.followers_uri, rita.note) == (incoming.followers_uri, "<p>I am Rita.</p>")
    assert rita.fields_ == [
        {
            "name": "Home",
            "source": "",
            "value": '<a href="https://rita.example">rita</a>',
            "verified_at": None,
        }
    ]
    assert (rita.avatar_remote_url, rita.header_remote_url) == ("https://remote.example/rita.png", "")
    assert (rita.locked, rita.discoverable, rita.indexable) == (True, False, True)
    assert rita.also_known_as == ["https://old.example/users/rita"]
    assert rita.emojis == [{"shortcode": "blob", "url": "https://remote.example/blob.png"}]
    assert (rita.public_key, rita.key_id) == ("a key", incoming.key_id)
    assert (rita.created_at, rita.private_key) == (1_600_000_000_000, None)
    assert remote_accounts.is_fresh(rita)


async def test_a_profile_that_is_told_again_is_the_same_account(database: None):
    first = await remote_accounts.store(profile())
    same = await remote_accounts.store(profile())
    other = await remote_accounts.store(profile(display_name="Rita R.", public_key="a new key"))
    assert first.id == same.id == other.id
    assert (same.version, other.version) == (first.version, first.version + 1)
    found = await Account.get(id=first.id)
    assert (found.display_name, found.public_key) == ("Rita R.", "a new key")


async def test_copies_of_a_profile_at_once_are_one_account(database: None):
    found = await asyncio.gather(*(remote_accounts.store(profile(), confirmed=True) for _ in range(6)))
    assert len({account.id for account in found}) == 1


async def test_what_a_profile_counts_here_is_not_overwritten(alice: Account):
    rita = await remote_accounts.store(profile())
    await follows.follow(alice, rita)
    await follows.accept(rita, alice.id)
    await remote_accounts.store(profile(display_name="Other"))
    assert await making.counts(rita) == (1, 0)


@pytest.mark.parametrize(
    "more",
    [
        {"domain": "localhost:8000"},
        {"uri": "http://localhost:8000/ap/accounts/1"},
        {"inbox": "http://localhost:8000/ap/inbox"},
    ],
)
async def test_nobody_outside_is_one_of_us(database: None, more: dict[str, Any]):
    with pytest.raises(Forbidden):
        await remote_accounts.store(profile(**more), confirmed=True)
    assert await Account.all().count() == 0


async def test_a_shared_inbox_of_ours_is_none(database: None):
    rita = await remote_accounts.store(profile(shared_inbox="http://localhost:8000/ap/inbox"))
    assert rita.shared_inbox == ""


async def test_domains_are_kept_in_ascii(database: None):
    await remote_accounts.store(profile(domain="Bücher.example"))
    assert (await accounts.lookup("rita@bücher.example")).domain == "xn--bcher-kva.example"


# ------------------------------------------------------------------------------------------------- handles


async def test_a_handle_that_somebody_has_is_not_taken_without_proof(database: None):
    first = await remote_accounts.store(profile())
    with pytest.raises(Conflict):
        await remote_accounts.store(profile(uri="https://remote.example/users/fake"))
    assert await Account.all().count() == 1
    assert (await accounts.lookup("rita@remote.example")).id == first.id


async def test_a_handle_goes_to_whom_its_server_gives_it(database: None):
    old = await remote_accounts.store(profile())
    new = await remote_accounts.store(profile(uri="https://remote.example/new/rita"), confirmed=True)
    assert (await accounts.lookup("Rita@remote.example")).id == new.id
    # Without its name the old one stays what it was, and cannot take it back by talking.
    again = await remote_accounts.store(profile(display_name="Old Rita"))
    assert (again.id, again.display_name) == (old.id, "Old Rita")
    assert (await accounts.lookup("rita@remote.example")).id == new.id


async def test_a_handle_changes_only_with_proof(database: None):
    rita = await remote_accounts.store(profile())
    renamed = replace(profile(), username="margarita")
    assert (await remote_accounts.store(renamed)).handle == "rita@remote.example"
    assert (await remote_accounts.store(renamed, confirmed=True)).handle == "margarita@remote.example"
    moved = replace(renamed, domain="margarita.example")
    assert (await remote_accounts.store(moved, confirmed=True)).handle == "margarita@margarita.example"
    assert (await accounts.lookup("margarita@margarita.example")).id == rita.id
    with pytest.raises(NotFound):
        await accounts.lookup("rita@remote.example")


async def test_who_is_gone_keeps_no_handle_from_others(database: None):
    await remote_accounts.gone(await remote_accounts.store(profile()))
    new = await remote_accounts.store(profile(uri="https://remote.example/new/rita"))
    assert (await accounts.lookup("rita@remote.example")).id == new.id


async def test_two_that_swap_their_handles_at_once_both_end_well(database: None):
    one, two = profile("one"), profile("two")
    await remote_accounts.store(one, confirmed=True)
    await remote_accounts.store(two, confirmed=True)
    await asyncio.gather(
        remote_accounts.store(replace(one, username="two"), confirmed=True),
        remote_accounts.store(replace(two, username="one"), confirmed=True),
        return_exceptions=True,
    )
    keys = await db.column("SELECT username_key FROM account WHERE domain = 'remote.example'")
    assert len(keys) == len(set(keys)) == 2


# -------------------------------------------------------------------------------------- moved and put away


async def test_who_moved_is_believed_when_the_new_account_says_so_too(database: None):
    rita = profile(moved_to="https://new.example/users/rita")
    assert (await remote_accounts.store(rita)).moved_to_id is None
    target = await remote_accounts.store(profile("rita", "new.example"))
    assert (await remote_accounts.store(rita)).moved_to_id is None
    await remote_accounts.store(profile("rita", "new.example", also_known_as=(rita.uri,)))
    assert (await remote_accounts.store(rita)).moved_to_id == target.id
    assert (await remote_accounts.store(profile())).moved_to_id is None


async def test_a_server_puts_its_own_away_and_brings_them_back(alice: Account):
    rita = await remote_accounts.store(profile(suspended=True))
    post = await making.post(rita)
    assert not await visibility.may_see(alice, post)
    rita = await remote_accounts.store(profile())
    assert rita.suspended_at is None
    assert await visibility.may_see(alice, post)


async def test_a_server_does_not_bring_back_whom_we_put_away(database: None):
    staff = await user_of(await person("admin", role="admin"))
    rita = await remote_accounts.store(profile())
    await moderation.suspend(rita, staff)
    assert (await remote_accounts.store(profile(suspended=True))).suspended_at is not None
    assert (await remote_accounts.store(profile())).suspended_at is not None


async def test_whom_both_put_away_stays_away(database: None):
    staff = await user_of(await person("admin", role="admin"))
    rita = await remote_accounts.store(profile(suspended=True))
    await moderation.suspend(rita, staff)
    assert (await remote_accounts.store(profile())).suspended_at is not None


# ---------------------------------------------------------------------------------------------------- fresh


async def test_a_profile_of_yesterday_is_wanted_anew(alice: Account):
    fresh = await remote_accounts.store(profile())
    stale = await remote("otto", "remote.example", fetched_at=moments.now() - 2 * moments.DAY)
    for account in (fresh, stale, stale, alice):
        await remote_accounts.want_fresh(account)
    assert await making.owed("refresh") == [str(stale.id)]
    await remote_accounts.looked_at(stale)
    assert remote_accounts.is_fresh(await Account.get(id=stale.id))


# ----------------------------------------------------------------------------------------------------- gone


async def test_who_is_gone_elsewhere_is_gone_here_with_everything(alice: Account, bob: Account):
    rita = await remote_accounts.store(profile(note="<p>I am Rita.</p>"))
    incoming = said(rita, attachments=(Attachment("https://remote.example/1.png", "image"),))
    post = await receiving.receive(rita, incoming)
    assert post is not None
    question = Draft("Which?", poll=PollDraft(("a", "b"), 3600))
    ours = await posts.publish(alice, question)
    await polls.vote(rita, ours, [0])
    await boosts.boost(rita, ours, uri="https://remote.example/boosts/1")
    await likes.like(rita, ours)
    await likes.like(bob, post)
    await follows.follow(alice, rita)
    await follows.accept(rita, alice.id)
    await follows.follow(rita, bob)
    await blocks.block(bob, rita)

    await remote_accounts.gone(rita)
    await remote_accounts.gone(rita)
    for viewer in (alice, None):
        with pytest.raises(NotFound):
            await posts.get(post.id, viewer)
    with pytest.raises(NotFound):
        await accounts.lookup("rita@remote.example")
    assert await making.owed("erase") == [str(rita.id)]

    await deletion.erase(rita.id)
    await deletion.erase(rita.id)
    found = await Account.get(id=rita.id)
    assert (found.note, found.avatar_remote_url, found.followers_count, found.posts_count) == ("", "", 0, 0)
    shown = await Post.get(id=ours.id)
    assert (shown.likes, shown.boosts) == (0, 0)
    assert await db.value("SELECT voters FROM poll WHERE id = $1", ours.id) == 0
    assert await Post.filter(author_id=rita.id).count() == await Media.all().count() == 0
    for table in ("follow", "follow_request", "block", "hidden", "post_like"):
        assert await db.value(f"SELECT count(*) FROM {table}") == 0, table
    assert (await making.counts(alice), await making.counts(bob)) == ((0, 0), (0, 0))
    assert await receiving.receive(rita, incoming) is None


async def test_who_is_gone_does_not_come_back(database: None):
    await remote_accounts.gone(await remote_accounts.store(profile()))
    with pytest.raises(Gone):
        await remote_accounts.store(profile(), confirmed=True)


async def test_nobody_outside_deletes_one_of_us(alice: Account):
    with pytest.raises(Forbidden):
        await remote_accounts.gone(alice)
    assert (await Account.get(id=alice.id)).deleted_at is None
