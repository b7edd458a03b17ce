"""Every family of servers is read rightly: who wrote what, for whom, when, and what hangs on it."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog.activitypub import compact, ownership, reading
from fediblog.activitypub.vocabulary import as_list, id_of
from fediblog.config import Config
from fediblog.models import Visibility
from fediblog.services.incoming import (
    Attachment,
    Emoji,
    IncomingPost,
    IncomingVote,
    Question,
    Reaction,
)
from tests.activitypub import families
from tests.activitypub.families import ALICE, POLL, POST

pytestmark = pytest.mark.once

MARCH = 1_772_612_130_000  # 2026-03-04T08:15:30Z
NEXT_YEAR = 1_804_234_530_000  # 2027-03-05T08:15:30Z
JANUARY = 1_798_859_045_000  # 2027-01-02T03:04:05Z
BLURHASH = "UBL_:rOpGG-;~qRjWBay00WBt7Rj"


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="here.example", base_url="https://here.example")


def things(family: str, name: str) -> list[tuple[compact.Node, compact.Node | None]]:
    """The objects in a payload, each with the activity that brings it; boosts of activities unwrapped."""
    node = families.read(family, name)
    while isinstance(node.get("object"), dict) and node["object"].get("type") in ("Create", "Update"):
        node = node["object"]
    if node["type"] in ("Create", "Update"):
        return [(thing, node) for thing in as_list(node["object"])]
    return [(node, None)]


def read(family: str, name: str) -> IncomingPost:
    [(thing, activity)] = things(family, name)
    followers = families.followers(family) if family != "others" else None
    found = reading.post(thing, activity, followers)
    assert isinstance(found, IncomingPost)
    return found


def expect(found: object, **expected: Any) -> None:
    """All that differs, at once."""
    assert {name: getattr(found, name) for name in expected} == expected


def picture(url: str, **more: Any) -> Attachment:
    return Attachment(url, "image", **more)


def linked(url: str, title: str) -> str:
    return (
        f'<p><a href="{url}" rel="nofollow noopener noreferrer" target="_blank">'
        f"<strong>{title}</strong></a></p>"
    )


# --------------------------------------------------------------------------------------- what all of them do


def test_there_are_at_least_ten_families_and_each_sends_the_usual():
    assert len(families.names()) >= 10
    assert all({"actor", "post", "edit", "delete"} <= set(families.payloads(each)) for each in FAMILIES)
    for name in ("reply", "boost", "like", "poll", "vote", "move"):
        assert len(families.knows(name)) >= 9, name


FAMILIES = [family for family in families.names() if family != "misskey"]  # Misskey has no edits.


@pytest.mark.parametrize("family", families.names())
def test_actors_are_read(family: str):
    found = reading.account(families.read(family, "actor"))
    base = f"https://{family}.example"
    expect(found, domain=f"{family}.example", actor_type="Person", suspended=False)
    assert found.uri.startswith(base) and found.inbox.startswith(base) and found.shared_inbox.startswith(base)
    assert found.username in ("ada", "index") and found.display_name
    assert found.key_id.startswith(found.uri) and "BEGIN PUBLIC KEY" in found.public_key
    assert ownership.key_of(families.read(family, "actor"), found.key_id) == found.public_key


@pytest.mark.parametrize("family", families.names())
def test_posts_are_public_and_of_the_actor(family: str):
    found = read(family, "post")
    expect(found, author_uri=families.author(family), visibility=Visibility.PUBLIC, reply_to_uri="")
    assert found.content and found.created_at // 1_000 == MARCH // 1_000
    assert found.url.startswith(f"https://{family}.example")


@pytest.mark.parametrize("family", families.knows("reply"))
def test_replies_name_what_they_answer_and_whom(family: str):
    found = read(family, "reply")
    expect(found, reply_to_uri=POST, visibility=Visibility.PUBLIC, tagged=(ALICE,))
    assert ALICE in found.named


@pytest.mark.parametrize("family", families.knows("edit"))
def test_edits_say_when_they_were_made(family: str):
    found, before = read(family, "edit"), read(family, "post")
    expect(found, uri=before.uri, author_uri=before.author_uri, created_at=before.created_at)
    assert found.edited_at is not None and found.edited_at > (before.edited_at or before.created_at)
    assert found.content != before.content


@pytest.mark.parametrize("family", families.knows("poll"))
def test_polls_are_read_with_their_votes(family: str):
    question = read(family, "poll").question
    assert question is not None and [title for title, _ in question.options] == ["Tea", "Coffee"]
    assert question.closed_at is None and (question.expires_at or 0) > MARCH
    votes = [number for _, number in question.options]
    assert max(votes) <= question.voters <= sum(votes)


@pytest.mark.parametrize("family", families.knows("vote"))
def test_votes_are_no_posts(family: str):
    votes = [reading.post(thing, activity) for thing, activity in things(family, "vote")]
    assert votes and all(isinstance(each, IncomingVote) for each in votes)
    assert {each.author_uri for each in votes} == {families.author(family)}
    assert all(isinstance(each, IncomingVote) and each.poll_uri == POLL for each in votes)
    expected = ["Tea", "Coffee"] if family == "gotosocial" else ["Tea"]
    assert [each.option for each in votes if isinstance(each, IncomingVote)] == expected


@pytest.mark.parametrize("family", families.knows("like"))
def test_likes_are_likes(family: str):
    like = families.read(family, "like")
    assert (id_of(like["actor"]), id_of(like["object"])) == (families.author(family), POST)
    blobcat = Reaction(":blobcat:", f"https://files.{family}.example/blobcat.webp")
    assert reading.reaction(like) == (blobcat if family in ("misskey", "sharkey") else Reaction())


@pytest.mark.parametrize("family", families.names())
def test_the_rest_is_the_actors_and_names_what_it_is_about(family: str):
    for name in set(families.payloads(family)) & {"delete", "boost", "move", "unlike", "unboost"}:
        activity = families.read(family, name)
        ownership.check_activity(activity, id_of(activity["actor"]) or "")
        assert id_of(activity["object"]), name
    gone = families.read(family, "delete")
    assert id_of(gone["object"]) == read(family, "post").uri
    if "move" in families.payloads(family):
        moved = families.read(family, "move")
        assert (moved["object"], moved["target"]) == (moved["actor"], "https://new.example/users/ada")


# -------------------------------------------------------------------------------------------- one by one

# fmt: off
POSTS: dict[tuple[str, str], dict[str, Any]] = {
    ("mastodon", "post"): {
        "uri": "https://mastodon.example/users/ada/statuses/1001",
        "url": "https://mastodon.example/@ada/1001",
        "summary": "weather", "sensitive": True, "language": "en", "hashtags": ("winter",), "edited_at": None,
        "emojis": (Emoji("snowcat", "https://files.mastodon.example/emoji/7/snowcat.png"),),
        "conversation": "tag:mastodon.example,2026-03-04:objectId=1001:objectType=Conversation",
        "replies_uri": "https://mastodon.example/users/ada/statuses/1001/replies",
        "attachments": (
            picture("https://files.mastodon.example/media/1/original/snow.jpg", mime="image/jpeg",
                    description="Roofs under snow", width=1600, height=1200, focus=(0.25, -0.5),
                    blurhash=BLURHASH),
            Attachment("https://files.mastodon.example/media/2/original/snow.mp4", "video", mime="video/mp4",
                       width=1280, height=720, blurhash=BLURHASH,
                       preview_url="https://files.mastodon.example/media/2/small/snow.png"),
        ),
    },
    ("mastodon", "poll"): {"question": Question((("Tea", 3), ("Coffee", 2)), False, 5, NEXT_YEAR, None)},
    ("mastodon", "tally"): {"question": Question((("Tea", 4), ("Coffee", 2)), False, 6, NEXT_YEAR, None),
                            "edited_at": None},
    ("mastodon", "quote"): {"quote_uri": POST},
    ("mastodon", "direct"): {"visibility": Visibility.DIRECT, "named": (ALICE,), "tagged": (ALICE,)},
    ("mastodon", "followers"): {"visibility": Visibility.FOLLOWERS, "named": ()},
    ("misskey", "post"): {
        "url": "https://misskey.example/notes/a1", "summary": "", "sensitive": True, "hashtags": ("Katze",),
        "created_at": MARCH + 123,
        "attachments": (
            picture("https://files.misskey.example/cat.webp", mime="image/webp", description="A cat"),
            Attachment("https://files.misskey.example/purr.mp3", "audio", mime="audio/mpeg"),
        ),
    },
    ("misskey", "quote"): {"quote_uri": POST},
    ("misskey", "poll"): {"question": Question((("Tea", 4), ("Coffee", 1)), True, 4, JANUARY, None)},
    ("sharkey", "quote"): {"quote_uri": POST},
    ("pleroma", "post"): {
        "sensitive": False, "summary": "", "hashtags": ("foxes",), "created_at": MARCH + 123,
        "conversation": "https://pleroma.example/contexts/p1",
        "emojis": (Emoji("blobfox", "https://pleroma.example/emoji/custom/blobfox.png"),),
        "attachments": (picture("https://pleroma.example/media/fox.png", mime="image/png",
                                description="A fox", width=800, height=600, blurhash=BLURHASH),),
    },
    ("pleroma", "poll"): {"question": Question((("Tea", 2), ("Coffee", 0)), False, 2, NEXT_YEAR, None)},
    ("pleroma", "quote"): {"quote_uri": POST},
    ("akkoma", "post"): {"emojis": (Emoji("blobfox", "https://akkoma.example/emoji/custom/blobfox.png"),)},
    ("gotosocial", "post"): {
        "created_at": MARCH + 500, "language": "en", "hashtags": ("sloth",), "named": (),
        "replies_uri": "https://gotosocial.example/users/ada/statuses/01G1/replies",
        "attachments": (picture("https://gotosocial.example/fileserver/01A/attachment/original/01M.jpeg",
                                mime="image/jpeg", description="A sloth hangs from a branch",
                                focus=(-0.5, 0.5), blurhash=BLURHASH),),
    },
    ("gotosocial", "poll"): {
        "question": Question((("Tea", 7), ("Coffee", 5)), True, 10, 1_798_833_885_000, None),
    },
    ("lemmy", "post"): {
        "content": linked("https://lemmy.example/post/7", "How to grow tomatoes")
        + "<p>Water them <strong>often</strong>.</p>"
        + '<p><a href="https://tomatoes.example/guide" rel="nofollow noopener noreferrer" target="_blank">'
          "https://tomatoes.example/guide</a></p>",
        "language": "en", "summary": "", "named": ("https://lemmy.example/c/gardens",),
        "attachments": (picture("https://lemmy.example/pictrs/image/thumb.webp"),),
    },
    ("lemmy", "announced_post"): {"uri": "https://lemmy.example/post/7"},
    ("lemmy", "announced_reply"): {"uri": "https://lemmy.example/comment/8", "reply_to_uri": POST},
    ("lemmy", "picture"): {
        "content": linked("https://lemmy.example/post/9", "My tomato"),
        "attachments": (picture("https://lemmy.example/pictrs/image/tomato.jpeg", mime="image/jpeg"),),
    },
    ("piefed", "post"): {"hashtags": ("beans",), "replies_uri": "https://piefed.example/post/17/replies"},
    ("piefed", "poll"): {"content": "<p><strong>Which seeds?</strong></p><p>Choose</p>"},
    ("mbin", "post"): {
        "url": "https://mbin.example/m/gardens/t/27", "summary": "", "attachments": (),
        "content": linked("https://mbin.example/m/gardens/t/27", "My greenhouse")
        + "<p>A greenhouse</p>"
        + '<p><a href="https://glass.example/house" rel="nofollow noopener noreferrer" target="_blank">'
          "https://glass.example/house</a></p>",
    },
    ("mbin", "poll"): {"summary": ""},
    ("mbin", "microblog"): {
        "content": "<p>Short one</p>",
        "attachments": (picture("https://mbin.example/media/pot.jpg", mime="image/jpeg", description="A pot",
                                blurhash=BLURHASH),),
    },
    ("peertube", "post"): {
        "url": "https://peertube.example/w/eJdHnQ", "language": "en", "summary": "",
        "hashtags": ("steamengine",),
        "content": linked("https://peertube.example/w/eJdHnQ", "Engines explained")
        + "<p>How the **engine** works.</p><p>&lt;b&gt;Not markup&lt;/b&gt; &amp; more: "
          '<a href="https://engines.example/notes" translate="no" rel="nofollow noopener noreferrer" '
          'target="_blank"><span class="invisible">https://</span><span>engines.example/notes</span></a></p>',
        "attachments": (
            Attachment("https://peertube.example/static/streaming-playlists/hls/6d6a/720-fragmented.mp4",
                       "video", mime="video/mp4", description="Engines explained", width=1280, height=720,
                       preview_url="https://peertube.example/lazy-static/previews/b.jpg", duration=754.0),
        ),
    },
    ("peertube", "older_video"): {"author_uri": "https://peertube.example/accounts/ada"},
    ("peertube", "reply"): {"content": "<p>@alice@here.example I agree<br>with all of it</p>"},
    ("pixelfed", "post"): {
        "hashtags": ("hiking",),
        "attachments": tuple(
            picture(f"https://pixelfed.example/storage/m/{number}.jpg", mime="image/jpeg",
                    description=f"Picture {number}", width=1080, height=1350, blurhash=BLURHASH)
            for number in range(1, 7)
        ),
    },
    ("wordpress", "post"): {
        "uri": "https://wordpress.example/?p=148", "url": "https://wordpress.example/2026/03/baking/",
        "summary": "", "language": "en", "edited_at": MARCH + 870_000, "hashtags": ("bread",),
        "content": linked("https://wordpress.example/2026/03/baking/", "Baking – a start")
        + '<p>We baked <a href="https://wordpress.example/tag/bread/" '
          'rel="tag nofollow noopener noreferrer" target="_blank">#bread</a> today.</p>'
          "<p><strong>Recipe</strong></p><ul><li>flour</li><li>water</li></ul>",
        "attachments": (picture("https://cdn.example/bread.jpg?fit=980%2C980&ssl=1", mime="image/jpeg",
                                description="A loaf"),),
    },
    ("writefreely", "post"): {
        "content": linked("https://writefreely.example/ada/on-walking", "On walking")
        + "<p>The first paragraph.</p><p>The second one.</p>",
        "attachments": (picture("https://pictures.example/path.jpg", mime="image/jpeg"),),
    },
    ("writefreely", "note"): {"content": "<p>Short walk today.</p>"},
    ("ghost", "post"): {
        "content": linked("https://ghost.example/the-newsletter/", "The newsletter")
        + "<p>Dear readers,</p><p><strong>News</strong></p><p>All is well.</p>",
        "edited_at": None, "named": (),
        "attachments": (picture("https://ghost.example/content/images/feature.jpg"),),
    },
    ("ghost", "note"): {"attachments": (picture("https://ghost.example/content/images/n.png"),)},
    ("hollo", "post"): {"language": "ko", "hashtags": ("문",)},
    ("hollo", "quote"): {"quote_uri": POST},
    ("mitra", "quote"): {"quote_uri": POST},
    ("mitra", "linked"): {"quote_uri": POST},
    ("mitra", "post"): {
        "replies_uri": "https://mitra.example/objects/i1/replies",
        "conversation": "https://mitra.example/collections/conversations/i1",
        "emojis": (Emoji("owl", "https://mitra.example/media/owl.png"),),
    },
    ("others", "mobilizon_event"): {
        "author_uri": "https://mobilizon.example/@walkers", "language": "en", "hashtags": ("Walk",),
        "content": linked("https://mobilizon.example/events/e1", "Evening walk")
        + "<p>Meet at the bridge.</p>",
        "attachments": (picture("https://mobilizon.example/media/b.jpg?name=banner.jpg", mime="image/jpeg",
                                description="Banner"),),
    },
    ("others", "funkwhale_audio"): {
        "url": "https://funkwhale.example/library/tracks/1",
        "attachments": (Attachment("https://funkwhale.example/api/v1/listen/1.mp3", "audio",
                                   mime="audio/mpeg", description="A song - Ada", duration=215.0),),
    },
    ("others", "friendica_note"): {"language": "de", "tagged": (ALICE,)},
    ("others", "discourse_note"): {
        "content": "<p><strong>Our next meeting</strong></p><p><strong>Agenda</strong></p>Tea",
    },
    ("others", "nodebb_article"): {
        "summary": "", "edited_at": None, "conversation": "https://nodebb.example/topic/1",
        "content": linked("https://nodebb.example/post/1", "Welcome to the forum")
        + "<p><strong>Welcome</strong></p><p>to the forum.</p>",
    },
}
# fmt: on


@pytest.mark.parametrize(("family", "name"), POSTS)
def test_each_post_is_what_its_author_meant(family: str, name: str):
    expect(read(family, name), **POSTS[family, name])


# fmt: off
ACTORS: dict[tuple[str, str], dict[str, Any]] = {
    ("mastodon", "actor"): {
        "uri": "https://mastodon.example/users/ada", "url": "https://mastodon.example/@ada",
        "inbox": "https://mastodon.example/users/ada/inbox", "shared_inbox": "https://mastodon.example/inbox",
        "outbox": "https://mastodon.example/users/ada/outbox",
        "followers_uri": "https://mastodon.example/users/ada/followers",
        "following_uri": "https://mastodon.example/users/ada/following",
        "featured_uri": "https://mastodon.example/users/ada/collections/featured",
        "key_id": "https://mastodon.example/users/ada#main-key",
        "display_name": "Ada :snowcat: Lovelace", "locked": True, "discoverable": True, "indexable": True,
        "also_known_as": ("https://old.example/users/ada",), "moved_to": "", "created_at": 1_667_606_400_000,
        "avatar_url": "https://files.mastodon.example/accounts/avatars/ada.jpg",
        "header_url": "https://files.mastodon.example/accounts/headers/ada.png",
        "emojis": (Emoji("snowcat", "https://files.mastodon.example/emoji/7/snowcat.png"),),
    },
    ("misskey", "actor"): {"header_url": "", "shared_inbox": "https://misskey.example/inbox",
                           "avatar_url": "https://files.misskey.example/ada.webp"},
    ("gotosocial", "actor"): {"key_id": "https://gotosocial.example/users/ada/main-key",
                              "fields": (("Site", "ada.example"),)},
    ("lemmy", "actor"): {"followers_uri": "", "featured_uri": "", "url": "https://lemmy.example/u/ada"},
    ("lemmy", "group"): {"actor_type": "Group", "username": "gardens",
                         "featured_uri": "https://lemmy.example/c/gardens/featured"},
    ("peertube", "actor"): {
        "note": "<p>Engines, mostly.<br>New films on &lt;Fridays&gt;</p>", "display_name": "Ada & friends",
        "avatar_url": "https://peertube.example/lazy-static/avatars/m.png",
    },
    ("peertube", "group"): {"actor_type": "Group", "username": "engines.channel",
                            "header_url": "https://peertube.example/lazy-static/banners/b.jpg"},
    ("wordpress", "actor"): {"display_name": "Ada’s kitchen", "uri": "https://wordpress.example/?author=1",
                             "avatar_url": "https://avatars.example/ada?s=120&d=mm&r=g"},
    ("writefreely", "actor"): {"note": "<p>Notes on walking</p>", "featured_uri": ""},
    ("ghost", "actor"): {"followers_uri": "https://ghost.example/.ghost/activitypub/followers/index"},
    ("hollo", "actor"): {"also_known_as": ("https://old.example/users/ada",)},
    ("mitra", "actor"): {"also_known_as": ("https://old.example/users/ada",)},
}
# fmt: on


@pytest.mark.parametrize(("family", "name"), ACTORS)
def test_each_actor_is_what_it_says(family: str, name: str):
    expect(reading.account(families.read(family, name)), **ACTORS[family, name])


def test_eight_fields_of_a_profile_are_kept():
    assert len(reading.account(families.read("pleroma", "actor")).fields) == 8


@pytest.mark.parametrize(
    ("family", "name", "expected"),
    [
        ("misskey", "heart", Reaction("❤")),
        ("pleroma", "reaction", Reaction(":blobfox:", "https://pleroma.example/emoji/custom/blobfox.png")),
        ("akkoma", "reaction", Reaction(":blobfox:", "https://akkoma.example/emoji/custom/blobfox.png")),
        ("hollo", "reaction", Reaction("🎉")),
        ("mitra", "reaction", Reaction(":owl:", "https://mitra.example/media/owl.png")),
    ],
)
def test_reactions_keep_their_emoji(family: str, name: str, expected: Reaction):
    assert reading.reaction(families.read(family, name)) == expected


def test_a_report_is_read():
    assert reading.comment(families.read("mastodon", "flag")) == "This is spam"
