"""Deleting an account: gone at once, then everything it has left, and nobody else's numbers are wrong."""

import asyncio
from io import BytesIO

import pytest
from PIL import Image

from fediblog import db, moments, storage
from fediblog.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from fediblog.models import Account, Media, Post, User, Visibility
from fediblog.services import (
    accounts,
    blocks,
    bookmarks,
    boosts,
    deletion,
    endorsements,
    featured_tags,
    follows,
    hidden_domains,
    invites,
    likes,
    media,
    members,
    mutes,
    notes,
    pins,
    polls,
    posts,
    scheduled,
    sessions,
    signups,
    suggestions,
    tags,
    tokens,
)
from fediblog.services.accounts import Profile
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.people import PASSWORD, person, user_of
from tests.services.newcomers import HERE, audited, form


async def picture(size: int = 64) -> bytes:
    made = BytesIO()
    Image.new("RGB", (size, size), "teal").save(made, "PNG")
    return made.getvalue()


async def uploaded(account: Account) -> Media:
    path = storage.current().temporary()
    path.write_bytes(await picture())
    found = await media.receive(account, path)
    await media.process(found.id)
    return found


async def counted(table: str, account_id: int) -> int:
    """How many rows of a table name this account anywhere."""
    columns = {
        "follow": ("follower_id", "target_id"),
        "follow_request": ("follower_id", "target_id"),
        "block": ("account_id", "target_id"),
        "mute": ("account_id", "target_id"),
        "hidden": ("account_id", "target_id"),
        "notification": ("account_id", "from_id"),
        "post": ("author_id",),
        **dict.fromkeys(("account_note", "endorsement", "dismissed_suggestion"), ("account_id", "target_id")),
    }.get(table, ("account_id",))
    where = " OR ".join(f"{column} = $1" for column in columns)
    return int(await db.value(f"SELECT count(*) FROM {table} WHERE {where}", account_id))


TABLES = (
    "follow follow_request block mute hidden notification post post_like bookmark pin poll_ballot home_entry"
    " media thread_mute marker session oauth_token membership account_day account_note endorsement"
    " dismissed_suggestion hidden_domain followed_tag featured_tag conversation announcement_read"
    " scheduled_post"
)


async def test_a_deleted_account_is_gone_at_once(alice):
    user = await user_of(alice)
    opened = await sessions.sign_in("alice", PASSWORD, HERE, "")
    api = await tokens.create(alice, user, "read")
    await accounts.edit_profile(alice, Profile(note="About me", fields=[("a", "b")]))
    post = await posts.publish(alice, Draft("Hello"))
    await deletion.delete(alice, user)

    with pytest.raises(Gone):
        await accounts.get(alice.id)
    with pytest.raises(NotFound):
        await accounts.lookup("alice")
    with pytest.raises(NotFound):
        await posts.get(post.id, None)
    assert await sessions.find(opened.token) is None
    assert await tokens.find(api) is None
    assert await User.all().count() == 0
    row = await Account.get(id=alice.id)
    assert (row.display_name, row.note, row.note_source, row.fields_) == ("", "", "", [])
    assert await audited() == ["account.delete"]
    assert await db.column("SELECT key FROM work WHERE kind = 'erase'") == [str(alice.id)]


async def test_the_name_stays_taken_and_the_address_is_free(alice, configure):
    configure(registration__mode="open")
    await deletion.delete(alice, await user_of(alice))
    await signups.register(form("alice2", email="alice@mail.example"), HERE)
    with pytest.raises(Invalid):
        await signups.register(form("alice", email="new@mail.example"), HERE)


