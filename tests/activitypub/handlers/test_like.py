"""Like and EmojiReact: counted once, with the emoji kept; only of what the actor may see."""

import pytest

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account, Visibility
from fediblog.services import blocks
from tests.activitypub.handlers.stage import befriend, drops, found, handle
from tests.services.making import post, told

BLOBCAT = {
    "type": "Emoji",
    "name": ":blobcat:",
    "icon": {"type": "Image", "mediaType": "image/png", "url": "https://remote.example/blobcat.png"},
}


async def kept() -> list[tuple[str, str, str]]:
    lines = await db.rows("SELECT uri, emoji, emoji_url FROM post_like ORDER BY id")
    return [(line["uri"], line["emoji"], line["emoji_url"]) for line in lines]


async def test_a_like_counts_and_tells_once(rita, alice: Account):
    made = await post(alice)
    first = await rita.does("Like", made.uri)
    await handle(first, rita.account)
    await rita.does("Like", {"id": made.uri, "type": "Note", "attributedTo": alice.uri})

    assert (await found(made.uri)).likes == 1
    assert await kept() == [(first["id"], "", "")]
    assert await told(alice) == [("like", rita.account.id, made.id)]


@pytest.mark.parametrize(
    ("kind", "more", "emoji", "url"),
    [
        ("Like", {"content": "🎉"}, "🎉", ""),
        ("Like", {"_misskey_reaction": "👍"}, "👍", ""),
        ("EmojiReact", {"content": "🦊"}, "🦊", ""),
        ("EmojiReact", {"content": ":blobcat:", "tag": [BLOBCAT]}, ":blobcat:", BLOBCAT["icon"]["url"]),
        ("Like", {"content": ":unknown:"}, "", ""),
        ("EmojiReact", {}, "", ""),
    ],
)
async def test_the_emoji_of_a_reaction_is_kept(rita, alice, kind, more, emoji, url):
    made = await post(alice)
    done = await rita.does(kind, made.uri, **more)
    assert await kept() == [(done["id"], emoji, url)]
    assert (await found(made.uri)).likes == 1


async def test_of_several_reactions_the_last_is_kept_and_one_counts(rita, alice):
    made = await post(alice)
    await rita.does("Like", made.uri)
    last = await rita.does("EmojiReact", made.uri, content="🦊")
    await rita.does("Like", made.uri)
    assert await kept() == [(last["id"], "🦊", "")]
    assert (await found(made.uri)).likes == 1
    assert len(await told(alice)) == 1


async def test_nothing_is_fetched_for_a_like(rita, otto, alice):
    await rita.does("Like", otto.note()["id"])
    await rita.does("Like", "http://localhost:8000/ap/posts/1")
    assert await drops() == {"like of an unknown post": 2}
    assert otto.peer.asked == []


async def test_what_one_may_not_see_one_cannot_like(rita, alice):
    followers = await post(alice, Visibility.FOLLOWERS)
    for made in (followers, await post(alice, Visibility.DIRECT)):
        with pytest.raises(NotFound):
            await rita.does("Like", made.uri)
    assert await kept() == []

    await befriend(rita.account, alice)
    await rita.does("Like", followers.uri)
    assert len(await kept()) == 1


async def test_who_is_blocked_likes_nothing(rita, alice):
    made = await post(alice)
    await blocks.block(alice, rita.account)
    with pytest.raises(NotFound):
        await rita.does("Like", made.uri)


async def test_dislikes_are_dropped(rita, alice):
    await rita.does("Dislike", (await post(alice)).uri)
    assert await kept() == []
    assert await drops() == {"dislike": 1}