async def test_everything_goes_and_the_numbers_of_others_stay_right(alice, bob, carol):
    shown = await uploaded(alice)
    await uploaded(alice)
    path = storage.current().temporary()
    path.write_bytes(await picture())
    await accounts.set_avatar(alice, path)

    await follows.follow(alice, bob)
    await follows.follow(bob, alice)
    await follows.follow(carol, bob)
    mine = await posts.publish(alice, Draft("Mine, for @bob", media_ids=(shown.id,)))
    theirs = await posts.publish(bob, Draft("Theirs, for @alice"))
    asked = await posts.publish(bob, Draft("Which?", poll=PollDraft(("one", "two"), 3600, multiple=True)))
    await posts.publish(alice, Draft("A reply", reply_to_id=theirs.id))
    await boosts.boost(alice, theirs)
    await boosts.boost(alice, mine)
    await boosts.boost(bob, mine)
    for who in (alice, carol):
        await likes.like(who, theirs)
        await polls.vote(who, asked, [0, 1] if who is alice else [1])
    await likes.like(bob, mine)
    await bookmarks.bookmark(alice, theirs)
    await pins.pin(alice, mine)
    await blocks.block(alice, carol)
    await mutes.mute(carol, alice)
    await notes.write(alice, bob, "a friend")
    await endorsements.endorse(bob, alice)
    await suggestions.dismiss(bob, alice.id)
    await suggestions.dismiss(alice, bob.id)
    await hidden_domains.hide(alice, "far.example")
    await tags.follow(alice, "cats")
    await featured_tags.feature(alice, "cats")
    await posts.publish(bob, Draft("@alice", visibility=Visibility.DIRECT))
    await scheduled.schedule(alice, Draft("Later"), moments.now() + moments.HOUR)

    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    await deletion.erase(alice.id)

    assert {table: number for table in TABLES.split() if (number := await counted(table, alice.id))} == {}
    bob = await Account.get(id=bob.id)
    assert (bob.followers_count, bob.following_count, bob.posts_count) == (1, 0, 2)
    left = await Post.get(id=theirs.id)
    assert (left.likes, left.boosts, left.replies) == (1, 0, 0)
    assert await Post.all().count() == 3
    assert await db.column(
        "SELECT votes FROM poll_option WHERE poll_id = $1 ORDER BY position", asked.id
    ) == [0, 1]
    assert await db.value("SELECT voters FROM poll WHERE id = $1", asked.id) == 1
    assert await db.value("SELECT count(*) FROM tombstone WHERE uri = $1", mine.uri) == 1
    assert [path for path in storage.current().root.rglob("*") if path.is_file()] == []
    row = await Account.get(id=alice.id)
    assert (row.posts_count, row.followers_count, row.following_count) == (0, 0, 0)


async def test_much_is_erased_in_several_goes(alice, monkeypatch):
    monkeypatch.setattr(deletion, "_MOST", 3)
    monkeypatch.setattr(deletion, "_BATCH", 2)
    for number in range(7):
        await posts.publish(alice, Draft(f"Number {number}"))
    await deletion.delete(alice, await user_of(alice))
    left = []
    for _ in range(3):
        await deletion.erase(alice.id)
        left.append(await counted("post", alice.id))
    assert left == [4, 1, 0]
    assert await counted("home_entry", alice.id) == 0


async def test_only_a_deleted_account_is_erased(alice):
    await posts.publish(alice, Draft("Still here"))
    await deletion.erase(alice.id)
    await deletion.erase(12345)
    assert await counted("post", alice.id) == 1


async def test_only_an_owner_deletes(alice, bob):
    editor = await user_of(bob)
    with pytest.raises(Forbidden):
        await deletion.delete(alice, editor)
    async with db.transaction():
        await members.add(editor.id, alice.id, members.Membership.EDITOR)
    with pytest.raises(Forbidden):
        await deletion.delete(alice, editor)
    await accounts.get(alice.id)


async def test_who_has_another_account_stays(alice, bob):
    editor = await user_of(bob)
    async with db.transaction():
        await members.add(editor.id, alice.id, members.Membership.EDITOR)
    opened = await sessions.sign_in("bob", PASSWORD, HERE, "")
    session = await sessions.find(opened.token)
    assert session is not None
    await sessions.act_for(session, alice.id)
    await deletion.delete(alice, await user_of(alice))
    assert await sessions.find(opened.token) is None
    assert [account.id for account in await members.accounts(editor)] == [bob.id]
    assert (await sessions.sign_in("bob", PASSWORD, HERE, "")).account.id == bob.id


async def test_the_last_admin_stays(database):
    chief = await person("chief", role="admin")
    with pytest.raises(Conflict):
        await deletion.delete(chief, await user_of(chief))
    assert (await accounts.get(chief.id)).deleted_at is None
    assert await db.value("SELECT count(*) FROM work") == 0
    await person("second", role="admin")
    await deletion.delete(chief, await user_of(chief))


async def test_of_two_last_admins_who_leave_at_once_one_stays(database):
    for number in range(5):
        chiefs = [await person(f"chief_{number}_{name}", role="admin") for name in "ab"]
        leaving = [deletion.delete(chief, await user_of(chief)) for chief in chiefs]
        outcomes = await asyncio.gather(*leaving, return_exceptions=True)
        assert [type(one) for one in outcomes].count(Conflict) == 1
        assert await User.filter(role="admin").count() == 1
        await User.filter(role="admin").update(role="user")


async def test_invites_end_with_their_maker(alice):
    invite = await invites.create(alice)
    await deletion.delete(alice, await user_of(alice))
    assert await invites.find(invite.code) is None
